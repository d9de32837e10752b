"""Finds sweeps, which are runs of pulses of one polarity, and stretches without pulses."""

import numpy as np


def rests_of(pulse: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """Returns [rows] whether the stretch of a row has no pulse, as that of retention readings."""
    stretch = np.cumsum(begins)
    return np.asarray(np.bincount(stretch, pulse != 0)[stretch] == 0)


def runs_of(pulse: np.ndarray, device: np.ndarray) -> np.ndarray:
    """Returns [runs, 2] the first and the last row of each run of pulses of one polarity; the first
    is the row before its pulses."""
    same = (pulse[1:] == pulse[:-1]) & (device[1:] == device[:-1]) & (pulse[1:] != 0)
    starts = np.flatnonzero(np.concatenate([[True], ~same]))
    ends = np.append(starts[1:], len(pulse)) - 1
    real = pulse[starts] != 0
    return np.stack([starts[real] - 1, ends[real]], axis=1)
