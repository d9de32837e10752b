"""Writes tables as Markdown, and numbers and intervals as the text of cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from studies.common.statistics import FEWEST_SEEDS, mark

if TYPE_CHECKING:
    import pandas as pd


def as_markdown(table: pd.DataFrame, n_left: int = 1, note: str = "") -> str:
    """Writes a table as Markdown; its cells are already text.

    Args:
        n_left: number of leading columns that are left aligned because they hold names.
        note: a line to put under the table.
    """
    table = table.map(_one_line).rename(columns=_one_line)
    text = markdown({name: table[name].tolist() for name in table.columns}, n_left)
    return text + (f"\n\n{note}" if note else "")


def _one_line(cell: object) -> str:
    return " ".join(str(cell).split())


def markdown(columns: Mapping[str, Sequence[str]], n_left: int = 1) -> str:
    """Returns a Markdown table whose columns are no wider than their cells.

    Tabulate pads each header by two characters, which makes a summary wider than a terminal.
    """
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
"""A half width (points) below this is only rounding, from values that are equal."""


def interval(mean: float, half_width: float, style: str = "{:.2f}", n: int | None = None) -> str:
    """Returns a mean with the half width of its interval, if it has one.

    Args:
        n: number of seeds; with fewer than three, no interval is shown. None means enough seeds.
    """
    shown = half_width > _NO_SPREAD and (n is None or n >= FEWEST_SEEDS)
    return number(mean, style) + (f" ± {half_width:.2f}" if shown else "")


def marked_interval(mean: float, half_width: float, p: float, n: int) -> str:
    """Returns a difference with its sign, its interval and the mark of its corrected p."""
    return f"{interval(mean, half_width, '{:+.2f}', n)} {mark(mean, half_width, p)}".strip()


def accuracy_interval(mean: float, half_width: float, n: int | None = None) -> str:
    """Returns an accuracy (%) with its interval, which is cut off at 0 and at 100."""
    text = interval(mean, half_width, n=n)
    low, high = mean - half_width, mean + half_width
    if "±" not in text or (low >= 0 and high <= 100):
        return text
    return f"{mean:.2f} ({max(low, 0):.2f} to {min(high, 100):.2f})"


def number(value: float, style: str = "{:.2f}") -> str:
    """Returns a number as text, or a dash for NaN; zero has no minus sign."""
    if value != value:
        return "-"
    text = style.format(value)
    return style.format(0.0) if text.strip("-0.") == "" else text
