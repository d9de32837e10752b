"""The float baseline: exact backpropagation (`rpu_ssnn.baselines.ann`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
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
)
from studies.declaration.update_rules.running import measured, rehearsal, trained_in

if TYPE_CHECKING:
    from rpu_ssnn.baselines.ann import AnnSpec
    from rpu_ssnn.data import Dataset
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
    one_thread: ClassVar[bool] = True  # the order of torch's sums depends on it
    compiled: ClassVar[bool] = False
    blank_columns: ClassVar[tuple[str, ...]] = BLANK_WITHOUT_SPIKES

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

    hidden, seed = trial.settings.network.hidden, trial.settings.seed
    trained = trained_in(session, partial(train_ann, spec, hidden, data, seed=seed))
    return measured(trained, trial, data, session)


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
    spec = AnnSpec(epochs=0, batch=settings.training.batch)
    trained = train_ann(spec, settings.network.hidden, data, seed=settings.seed)
    return rehearsal(trained, data, settings.seed)
