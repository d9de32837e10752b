"""Reads pulses and the conductances after them, device by device, ready for a fit."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm

from device_presets.fitting.reading.conditions import Conditions, conditions_of
from device_presets.fitting.reading.order import follows_of, new_clocks, with_cycles
from device_presets.fitting.reading.retention import with_retention
from device_presets.fitting.reading.rows import selected
from device_presets.fitting.reading.table import Rows, read_rows
from device_presets.fitting.reading.units import ARBITRARY, LEAST_SIEMENS, in_unit
from device_presets.fitting.sweeps import runs_of
from rpu_ssnn.common.errors import InputError, require
from rpu_ssnn.common.wording import counted, listed

FEWEST_PULSES = 12
"""A polarity that is present needs this many pulses; fewer cannot separate a step from noise."""

_STUCK, _STUCK_SCATTER = 0.05, 0.25
"""A stuck device moves by less than these shares of the median device's change: the first share is
for its mean change in a sweep, the second for the spread of 80 % of its readings."""

_SWAPPED = 0.5
"""A device moves against its pulses if it does so by this share of the median device's change, and
of the spread of 80 % of its own readings."""

_RANGES = 30
"""No device of a kind is known to span this many times the range of the median one."""

_JUMP = 0.2
"""A change against its pulse by more than this share of the range is a jump."""

_UNLIKE = 4.0
"""A change is also a jump if it is more than this many times the median of those at the beginnings
of sweeps of the same device in the same direction."""

_OUTLYING, _LEAST_OUTLYING, _MOST_OUTLIERS = 12.0, 0.05, 0.02
"""An outlier lies this many robust deviations, and this share of the range, from the middle of its
two neighbours. If more than the last share of the readings do, the device itself does that."""


@dataclass(frozen=True)
class Measurement:
    """Holds rows sorted by device, and within a device in the order measured.

    Args:
        name: File name, for reports.
        column: The column that was measured.
        conductance: [rows] in siemens.
        pulse: [rows] +1 or -1 for the pulse between the previous row and this one; 0 for none.
        begins: [rows] whether a stretch of consecutive rows begins here; no pulse is known then.
        device, cycle: [rows] indices.
        unit: The unit of the user's conductances, a key of ``SIEMENS``; reports use it.
        notes: Sentences of the report on what was left out and why.
        labels: [devices] the name of each device.
        conditions: Times, widths and amplitudes; None if the file has none of them.
    """

    name: str
    column: str
    conductance: np.ndarray
    pulse: np.ndarray
    begins: np.ndarray
    device: np.ndarray
    cycle: np.ndarray
    unit: str
    notes: tuple[str, ...]
    labels: tuple[str, ...]
    conditions: Conditions | None = None

    @property
    def n_devices(self) -> int:
        """Returns the number of devices."""
        return len(self.labels)

    @property
    def size(self) -> str:
        """Returns in words how much was measured."""
        kinds = np.array([self.device, self.cycle, self.pulse])[:, self.pulse != 0]
        sweeps = counted(1 + int(np.diff(kinds).any(axis=0).sum()), "sweep")
        devices, cycles = counted(self.n_devices, "device"), counted(len(set(self.cycle)), "cycle")
        return f"{counted(self.n_pulses, 'pulse')} in {sweeps}, {devices}, {cycles}"

    @property
    def n_pulses(self) -> int:
        """Returns the number of pulses with a conductance before and after."""
        return int(np.count_nonzero(self.pulse))


def read_measurement(
    file: Path,
    sheet: str | None = None,
    read_voltage: float | None = None,
    retention: Path | None = None,
) -> Measurement:
    """Returns a measured file as consecutive pulses, with the readings of a retention file.

    The conductance of a row is read after its pulse. Consecutive rows of a device are consecutive
    pulses if the number grows by one, or starts again at 1 with the other polarity (up 1 to N, then
    down 1 to N). Anything else (a missing number, an empty conductance, a new start at 0) begins a
    new stretch, and no step is computed across it. A reading without a pulse has the number of the
    pulse before it, or the next number; before a device's first pulse it belongs to the cycle of
    that pulse. The polarity of a row numbered 0 has no meaning. Without a column of cycles, they
    are recognised by turns.

    Raises:
        InputError: For the reasons given at ``read_rows`` and ``with_retention``; also if pulse
            numbers repeat or run backwards, there are too few pulses or only down pulses, or a
            device has no conductance, always the same one, or does not move with its pulses.
    """
    rows = read_rows(file, sheet, read_voltage)
    if retention is not None:
        rows = with_retention(rows, retention, sheet, read_voltage)
    rows, up = with_cycles(selected(rows, np.argsort(rows.device, kind="stable")))
    follows, turns = follows_of(file, rows, up)
    lost = rows.pulsed & (rows.pulse == 1) & ~follows & (np.diff(rows.device, prepend=-1) == 0)
    outliers, middle = _outliers(rows, follows, up)
    rows = replace(rows, conductance=np.where(outliers, middle, rows.conductance))
    gaps = ~np.isfinite(rows.conductance)
    follows &= ~gaps & ~np.concatenate([[True], gaps[:-1]])
    jumps = _jumps(rows, follows & rows.pulsed, up, turns)
    anew = new_clocks(file, rows)
    follows &= ~jumps & ~anew
    found = Measurement(
        name=file.name,
        column=rows.columns["conductance"].name,
        conductance=rows.conductance,
        pulse=np.where(follows & rows.pulsed, np.where(up, 1, -1), 0).astype(np.int8),
        begins=~follows,
        device=rows.device,
        cycle=rows.cycle,
        unit=rows.columns["conductance"].unit,
        notes=(*rows.notes, *_notes(rows, lost, anew, gaps, outliers, jumps)),
        labels=tuple(re.sub("^(?!device)", "device ", name, flags=re.I) for name in rows.devices),
        conditions=conditions_of(file, rows, follows, rows.pulsed & (rows.pulse > 0)),
    )
    found = selected(found, ~gaps)
    _check_enough(file, found)
    return found


def _notes(rows: Rows, *places: np.ndarray) -> Iterator[str]:
    """Returns the sentences of the report on what was left out or looks odd.

    Args:
        rows: The rows, without outliers.
        places: [rows] where a sweep begins without a reading before its first pulse, clocks start
            anew, readings are missing, outliers were replaced, and jumps are left out.
    """
    lost, anew, gaps, outliers, jumps = places
    if lost.any():
        told = f"first pulses of {counted(int(lost.sum()), 'sweep')} left out"
        yield f"{told}, since no reading numbered 0 comes before them"
    if anew.any():
        yield f"the clock starts anew at {counted(int(anew.sum()), 'cycle')}"
    if gaps.any():
        yield f"{counted(int(gaps.sum()), 'empty conductance')} left out, with the adjoining steps"
    if outliers.any():
        told = listed([f"row {row}" for row in rows.file_row[outliers]])
        number = counted(int(outliers.sum()), "reading")
        yield f"{number} replaced by the mean of the neighbours: {told}"
    if jumps.any():
        told = counted(int(jumps.sum()), "jump") + " between sweeps left out"
        yield f"{told}, since no change within a sweep is as large"


def _jumps(rows: Rows, follows: np.ndarray, up: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """Returns [rows] whether the change at the beginning of a sweep was not made by a pulse.

    Such a change is larger than all changes within sweeps, and is either against the pulse's
    direction by a good part of the range, or far larger than at the beginnings of the device's
    other sweeps in the same direction.
    """
    conductance = rows.conductance
    change = np.diff(conductance, prepend=conductance[:1])
    inside = follows & ~turns & np.isfinite(change)
    largest = float(np.abs(change[inside]).max()) if inside.any() else np.inf
    span = float(pd.Series(conductance).max() - pd.Series(conductance).min())
    size, begins = pd.Series(np.abs(change)), turns & follows
    usual = size.where(begins).groupby([rows.device, up]).transform("median")
    against = np.where(up, change, -change) < -_JUMP * span
    return np.asarray(begins & (size > largest) & (against | (size > _UNLIKE * usual)))


def _outliers(rows: Rows, follows: np.ndarray, up: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns [rows] whether a reading is an outlier or a single empty cell within a sweep, and the
    middle of its two neighbours.

    An outlier lies far from this middle, and the other changes around it are small. Readings beside
    the turns of a sweep are never outliers.
    """
    conductance = rows.conductance
    before, after = np.roll(conductance, 1), np.roll(conductance, -1)
    middle, change = (before + after) / 2, np.abs(conductance - before)
    within = follows & np.roll(follows, -1) & (up == np.roll(up, -1))
    far = pd.Series(np.abs(conductance - middle)).where(within)
    deviation = far.quantile(0.5) / norm.ppf(0.75)  # far may be empty
    span = np.ptp(pd.Series(conductance).quantile([0.01, 0.99]))
    others = np.max([np.abs(after - before), np.roll(change, 1), np.roll(change, -2)], axis=0)
    alone = (far > _OUTLYING * deviation) & (far > _LEAST_OUTLYING * span) & (others < far / 3)
    alone &= np.roll(within, 1) & np.roll(within, -1)
    kinds = (alone, within & ~np.isfinite(conductance) & np.isfinite(middle))
    return np.any([kind & (kind.mean() <= _MOST_OUTLIERS) for kind in kinds], axis=0), middle


def _check_enough(file: Path, found: Measurement) -> None:
    """Refuses a measurement with too few pulses, or with devices that do not move."""
    allowed = f"must be at least {FEWEST_PULSES} pulses, each with a conductance before and after"
    for way, sign in (("up", 1), ("down", -1)):
        count = int((found.pulse == sign).sum())
        enough = count >= FEWEST_PULSES or (sign < 0 and count == 0)
        require(enough, file, f"{way} pulses", count, allowed)
    column = f"column {found.column}"
    if found.conductance.max() < LEAST_SIEMENS and found.unit != ARBITRARY:
        highest = in_unit(float(found.conductance.max()), found.unit)
        allowed = f"must reach {in_unit(LEAST_SIEMENS, found.unit)} in some row: check the unit"
        raise InputError(file, column, highest, allowed)
    for device, label in enumerate(found.labels):
        own = found.conductance[found.device == device]
        allowed = "must be at least 1: leave out the rows of this device"
        require(len(own), file, f"conductances of {label}", 0, allowed)
        allowed = f"must change with the pulses, but is always the same for {label}"
        require(np.ptp(own) != 0, file, column, in_unit(float(own[0]), found.unit), allowed)
    for allowed, odd in _odd(found).items():
        names = [found.labels[k].removeprefix("device ") for k in np.flatnonzero(odd)]
        others = found.n_devices - len(names)
        require(not names or others < 2, file, "device", ", ".join(names), allowed)


def doubt_of(found: Measurement) -> str:
    """Returns a sentence if the pulses of all devices move the conductance in the opposite
    direction; otherwise it is empty."""
    mean, inner = _moves_of(found)
    told = "the polarity may be swapped, since up pulses lower the conductance: name them `down`"
    return told if (mean < -_SWAPPED * inner).all() else ""


def _moves_of(found: Measurement) -> tuple[np.ndarray, np.ndarray]:
    """Returns [devices] the mean change in a sweep, positive along its pulses, and the spread of
    80 % of the readings.

    The change is the difference of the means over the last and the first quarter of a sweep.
    """
    ways: list[list[float]] = [[] for _ in found.labels]
    for first, last in runs_of(found.pulse, found.device):
        sweep = found.conductance[first : last + 1]
        quarter = math.ceil(len(sweep) / 4)
        way = float(sweep[-quarter:].mean() - sweep[:quarter].mean())
        ways[found.device[last]].append(way * float(found.pulse[last]))
    own = (found.conductance[found.device == device] for device in range(found.n_devices))
    inner = np.array([np.ptp(np.percentile(readings, (10, 90))) for readings in own])
    return np.array([np.mean(way) if way else np.nan for way in ways]), inner


def _odd(found: Measurement) -> dict[str, np.ndarray]:
    """Returns [devices] whether a device is unlike most others, by what it must be.

    A device whose readings scatter widely does not count as stuck, since noise may hide that it
    moves.
    """
    mean, inner = _moves_of(found)
    typical = float(np.nanmedian(mean))
    stuck = (mean < _STUCK * typical) & (inner < _STUCK_SCATTER * typical)
    return {
        "must move with its pulses as the others do: leave out its rows (in a study, set the share "
        "of such devices by failed_share or tile.stuck_share)": stuck,
        "must rise with up pulses, as the others do: swap its polarity": mean
        < -_SWAPPED * np.maximum(typical, inner),
        f"must span at most {_RANGES} times the range of the others: check its unit": inner
        > _RANGES * np.median(inner),
    }
