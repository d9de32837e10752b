"""The Yin-Yang set (Kriener, Goeltz, Petrovici, NICE 2022): generated points of the plane.

The set is small, not linearly separable, and hard for networks whose hidden layer does not learn.
"""

import numpy as np
from jaxtyping import Float64, Int64

from rpu_ssnn.data.rows import Source
from rpu_ssnn.data.spike_trains import SpikeTrains

COUNTS = (5000, 1000)
SEED = 20170
"""The seed of the points, the same for every study."""

LATENCY_SLOTS = 30
"""A recording of `latency_spikes` has this many slots; value 0 spikes in the first, 1 in the
last."""

CLASSES = ("yin", "yang", "dot")
_BIG, _SMALL = 0.5, 0.1


def classes_of(
    x: Float64[np.ndarray, " n"], y: Float64[np.ndarray, " n"]
) -> Int64[np.ndarray, " n"]:
    """Returns the class of each point of the disc of radius 0.5 around (0.5, 0.5), as in the
    paper."""
    right = np.hypot(x - 1.5 * _BIG, y - _BIG)
    left = np.hypot(x - 0.5 * _BIG, y - _BIG)
    yang = right <= _SMALL
    yang |= (left > _SMALL) & (left <= 0.5 * _BIG)
    yang |= (y > _BIG) & (right > 0.5 * _BIG)
    dots = (right < _SMALL) | (left < _SMALL)
    return np.where(dots, 2, yang.astype(np.int64))


def points(n: int, rng: np.random.Generator) -> tuple[np.ndarray, Int64[np.ndarray, " n"]]:
    """Returns n points, with the classes in turn, as (x, y, 1 - x, 1 - y) in [0, 1]."""
    labels = np.arange(n) % len(CLASSES)
    values = np.zeros((n, 4))
    missing = np.arange(n)
    while len(missing):
        x, y = rng.random((2, len(missing)))
        inside = np.hypot(x - _BIG, y - _BIG) <= _BIG
        right = inside & (classes_of(x, y) == labels[missing])
        values[missing[right]] = np.stack([x, y, 1 - x, 1 - y], axis=1)[right]
        missing = missing[~right]
    return values, labels


def latency_spikes(values: Float64[np.ndarray, "n lines"], slots: int) -> SpikeTrains:
    """Returns recordings in which each value in [0, 1] is one spike, which comes later for larger
    values.

    One more line spikes at slot 0.

    Every line has exactly one spike, so counts carry no information: all of it is in the timing.
    """
    n, lines = values.shape
    late = np.rint(values * (slots - 1)).astype(np.int64)
    slot = np.concatenate([late, np.zeros((n, 1), dtype=np.int64)], axis=1)
    recording = np.repeat(np.arange(n), lines + 1)
    line = np.tile(np.arange(lines + 1), n)
    return SpikeTrains.of_events(recording, slot.ravel(), line, n, lines + 1)


def make_yin_yang(as_spikes: bool) -> Source:
    """Returns 5,000 points to train on and 1,000 to test on, as values or as spikes."""
    rng = np.random.default_rng(SEED)
    (train, labels), (test, tested) = (points(n, rng) for n in COUNTS)
    if as_spikes:
        spikes = [latency_spikes(values, LATENCY_SLOTS) for values in (train, test)]
        shape = (LATENCY_SLOTS, spikes[0].lines)
        return Source(spikes[0], labels, spikes[1], tested, CLASSES, 1, shape)
    return Source(train, labels, test, tested, CLASSES, 1, (4,), (0.0, 1.0))
