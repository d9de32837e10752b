"""Turns a measured pulse train into lookup tables of CrossSim, one per device, without a fit.

The distribution of a pulse's change at a conductance is that of the changes measured nearest to it.
A measured change contains read noise twice. If neighbouring changes show such noise, the state
before a pulse is taken from the readings around it, and the scatter of the changes is reduced to
that seen over many pulses, to which read noise also adds only twice.
"""

import os
import tempfile
from pathlib import Path

import numpy as np

from device_presets.fitting.model.preparation import read_noise_of
from device_presets.fitting.reading.measurement import Measurement
from device_presets.fitting.reading.reading import doubt_of, read
from device_presets.fitting.reading.units import ARBITRARY
from device_presets.fitting.sweeps import runs_of
from device_presets.jump_tables.lookup_table import LookupTable, write_lookup_table
from rpu_ssnn.common.errors import PresetError
from rpu_ssnn.common.files import refuse_unwritable
from rpu_ssnn.common.wording import counted

LEAST = 20
"""A distribution needs at least this many changes, and each column uses as many or more."""

MOST_COLUMNS, POINTS = 51, 51

MOST_READ_NOISE = 20.0
"""Above this read noise (in mean steps) a table would describe the instrument, not the device."""

_FEWEST_MEANS = 5

_MOST_AROUND, _LAG = 25, 20
"""The most readings used on either side of a change, and the number of pulses over which the
scatter of changes is measured."""


def write_tables(
    data: Path, folder: Path, sheet: str | None = None, read_voltage: float | None = None
) -> list[str]:
    """Writes the tables of all devices into a new folder, with a subfolder for each of several.

    Returns:
        Lines that describe what was written.

    Raises:
        PresetError: For the reasons given at ``read``; also if the folder exists or cannot be
            created, or a device has too few changes for two columns in either direction.
    """
    if folder.exists():
        raise PresetError("presets fit", "--name", str(folder), "must not exist as a folder yet")
    refuse_unwritable("presets fit", "--name", folder)
    found = read(data, sheet, read_voltage)
    columns = min(_columns(found, device) for device in range(found.n_devices))
    tables = [table_of(found, device, columns) for device in range(found.n_devices)]
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        whole = Path(made) / folder.name
        for number, table in enumerate(tables, 1):
            write_lookup_table(whole / str(number) if len(tables) > 1 else whole, table)
        os.rename(whole, folder)
    size = f"{len(tables[0].conductance)} conductances x {POINTS} points"
    doubt = doubt_of(found)
    return [
        *([f"{doubt}."] if doubt else []),
        f"{data}: {found.size}",
        *(f"note: {note}" for note in found.notes),
        f"table   {folder}: {counted(len(tables), 'device')}, {size}",
        f"in a study: device: {{table: {folder}}}, tile: {{simulator: native}}",
    ]


def _columns(found: Measurement, device: int) -> int:
    """Returns the number of columns for which a device has enough changes.

    Raises:
        PresetError: There are too few changes in a direction.
    """
    pulses = found.pulse[found.device == device]
    counts = {"up": int((pulses > 0).sum()), "down": int((pulses < 0).sum())}
    for way, count in counts.items():
        if count < 2 * LEAST:
            allowed = f"must be at least {2 * LEAST} in each direction for every device"
            raise PresetError(found.name, f"pulses {way} of {found.labels[device]}", count, allowed)
    return min(MOST_COLUMNS, min(counts.values()) // LEAST)


def table_of(found: Measurement, device: int, columns: int) -> LookupTable:
    """Returns the table of one device of a measurement.

    Conductances are evenly spaced over the measured range. Each column has the quantiles of the
    changes nearest to it, an equal share of all and at least `LEAST`.

    Raises:
        PresetError: The read noise is too large compared with the steps.
    """
    rows = np.flatnonzero(found.device == device)
    after = rows[found.pulse[rows] != 0]
    before = found.conductance[after - 1]
    change = found.conductance[after] - before
    up = found.pulse[after] > 0
    points = np.linspace(0.0, 1.0, POINTS)
    ratio = _read_noise_in_steps(found, rows)
    if ratio > MOST_READ_NOISE:
        allowed = f"must be at most {MOST_READ_NOISE:g} mean steps: average readings, or fit a law"
        noise = f"{ratio:.3g} mean steps"
        raise PresetError(found.name, f"read noise of {found.labels[device]}", noise, allowed)
    if ratio > 0.0:
        before, change = _without_read_noise(found, after, ratio, columns)
    own = before if ratio > 0.0 else found.conductance[rows]
    conductance = np.linspace(own.min(), own.max(), columns)
    rise, fall = (_law(before[way], change[way], conductance, points) for way in (up, ~up))
    name, normalised = f"{found.name} {device + 1}", found.unit == ARBITRARY
    return LookupTable(name, conductance, points, rise, fall, normalised)


def _read_noise_in_steps(found: Measurement, rows: np.ndarray) -> float:
    """Returns the read noise of one device in mean steps; 0 if none is visible."""
    weight, pulse = found.conductance[rows], found.pulse[rows]
    weight = (weight - weight.min()) / np.ptp(weight)
    variance, noisy = read_noise_of(weight, pulse, found.device[rows])
    moved = float(np.mean((pulse * np.diff(weight, prepend=weight[:1]))[pulse != 0]))
    return float(np.sqrt(variance)) / max(moved, 1e-9) if noisy else 0.0


def _without_read_noise(
    found: Measurement, after: np.ndarray, ratio: float, columns: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns [changes] the conductances before the pulses and the changes by them, with the effect
    of read noise removed.

    A reading that is high by chance is followed by a smaller change. The state is therefore the
    mean of the readings around a change, without the two readings that define it.

    Args:
        found: The measurement.
        after: [changes] row after each pulse of one device, in the order measured.
        ratio: Read noise in mean steps.
        columns: The number of columns of the table.
    """
    g, half = found.conductance, int(np.clip(np.ceil(ratio**2), 2, _MOST_AROUND))
    state, change = np.empty(len(g)), np.diff(g, prepend=g[:1])
    runs = [run for run in runs_of(found.pulse, found.device) if after[0] <= run[1] <= after[-1]]
    for first, last in runs:
        sums = np.concatenate([[0.0], np.cumsum(g[first : last + 1])])
        k = np.arange(1, last - first + 1)
        low, high = np.maximum(k - 1 - half, 0), np.minimum(k + half, last - first) + 1
        around = sums[high] - sums[low] - g[first + k] - g[first + k - 1]
        few = high - low <= 2  # The sweep has only one pulse.
        state[first + k] = np.where(few, g[first + k - 1], around / np.maximum(high - low - 2, 1))
    read_noise = ratio * float(np.mean(found.pulse[after] * change[after]))
    longest = max(int(min(np.median([b - a for a, b in runs]) // 3, max(_LAG, ratio**2))), 2)
    # The more noise there is, the fewer conductances have a mean change of their own.
    fewer = max(_FEWEST_MEANS, int(columns / (1.0 + ratio)))
    grid = np.linspace(state[after].min(), state[after].max(), fewer)
    for way in (1, -1):
        mine = after[found.pulse[after] == way]
        means = _law(state[mine], change[mine], grid, np.linspace(0.0, 1.0, POINTS)).mean(axis=0)
        mean = np.interp(state[mine], grid, means)
        rest = np.zeros(len(g))
        rest[mine] = change[mine] - mean
        own_runs = [run for run in runs if found.pulse[run[1]] == way]
        lag = min(longest, int(np.median([b - a for a, b in own_runs])))
        one = float(np.var(rest[mine]))
        # A sweep of one pulse has only its own scatter and that of the two readings.
        own = one - 2.0 * read_noise**2
        if lag > 1:
            whole = [rest[a + 1 : b + 1] for a, b in own_runs if b - a >= lag]
            sums = np.concatenate([np.convolve(r, np.ones(lag), "valid") for r in whole])
            own = (float(sums.var()) - one) / (lag - 1)
        change[mine] = mean + np.sqrt(np.clip(own / one, 0.0, 1.0)) * rest[mine]
    return state[after], change[after]


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
