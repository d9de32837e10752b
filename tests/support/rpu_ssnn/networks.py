"""Makes small crossbars, blocks and trains that several test files need."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from rpu_ssnn.common.training_state import TrainingState
from rpu_ssnn.data import Dataset
from rpu_ssnn.synapses import Crossbar, PulseBlock, Synapses


def make_crossbar(
    n_in: int = 20, n_out: int = 8, *, step: float | None = None, batch: int = 10, T: int = 50
) -> Crossbar:
    """Returns a crossbar whose initial weights are multiples of `step` (any numbers if None)."""
    initial = np.random.default_rng(5).normal(0.0, 0.2, (n_in, n_out))
    if step is not None:
        initial = np.rint(initial / step) * step
    return Crossbar(
        initial=initial.astype(np.float32),
        theta=1.0,
        he_std=0.25,
        gain=1.0,
        T=T,
        slots=T,
        batch=batch,
        seed=7,
    )


def make_block(
    pre: np.ndarray, positive: np.ndarray, negative: np.ndarray, sample: np.ndarray | None = None
) -> PulseBlock:
    """Returns a block from dense trains: pre [rows, n_in], positive and negative [rows, n_out].

    The rows are successive slots of one presentation, unless `sample` assigns them to several.
    """
    pre_lines = [np.flatnonzero(row) for row in pre]
    streams = [
        [*((j, 1) for j in np.flatnonzero(p)), *((j, -1) for j in np.flatnonzero(n))]
        for p, n in zip(positive, negative, strict=True)
    ]
    flat = [pair for row in streams for pair in row]
    samples = np.zeros(len(pre), np.int32) if sample is None else sample
    slots = np.arange(len(pre)) - np.searchsorted(samples, samples)
    return PulseBlock(
        sample=samples.astype(np.int32),
        slot=slots.astype(np.int32),
        pre_start=np.cumsum([0, *map(len, pre_lines)]).astype(np.int32),
        pre=np.concatenate(pre_lines).astype(np.int32),
        post_start=np.cumsum([0, *map(len, streams)]).astype(np.int32),
        post=np.array([j for j, _ in flat], np.int32),
        sign=np.array([s for _, s in flat], np.int8),
    )


def rows_of(block: PulseBlock) -> Iterator[tuple[int, int, np.ndarray, np.ndarray, np.ndarray]]:
    """Yields sample, slot, forward spikes, gradient spikes and their signs, row by row."""
    for r in range(block.rows):
        post = slice(block.post_start[r], block.post_start[r + 1])
        pre = block.pre[block.pre_start[r] : block.pre_start[r + 1]]
        yield int(block.sample[r]), int(block.slot[r]), pre, block.post[post], block.sign[post]


def random_trains(
    rows: int, n_in: int = 20, n_out: int = 8, rate: float = 0.3, seed: int = 3
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns independent Bernoulli trains (pre, positive, negative)."""
    rng = np.random.default_rng(seed)
    return (
        rng.random((rows, n_in)) < rate,
        rng.random((rows, n_out)) < rate,
        rng.random((rows, n_out)) < rate,
    )


def with_first(data: Dataset, n: int) -> Dataset:
    """Returns the data with only its first n training images."""
    return replace(data, train_images=data.train_images[:n], train_labels=data.train_labels[:n])


class KeptStates(list[TrainingState]):
    """Collects the state after each epoch of a training; it is given as its `on_epoch`."""

    def __call__(self, row: object, state: Callable[[], TrainingState]) -> None:
        self.append(state())


def deliver(synapses: Synapses, block: PulseBlock) -> None:
    """Delivers all pulses of a presentation, which then act."""
    synapses.update(block)
    synapses.settle()
