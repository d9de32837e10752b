"""Shows the ledger of pulses as a table."""

import pandas as pd

from rpu_ssnn.common.wording import listed
from studies.results.grouping import named_rows, swept_columns
from studies.results.ledger import REASONS
from studies.results.text_table import Table, number

_HEADS = {
    "pulses_up_per_device": "up",
    "pulses_down_per_device": "down",
    "pulses_per_device_p99": "99th pct.",
    "pulses_per_device_max": "max",
    "energy_j": "energy J",
    "training_time_s": "time s",
    "endurance_used": "endurance",
}
_NOTES = (
    "up, down: mean number of pulses of a device",
    "99th pct., max: 99th percentile and maximum over devices, up plus down, in the crossbar where "
    "it is largest",
    "energy: that of the pulses alone (--chip adds the rest)",
    "time: physical time of training, in slots of tile.slot_seconds (0.5 us unless set) or of the "
    "preset's pulse if that is longer",
    "endurance: share that was used",
)


def readable(table: pd.DataFrame) -> Table:
    """Returns the ledger of `ledger.ledger_table` rounded for reading, with reasons for blanks."""
    rows = []
    for cells, row in named_rows(table):
        cells["n"] = str(row["n"])
        for column, heading in _HEADS.items():
            style = "{:.1f}" if column.startswith("pulses") else "{:.3g}"
            cells[heading] = number(row[column], style)
        rows.append(cells)
    return Table(pd.DataFrame(rows), 1 + len(swept_columns(table)), notes(table), table)


def notes(table: pd.DataFrame) -> list[str]:
    """Explains the columns, and names each reason for blanks once, with its cases."""
    told: dict[tuple[str, str], list[str]] = {}
    for reason in dict.fromkeys(filter(None, table[list(REASONS)].to_numpy().ravel())):
        of = table["case"][(table[list(REASONS)] == reason).any(axis="columns")]
        number, colon, why = str(reason).partition(": ")
        told.setdefault((listed(list(dict.fromkeys(of))), colon + why), []).append(number)
    reasons = [f"{of}: {' and '.join(numbers)}{why}" for (of, why), numbers in told.items()]
    return [*_NOTES, *reasons]
