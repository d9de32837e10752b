"""Rows of dataclasses of arrays: which ones, runs of alike pulses, and an error of the first wrong
one."""

from collections.abc import Callable, Sequence
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rpu_ssnn.common.errors import PresetError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def selected[T: "DataclassInstance"](table: T, rows: np.ndarray) -> T:
    """The table with these rows of each of its arrays, in this order. A table inside the table is
    treated alike."""
    return _of_each_array([table], lambda parts: parts[0][rows])


def joined[T: "DataclassInstance"](tables: Sequence[T]) -> T:
    """The rows of several tables, one after the other. What is no array is taken from the first
    table."""
    return _of_each_array(tables, np.concatenate)


def _of_each_array[T: "DataclassInstance"](
    tables: Sequence[T], change: Callable[[list[np.ndarray]], np.ndarray]
) -> T:
    changed: dict[str, Any] = {}
    for name, value in vars(tables[0]).items():
        parts = [getattr(table, name) for table in tables]
        if isinstance(value, np.ndarray):
            changed[name] = change(parts)
        elif is_dataclass(value):
            changed[name] = _of_each_array(parts, change)
    return replace(tables[0], **changed)


def runs_of(pulse: np.ndarray, device: np.ndarray) -> np.ndarray:
    """[runs, 2] first and last row of pulses of one polarity; the row before them is the first."""
    same = (pulse[1:] == pulse[:-1]) & (device[1:] == device[:-1]) & (pulse[1:] != 0)
    starts = np.flatnonzero(np.concatenate([[True], ~same]))
    ends = np.append(starts[1:], len(pulse)) - 1
    real = pulse[starts] != 0
    return np.stack([starts[real] - 1, ends[real]], axis=1)


def refuse_first(
    file: Path, column: str, lines: Any, values: Any, bad: np.ndarray, allowed: str
) -> None:
    """Refuses the first bad row, if there is one.

    Args:
        column: of the file. lines: [rows] 1-based lines of the file. values: [rows] found.

    Raises:
        PresetError: it names file, row and column.
    """
    if not bad.any():
        return
    first = int(np.argmax(bad))
    found = values[first]
    where = f"{file}, row {lines[first]}"
    raise PresetError(
        where, f"column {column}", found.item() if isinstance(found, np.generic) else found, allowed
    )
