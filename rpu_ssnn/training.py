"""Training and inference of a network on a data set."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

import numpy as np
from jaxtyping import Int64

from rpu_ssnn.data import Dataset
from rpu_ssnn.data.rows import Rows
from rpu_ssnn.inputs import InputLines, input_lines
from rpu_ssnn.network import Input, Network
from rpu_ssnn.spec import NetworkSpec, TrainingSpec
from rpu_ssnn.spike_trains import SpikeTrains
from rpu_ssnn.synapses.base import SynapsesFactory
from rpu_ssnn.training_state import (
    EpochRow,
    State,
    StateError,
    TrainingState,
    checked,
    generator_state,
    joined,
    part_of,
    restore_generator,
)

INFERENCE_CHUNK = 1000
"""Images of one inference call: bounds the memory, does not change results."""


@dataclass
class Trained:
    """A trained network with its statistics, for inference."""

    network: Network
    inputs: InputLines
    seed: np.random.SeedSequence
    epochs: list[EpochRow] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the network's threads."""
        self.network.__exit__()

    def accuracy(self, images: Rows, labels: Int64[np.ndarray, " n"]) -> float:
        """Share of images whose most active output is their label (argmax of output counts).

        Ties go to the lower class index. The same seed shows the same input spikes each time.
        """
        rng = np.random.default_rng(self.seed)
        right = 0
        for first in range(0, len(labels), INFERENCE_CHUNK):
            part = slice(first, first + INFERENCE_CHUNK)
            shown = self.network.infer(self.rates(images[part]), rng)
            right += int((shown.output_counts.argmax(axis=1) == labels[part]).sum())
        return right / len(labels) if len(labels) else float("nan")

    def rest(self, seconds: float) -> None:
        """Let time (s) pass, in which devices lose charge; later reads see the loss."""
        for synapses in self.network.synapses:
            synapses.rest(seconds)

    def train_epoch(
        self,
        images: Rows,
        labels: Int64[np.ndarray, " n"],
        rng: np.random.Generator,
        epoch: int,
    ) -> EpochRow:
        """Show every image once, in random order, batch by batch; validation is left NaN."""
        started = time.perf_counter()
        network, batch = self.network, self.network.training.batch
        for synapses in network.synapses:
            synapses.set_step_scale(network.training.step_scale(epoch))
        order = rng.permutation(len(labels))
        right, n = 0, max(len(order), 1)
        spikes = np.zeros(len(network.sizes) + network.spec.inhibition.passes)
        gradient = np.zeros_like(spikes)
        for first in range(0, len(order), batch):
            chosen = order[first : first + batch]
            shown = network.train_batch(self.rates(images[chosen]), labels[chosen], rng)
            right += int((shown.output_counts.argmax(axis=1) == labels[chosen]).sum())
            spikes += shown.spikes.sum(axis=0)
            gradient += shown.gradient_spikes.sum(axis=0)
        lines = (*network.sizes, *(network.sizes[-1],) * network.spec.inhibition.passes)
        return EpochRow(
            epoch=epoch,
            train_accuracy=right / n,
            validation_accuracy=float("nan"),
            seconds=time.perf_counter() - started,
            rates=tuple(spikes / n / network.spec.slots / lines),
            forward_spikes=tuple(spikes / n),
            gradient_spikes=tuple(gradient[1 : len(network.sizes)] / n),
        )

    def statistics(self) -> dict[str, float]:
        """Statistics of the synapses for the result row, over all crossbars."""
        return merge_statistics([s.statistics() for s in self.network.synapses])

    def rates(self, images: Rows) -> Input:
        """Average spikes a slot of each input line; recorded spikes unchanged."""
        if isinstance(images, SpikeTrains):
            return images
        return self.inputs.shares(images) * np.float32(self.network.spec.encoding.input_rate)


def train(
    spec: NetworkSpec,
    training: TrainingSpec,
    factory: SynapsesFactory,
    data: Dataset,
    *,
    seed: int,
    threads: int = 1,
    start: TrainingState | None = None,
    on_epoch: Callable[[EpochRow, Callable[[], TrainingState]], bool | None] | None = None,
) -> Trained:
    """Train a network on the training images; measure validation images after each epoch.

    Args:
        seed: determines everything random (except aihwkit's cycle-to-cycle noise, which cannot be
            seeded).
        threads: of the simulation; changes the time, not the results.
        start: state of an earlier call with the same arguments; the result is then equal to that
            without interruption (to the bit, except for aihwkit's noise).
        on_epoch: called after each epoch with its row and a function that returns the state (for
            a later `start`); returns whether to stop here.

    Raises:
        StateError: `start` is of another network.
        FloatingPointError: weights are no longer finite after an epoch.
    """
    weight_seed, order_seed, test_seed = np.random.SeedSequence(seed).spawn(3)
    inputs = input_lines(spec.encoding.contrast, data)
    sizes = (inputs.lines, *spec.hidden, data.n_classes)
    network = Network(spec, training, sizes, factory, weight_seed, threads)
    trained = Trained(network, inputs, test_seed)
    rng = np.random.default_rng(order_seed)
    if start is not None:
        try:
            _restore(trained, rng, start)
        except BaseException:
            trained.close()
            raise
    for epoch in range(len(trained.epochs), training.epochs):
        row = trained.train_epoch(data.train_images, data.train_labels, rng, epoch)
        network.check_finite()
        watched = trained.accuracy(data.validation_images, data.validation_labels)
        trained.epochs.append(replace(row, validation_accuracy=watched))
        if on_epoch is not None and on_epoch(trained.epochs[-1], lambda: _state(trained, rng)):
            break
    return trained


def _state(trained: Trained, rng: np.random.Generator) -> TrainingState:
    parts: dict[str, State] = {
        "network": trained.network.state(),
        "order": {"generator": generator_state(rng)},
    }
    return TrainingState(len(trained.epochs), joined(parts), tuple(trained.epochs))


def _restore(trained: Trained, rng: np.random.Generator, start: TrainingState) -> None:
    if len(start.curve) != start.epochs:
        raise StateError(f"has {len(start.curve)} rows for {start.epochs} epochs")
    trained.network.restore(part_of(start.arrays, "network"))
    order = checked(part_of(start.arrays, "order"), {"generator": generator_state(rng)})
    restore_generator(rng, order["generator"])
    trained.epochs[:] = start.curve


def merge_statistics(parts: list[dict[str, float]]) -> dict[str, float]:
    """Sums of what ends in `_total`, and each crossbar's own numbers by its place, first at 1."""
    merged: dict[str, float] = {}
    for place, part in enumerate(parts, start=1):
        for name, value in part.items():
            merged[f"{name}_{place}"] = value
            if name.endswith("_total"):
                merged[name] = merged.get(name, 0.0) + value
    return merged
