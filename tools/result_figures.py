"""Draws the figure of each record from its rows when the site is built.

`mkdocs.yml` names this file as a hook. No figure is kept in the repository, so rows and figures
always agree.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from rpu_ssnn.common.errors import InputError
from studies.declaration.shipped import find_study
from studies.report.figure_style import WIDE_INCHES, as_svg
from studies.report.figures import gaps_figure, sweep_figure
from studies.results.grouping import NOT_SWEPT, setting, swept_columns
from studies.results.summary import summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

RECORDS = Path(__file__).parents[1] / "docs" / "results"
FIGURE = "figure.svg"
MOST_CASES = 40
"""A figure with more cases would not be legible."""


def rows_of(record: Path) -> pd.DataFrame | None:
    """Returns the rows of a record's study, or None for a record without a study or rows."""
    files = sorted(record.glob("rows*.csv"))
    rows = pd.concat([pd.read_csv(file) for file in files], ignore_index=True) if files else None
    return rows if rows is not None and {"study", "test_accuracy"} <= set(rows.columns) else None


def figure_of(record: Path) -> Figure | None:
    """Draws accuracy over the first swept number, or the accuracy of each case and its gap to the
    reference if no number is swept.

    Returns:
        None if the record has no rows of a study, no case shares a seed with the reference, or
        there are too many cases for a legible figure.
    """
    rows = rows_of(record)
    if rows is None:
        return None
    swept = [column for column in swept_columns(rows) if _is_number(rows, column)]
    if swept:
        return sweep_figure(rows, swept[0].partition(".")[2], WIDE_INCHES)
    reference = _reference(record, list(rows["label"]))
    table = summary(rows, reference)
    if not (table["gap_n"] > 0).any() or len(table) > MOST_CASES:
        return None
    return gaps_figure(rows, table, reference, WIDE_INCHES)


def _reference(record: Path, labels: list[str]) -> str:
    """Returns the reference of the record's study, or the first case of its rows if there is
    none."""
    try:
        named = find_study(record.name).reference_label
    except InputError:
        return labels[0]
    return named if named in labels else labels[0]


def _is_number(rows: pd.DataFrame, column: str) -> bool:
    """Returns whether the setting has several values, all of them numbers."""
    values = {value for value in setting(rows, column.partition(".")[2]) if value != NOT_SWEPT}
    try:
        numbers = {float(value) for value in values if not isinstance(value, bool)}
    except ValueError:
        return False
    return len(numbers) > 1


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Adds the figure of each record to the site (a hook of mkdocs)."""
    from mkdocs.structure.files import File

    for record in sorted(path.parent for path in RECORDS.glob("*/index.md")):
        figure = figure_of(record)
        if figure is not None:
            figure.draw_without_rendering()  # The layout fits only when it is drawn a second time.
            place = f"{RECORDS.name}/{record.name}/{FIGURE}"
            files.append(File.generated(config, place, content=as_svg(figure)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Inserts a record's figure before the section on how it was run, or at the end of a page
    without one (a hook of mkdocs)."""
    folder = page.file.src_uri.rpartition("/")[0]
    if not folder.startswith(f"{RECORDS.name}/") or f"{folder}/{FIGURE}" not in files.src_uris:
        return markdown
    answer, heading, rest = markdown.partition("## How it was run")
    figure = f"![Accuracy by case, or over the swept setting]({FIGURE})"
    return f"{answer.rstrip()}\n\n{figure}\n\n{heading}{rest}"
