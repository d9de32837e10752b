"""A float network converted to spikes, a rule of Table 1 (`rpu_ssnn.baselines.conversion`)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.spec import NetworkSpec, Spec, TrainingSpec
from studies.declaration.update_rules.ann import ann_spec, float_training
from studies.declaration.update_rules.base import (
    ONLY_OF_GRADIENT_TRAINS,
    SEES_COUNTS,
    IdealCase,
    RunSettings,
    Sections,
    SgdSpec,
    Train,
)
from studies.declaration.update_rules.spiking import SpikingMethod

Percentile = Annotated[float, Field(gt=50.0, le=100.0)]

LARGEST = 100.0
"""Percentile of the largest activation."""


class ConversionCase(IdealCase):
    """A float network converted to spikes, a rule of Table 1."""

    rule: ClassVar[str] = "conversion"
    without_effect: ClassVar[tuple[str, ...]] = (
        *ONLY_OF_GRADIENT_TRAINS,
        "training.decay",
        "training.decay_shape",
    )
    parts: ClassVar[Mapping[str, type[Spec]]] = {"sgd": SgdSpec}

    update: Literal["conversion"]
    sgd: dict[str, Any] = Field({}, description="fields of SgdSpec")
    percentile: Percentile | None = Field(
        None, description="of the activations that is one spike a slot; None: 100, the largest"
    )

    def check(self, network: NetworkSpec, training: TrainingSpec) -> None:
        if network.inference_T is not None:
            allowed = "must be null: T is the length of inference of a converted network"
            raise InputError("study", "network.inference_T", network.inference_T, allowed)

    def method(self, sections: Sections) -> dict[str, Any]:
        percentile = self.checked(sections, "percentile")
        found = super().method(sections)
        return {**found, "percentile": LARGEST if percentile is None else percentile}


class ConversionMethod(SpikingMethod):
    """A rule of Table 1: trains a float network, then tests it with spikes; without checkpoints."""

    reports_epochs: ClassVar[bool] = False
    rates: ClassVar[tuple[float, float] | None] = (0.01, 1.0)
    sees: ClassVar[str] = SEES_COUNTS
    one_thread: ClassVar[bool] = True  # the order of torch's sums depends on it

    update: Literal["conversion"] = "conversion"
    sgd: SgdSpec
    percentile: Percentile

    def training(self, settings: RunSettings, threads: int) -> Train:
        from rpu_ssnn.baselines.conversion import train_and_convert

        ann = ann_spec(self.of_numbers(settings), self.sgd)
        return partial(
            train_and_convert, settings.network, ann, seed=settings.seed, percentile=self.percentile
        )

    def timed(self, settings: RunSettings, threads: int) -> Train:
        return float_training(ann_spec(self.of_numbers(settings), self.sgd), settings)

    def shown_at_once(self) -> int | None:
        return None
