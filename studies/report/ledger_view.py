"""The pulse ledger as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studies.common.choices import Format
from studies.results.text_table import as_csv, number, render_cells

if TYPE_CHECKING:
    import pandas as pd

_HEADS = {
    "pulses_up_per_device": "up",
    "pulses_down_per_device": "down",
    "pulses_per_device_p99": "99 %",
    "pulses_per_device_max": "max",
    "energy_j": "energy J",
    "training_time_s": "time s",
    "endurance_used": "endurance",
}
_REASONS = ("energy_blank_because", "endurance_blank_because")


def render(table: pd.DataFrame, style: Format) -> str:
    """The ledger of `ledger.ledger_table`; the reasons for blanks stand under the table."""
    import pandas as pd

    if style is Format.csv:
        return as_csv(table)
    names = [c for c in table.columns if c not in (*_HEADS, *_REASONS, "n")]
    rows = []
    for _, row in table.iterrows():
        cells: dict[str, Any] = {name: str(row[name]) for name in names} | {"n": str(row["n"])}
        for column, head in _HEADS.items():
            style_of = "{:.1f}" if column.startswith("pulses") else "{:.3g}"
            cells[head] = number(row[column], style_of)
        rows.append(cells)
    reasons = [
        f"{row['case']}: {row[reason]}"
        for _, row in table.iterrows()
        for reason in _REASONS
        if row[reason]
    ]
    note = (
        "pulses a device, energy of all pulses (a lower bound: without half-selected cells, reads "
        "and lines), physical time of training, share of endurance"
    )
    return render_cells(pd.DataFrame(rows), style, len(names), "; ".join([note, *reasons]))
