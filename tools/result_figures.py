"""Figures of the results page, drawn from the kept rows when the site is built.

`mkdocs.yml` names this file as a hook. No figure is kept in the repository: rows and figures agree.
"""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING

import pandas as pd

from studies.report.figure_style import WIDE_INCHES, as_svg
from studies.report.figures import gaps_figure, sweep_figure
from studies.results.columns import setting
from studies.results.summary import NOT_SWEPT, summary, swept_columns
from tools.results_page import RESULTS, reference_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

FOLDER = "results"
MOST_CASES = 40
"""Of a figure; more cannot be read."""


def figure_of(rows: pd.DataFrame) -> Figure | None:
    """Accuracy over the first swept number, else the gaps of the cases to their reference.

    None: no case has a seed in common with the reference, or there are too many cases to be read.
    """
    swept = [column for column in swept_columns(rows) if _is_number(rows, column)]
    if swept:
        return sweep_figure(rows, swept[0].partition(".")[2], WIDE_INCHES)
    reference, _ = reference_of(rows)
    table = summary(rows, reference)
    if not (table["gap_n"] > 0).any() or len(table) > MOST_CASES:
        return None
    return gaps_figure(table, reference, WIDE_INCHES)


def _is_number(rows: pd.DataFrame, column: str) -> bool:
    """Whether the setting has several values, all of them numbers."""
    path = column.partition(".")[2]
    values = {value for value in setting(rows, path) if value != NOT_SWEPT}
    try:
        numbers = {float(value) for value in values if not isinstance(value, bool)}
    except ValueError:
        return False
    return len(numbers) > 1


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Adds a figure for each file of rows that is a study's (a hook of mkdocs)."""
    from mkdocs.structure.files import File

    for path in sorted(RESULTS.glob("*.csv")):
        rows = pd.read_csv(path)
        if not {"study", "test_accuracy"} <= set(rows.columns):
            continue
        figure = figure_of(rows)
        if figure is not None:
            figure.draw_without_rendering()  # the layout fits at the second drawing
            files.append(
                File.generated(config, f"{FOLDER}/{path.stem}.svg", content=as_svg(figure))
            )
    return files


def with_figures(markdown: str, drawn: Container[str]) -> str:
    """The page with each figure below the heading of its rows."""
    lines = []
    for line in markdown.splitlines():
        lines.append(line)
        name = line.removeprefix("### ")
        if name != line and name in drawn:
            lines += ["", f"![Accuracy of {name}, by case or over the swept setting]({name}.svg)"]
    return "\n".join(lines)


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Puts the figures into the page of results (a hook of mkdocs)."""
    if page.file.src_uri != f"{FOLDER}/index.md":
        return markdown
    parts = (file.src_uri.partition("/") for file in files if file.src_uri.endswith(".svg"))
    return with_figures(markdown, {name[:-4] for folder, _, name in parts if folder == FOLDER})
