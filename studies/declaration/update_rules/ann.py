"""The float baseline: exact backpropagation (`rpu_ssnn.baselines.ann`)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from rpu_ssnn.spec import Spec
from studies.declaration.update_rules.base import (
    BLANK_WITHOUT_SPIKES,
    NUMBERS_READ,
    SEES_COUNTS,
    IdealCase,
    MethodBase,
    Session,
    SgdSpec,
)
from studies.declaration.update_rules.running import trained_in

if TYPE_CHECKING:
    from rpu_ssnn.baselines.ann import AnnSpec, FloatNetwork
    from rpu_ssnn.data import Dataset
    from studies.declaration.trial import Trial


class AnnCase(IdealCase):
    """The float baseline."""

    rule: ClassVar[str] = "ann"
    reads: ClassVar[tuple[str, ...] | None] = NUMBERS_READ
    parts: ClassVar[Mapping[str, type[Spec]]] = {"sgd": SgdSpec}

    update: Literal["ann"]
    sgd: dict[str, Any] = Field({}, description="fields of SgdSpec")


class FloatMethod(MethodBase):
    """Exact backpropagation in floating point (`rpu_ssnn.baselines.ann.AnnSpec`)."""

    sees: ClassVar[str] = SEES_COUNTS
    one_thread: ClassVar[bool] = True  # the order of torch's sums depends on it
    compiled: ClassVar[bool] = False
    blank_columns: ClassVar[tuple[str, ...]] = BLANK_WITHOUT_SPIKES


class AnnMethod(FloatMethod):
    """Trained by SGD with momentum."""

    rates_of: ClassVar[str] = "ann_learning_rate"

    update: Literal["ann"] = "ann"
    sgd: SgdSpec

    def network(
        self, trial: Trial, data: Dataset, threads: int, session: Session
    ) -> nullcontext[FloatNetwork]:
        return nullcontext(trained_float(ann_spec(trial, self.sgd), trial, data, session))


def trained_float(spec: AnnSpec, trial: Trial, data: Dataset, session: Session) -> FloatNetwork:
    """The float network of the trial, trained."""
    from rpu_ssnn.baselines.ann import train_ann

    hidden, seed = trial.settings.network.hidden, trial.settings.seed
    return trained_in(session, partial(train_ann, spec, hidden, data, seed=seed))


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
