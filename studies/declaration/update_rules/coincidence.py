"""Defines SSNN-BP with float weights, updated by coincidences (Eq. 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studies.declaration.update_rules.base import SsnnBpRule

if TYPE_CHECKING:
    from rpu_ssnn.synapses import SynapsesFactory


class CoincidenceRule(SsnnBpRule):
    """Trains float weights with SSNN-BP by Eq. 10."""

    def synapses(self) -> SynapsesFactory:
        from rpu_ssnn.synapses import coincidence_synapses

        return coincidence_synapses(self.rate())
