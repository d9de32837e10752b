"""A long measurement as the stretches of it that a fit can take in a minute or two."""

from dataclasses import replace

import numpy as np

from device_presets.fitting.reading.measurement import Measurement
from device_presets.fitting.rows import selected

MOST_PULSES = 20_000
"""A fit uses at most this many pulses, in whole stretches spread evenly over the file."""

_STRETCH = 500


def thinned(found: Measurement) -> Measurement:
    """A measurement is cut to some ``MOST_PULSES`` pulses: whole devices are drawn where there are
    many, and stretches from all over the rows otherwise.

    A device that would lose all pulses of a direction, or all changes by them, keeps its widest
    stretch of that direction.
    """
    if found.n_pulses <= MOST_PULSES:
        return found
    stretch = np.cumsum(found.begins)
    # Long stretches are cut, so that what is kept comes from all over them.
    within = np.arange(len(stretch)) - np.flatnonzero(found.begins)[stretch - 1]
    cut = found.begins | (within % _STRETCH == 0)
    piece = np.cumsum(cut) - 1
    one_in = int(np.ceil(found.n_pulses / MOST_PULSES))
    if found.n_devices >= 2 * one_in:
        keep, kind = _drawn(found.device, one_in), "devices"
    else:
        keep, kind = _drawn(piece, one_in), f"stretches of up to {_STRETCH}"
        pulse = np.where(cut, 0, found.pulse)
        for device in range(found.n_devices):
            for way in (1, -1):
                mine = np.flatnonzero((found.device == device) & (pulse == way))
                if len(mine) and len(np.unique(found.conductance[mine[keep[mine]]])) < 2:
                    keep |= piece == _widest(found.conductance[mine], piece[mine])
    kept = selected(found, keep)
    kept_piece = piece[keep]
    begins = np.concatenate([[True], kept_piece[1:] != kept_piece[:-1]])
    left_devices, device_index = np.unique(kept.device, return_inverse=True)
    left_cycles, cycle = np.unique(kept.cycle, return_inverse=True)
    note = (
        f"{found.n_pulses} pulses measured; one in {one_in} {kind} used, since a fit takes "
        f"at most {MOST_PULSES}"
    )
    return replace(
        kept,
        pulse=np.where(begins, 0, kept.pulse),
        begins=begins,
        device=device_index,
        cycle=cycle,
        n_cycles=len(left_cycles),
        labels=tuple(found.labels[device] for device in left_devices),
        notes=(*found.notes, note),
    )


def _drawn(unit: np.ndarray, one_in: int) -> np.ndarray:
    """The flags [rows] say whether a row's unit is the one drawn of its group of neighbours.

    A fixed place in the group would always fall on the same part of a sweep, and keep its up
    pulses only.

    Args:
        unit: [rows] index of each row's stretch or device, growing. one_in: units of a group.
    """
    group, place = np.divmod(np.arange(unit[-1] + 1), one_in)
    drawn = np.random.default_rng(0).integers(one_in, size=group[-1] + 1)
    keep: np.ndarray = (place == drawn[group])[unit]
    return keep


def _widest(conductance: np.ndarray, piece: np.ndarray) -> int:
    """Returns the stretch over which the conductance varies most."""
    pieces, first = np.unique(piece, return_index=True)
    spans = np.maximum.reduceat(conductance, first) - np.minimum.reduceat(conductance, first)
    return int(pieces[np.argmax(spans)])
