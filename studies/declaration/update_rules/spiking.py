"""The base classes of the rules that train spiking networks."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Self

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.spec import NetworkSpec, TrainingSpec, layer_names
from studies.declaration.update_rules.base import Rule, RunSettings, Train

if TYPE_CHECKING:
    from rpu_ssnn.synapses import SynapsesFactory


DEEPEST_UNCLOCKED = 2
"""Hidden layers that can stay trained without the winner-take-all output, given a long flush."""


class SpikingRule(Rule):
    """A rule that ends in a spiking network, which can be exported."""


class SsnnBpRule(SpikingRule):
    """SSNN-BP, whose rules differ only in the synapses."""

    @abstractmethod
    def synapses(self) -> SynapsesFactory:
        """The factory of the synapses of every crossbar."""

    def prepared(self, network: NetworkSpec, training: TrainingSpec) -> Self:
        """Refuses three hidden layers or more without the clocked output: training collapses."""
        layers = layer_names(network.hidden_layers)
        if len(layers) > DEEPEST_UNCLOCKED and not network.inhibition.clocked:
            allowed = (
                f"must be at most {DEEPEST_UNCLOCKED} layers without inhibition: {{clocked: true}}"
                "; more run away (docs/findings/algorithm.md, Depth)"
            )
            if network.layers is None:
                raise InputError("study", "network.hidden", list(network.hidden), allowed)
            raise InputError("study", "network.layers", list(layers), allowed)
        return super().prepared(network, training)

    def training(self, settings: RunSettings, threads: int) -> Train:
        from rpu_ssnn.training import train

        network, training, seed = settings.network, settings.training, settings.seed
        return partial(train, network, training, self.synapses(), seed=seed, threads=threads)
