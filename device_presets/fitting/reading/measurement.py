"""Pulses and the conductances after them, device by device, ready to fit."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from device_presets.fitting.reading.conditions import Conditions, conditions_of
from device_presets.fitting.reading.csv_layout import (
    ARBITRARY,
    LEAST_SIEMENS,
    WHY_LEAST,
    CsvLayout,
    in_unit,
)
from device_presets.fitting.reading.csv_reading import Rows, read_rows
from device_presets.fitting.rows import refuse_first, runs_of, selected
from rpu_ssnn.common.errors import PresetError
from rpu_ssnn.common.wording import counted

MOST_PULSES = 20_000
"""A fit uses at most this many pulses, in whole stretches spread evenly over the file."""

FEWEST_PULSES = 12
"""Of each polarity there is: fewer cannot tell a step from its noise."""

_STRETCH = 500
_STUCK, _STUCK_SCATTER = 0.05, 0.25  # of the way of the median device: its way, 80 % of readings
_JUMP = 0.2  # of the range


@dataclass(frozen=True)
class Measurement:
    """Rows sorted by device, in each device in the order measured.

    Args:
        name: file name, for reports.
        column: the column that was measured.
        conductance: [rows] in siemens.
        pulse: [rows] +1 or -1: the pulse between the row before and this one; 0: none.
        begins: [rows] whether a stretch of consecutive rows begins here; no pulse is known then.
        device, cycle: [rows] indices.
        n_cycles: how many there are.
        unit: what the user counts conductances in, a key of ``SIEMENS``; reports use it.
        notes: what was left out and why, for the report.
        labels: [devices] what to call each, with its file where there are several.
        conditions: of the rows' pulses, and time; None where the file says nothing of them.
        file_row: [rows] 1-based line of the file; None where no file holds them.
        open_ends: whether the highest and the lowest conductance are only the ends of a lookup
            table, at which devices still move.
    """

    name: str
    column: str
    conductance: np.ndarray
    pulse: np.ndarray
    begins: np.ndarray
    device: np.ndarray
    cycle: np.ndarray
    n_cycles: int
    unit: str
    notes: tuple[str, ...]
    labels: tuple[str, ...]
    conditions: Conditions | None = None
    file_row: np.ndarray | None = None
    open_ends: tuple[bool, bool] = (False, False)

    def places(self, rows: Iterable[int]) -> list[tuple[str, str]]:
        """Device, and line of the file with the value there, of some rows; none without a file."""
        if self.file_row is None:
            return []
        return [
            (
                self.labels[self.device[row]],
                f"{self.file_row[row]} ({in_unit(self.conductance[row], self.unit)})",
            )
            for row in rows
        ]

    @property
    def n_devices(self) -> int:
        """How many there are."""
        return len(self.labels)

    @property
    def size(self) -> str:
        """In words."""
        sweeps = len(runs_of(self.pulse, self.device))
        parts = ((self.n_devices, "device"), (self.n_cycles, "cycle"))
        pulses = f"{counted(self.n_pulses, 'pulse')} in {counted(sweeps, 'sweep')}"
        return ", ".join([pulses, *(counted(number, thing) for number, thing in parts)])

    @property
    def n_pulses(self) -> int:
        """Pulses with a conductance before and after."""
        return int(np.count_nonzero(self.pulse))


def read_measurement(file: Path, layout: CsvLayout) -> Measurement:
    """A measured file as consecutive pulses.

    A row is the conductance after its pulse. Consecutive rows of a device are consecutive pulses
    where the number grows by one, or starts again at 1 with the other polarity (up 1 to N, then
    down 1 to N). Anything else (a number left out, an empty conductance, a new start at 0) begins
    a new stretch, and no step is taken across it. A reading without a pulse has the number of the
    pulse before it, or the next one; before a device's first pulse it is of that pulse's cycle.

    Raises:
        PresetError: as ``read_rows``; pulse numbers that repeat or run backwards; too few pulses;
            only down pulses; a device without a conductance; no polarity column though the
            conductance goes both ways.
    """
    rows = read_rows(file, layout)
    rows = selected(rows, np.argsort(rows.device, kind="stable"))
    device, number, pulsed = rows.device, rows.pulse, rows.pulsed
    cycle, n_cycles = _cycles(rows)
    conductance = rows.conductance
    # A reading without a pulse is of the sweep before it.
    up = rows.up[np.maximum.accumulate(np.where(pulsed, np.arange(len(pulsed)), 0))]
    same_device = np.concatenate([[False], device[1:] == device[:-1]])
    same_cycle = np.concatenate([[False], cycle[1:] == cycle[:-1]])
    growth = np.concatenate([[0], np.diff(number)])
    turned = np.concatenate([[False], up[1:] != up[:-1]])
    restarted = (growth <= 0) & (number <= 1) & (turned | ~same_cycle)
    again = ~pulsed & (growth == 0) & same_cycle
    backwards = same_device & (growth <= 0) & ~restarted & same_cycle & (number > 1) & ~again
    _refuse_order(file, layout, rows, backwards)
    follows = same_device & ((growth == 1) | (restarted & turned & (number == 1)) | again)
    gap = ~np.isfinite(conductance)
    follows &= ~gap & ~np.concatenate([[True], gap[:-1]])
    jumps = _jumps(conductance, follows & pulsed, up, ~same_cycle | turned)
    follows &= ~jumps
    notes = list(rows.notes)
    if rows.time_s is not None:
        anew = follows & ~same_cycle & (np.diff(rows.time_s, prepend=rows.time_s[:1]) < 0)
        follows &= ~anew
        if anew.any():
            notes.append(
                f"{counted(int(anew.sum()), 'cycle')} where the clock of time_s begins anew"
            )
    pulse = np.where(follows & pulsed, np.where(up, 1, -1), 0).astype(np.int8)
    conditions = conditions_of(file, rows, follows, pulsed & (number > 0))
    if gap.any():
        notes.append(
            f"{counted(int(gap.sum()), 'empty conductance')} left out, with the steps beside"
        )
    if jumps.any():
        told = counted(int(jumps.sum()), "jump") + " between sweeps taken as no pulse"
        notes.append(f"{told}: larger than any change within them")
    found = Measurement(
        name=file.name,
        column=layout.measured_column,
        conductance=conductance,
        pulse=pulse,
        begins=~follows,
        device=device,
        cycle=cycle,
        n_cycles=n_cycles,
        unit=layout.conductance_unit,
        notes=tuple(notes),
        conditions=conditions,
        file_row=rows.file_row,
        labels=tuple(f"device {name}" for name in rows.devices),
    )
    found = selected(found, ~gap)
    if layout.all_pulses is not None:
        _refuse_mixed(file, layout, found)
    _check_enough(file, layout, found, rows.devices)
    return found


def _cycles(rows: Rows) -> tuple[np.ndarray, int]:
    """[rows] indices of cycles, and their number; a reading before a device's first pulse belongs
    to the cycle of that pulse.

    Args:
        rows: sorted by device.
    """
    pulses = np.flatnonzero(rows.pulsed & (rows.pulse > 0))
    if not len(pulses):
        return rows.cycle, len(rows.cycles)
    at = np.searchsorted(rows.device[pulses], rows.device)
    first = pulses[np.minimum(at, len(pulses) - 1)]
    before = (np.arange(len(first)) < first) & (rows.device[first] == rows.device)
    moved = np.where(before, rows.cycle[first], rows.cycle)
    if np.array_equal(moved, rows.cycle):
        return rows.cycle, len(rows.cycles)
    left, cycle = np.unique(moved, return_inverse=True)
    return cycle.astype(rows.cycle.dtype), len(left)


def _jumps(
    conductance: np.ndarray, follows: np.ndarray, up: np.ndarray, border: np.ndarray
) -> np.ndarray:
    """[rows] changes at the beginning of a sweep that no pulse makes: against its direction, larger
    than all changes within sweeps, and a good part of the range."""
    change = np.concatenate([[0.0], np.diff(conductance)])
    inside = follows & ~border & np.isfinite(change)
    if not inside.any():
        return np.zeros(len(conductance), dtype=np.bool_)
    largest = float(np.abs(change[inside]).max())
    span = float(np.nanmax(conductance) - np.nanmin(conductance))
    with np.errstate(invalid="ignore"):
        against = np.where(up, change < 0, change > 0)
        large = np.abs(change) > max(largest, _JUMP * span)
    jumps: np.ndarray = against & large & border & follows
    return jumps


def _refuse_order(file: Path, layout: CsvLayout, rows: Rows, bad: np.ndarray) -> None:
    if not bad.any():
        return
    before = int(rows.pulse[np.argmax(bad) - 1])
    allowed = (
        f"must grow within a device and cycle, but {before} comes before it; several devices or "
        "cycles need a column that tells them apart"
    )
    refuse_first(file, layout.pulse or "pulse", rows.file_row, rows.pulse, bad, allowed)


def _refuse_mixed(file: Path, layout: CsvLayout, found: Measurement) -> None:
    """Without a polarity column the conductance may move one way only."""
    assert layout.all_pulses is not None
    sign = 1.0 if layout.all_pulses == "up" else -1.0
    for device in range(found.n_devices):
        mine = found.device == device
        path = sign * found.conductance[mine]
        starts = np.flatnonzero(found.begins[mine])
        for stretch in np.split(path, starts[1:]):
            if len(stretch) < 2 * FEWEST_PULSES:
                continue
            parts = np.array_split(stretch, 8)
            levels = np.array([part.mean() for part in parts])
            walk = float(np.diff(stretch).std()) * np.sqrt(len(stretch))
            fall = (np.maximum.accumulate(levels) - levels).max()
            if fall > 0.3 * np.ptp(levels) and fall > 3 * walk:  # more than a random walk
                allowed = (
                    f"is missing: with --polarity {layout.all_pulses} the conductance would go one "
                    "way, but it clearly goes both; add a column with the polarity of each pulse"
                )
                raise PresetError(file, "column", layout.polarity, allowed)


def _check_enough(
    file: Path, layout: CsvLayout, found: Measurement, devices: tuple[str, ...]
) -> None:
    ups, downs = int((found.pulse > 0).sum()), int((found.pulse < 0).sum())
    if ups == 0 and downs > 0:
        raise PresetError(file, "up pulses", 0, "must be there: a weight has to go up as well")
    for field, count in (("up pulses", ups), ("down pulses", downs)):
        if count < FEWEST_PULSES and not (field == "down pulses" and count == 0):
            allowed = (
                f"must be at least {FEWEST_PULSES} that follow each other, with a conductance "
                "before and after"
            )
            raise PresetError(file, field, count, allowed)
    for device, name in enumerate(devices):
        if not (found.device == device).any():
            allowed = "must be at least 1: leave out the rows of a device without any"
            raise PresetError(file, f"conductances of device {name}", 0, allowed)
    if found.conductance.max() < LEAST_SIEMENS and found.unit != ARBITRARY:
        allowed = (
            f"must reach {in_unit(LEAST_SIEMENS, found.unit)} somewhere, {WHY_LEAST}; is "
            f"{layout.measured_unit} its unit?"
        )
        highest = in_unit(float(found.conductance.max()), found.unit)
        raise PresetError(file, f"column {layout.measured_column}", highest, allowed)
    for device, name in enumerate(devices):
        own = found.conductance[found.device == device]
        if np.ptp(own) == 0:
            allowed = f"must change with the pulses; of device {name} it is always the same"
            field = f"column {layout.measured_column}"
            raise PresetError(file, field, in_unit(float(own[0]), found.unit), allowed)
    if stuck := _stuck(found):
        allowed = (
            "must move with its pulses, as others do: leave its rows out (in a study, failed_share "
            "or tile.stuck_share is the share of such devices)"
        )
        raise PresetError(file, "device", ", ".join(stuck), allowed)


def _stuck(found: Measurement) -> list[str]:
    """Labels of devices that hardly move along their pulses, beside at least two that do.

    The way of a sweep is the difference of the means over its last and its first quarter. A device
    whose readings scatter widely is not named: noise may hide that it moves.
    """
    ways: list[list[float]] = [[] for _ in found.labels]
    for first, last in runs_of(found.pulse, found.device):
        sweep = found.conductance[first : last + 1]
        quarter = math.ceil(len(sweep) / 4)
        way = float(sweep[-quarter:].mean() - sweep[:quarter].mean())
        ways[found.device[last]].append(way * float(found.pulse[last]))
    mean = np.array([np.mean(way) if way else np.nan for way in ways])
    typical = float(np.nanmedian(mean))
    inner = [
        np.ptp(np.percentile(found.conductance[found.device == device], (10, 90)))
        for device in range(found.n_devices)
    ]
    stuck = (mean < _STUCK * typical) & (np.array(inner) < _STUCK_SCATTER * typical)
    if found.n_devices - int(stuck.sum()) < 2:
        return []
    return [found.labels[k].removeprefix("device ") for k in np.flatnonzero(stuck)]


def thinned(found: Measurement) -> Measurement:
    """At most some ``MOST_PULSES`` pulses, as whole stretches spread evenly over the rows.

    Where a device would lose all pulses of a direction, or all changes of its conductance, whole
    devices are drawn instead; of too few devices for that, its widest stretches are kept too.
    """
    if found.n_pulses <= MOST_PULSES:
        return found
    stretch = np.cumsum(found.begins)
    # Long stretches are cut, so that what is kept comes from all over them.
    within = np.arange(len(stretch)) - np.flatnonzero(found.begins)[stretch - 1]
    cut = found.begins | (within % _STRETCH == 0)
    piece = np.cumsum(cut) - 1
    keep_one_in = int(np.ceil(found.n_pulses / MOST_PULSES))
    keep, kind = _drawn(piece, keep_one_in), f"stretches of up to {_STRETCH}"
    whole = replace(found, pulse=np.where(cut, 0, found.pulse))
    if len(_deprived(whole, keep)) and found.n_devices >= 2 * keep_one_in:
        keep, kind = _drawn(found.device, keep_one_in), "devices"
    for device in _deprived(whole, keep):
        keep |= np.isin(piece, _widest(whole, piece, device))
    kept = selected(found, keep)
    kept_piece = piece[keep]
    begins = np.concatenate([[True], kept_piece[1:] != kept_piece[:-1]])
    left_devices, device = np.unique(kept.device, return_inverse=True)
    left_cycles, cycle = np.unique(kept.cycle, return_inverse=True)
    note = (
        f"{found.n_pulses} pulses measured; one in {keep_one_in} {kind} used, since a fit takes "
        f"at most {MOST_PULSES}"
    )
    return replace(
        kept,
        pulse=np.where(begins, 0, kept.pulse),
        begins=begins,
        device=device,
        cycle=cycle,
        n_cycles=len(left_cycles),
        labels=tuple(found.labels[device] for device in left_devices),
        notes=(*found.notes, note),
    )


def _drawn(unit: np.ndarray, one_in: int) -> np.ndarray:
    """[rows] whether a row's unit is the one drawn of its group of neighbours.

    A fixed place in the group would always fall on the same part of a sweep, and keep its up
    pulses only.

    Args:
        unit: [rows] index of each row's stretch or device, growing. one_in: units of a group.
    """
    group, place = np.divmod(np.arange(unit[-1] + 1), one_in)
    drawn = np.random.default_rng(0).integers(one_in, size=group[-1] + 1)
    keep: np.ndarray = (place == drawn[group])[unit]
    return keep


def _deprived(found: Measurement, keep: np.ndarray) -> np.ndarray:
    """Indices of the kept devices without a direction of pulses, or without any change of their
    conductance, that they have in the whole measurement."""

    def told(rows: np.ndarray) -> np.ndarray:
        device, conductance = found.device[rows], found.conductance[rows]
        counts = [
            np.bincount(device[found.pulse[rows] == way], minlength=found.n_devices)
            for way in (1, -1)
        ]
        high, low = np.full(found.n_devices, -np.inf), np.full(found.n_devices, np.inf)
        np.maximum.at(high, device, conductance)
        np.minimum.at(low, device, conductance)
        return np.array([counts[0] > 0, counts[1] > 0, high > low])

    kept = np.bincount(found.device[keep], minlength=found.n_devices) > 0
    lost = (told(np.ones_like(keep)) & ~told(keep)).any(axis=0)
    return np.flatnonzero(kept & lost)


def _widest(found: Measurement, piece: np.ndarray, device: int) -> list[int]:
    """Of the stretches of a device with up pulses, and of those with down pulses, the one in which
    the conductance varies most."""
    widest = []
    for way in (1, -1):
        own = np.unique(piece[(found.device == device) & (found.pulse == way)])
        ends = zip(np.searchsorted(piece, own), np.searchsorted(piece, own + 1), strict=True)
        spans = [np.ptp(found.conductance[first:end]) for first, end in ends]
        widest += [int(own[np.argmax(spans)])] if spans else []
    return widest
