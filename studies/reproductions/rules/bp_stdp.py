"""Defines BP-STDP with float weights, a rule of Table 1 (`training.bp_stdp`)."""

from functools import partial
from typing import ClassVar, Self

from rpu_ssnn.common.errors import require
from rpu_ssnn.spec import NetworkSpec, TrainingSpec
from studies.declaration.update_rules.base import (
    WITHOUT_GRADIENT_TRAINS,
    RunSettings,
    SpikingRule,
    Train,
)


class BpStdpRule(SpikingRule):
    """Trains by a rule of Table 1 that learns in phases and stores all trains of a presentation."""

    without_effect: ClassVar[tuple[str, ...]] = WITHOUT_GRADIENT_TRAINS

    def prepared(self, network: NetworkSpec, training: TrainingSpec) -> Self:
        no_passes = "must be 0, as the outputs of BP-STDP are those of its last crossbar"
        no_dropout = "must be 0, as BP-STDP has no dropout"
        answers_alike = "must be null, as BP-STDP trains and answers with T slots"
        for field, value, allowed in (
            ("network.inference_T", network.inference_T, answers_alike),
            ("network.inhibition.passes", network.inhibition.passes, no_passes),
            ("training.dropout_input", training.dropout_input, no_dropout),
            ("training.dropout_hidden", training.dropout_hidden, no_dropout),
        ):
            require(not value, "study", field, value, allowed)
        return super().prepared(network, training)

    def training(self, settings: RunSettings, threads: int) -> Train:
        from studies.reproductions.training.bp_stdp import train_bp_stdp

        network, training, seed = settings.network, settings.training, settings.seed
        return partial(train_bp_stdp, network, training, self.rate(), seed=seed)
