"""Runs the notebooks from the first cell to the last."""

import ast
from pathlib import Path

import pytest

from tools.notebook_pages import page_of

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

FOLDER = Path(__file__).parents[2] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
assert NOTEBOOKS, FOLDER


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore")  # Jupyter's packages cause warnings.
def test_a_notebook_runs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        notebook, timeout=600, iopub_timeout=60, resources={"metadata": {"path": FOLDER}}
    )
    client.execute()
    outputs = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    assert any(output.output_type == "display_data" for part in outputs for output in part)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_holds_its_outputs_and_imports_nothing_private(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        assert all(output.output_type != "error" for output in cell.outputs)
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.ImportFrom):
                names = [node.module or "", *(name.name for name in node.names)]
                assert not any(part.startswith("_") for name in names for part in name.split("."))
    shown = page_of(path)  # This is the page on the site.
    assert shown.count("```python") == sum(cell.cell_type == "code" for cell in notebook.cells)
    assert "](data:image/png;base64," in shown
