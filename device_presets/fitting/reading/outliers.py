"""A file is searched for what is probably wrong: its polarity, or single readings.

The search looks at the raw readings, before any fit: a few wrong ones change which model is chosen.
"""

import numpy as np

from device_presets.fitting.reading.measurement import Measurement
from rpu_ssnn.common.wording import counted

MOST_OUTLIERS = 0.02
"""Share of the readings; where more lie far off, it is noise or the model is wrong."""

_MOST_NAMED = 10
_FAR = 6.0
"""Deviations of a change: normal noise of readings puts one of ten thousand million so far off
both its neighbours."""
_INNER = 0.9
"""Share of the changes that gives their deviation; the rest may be outliers."""
_DEVIATIONS = 1.645  # of a normal law, below which that share is, either way
_LEAST = 0.002  # of the range: steps of a digital meter are no spikes


def spikes(found: Measurement) -> np.ndarray:
    """Returns rows that lie far off the reading before and the one after, on the same side of both.

    A pulse changes the reading for good: only a wrong reading, or a jump that lasts for one reading
    (telegraph noise), comes back. Where widths or amplitudes differ, a change in the direction of
    its own pulse is no spike.
    """
    inside = ~found.begins
    change = np.where(inside, np.diff(found.conductance, prepend=found.conductance[:1]), 0.0)
    both = np.append(inside[:-1] & inside[1:], False)
    after = np.append(change[1:], 0.0)
    back = both & (change * after < 0)
    if found.conditions is not None and found.conditions.pulses_differ:
        next_pulse = np.append(found.pulse[1:], 0)
        back &= ~((change * found.pulse > 0) & (after * next_pulse > 0))
    size = np.where(back, np.minimum(np.abs(change), np.abs(after)), 0.0)
    limit = np.empty(len(size))
    for device in range(found.n_devices):
        mine = found.device == device
        sizes = np.abs(change[mine & inside])
        low, high = np.quantile(found.conductance[mine], [0.01, 0.99])
        deviation = float(np.quantile(sizes, _INNER)) / _DEVIATIONS if len(sizes) else 0.0
        limit[mine] = _FAR * max(deviation, _LEAST * (high - low))
    rows = np.flatnonzero((size > limit) & back)
    return rows if len(rows) <= MOST_OUTLIERS * len(size) else rows[:0]


_SWAPPED = 2.0
"""Standard errors of the net change by which all pulses go against their marks."""


def doubt_of(found: Measurement) -> str:
    """A sentence says what is probably wrong in a measurement; it is empty where nothing is."""
    return polarity_sentence(found) or spike_sentence(found)


def polarity_sentence(found: Measurement) -> str:
    """Says in a sentence that pulses of each direction that is there move the conductance the other
    way; empty where they do not."""
    change = np.diff(found.conductance, prepend=found.conductance[:1])
    told = []
    for way, verb in ((1, "pulses marked up lower"), (-1, "pulses marked down raise")):
        rows = np.flatnonzero(found.pulse == way)
        if not len(rows):
            continue
        moves = way * change[rows]
        square = float(np.sum(moves**2))
        # Read noise moves neighbours against each other, and their sum little.
        beside = np.diff(rows) == 1
        opposed = square + 2.0 * float(np.sum((moves[1:] * moves[:-1])[beside]))
        variance = np.clip(opposed, 2.0 * square / np.sqrt(len(rows)), square)
        if float(moves.sum()) >= -_SWAPPED * float(np.sqrt(variance)):
            return ""
        told.append(f"{verb} the conductance")
    if not told:
        return ""
    return f"{', '.join(told)}: is the polarity swapped? A pulse up must raise the conductance"


def spike_sentence(found: Measurement) -> str:
    """Returns the spikes of a measurement in words; empty where there is none."""
    rows = spikes(found)
    why = "jump away from the reading before and back in the next"
    return _sentence(found.places(rows), len(found.pulse), why)


def _sentence(places: list[tuple[str, str]], n_readings: int, why: str) -> str:
    if not places:
        return ""
    named: dict[str, list[str]] = {}
    for device, row in places[:_MOST_NAMED]:
        named.setdefault(device, []).append(row)
    parts = [f"{device}: row{'s'[: len(r) > 1]} {', '.join(r)}" for device, r in named.items()]
    if len(places) > _MOST_NAMED:
        parts.append(f"and {len(places) - _MOST_NAMED} more")
    return (
        f"{len(places)} of {counted(n_readings, 'reading')} {why}: are they outliers? "
        f"{'; '.join(parts)} (a row is a line of the file, the line of names included). "
        "An empty cell leaves a reading out"
    )
