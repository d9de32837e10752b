"""A requirement as text and file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rpu_ssnn.common.files import write_whole
from rpu_ssnn.common.wording import counted
from studies.common.choices import Format
from studies.results.spreadsheet import guarded
from studies.results.text_table import interval, render_cells
from studies.sensitivity.requirement import Requirement

if TYPE_CHECKING:
    import pandas as pd

FILE = "requirements.csv"

_CAPTION = (
    "interval: outside it the loss is told from the wanted one (95 %, by seed), ?: open beyond "
    "what was measured; verdict: of the loss at the device's own value; values: measured, each "
    "with all seeds"
)


def lines(found: Requirement) -> list[str]:
    """For the console: the notes, the table, and what has no crossing."""
    if not len(found.table):
        return [*found.notes, "nothing was measured"]
    none = found.table[found.table["why_none"] != ""]
    return [
        *found.notes,
        counted(found.trials, "run"),
        "",
        render_cells(_readable(found.table), Format.md, 2, _CAPTION),
        *(f"{row['parameter']}: {row['why_none']}" for _, row in none.iterrows()),
    ]


def write(found: Requirement, root: Path) -> Path:
    """The exact numbers.

    Raises:
        OSError: the folder cannot be written to.
    """
    path = root / FILE
    write_whole(path, lambda temporary: guarded(found.table).to_csv(temporary, index=False))
    return path


def _readable(table: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    rows = [
        {
            "parameter": row["parameter"],
            "unit": row["unit"],
            "own": f"{row['own']:.4g}",
            "loss": interval(row["own_loss"], row["own_loss_ci"]),
            "required": _required(row),
            "interval": _interval(row),
            "verdict": row["verdict"],
            "values": str(row["values"]),
            "n": str(row["n"]),
        }
        for _, row in table.iterrows()
    ]
    return pd.DataFrame(rows)


def _required(row: pd.Series) -> str:
    return "none found" if row["why_none"] else f"{row['bound']} {row['required']:.3g}"


def _interval(row: pd.Series) -> str:
    if row["why_none"]:
        return "-"
    ends = [_end(row["easy"]), _end(row["hard"])]
    return " to ".join(ends)


def _end(value: float) -> str:
    return "?" if value != value else f"{value:.3g}"
