"""How any network is trained and measured within a study."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from studies.declaration.result import Row, plain
from studies.declaration.update_rules.base import Session

if TYPE_CHECKING:
    from rpu_ssnn.data import Dataset
    from rpu_ssnn.training_loop import Learner, OnEpoch
    from rpu_ssnn.training_state import EpochRow, TrainingState
    from studies.declaration.trial import Trial


class TrainFrom[L: Learner](Protocol):
    """Trains, from a state where one is given, and tells of each epoch."""

    def __call__(self, *, start: TrainingState | None, on_epoch: OnEpoch) -> L: ...


def trained_in[L: Learner](session: Session, train: TrainFrom[L]) -> L:
    """Train from the session's checkpoint, if there is one, and report each epoch to it."""

    def on_epoch(row: EpochRow, state: Callable[[], TrainingState]) -> bool:
        return session.end_epoch(row.epoch + 1, 100 * row.validation_accuracy, state)

    return session.train_from_checkpoint(lambda start: train(start=start, on_epoch=on_epoch))


@dataclass(frozen=True)
class Measured:
    """Results of training for the row; accuracies are shares in [0, 1].

    Attributes:
        test_accuracy: NaN where the trial is not to read the test images, or was pruned.
        statistics: of the synapses, where the network has any.
    """

    test_accuracy: float
    validation_accuracy: float
    statistics: Mapping[str, float]
    epochs: Sequence[Row]


def measured(trial: Trial, data: Dataset, threads: int, session: Session) -> Measured:
    """Trains the trial's network and measures it; the test images are read once, after training."""
    method = trial.settings.method
    with method.network(trial, data, threads, session) as trained:
        pruned = session.pruned_after is not None
        if not pruned:
            method.rest(trained)
        tested = trial.settings.measure == "test" and not pruned
        return Measured(
            trained.accuracy(data.test_images, data.test_labels) if tested else math.nan,
            trained.accuracy(data.validation_images, data.validation_labels),
            statistics=getattr(trained, "statistics", dict)(),
            epochs=[epoch_row(vars(epoch)) for epoch in trained.epochs],
        )


def epoch_row(epoch: dict[str, Any]) -> Row:
    """An epoch as a flat row: a tuple becomes one column a layer; accuracies in %."""
    row: Row = {}
    for name, value in epoch.items():
        if isinstance(value, tuple):
            row |= {f"{name}_{layer}": plain(part) for layer, part in enumerate(value)}
        elif name.endswith("_accuracy"):
            row[name] = plain(100 * value)
        else:
            row[name] = plain(value)
    return row
