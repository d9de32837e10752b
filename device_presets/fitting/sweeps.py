"""Sweeps are runs of pulses of one polarity."""

import numpy as np


def runs_of(pulse: np.ndarray, device: np.ndarray) -> np.ndarray:
    """Returns [runs, 2] the first and last row of pulses of one polarity; the row before them is
    the first."""
    same = (pulse[1:] == pulse[:-1]) & (device[1:] == device[:-1]) & (pulse[1:] != 0)
    starts = np.flatnonzero(np.concatenate([[True], ~same]))
    ends = np.append(starts[1:], len(pulse)) - 1
    real = pulse[starts] != 0
    return np.stack([starts[real] - 1, ends[real]], axis=1)
