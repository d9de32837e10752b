"""Turns the notebooks, with their stored outputs, into pages of the site.

`mkdocs.yml` names this file as a hook. `python tools/notebook_pages.py` runs the notebooks again
and stores their outputs.
"""

import json
import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

NOTEBOOKS = Path(__file__).parents[1] / "docs" / "notebooks"


def page_of(path: Path) -> str:
    """Returns a notebook as Markdown, with its text, its code and the outputs of each cell."""
    parts = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else _fenced(source, "python"))
        parts += [_shown(output) for output in cell.get("outputs", ())]
    return "\n\n".join(filter(None, parts)) + "\n"


def _shown(output: dict[str, Any]) -> str:
    """Returns one output as a picture or a table if it has one, otherwise as text."""
    data = {kind: "".join(content) for kind, content in output.get("data", {}).items()}
    if "image/png" in data:
        return f"![What the cell draws](data:image/png;base64,{data['image/png'].strip()})"
    if "text/html" in data:
        return re.sub(r"<style.*?</style>\s*", "", data["text/html"], flags=re.DOTALL)
    return _fenced("".join(output.get("text", data.get("text/plain", ""))), "text")


def _fenced(text: str, language: str) -> str:
    return f"```{language}\n{text.rstrip()}\n```" if text.strip() else ""


def on_files(files: "Files", *, config: "MkDocsConfig") -> "Files":
    """Adds a page for each notebook (a hook of mkdocs)."""
    from mkdocs.structure.files import File

    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        place = f"{NOTEBOOKS.name}/{path.stem}.md"
        files.append(File.generated(config, place, content=page_of(path)))
    return files


def on_page_markdown(markdown: str, *, page: "Page", config: "MkDocsConfig", files: "Files") -> str:
    """Changes links to notebooks into links to their pages (a hook of mkdocs)."""
    return markdown.replace(".ipynb)", ".md)")


def main() -> None:
    """Runs all cells of the notebooks in order and stores their outputs."""
    from nbclient import NotebookClient

    nbformat: Any = import_module("nbformat")  # nbformat has no type hints.
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(notebook, timeout=600, resources={"metadata": {"path": NOTEBOOKS}}).execute()
        for cell in notebook.cells:
            cell.metadata.clear()  # This removes the times of the run.
            if cell.cell_type == "code":
                cell.outputs = [one for one in cell.outputs if one.get("name") != "stderr"]
        nbformat.write(notebook, path)


if __name__ == "__main__":
    main()
