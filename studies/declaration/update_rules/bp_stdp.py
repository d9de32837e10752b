"""BP-STDP with float weights, a rule of Table 1 (`rpu_ssnn.baselines.bp_stdp`)."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Literal

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.spec import NetworkSpec, TrainingSpec
from studies.declaration.update_rules.base import (
    ONLY_OF_GRADIENT_TRAINS,
    IdealCase,
    RunSettings,
    Train,
)
from studies.declaration.update_rules.spiking import SpikingMethod


class BpStdpCase(IdealCase):
    """BP-STDP with float weights, a rule of Table 1."""

    rule: ClassVar[str] = "bp_stdp"
    without_effect: ClassVar[tuple[str, ...]] = ONLY_OF_GRADIENT_TRAINS

    update: Literal["bp_stdp"]

    def check(self, network: NetworkSpec, training: TrainingSpec) -> None:
        if network.inference_T is not None:
            allowed = "must be null: BP-STDP trains and answers with T slots"
            raise InputError("study", "network.inference_T", network.inference_T, allowed)
        if passes := network.inhibition.passes:
            allowed = "must be 0: the outputs of BP-STDP are those of its last crossbar"
            raise InputError("study", "network.inhibition.passes", passes, allowed)
        for name in ("dropout_input", "dropout_hidden"):
            if getattr(training, name):
                allowed = "must be 0: BP-STDP has no dropout"
                raise InputError("study", f"training.{name}", getattr(training, name), allowed)


class BpStdpMethod(SpikingMethod):
    """A rule of Table 1: phased, with stored trains."""

    update: Literal["bp_stdp"] = "bp_stdp"

    def training(self, settings: RunSettings, threads: int) -> Train:
        from rpu_ssnn.baselines.bp_stdp import train_bp_stdp

        network, training, seed = settings.network, settings.training, settings.seed
        return partial(train_bp_stdp, network, training, self.learning_rate, seed=seed)
