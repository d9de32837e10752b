"""Defines SSNN-BP with float weights, updated by rates (Eq. 9)."""

from typing import ClassVar, Self

from pydantic import Field

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.spec import RATES_NEED_PRESENTATIONS, NetworkSpec, SurrogateSpec, TrainingSpec
from rpu_ssnn.synapses import SynapsesFactory, rate_synapses
from studies.declaration.update_rules.base import SsnnBpRule


class RateRule(SsnnBpRule):
    """Trains float weights with SSNN-BP by Eq. 9, exact or with surrogate noise."""

    sees: ClassVar[str] = "given spikes; the update (Eq. 9) sees their counts only"

    surrogate: SurrogateSpec | None = Field(None, description="None: no surrogate noise")

    def has(self, path: str) -> bool:
        """Says whether the case has the setting; surrogate settings need surrogate noise."""
        return not path.startswith("surrogate.") or self.surrogate is not None

    def prepared(self, network: NetworkSpec, training: TrainingSpec) -> Self:
        if training.schedule == "slot":
            raise InputError("study", "training.schedule", "slot", RATES_NEED_PRESENTATIONS)
        return super().prepared(network, training)

    def synapses(self) -> SynapsesFactory:
        return rate_synapses(self.rate(), self.surrogate)
