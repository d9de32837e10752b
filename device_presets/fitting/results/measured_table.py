"""Turns a measured pulse train into lookup tables of CrossSim, one per device, without a fit.

The distribution of a pulse's change at a conductance is that of the changes measured nearest to it,
moved to the mean of as many as predict others best.
A measured change contains read noise twice. If neighbouring changes show such noise, the state
before a pulse is taken from the readings around it, and the scatter of the changes is reduced to
that seen over many pulses, to which read noise also adds only twice.
"""

import os
import tempfile
from pathlib import Path

import numpy as np

from device_presets.fitting.model.preparation import read_noise_of
from device_presets.fitting.reading.measurement import Measurement, doubt_of
from device_presets.fitting.reading.reading import read
from device_presets.fitting.reading.units import ARBITRARY
from device_presets.fitting.sweeps import runs_of
from device_presets.jump_tables.lookup_table import LookupTable, write_lookup_table
from rpu_ssnn.common.errors import require
from rpu_ssnn.common.files import refuse_unwritable, refusing
from rpu_ssnn.common.wording import counted

LEAST = 20
"""A distribution needs at least this many changes, and each column uses as many or more."""

MOST_COLUMNS, POINTS = 51, np.linspace(0.0, 1.0, 51)

MOST_READ_NOISE = 20.0
"""Above this read noise (in mean steps) a table would describe the instrument, not the device."""

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
        InputError: For the reasons given at ``read``; also if the folder exists or cannot be
            created, or a device has too few changes for two columns in either direction.
    """
    refuse_unwritable("presets table", "--name", folder, new=True)
    found = read(data, sheet, read_voltage)
    fewest = min(_fewest(found, device) for device in range(found.n_devices))
    columns = min(MOST_COLUMNS, fewest // LEAST)
    tables = [table_of(found, device, columns) for device in range(found.n_devices)]
    ways = np.array([way for table in tables for way in (table.up, table.down)])
    # The 2 is there because a line is less certain at its ends than in the middle.
    error = (ways.std(1).mean(1) / np.abs(ways.mean((1, 2)))).max() * (2 / fewest) ** 0.5
    writable = refusing(folder, "must be on a disk with free space", OSError, field="folder")
    with writable, tempfile.TemporaryDirectory(dir=folder.parent) as made:
        whole = Path(made) / folder.name
        for number, table in enumerate(tables, 1):
            write_lookup_table(whole / str(number) if len(tables) > 1 else whole, table)
        os.rename(whole, folder)
    size = f"{columns} conductances x {len(POINTS)} points"
    return [
        *(f"{doubt}." for doubt in [doubt_of(found)] if doubt),
        f"{data}: {found.size}",
        *(f"note: {note}" for note in found.notes),
        f"table   {folder}: {counted(len(tables), 'device')}, {size}",
        f"mean steps are known to {error:.2g} step, at every pulse; above 0.15, measure more",
        f"in a study: device: {{table: {folder}}}, tile: {{simulator: native}}",
    ]


def _fewest(found: Measurement, device: int) -> int:
    """Returns the number of pulses of a device in the direction with fewer.

    Raises:
        InputError: There are too few changes in a direction.
    """
    pulses = found.pulse[found.device == device]
    counts = {"up": int((pulses > 0).sum()), "down": int((pulses < 0).sum())}
    for way, count in counts.items():
        field, least = f"pulses {way} of {found.labels[device]}", 2 * LEAST
        allowed = f"must be at least {least} in each direction for every device"
        require(count >= least, found.name, field, count, allowed)
    return min(counts.values())


def table_of(found: Measurement, device: int, columns: int) -> LookupTable:
    """Returns the table of one device of a measurement.

    Conductances are evenly spaced over the measured range. Each column has the quantiles of the
    changes nearest to it, an equal share of all and at least `LEAST`, about their mean step.

    Raises:
        InputError: The read noise is too large compared with the steps.
    """
    rows = np.flatnonzero(found.device == device)
    after = rows[found.pulse[rows] != 0]
    before, up = found.conductance[after - 1], found.pulse[after] > 0
    change = found.conductance[after] - before
    ratio = _read_noise_in_steps(found, rows)
    field, noise = f"read noise of {found.labels[device]}", f"{ratio:.3g} mean steps"
    allowed = f"must be at most {MOST_READ_NOISE:g} mean steps: average readings, or fit a law"
    require(ratio <= MOST_READ_NOISE, found.name, field, noise, allowed)
    if ratio > 0.0:
        before, change = _without_read_noise(found, after, ratio)
    conductance = np.linspace(before.min(), before.max(), columns)
    rise, fall = (_law(before[way], change[way], conductance) for way in (up, ~up))
    name = f"{found.name} {device + 1}"
    return LookupTable(name, conductance, POINTS, rise, fall, found.unit == ARBITRARY)


def _read_noise_in_steps(found: Measurement, rows: np.ndarray) -> float:
    """Returns the read noise of one device in mean steps; 0 if none is visible."""
    weight, pulse = found.conductance[rows] / np.ptp(found.conductance[rows]), found.pulse[rows]
    variance, noisy = read_noise_of(weight, pulse, found.device[rows])
    moved = float(np.mean((pulse * np.diff(weight, prepend=weight[:1]))[pulse != 0]))
    return float(np.sqrt(variance)) / max(moved, 1e-9) if noisy else 0.0


def _without_read_noise(
    found: Measurement, after: np.ndarray, ratio: float
) -> tuple[np.ndarray, np.ndarray]:
    """Returns [changes] the conductances before the pulses and the changes by them, with the effect
    of read noise removed.

    A reading that is high by chance is followed by a smaller change. The state is therefore the
    mean of the readings around a change, without the two readings that define it.

    Args:
        found: The measurement.
        after: [changes] row after each pulse of one device, in the order measured.
        ratio: Read noise in mean steps.
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
    for way in (1, -1):
        mine = after[found.pulse[after] == way]
        mean = _means(state[mine], change[mine], state[mine])
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


def _law(before: np.ndarray, change: np.ndarray, conductance: np.ndarray) -> np.ndarray:
    """Returns [points, columns] the quantiles of the changes nearest to each conductance, about the
    mean change there."""
    near = max(LEAST, len(before) // len(conductance))
    both = _means(before, change, np.append(conductance, before))
    means, rest = both[: len(conductance)], change - both[len(conductance) :]
    found = [rest[np.argsort(np.abs(before - here), kind="stable")[:near]] for here in conductance]
    return np.asarray(means + np.array([np.quantile(one - one.mean(), POINTS) for one in found]).T)


def _means(before: np.ndarray, change: np.ndarray, conductance: np.ndarray) -> np.ndarray:
    """Returns the mean change by a pulse at each conductance.

    It is that of a line through the nearest changes, of as many as predict other changes best: a
    table repeats an error of a mean at every pulse, so it never averages out.
    """
    order, low, span = np.argsort(before, kind="stable"), before.min(), np.ptp(before) or 1.0
    x, y, here = (before[order] - low) / span, change[order], (conductance - low) / span
    sums = np.cumsum(np.pad([x, y, x * x, x * y], ((0, 0), (1, 0))), axis=1)

    def line(rank: np.ndarray, here: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns the lines through n changes around a rank, and what a change there weighs."""
        first = np.clip(rank - n // 2, 0, len(x) - n)
        mx, my, xx, xy = (sums[:, first + n] - sums[:, first]) / n
        spread = np.maximum(xx - mx**2, 1e-12)
        off = np.clip(here, x[first], x[first + n - 1]) - mx
        return my + (xy - mx * my) / spread * off, (1 + off**2 / spread) / n

    def error(n: int) -> float:
        """Returns the mean squared error of a change by lines through the others, and 8 in n more,
        since chance favours few changes."""
        expected, own = line(np.arange(len(x)), x, n)
        return float(np.mean(((y - expected) / np.maximum(1 - own, 0.1)) ** 2)) * (1 + 8 / n)

    best = min(sorted({min(LEAST << k, len(x)) for k in range(32)}), key=error)
    return line(np.searchsorted(x, here), here, best)[0]
