"""A measured pulse train as lookup tables of CrossSim, one a device: nothing is fitted.

The law of a pulse's change at a conductance is that of the changes measured nearest to it. Read
noise is part of a measured change, twice; a table cannot tell it from the jumps.
"""

import os
import tempfile
from pathlib import Path

import numpy as np

from device_presets.fitting.reading.measurement import Measurement
from device_presets.fitting.reading.outliers import doubt_of
from device_presets.fitting.reading.reading import read
from device_presets.fitting.reading.units import ARBITRARY
from device_presets.jump_tables.lookup_table import LookupTable, write_lookup_table
from rpu_ssnn.common.errors import PresetError
from rpu_ssnn.common.files import refuse_unwritable
from rpu_ssnn.common.wording import counted

LEAST = 20
"""Changes that make a distribution, fewest; a column takes at least so many."""

MOST_COLUMNS, POINTS = 51, 51


def write_tables(data: Path, folder: Path, sheet: str | None = None) -> list[str]:
    """Writes the tables of all devices into a new folder, several as folders inside it.

    Returns:
        What was written, a line each.

    Raises:
        PresetError: as ``read``; the folder is there, or cannot be made; a device with fewer than
            two columns' worth of changes in either direction.
    """
    if folder.exists():
        raise PresetError("presets fit", "--name", str(folder), "must be a folder yet to be made")
    refuse_unwritable("presets fit", "--name", folder)
    found = read(data, sheet)
    columns = min(_columns(found, device) for device in range(found.n_devices))
    tables = [table_of(found, device, columns) for device in range(found.n_devices)]
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        whole = Path(made) / folder.name
        for number, table in enumerate(tables, 1):
            place = whole / str(number) if len(tables) > 1 else whole
            write_lookup_table(place, table)
        os.rename(whole, folder)
    size = f"{len(tables[0].conductance)} conductances x {POINTS} points"
    devices = counted(len(tables), "device")
    doubt = doubt_of(found)
    return [
        *([f"{doubt}."] if doubt else []),
        f"{data}: {found.size}",
        *(f"note: {note}" for note in found.notes),
        f"table   {folder}: {devices}, {size}; read noise is part of its jumps",
        f"in a study: device: {{table: {folder}}}, tile: {{simulator: native}}",
    ]


def _columns(found: Measurement, device: int) -> int:
    """Returns the number of columns for which a device has enough changes.

    Raises:
        PresetError: too few changes in a direction.
    """
    pulses = found.pulse[found.device == device]
    counts = {"up": int((pulses > 0).sum()), "down": int((pulses < 0).sum())}
    for way, count in counts.items():
        if count < 2 * LEAST:
            allowed = f"must be at least {2 * LEAST} in each direction and device"
            raise PresetError(found.name, f"pulses {way} of {found.labels[device]}", count, allowed)
    return min(MOST_COLUMNS, min(counts.values()) // LEAST)


def table_of(found: Measurement, device: int, columns: int) -> LookupTable:
    """Returns the table of one device of a measurement.

    Conductances are evenly spaced over the device's measured range. Each column has the quantiles
    of the changes nearest to it: an even share of all, and `LEAST` at least.
    """
    rows = np.flatnonzero(found.device == device)
    after = rows[found.pulse[rows] != 0]
    before = found.conductance[after - 1]
    change = found.conductance[after] - before
    up = found.pulse[after] > 0
    own = found.conductance[rows]
    conductance = np.linspace(own.min(), own.max(), columns)
    points = np.linspace(0.0, 1.0, POINTS)
    rise, fall = (_law(before[way], change[way], conductance, points) for way in (up, ~up))
    name, normalised = f"{found.name} {device + 1}", found.unit == ARBITRARY
    return LookupTable(name, conductance, points, rise, fall, normalised)


def _law(
    before: np.ndarray, change: np.ndarray, conductance: np.ndarray, points: np.ndarray
) -> np.ndarray:
    """Returns [points, columns] the quantiles of the changes nearest to each conductance."""
    near = max(LEAST, len(before) // len(conductance))
    found = [
        np.quantile(change[np.argsort(np.abs(before - here), kind="stable")[:near]], points)
        for here in conductance
    ]
    return np.array(found).T
