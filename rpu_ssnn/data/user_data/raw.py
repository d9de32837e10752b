"""Rows and labels as a user's file holds them, not yet checked."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.data.spike_trains import SpikeTrains


@dataclass(frozen=True, eq=False)
class Part:
    """Holds the training or test rows of a file.

    Attributes:
        where: the file, for errors.
        rows: the values [n, values], or recordings.
        labels: the label of each row, of any kind.
        shape: the shape of one row as the file has it.
        sides: numbers of columns, rows and polarities, by which the lines of events are numbered.
        columns: the names of the values of a table.
    """

    where: Path
    rows: np.ndarray | SpikeTrains
    labels: np.ndarray
    shape: tuple[int, ...]
    sides: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()

    def refuse(self, wrong: np.ndarray, allowed: str) -> None:
        """Refuses the first wrong value, and names its place as a reader of the file would.

        Args:
            wrong: whether each value is wrong, [n, values].
            allowed: what would have been right, as a phrase.

        Raises:
            InputError: a value is wrong.
        """
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            place = f"index [{row}, {column}]"
            if self.columns:
                place = f"data row {row + 1}, column {self.columns[column]}"
            value = np.asarray(self.rows)[row, column]
            is_gap = self.columns and np.isnan(value)
            raise InputError(self.where, place, None if is_gap else float(value), allowed)

    def at(self, chosen: np.ndarray) -> Self:
        """Returns the part with only these rows."""
        return replace(self, rows=self.rows[chosen], labels=self.labels[chosen])


class Raw(NamedTuple):
    """Holds the content of a file; `test` is None if the file has no split."""

    train: Part
    test: Part | None
