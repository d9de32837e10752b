"""Defines SSNN-BP with float weights, updated by coincidences (Eq. 10)."""

from rpu_ssnn.synapses import SynapsesFactory, coincidence_synapses
from studies.declaration.update_rules.base import SsnnBpRule


class CoincidenceRule(SsnnBpRule):
    """Trains float weights with SSNN-BP by Eq. 10."""

    def synapses(self) -> SynapsesFactory:
        return coincidence_synapses(self.rate())
