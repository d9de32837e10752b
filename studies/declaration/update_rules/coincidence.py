"""SSNN-BP with float weights by coincidences, Eq. 10."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from rpu_ssnn.spec import NetworkSpec, TrainingSpec
from studies.declaration.update_rules.base import IdealCase
from studies.declaration.update_rules.spiking import SsnnBpMethod, refuse_runaway

if TYPE_CHECKING:
    from rpu_ssnn.synapses import SynapsesFactory


class CoincidenceCase(IdealCase):
    """SSNN-BP with float weights, Eq. 10."""

    rule: ClassVar[str] = "coincidence"

    update: Literal["coincidence"]

    def check(self, network: NetworkSpec, training: TrainingSpec) -> None:
        refuse_runaway(network)


class CoincidenceMethod(SsnnBpMethod):
    """Eq. 10 on float weights."""

    update: Literal["coincidence"] = "coincidence"

    def synapses(self) -> SynapsesFactory:
        from rpu_ssnn.synapses import coincidence_synapses

        return coincidence_synapses(self.learning_rate)
