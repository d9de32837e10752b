"""Reduces a long measurement to stretches that can be fitted within a minute."""

from dataclasses import replace

import numpy as np

from device_presets.fitting.reading.measurement import Measurement
from device_presets.fitting.reading.rows import selected
from device_presets.fitting.sweeps import rests_of

MOST_PULSES = 20_000
"""A fit uses at most this many pulses, in whole stretches spread evenly over the file."""

_STRETCH = 500


def thinned(found: Measurement) -> Measurement:
    """Reduces a measurement to about ``MOST_PULSES`` pulses: by drawing whole devices or whole
    cycles if there are many, otherwise stretches, as many in one direction as in the other.
    Stretches of readings only are kept."""
    if found.n_pulses <= MOST_PULSES:
        return found
    one_in = int(np.ceil(found.n_pulses / MOST_PULSES))
    number = np.arange(len(found.pulse))
    same_cycle = (np.diff(found.device, prepend=-1) == 0) & (np.diff(found.cycle, prepend=-1) == 0)
    cycle = np.cumsum(~same_cycle) - 1
    alone = rests_of(found.pulse, found.begins)
    within = number - np.maximum.accumulate(np.where(found.begins, number, 0))
    turns = np.append(found.pulse[1:] * found.pulse[:-1] < 0, False)  # rows before a turn
    piece = np.cumsum(found.begins | turns | (within % _STRETCH == 0)) - 1
    if found.n_devices >= 2 * one_in:
        kind, keep = "devices", _drawn(found.device, one_in)
    elif cycle[-1] + 1 >= 2 * one_in:
        kind, keep = "cycles", alone | _drawn(cycle, one_in)
    else:
        way = found.pulse[np.minimum(np.flatnonzero(np.diff(piece, prepend=-1)) + 1, number[-1])]
        kept = np.zeros(len(way), dtype=np.bool_)
        for sign in np.unique(way):
            mine = np.flatnonzero(way == sign)
            kept[mine] = _drawn(np.arange(len(mine)), one_in)
        kind, keep = f"stretches of up to {_STRETCH} pulses", alone | kept[piece]
    kept_rows = selected(found, keep)
    begins = kept_rows.begins | (np.diff(np.flatnonzero(keep), prepend=-2) != 1)
    left_devices, device = np.unique(kept_rows.device, return_inverse=True)
    most = f"at most {MOST_PULSES} of the {found.n_pulses} measured pulses"
    note = f"one in {one_in} {kind} is used, since a fit uses {most}"
    return replace(
        kept_rows,
        pulse=np.where(begins, 0, kept_rows.pulse),
        begins=begins,
        device=device,
        labels=tuple(found.labels[k] for k in left_devices),
        notes=(*found.notes, note),
    )


def _drawn(unit: np.ndarray, one_in: int) -> np.ndarray:
    """Returns [rows] whether the unit of a row is drawn: one from each group of neighbours.

    Args:
        unit: [rows] index of each row's stretch, cycle or device, never falling.
        one_in: The number of units in a group.
    """
    group, place = np.divmod(np.arange(unit[-1] + 1), one_in)
    drawn = np.random.default_rng(0).integers(one_in, size=group[-1] + 1)
    drawn[-1] = min(drawn[-1], place[-1])  # The last group may be shorter.
    return np.asarray((place == drawn[group])[unit])
