"""A file is searched for a polarity that is swapped, before any fit."""

import numpy as np

from device_presets.fitting.reading.measurement import Measurement

_SWAPPED = 2.0
"""Standard errors of the net change by which all pulses go against their marks."""


def doubt_of(found: Measurement) -> str:
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
