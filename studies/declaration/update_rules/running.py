"""How any network is trained and measured within a study."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from studies.declaration.result import Row, plain
from studies.declaration.update_rules.base import Measured, Session

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

    return session.going_on(lambda start: train(start=start, on_epoch=on_epoch))


def measured(learner: Learner, trial: Trial, data: Dataset, session: Session) -> Measured:
    """Accuracies, statistics of the synapses where it has any, and the epochs."""
    statistics = getattr(learner, "statistics", dict)
    return Measured(
        *accuracies(learner.accuracy, trial, data, session),
        statistics=statistics(),
        epochs=[epoch_row(vars(epoch)) for epoch in learner.epochs],
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


def accuracies(
    accuracy: Callable[[Any, Any], float], trial: Trial, data: Dataset, session: Session
) -> tuple[float, float]:
    """On test images (NaN where the trial is not to read them, or was pruned) and held-out ones."""
    test = math.nan
    if trial.settings.measure == "test" and session.pruned_after is None:
        test = accuracy(data.test_images, data.test_labels)
    return test, accuracy(data.validation_images, data.validation_labels)
