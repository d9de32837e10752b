"""Defines conversion of a float network to spikes, a rule of Table 1 (`training.conversion`)."""

from functools import partial
from typing import Annotated, ClassVar, Self

from pydantic import Field

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.spec import NetworkSpec, TrainingSpec
from studies.declaration.update_rules.ann import SgdSpec
from studies.declaration.update_rules.base import (
    WITHOUT_GRADIENT_TRAINS,
    NumbersRule,
    RunSettings,
    SpikingRule,
    Train,
)


class ConversionRule(SpikingRule, NumbersRule):
    """Trains a float network and then tests it with spikes."""

    without_effect: ClassVar[tuple[str, ...]] = (
        *WITHOUT_GRADIENT_TRAINS,
        "training.decay",
        "training.decay_shape",
    )
    rates: ClassVar[tuple[float, float] | None] = (0.01, 1.0)

    sgd: SgdSpec = SgdSpec()
    percentile: Annotated[float, Field(gt=50.0, le=100.0)] = Field(
        100.0, description="percentile of activations that becomes one spike a slot"
    )

    def prepared(self, network: NetworkSpec, training: TrainingSpec) -> Self:
        if network.inference_T is not None:
            allowed = "must be null, as T is the length of inference of a converted network"
            raise InputError("study", "network.inference_T", network.inference_T, allowed)
        return super().prepared(network, training)

    def training(self, settings: RunSettings, threads: int) -> Train:
        from rpu_ssnn.baselines.ann import AnnSpec
        from studies.reproductions.training.conversion import train_and_convert

        ann = AnnSpec(**self.sgd.model_dump(), **self.of_numbers(settings))
        return partial(
            train_and_convert, settings.network, ann, seed=settings.seed, percentile=self.percentile
        )
