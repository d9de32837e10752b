"""Runs the notebooks from the first cell to the last."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from matplotlib import pyplot as plt

from support.studies.harness import InThisProcess
from tools.notebook_pages import NOTEBOOKS, page_of

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
assert PATHS, NOTEBOOKS


def code_cells(path: Path) -> list[dict[str, Any]]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cells run in this process, since a kernel and a worker take seconds to start."""
    monkeypatch.chdir(tmp_path)
    plt.switch_backend("agg")
    names = {"__name__": "__main__", "executor": InThisProcess()}
    for number, cell in enumerate(code_cells(path)):
        source = "".join(cell["source"]).replace("workers=1", "executor=executor")
        exec(compile(source, f"{path.name}, cell {number}", "exec"), names)
    assert plt.get_fignums()
    plt.close("all")


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_holds_its_outputs_and_imports_nothing_private(path: Path) -> None:
    cells = code_cells(path)
    for cell in cells:
        assert all(output["output_type"] != "error" for output in cell["outputs"])
        for node in ast.walk(ast.parse("".join(cell["source"]))):
            if isinstance(node, ast.ImportFrom):
                names = [node.module or "", *(name.name for name in node.names)]
                assert not any(part.startswith("_") for name in names for part in name.split("."))
    shown = page_of(path)  # This is the page on the site.
    assert shown.count("```python") == len(cells)
    assert "](data:image/png;base64," in shown
