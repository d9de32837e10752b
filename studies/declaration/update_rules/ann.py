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
    RunSettings,
    SgdSpec,
    Train,
)

if TYPE_CHECKING:
    from rpu_ssnn.baselines.ann import AnnSpec


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

    rates: ClassVar[tuple[float, float] | None] = (0.01, 1.0)

    update: Literal["ann"] = "ann"
    sgd: SgdSpec

    def training(self, settings: RunSettings, threads: int) -> Train:
        return float_training(ann_spec(self.of_numbers(settings), self.sgd), settings)


def float_training(spec: AnnSpec, settings: RunSettings) -> Train:
    """Trains the float network."""
    from rpu_ssnn.baselines.ann import train_ann

    return partial(train_ann, spec, settings.network.hidden, seed=settings.seed)


def ann_spec(numbers: dict[str, Any], sgd: SgdSpec) -> AnnSpec:
    """How a float network is trained; `numbers` as of `MethodBase.of_numbers`."""
    from rpu_ssnn.baselines.ann import AnnSpec

    return AnnSpec(loss=sgd.loss, momentum=sgd.momentum, **numbers)
