"""The float baseline: exact backpropagation (`rpu_ssnn.baselines.ann`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from studies.common.explain import validated
from studies.declaration.update_rules.base import (
    BLANK_WITHOUT_SPIKES,
    NUMBERS_READ,
    SEES_COUNTS,
    IdealCase,
    Measured,
    MethodBase,
    Rehearsal,
    Sections,
    Session,
    SgdSpec,
    accuracies,
)

if TYPE_CHECKING:
    from rpu_ssnn.baselines.ann import AnnSpec, TrainedAnn
    from rpu_ssnn.data import Dataset
    from rpu_ssnn.training_state import TrainingState
    from studies.declaration.trial import Trial


class AnnCase(IdealCase):
    """The float baseline."""

    rule: ClassVar[str] = "ann"
    swept: ClassVar[tuple[str, ...]] = (*NUMBERS_READ, "learning_rate", "sgd")
    reads: ClassVar[tuple[str, ...] | None] = NUMBERS_READ

    update: Literal["ann"]
    sgd: dict[str, Any] = Field({}, description="fields of SgdSpec")

    def method(self, sections: Sections) -> dict[str, Any]:
        return {"update": self.rule, "sgd": validated(SgdSpec, sections, "sgd").model_dump()}


class FloatMethod(MethodBase):
    """Exact backpropagation in floating point (`rpu_ssnn.baselines.ann.AnnSpec`)."""

    sees: ClassVar[str] = SEES_COUNTS
    compiled: ClassVar[bool] = False
    blank_columns: ClassVar[tuple[str, ...]] = BLANK_WITHOUT_SPIKES

    learning_rate: float

    def threads_for(self, threads: int) -> int:
        """One: the order of torch's sums depends on the number of threads."""
        return 1

    @contextmanager
    def rehearse(self, trial: Trial, data: Dataset, threads: int) -> Iterator[Rehearsal]:
        yield rehearsed_in_float(trial, data)


class AnnMethod(FloatMethod):
    """Trained by SGD with momentum."""

    rates_of: ClassVar[str] = "ann_learning_rate"

    update: Literal["ann"] = "ann"
    sgd: SgdSpec

    def run(self, trial: Trial, data: Dataset, threads: int, session: Session) -> Measured:
        return measured_in_float(ann_spec(trial, self.sgd), trial, data, session)


def measured_in_float(spec: AnnSpec, trial: Trial, data: Dataset, session: Session) -> Measured:
    """Train the float network of the trial, and read its accuracies."""
    from rpu_ssnn.baselines.ann import train_ann

    settings = trial.settings

    def on_epoch(trained: TrainedAnn, state: Callable[[], TrainingState]) -> bool:
        watched = trained.accuracy(data.validation_images, data.validation_labels)
        at_the_end = state()
        return session.end_epoch(at_the_end.epochs, 100 * watched, lambda: at_the_end)

    def train(start: TrainingState | None) -> TrainedAnn:
        hidden = settings.network.hidden
        return train_ann(spec, hidden, data, seed=settings.seed, start=start, on_epoch=on_epoch)

    trained = session.going_on(train)
    return Measured(*accuracies(trained.accuracy, trial, data, session))


def ann_spec(trial: Trial, sgd: SgdSpec) -> AnnSpec:
    """How the trial's float network is trained."""
    from rpu_ssnn.baselines.ann import AnnSpec

    training = trial.settings.training
    return AnnSpec(
        loss=sgd.loss,
        momentum=sgd.momentum,
        learning_rate=trial.settings.method.learning_rate,
        epochs=training.epochs,
        batch=training.batch,
        dropout_input=training.dropout_input,
        dropout_hidden=training.dropout_hidden,
        contrast=trial.settings.network.encoding.contrast,
    )


def rehearsed_in_float(trial: Trial, data: Dataset) -> Rehearsal:
    """The steps of a float network."""
    from rpu_ssnn.baselines.ann import AnnSpec, train_ann

    settings = trial.settings
    hidden, batch = settings.network.hidden, settings.training.batch
    trained = train_ann(AnnSpec(epochs=0), hidden, data, seed=settings.seed)

    def learn(n: int) -> None:
        few = replace(data, train_images=data.train_images[:n], train_labels=data.train_labels[:n])
        train_ann(AnnSpec(epochs=1, batch=batch), hidden, few, seed=settings.seed)

    def show(n: int) -> None:
        trained.accuracy(data.train_images[:n], data.train_labels[:n])

    return Rehearsal(learn, show, shown_at_once=None)
