"""A long measurement as the stretches of it that a fit can take in a minute or two."""

from dataclasses import replace

import numpy as np

from device_presets.fitting.reading.measurement import Measurement
from device_presets.fitting.rows import selected

MOST_PULSES = 20_000
"""A fit uses at most this many pulses, in whole stretches spread evenly over the file."""

_STRETCH = 500


def thinned(found: Measurement) -> Measurement:
    """A measurement is cut to some ``MOST_PULSES`` pulses, in whole stretches from all over the
    rows.

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


def _deprived(found: Measurement, keep: np.ndarray) -> np.ndarray:
    """Returns indices of the kept devices without a direction of pulses, or without any change of
    their conductance, that they have in the whole measurement."""

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
    """Returns the stretch with up pulses, and the one with down pulses, in which a device varies
    most."""
    widest = []
    for way in (1, -1):
        own = np.unique(piece[(found.device == device) & (found.pulse == way)])
        ends = zip(np.searchsorted(piece, own), np.searchsorted(piece, own + 1), strict=True)
        spans = [np.ptp(found.conductance[first:end]) for first, end in ends]
        widest += [int(own[np.argmax(spans)])] if spans else []
    return widest
