"""The float baseline: exact backpropagation (`rpu_ssnn.baselines.ann`)."""

from __future__ import annotations

from collections.abc import Mapping
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
    SgdSpec,
    Train,
    settings_of_numbers,
)

if TYPE_CHECKING:
    from rpu_ssnn.baselines.ann import AnnSpec
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

    def training(self, trial: Trial, threads: int) -> Train:
        return float_training(ann_spec(trial, self.sgd), trial)


def float_training(spec: AnnSpec, trial: Trial) -> Train:
    """Trains the float network of the trial."""
    from rpu_ssnn.baselines.ann import train_ann

    hidden, seed = trial.settings.network.hidden, trial.settings.seed
    return partial(train_ann, spec, hidden, seed=seed)


def ann_spec(trial: Trial, sgd: SgdSpec) -> AnnSpec:
    """How the trial's float network is trained."""
    from rpu_ssnn.baselines.ann import AnnSpec

    return AnnSpec(loss=sgd.loss, momentum=sgd.momentum, **settings_of_numbers(trial))
