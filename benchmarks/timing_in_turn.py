"""Training steps and bare `tile.update` calls over the same rows, a batch at a time.

What is compared runs in turn, so that a machine that is slower for a while is so for both.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from aihwkit.simulator.tiles.analog import AnalogTile

from rpu_ssnn.network import Network

DEVICE_BATCH = 50
"""The number of presentations in a batch, which is that of the shipped studies."""

SPANS = {"first": slice(2, 14), "later": slice(50, 75)}
"""The timed batches of an epoch in devices, in which the error, and so the pulses, fall."""

BATCHES = max(span.stop for span in SPANS.values())

type Rows = list[list[tuple[int, torch.Tensor, torch.Tensor]]]
"""Each batch holds the crossbar, the inputs and the errors of each call of `tile.update`."""

type Clock = Callable[[], float]


def steps(
    network: Network, rates: np.ndarray, labels: np.ndarray, clock: Clock = time.perf_counter
) -> Iterator[float]:
    """Trains batch by batch, and gives the seconds of each."""
    rng = np.random.default_rng(0)
    for first in range(0, len(labels), DEVICE_BATCH):
        part = slice(first, first + DEVICE_BATCH)
        started = clock()
        network.train_batch(rates[part], labels[part], rng)
        yield clock() - started


def bare(tiles: Sequence[AnalogTile], rows: Rows, clock: Clock = time.perf_counter) -> np.ndarray:
    """Returns the seconds of each batch's calls of `tile.update`: one thread's work, a row after
    another."""
    times = []
    for batch in rows:
        started = clock()
        for layer, x, d in batch:
            tiles[layer].update(x, d)
        times.append(clock() - started)
    return np.array(times)


def milliseconds(times: Sequence[np.ndarray], span: slice) -> float:
    """Returns the milliseconds of a presentation, in the middle run."""
    return statistics.median(1e3 * float(t[span].mean()) / DEVICE_BATCH for t in times)


def ratios(
    above: Sequence[np.ndarray], below: Sequence[np.ndarray], span: slice
) -> tuple[float, float, float]:
    """Returns median, lowest and highest of the runs."""
    found = [float(a[span].sum() / b[span].sum()) for a, b in zip(above, below, strict=True)]
    return statistics.median(found), min(found), max(found)
