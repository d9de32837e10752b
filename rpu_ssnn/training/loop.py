"""The loop over epochs for every kind of network: spiking, float, or trained by numbers.

A learner knows how it trains for one epoch, how it classifies images, and what its state is. The
loop does the rest: it measures validation images, checks the weights, and takes and restores
states.
"""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Self

import numpy as np

from rpu_ssnn.common.errors import require
from rpu_ssnn.common.training_state import (
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
from rpu_ssnn.data import Dataset
from rpu_ssnn.data.rows import Labels, Rows
from rpu_ssnn.synapses.base import Weights

OnEpoch = Callable[[EpochRow, Callable[[], TrainingState]], bool | None]
"""This is called after each epoch with its row and a function that returns the state (for a later
`start`); it returns whether to stop here."""


class Learner(ABC):
    """Trains a network epoch by epoch.

    Attributes:
        epochs: one row for each finished epoch; its rates and spikes are empty where a network has
            none.
    """

    epochs: list[EpochRow]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:  # noqa: B027  (only learners with threads have something to end)
        """Ends the threads of the network."""

    @abstractmethod
    def train_epoch(
        self, images: Rows, labels: Labels, rng: np.random.Generator, epoch: int
    ) -> EpochRow:
        """Shows every image once, in an order drawn from rng; validation and time are left NaN.

        Raises:
            FloatingPointError: weights are no longer finite.
        """

    @abstractmethod
    def classes(self, images: Rows) -> Labels:
        """Returns the class with the largest output for each image (ties: the lowest), of which
        there must be at least one."""

    def accuracy(self, images: Rows, labels: Labels) -> float:
        """Returns the share of images that are classified as their label; NaN for none.

        Raises:
            InputError: there is not one label for each image, or labels are not whole numbers.
        """
        count, allowed = np.shape(labels), f"must be ({len(images)},), one for each image"
        require(count == (len(images),), "accuracy", "shape of labels", count, allowed)
        whole = np.asarray(labels).dtype.kind in "iu"
        require(whole, "accuracy", "labels", labels, "must be whole numbers")
        return float((self.classes(images) == labels).mean()) if len(labels) else math.nan

    @abstractmethod
    def state(self) -> State:
        """Returns everything that training changes, without the order of the images."""

    @abstractmethod
    def restore(self, state: State) -> None:
        """Continues from the state of an identically built learner; raises StateError for
        others."""


def train_epochs[L: Learner](
    learner: L,
    epochs: int,
    data: Dataset,
    rng: np.random.Generator,
    start: TrainingState | None,
    on_epoch: OnEpoch | None,
) -> L:
    """Trains up to a number of epochs; validation images are only measured.

    Args:
        learner: the learner to train, which is closed if this raises.
        rng: draws the order of the images.
        start: the state that an earlier call with the same arguments had reached.

    Returns:
        The learner.

    Raises:
        StateError: `start` belongs to another network.
        FloatingPointError: weights are no longer finite after an epoch.
    """

    def state() -> TrainingState:
        parts: dict[str, State] = {
            "network": learner.state(),
            "order": {"generator": generator_state(rng)},
        }
        return TrainingState(len(learner.epochs), joined(parts), tuple(learner.epochs))

    try:
        if start is not None:
            if len(start.curve) != start.epochs:
                raise StateError(f"it has {len(start.curve)} rows for {start.epochs} epochs")
            learner.restore(part_of(start.arrays, "network"))
            order = checked(part_of(start.arrays, "order"), {"generator": generator_state(rng)})
            restore_generator(rng, order["generator"])
            learner.epochs[:] = start.curve
        for epoch in range(len(learner.epochs), epochs):
            row = timed_epoch(learner, data.train_images, data.train_labels, rng, epoch)
            watched = learner.accuracy(data.validation_images, data.validation_labels)
            learner.epochs.append(replace(row, validation_accuracy=watched))
            if on_epoch is not None and on_epoch(learner.epochs[-1], state):
                break
    except BaseException:
        learner.close()
        raise
    return learner


def timed_epoch(
    learner: Learner, images: Rows, labels: Labels, rng: np.random.Generator, epoch: int
) -> EpochRow:
    """Trains one epoch, and returns its row with the seconds that it took."""
    started = time.perf_counter()
    row = learner.train_epoch(images, labels, rng, epoch)
    return replace(row, seconds=time.perf_counter() - started)


def check_finite(weights: Iterable[Weights | None], epoch: int) -> None:
    """Raises FloatingPointError if a weight of a crossbar is no longer finite; None stands for
    unknown weights."""
    for place, values in enumerate(weights, start=1):
        if values is not None and not np.isfinite(values).all():
            fault = f"weights of crossbar {place} are not finite numbers after epoch {epoch + 1}"
            raise FloatingPointError(fault)


def merge_statistics(parts: list[dict[str, float]]) -> dict[str, float]:
    """Returns each crossbar's numbers, named by its place from 1, and the sums of those whose name
    ends in `_total`."""
    merged: dict[str, float] = {}
    for place, part in enumerate(parts, start=1):
        for name, value in part.items():
            merged[f"{name}_{place}"] = value
            if name.endswith("_total"):
                merged[name] = merged.get(name, 0.0) + value
    return merged
