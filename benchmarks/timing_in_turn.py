"""Times training steps and bare `tile.update` calls over the same rows, batch by batch.

The two are run in turn, so that a temporary slowdown of the machine affects both.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from aihwkit.simulator.tiles.analog import AnalogTile

from rpu_ssnn.network import Network

DEVICE_BATCH = 50
"""The number of presentations in a batch, as in the shipped studies."""

SPANS = {"first": slice(2, 14), "later": slice(50, 75)}
"""The batches that are timed: errors, and so pulses, become fewer in the course of an epoch."""

BATCHES = max(span.stop for span in SPANS.values())

type Rows = list[list[tuple[int, torch.Tensor, torch.Tensor]]]
"""For each batch, the crossbar, the inputs and the errors of each call of `tile.update`."""

type Clock = Callable[[], float]


def steps(
    network: Network, rates: np.ndarray, labels: np.ndarray, clock: Clock = time.perf_counter
) -> Iterator[float]:
    """Trains batch by batch and yields the seconds that each batch takes."""
    rng = np.random.default_rng(0)
    for first in range(0, len(labels), DEVICE_BATCH):
        part = slice(first, first + DEVICE_BATCH)
        started = clock()
        network.train_batch(rates[part], labels[part], rng)
        yield clock() - started


def bare(tiles: Sequence[AnalogTile], rows: Rows, clock: Clock = time.perf_counter) -> np.ndarray:
    """Returns the seconds that the `tile.update` calls of each batch take; one thread does the
    work, row by row."""
    times = []
    for batch in rows:
        started = clock()
        for layer, x, d in batch:
            tiles[layer].update(x, d)
        times.append(clock() - started)
    return np.array(times)


def milliseconds(times: Sequence[np.ndarray], span: slice) -> float:
    """Returns the milliseconds per presentation, as the median over runs."""
    return statistics.median(1e3 * float(t[span].mean()) / DEVICE_BATCH for t in times)


def ratios(
    above: Sequence[np.ndarray], below: Sequence[np.ndarray], span: slice
) -> tuple[float, float, float]:
    """Returns the median, the lowest and the highest ratio of the runs."""
    found = [float(a[span].sum() / b[span].sum()) for a, b in zip(above, below, strict=True)]
    return statistics.median(found), min(found), max(found)
