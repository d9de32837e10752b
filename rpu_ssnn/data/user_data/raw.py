"""Rows and labels as a file of the user's holds them, not yet checked."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from rpu_ssnn.spike_trains import SpikeTrains


def place_in_table(row: int, column: str) -> str:
    """A cell as a reader of the table finds it.

    Args:
        row: from 0, without the line of names.
    """
    return f"data row {row + 1}, column {column}"


@dataclass(frozen=True, eq=False)
class Part:
    """Training or test rows of a file.

    Attributes:
        where: the file, for errors.
        rows: [n, values], or recordings.
        labels: of each row, of any kind.
        shape: of one row as the file has it.
        sides: of events: columns, rows and polarities, by which the lines are numbered.
        columns: of a table: names of the values.
    """

    where: Path
    rows: np.ndarray | SpikeTrains
    labels: np.ndarray
    shape: tuple[int, ...]
    sides: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()

    def place(self, row: int, column: int) -> str:
        """A value as a reader of the file finds it; of arrays by its indices, from 0."""
        if self.columns:
            return place_in_table(row, self.columns[column])
        return f"index [{row}, {column}]"

    def at(self, chosen: np.ndarray) -> Self:
        """Some of the rows."""
        return replace(self, rows=self.rows[chosen], labels=self.labels[chosen])


@dataclass(frozen=True, eq=False)
class Raw:
    """What a file holds; `test` is None where it has no split of its own."""

    train: Part
    test: Part | None
