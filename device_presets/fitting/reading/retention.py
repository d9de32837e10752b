"""Adds readings over time from a file without pulses to the rows of a file of pulses."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from device_presets.fitting.reading.rows import refuse_first, selected
from device_presets.fitting.reading.table import Rows, read_rows
from rpu_ssnn.common.errors import Fault, require
from rpu_ssnn.common.wording import counted, listed
from rpu_ssnn.common.workbook import EVERY


def with_retention(rows: Rows, file: Path, sheet: str | None, read_voltage: float | None) -> Rows:
    """Returns the rows of pulses, and after them the readings of a retention file, which belong to
    the last pulse of their device.

    A stretch of readings is on a clock of its own, whose 0 is the device's last pulse. It begins
    where device or cycle change, or where the time falls.

    Args:
        rows: The rows of the file of pulses.
        file: The retention file, whose first sheet is read unless ``sheet`` is `EVERY`.
        sheet, read_voltage: Those of `read_rows`.

    Raises:
        InputError: `read_rows` raises it; the file has pulses or lacks times, names a device that
            has no pulses, or all its readings lie outside the range of the pulses or are single.
    """
    kept = read_rows(file, sheet if sheet == EVERY else None, read_voltage, pulsed=False)
    # A single device needs no name.
    lacking = [q for q in ("time", "device")[: len(rows.devices)] if q not in kept.columns]
    allowed = "must be there in each row, from 0 on; time 0 is the last pulse"
    require(not lacking, file, "column", Fault(f"no {listed(lacking)}"), allowed)
    kept = selected(kept, np.lexsort((kept.cycle, kept.device)))
    time, words = kept.conditions["time"], np.where(kept.up, "up", "down")
    refuse_first(file, kept.columns["time"].name, kept.file_row, time, ~(time >= 0), allowed)
    allowed = "must be read in each row of a retention file: add its pulses to the other file"
    refuse_first(file, "polarity", kept.file_row, words, kept.pulsed, allowed)
    unknown = listed([name for name in kept.devices if name not in rows.devices])
    allowed = f"must be a device with pulses, {listed(rows.devices)} (column device)"
    require(not unknown, file, "device", unknown, allowed)
    low, high, least, top = (f(r.conductance) for r in (rows, kept) for f in (np.nanmin, np.nanmax))
    allowed = f"must overlap that of pulses, {low:.3g} to {high:.3g} (S or a.u.): check the unit"
    apart, found = max(least - high, low - top), f"{least:.3g} to {top:.3g}"
    require(not apart > 0.1 * (high - low), file, "range", found, allowed)
    later = pd.Series(time).groupby([kept.device, kept.cycle]).diff() >= 0
    require(later.any(), file, "readings in a row", 1, "must be at least 2, one after the other")
    device = np.array([rows.devices.index(name) for name in kept.devices])[kept.device]
    last = pd.DataFrame({"pulse": rows.pulse, "cycle": rows.cycle}).groupby(rows.device).last()
    kept = replace(
        kept,
        pulse=last["pulse"].to_numpy()[device],
        device=device,
        cycle=last["cycle"].to_numpy()[device],
        clock=(~later).cumsum().to_numpy(),
        file_row=np.array([f"{row} of {file.name}" for row in kept.file_row]),
        conditions=dict.fromkeys(rows.conditions, np.full_like(time, np.nan)) | {"time": time},
    )
    told = f"{counted(len(time), 'reading')} in {counted(kept.clock[-1], 'stretch', 'stretches')}"
    if "time" not in rows.conditions:
        told += "; pulses have no times, so nothing is lost between them"
    notes = (*rows.notes, *(f"{file.name}: {note}" for note in (told, *kept.notes)))
    conditions = {"time": np.full(len(rows.pulse), np.nan)} | rows.conditions
    columns = {**kept.columns, **rows.columns}
    joined: dict[str, Any] = {
        name: np.append(of, getattr(kept, name))
        for name, of in vars(rows).items()
        if isinstance(of, np.ndarray)
    }
    joined["conditions"] = {q: np.append(of, kept.conditions[q]) for q, of in conditions.items()}
    return replace(rows, columns=columns, notes=notes, **joined)
