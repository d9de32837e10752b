"""Guards cells that a spreadsheet would compute, because their text begins as a formula."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from rpu_ssnn.common.files import write_whole

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = re.compile(r"[=+@\t\r]|-(?![\d.]|$)")
"""Matches the start of a cell that a spreadsheet computes; negative numbers are none."""

GUARD = "'"
"""This sign stands before such a cell, and a spreadsheet shows what comes after it."""


def guarded(frame: pd.DataFrame) -> pd.DataFrame:
    """Returns the table with a guard before every text that begins as a formula."""
    changed = {
        name: frame[name].map(_guarded)
        for name in frame.columns
        if any(isinstance(cell, str) and _FORMULA.match(cell) for cell in frame[name])
    }
    return frame.assign(**changed) if changed else frame


def write_csv(table: pd.DataFrame, path: Path) -> Path:
    """Writes exact numbers and guarded text, in one step.

    Raises:
        OSError: the disk is full or the folder is gone.
    """
    write_whole(path, lambda temporary: guarded(table).to_csv(temporary, index=False))
    return path


def without_guard(cell: str) -> str:
    """Returns a cell as it was before `guarded`."""
    guarded = cell.startswith(GUARD) and _FORMULA.match(cell[len(GUARD) :])
    return cell[len(GUARD) :] if guarded else cell


def _guarded(cell: object) -> object:
    return f"{GUARD}{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell
