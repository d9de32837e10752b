"""Selects rows of tables, which are dataclasses of arrays, and refuses the first bad row."""

from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rpu_ssnn.common.errors import InputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def selected[T: "DataclassInstance"](table: T, rows: np.ndarray) -> T:
    """Returns the table with these rows of each of its arrays, in this order, including tables
    inside it and arrays in a dictionary."""

    def of(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return value[rows]
        if isinstance(value, dict):
            return {key: of(part) for key, part in value.items()}
        inside = is_dataclass(value) and not isinstance(value, type)
        return selected(value, rows) if inside else value

    return replace(table, **{name: of(value) for name, value in vars(table).items()})


def refuse_first(
    file: Path, column: str, lines: Any, values: Any, bad: np.ndarray, allowed: str
) -> None:
    """Refuses the first bad row, if there is one.

    Args:
        file: The file, for errors.
        column: The name of the column in the file.
        lines: [rows] 1-based lines of the file.
        values: [rows] the values in the file.
        bad: [rows] whether a row is refused.
        allowed: What a value must be.

    Raises:
        InputError: A row is bad; the error names file, row and column.
    """
    if not bad.any():
        return
    first = int(np.argmax(bad))
    found = None if pd.isna(values[first]) else values[first]
    found = found.item() if isinstance(found, np.generic) else found
    shown = found if isinstance(found, int | float | None) else str(found)
    raise InputError(f"{file}, row {lines[first]}", f"column {column}", shown, allowed)
