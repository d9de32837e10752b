"""A table of finished cells as Markdown, LaTeX (booktabs) or HTML; names are escaped in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from studies.common.choices import Format
from studies.common.statistics import FEWEST_SEEDS, mark
from studies.results.spreadsheet import guarded

if TYPE_CHECKING:
    import pandas as pd


def as_csv(table: pd.DataFrame) -> str:
    """Exact numbers, no index."""
    return str(guarded(table).to_csv(index=False)).rstrip("\n")


def render_cells(table: pd.DataFrame, style: Format, n_left: int = 1, note: str = "") -> str:
    """A table whose cells are text already.

    Args:
        n_left: leading columns that are names (left aligned); the others are numbers.
        note: one line under the table (in LaTeX a comment above it).
    """
    table = table.map(_one_line).rename(columns=_one_line)
    if style == "latex":
        return (f"% {note}\n" if note else "") + _latex(table, n_left)
    if style == "html":
        text = str(table.to_html(index=False, border=0))  # escapes its cells
        return f"{text}\n<p>{escape(note)}</p>" if note else text
    if style == "csv":
        return as_csv(table)
    text = markdown({name: table[name].tolist() for name in table.columns}, n_left)
    return text + (f"\n\n{note}" if note else "")


def _one_line(cell: object) -> str:
    return " ".join(str(cell).split())


def _latex(table: pd.DataFrame, n_left: int) -> str:
    styled = table.style.hide(axis="index").format(escape="latex")
    text: str = styled.format_index(escape="latex", axis="columns").to_latex(
        hrules=True, column_format="l" * n_left + "r" * (len(table.columns) - n_left)
    )
    for sign, command in (("±", r"$\pm$"), ("<", "$<$"), (">", "$>$")):
        text = text.replace(sign, command)
    return text.rstrip("\n")


def markdown(columns: Mapping[str, Sequence[str]], n_left: int = 1) -> str:
    """As narrow as its cells: tabulate pads each header by two, past a terminal's 100 columns."""
    aligned = []
    for place, (name, column) in enumerate(columns.items()):
        cells = [cell.replace("|", r"\|") for cell in (name, *column)]
        width = max(2, *map(len, cells))
        left = place < n_left
        rule = ":" + "-" * (width - 1) if left else "-" * (width - 1) + ":"
        cells = [cell.ljust(width) if left else cell.rjust(width) for cell in cells]
        aligned.append([cells[0], rule, *cells[1:]])
    return "\n".join(f"| {' | '.join(line)} |" for line in zip(*aligned, strict=True))


_NO_SPREAD = 1e-6
"""Half width (points) of an interval of equal values, rounding included."""


def interval(mean: float, half_width: float, style: str = "{:.2f}", n: int | None = None) -> str:
    """A mean with the half width of its interval, where it has one.

    Args:
        n: seeds; of fewer than three no interval is shown, nor of equal values. None: many enough.
    """
    shown = half_width > _NO_SPREAD and (n is None or n >= FEWEST_SEEDS)
    return number(mean, style) + (f" ± {half_width:.2f}" if shown else "")


def marked_interval(mean: float, half_width: float, p: float, n: int) -> str:
    """A difference with its sign, its interval and its mark.

    Args:
        p: corrected.
    """
    return f"{interval(mean, half_width, '{:+.2f}', n)} {mark(mean, half_width, p)}".strip()


def accuracy_interval(mean: float, half_width: float, n: int | None = None) -> str:
    """The same of an accuracy (%), whose interval ends at 0 and at 100."""
    text = interval(mean, half_width, n=n)
    low, high = mean - half_width, mean + half_width
    if "±" not in text or (low >= 0 and high <= 100):
        return text
    return f"{mean:.2f} ({max(low, 0):.2f} to {min(high, 100):.2f})"


def number(value: float, style: str = "{:.2f}") -> str:
    """A number; a dash where there is none, and no minus zero."""
    if value != value:
        return "-"
    text = style.format(value)
    return style.format(0.0) if text.strip("-0.") == "" else text
