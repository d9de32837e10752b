"""Writes tables as Markdown, and numbers and intervals as the text of cells."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from studies.common.statistics import FEWEST_SEEDS, accuracy_ends


@dataclass(frozen=True)
class Table:
    """Holds a table with cells as text, and exact numbers for its CSV.

    Attributes:
        n_left: number of leading columns that are left aligned because they hold names.
        notes: lines under the table, as a list.
        exact: the table for the CSV; None means the cells.
    """

    cells: pd.DataFrame
    n_left: int = 1
    notes: Sequence[str] = ()
    exact: pd.DataFrame | None = None

    @property
    def markdown(self) -> str:
        """Returns the table as Markdown, with the notes below it.

        The columns are no wider than their cells. Tabulate pads each header by two characters,
        which makes a summary wider than a terminal.
        """
        aligned = []
        for place, name in enumerate(self.cells.columns):
            column = (name, *self.cells[name])
            cells = [" ".join(str(cell).split()).replace("|", r"\|") for cell in column]
            width = max(2, *map(len, cells))
            left = place < self.n_left
            rule = ":" + "-" * (width - 1) if left else "-" * (width - 1) + ":"
            cells = [cell.ljust(width) if left else cell.rjust(width) for cell in cells]
            aligned.append([cells[0], rule, *cells[1:]])
        lines = [f"| {' | '.join(line)} |" for line in zip(*aligned, strict=True)]
        listed = [f"- {note}" for note in self.notes]
        return "\n".join([*lines, *([""] if listed else []), *listed])

    @property
    def columns(self) -> list[str]:
        """Returns the headings of the columns."""
        return [str(name) for name in self.cells.columns]

    @property
    def rows(self) -> list[list[str]]:
        """Returns the rows of cells."""
        return [list(map(str, row)) for row in self.cells.to_numpy().tolist()]

    @property
    def csv(self) -> str:
        """Returns the table as CSV with full precision."""
        exact = self.cells if self.exact is None else self.exact
        return str(exact.to_csv(index=False)).rstrip("\n")


_NO_SPREAD = 1e-6
"""A half width (points) below this is only rounding, from values that are equal."""


def interval(mean: float, half_width: float, style: str = "{:.2f}", n: int | None = None) -> str:
    """Returns a mean with the half width of its interval, if it has one.

    Args:
        n: number of seeds; with fewer than three, no interval is shown. None means enough seeds.
    """
    shown = half_width > _NO_SPREAD and (n is None or n >= FEWEST_SEEDS)
    half = f" ± {number(half_width, style.replace('+', ''))}" if shown else ""
    return number(mean, style) + half


def accuracy_interval(mean: float, half_width: float, n: int | None = None) -> str:
    """Returns an accuracy (%) with its interval, which is cut off at 0 and at 100."""
    text = interval(mean, half_width, n=n)
    low, high = accuracy_ends(mean, half_width)
    is_cut = (low, high) != (mean - half_width, mean + half_width)
    return f"{mean:.2f} ({low:.2f} to {high:.2f})" if "±" in text and is_cut else text


def number(value: float, style: str = "{:.2f}") -> str:
    """Returns a number as text, or a dash for NaN; zero has no minus sign."""
    if value != value:
        return "-"
    text = style.format(value)
    return style.format(0.0) if text.strip("-0.") == "" else text
