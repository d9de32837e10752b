"""Base classes of the rules with spiking networks: training, epochs and timing."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.spec import NetworkSpec
from studies.declaration.update_rules.base import (
    Measured,
    MethodBase,
    Rehearsal,
    Session,
)
from studies.declaration.update_rules.running import measured, rehearsal, trained_in

if TYPE_CHECKING:
    from rpu_ssnn.data import Dataset
    from rpu_ssnn.synapses import SynapsesFactory
    from rpu_ssnn.training import Trained
    from studies.declaration.trial import Trial


DEEPEST_UNCLOCKED = 2
"""Hidden layers that can stay trained without the winner-take-all output, given a long flush."""


def refuse_runaway(network: NetworkSpec) -> None:
    """Refuses three hidden layers or more without the clocked output: their training collapses.

    Raises:
        InputError: so many layers.
    """
    if len(network.hidden) > DEEPEST_UNCLOCKED and not network.inhibition.clocked:
        allowed = (
            f"must be at most {DEEPEST_UNCLOCKED} layers without inhibition: {{clocked: true}}; "
            "more run away (docs/findings/algorithm.md, Depth)"
        )
        raise InputError("study", "network.hidden", list(network.hidden), allowed)


class SpikingMethod(MethodBase):
    """A rule that ends in a spiking network, which can be exported."""

    @abstractmethod
    def network(self, trial: Trial, data: Dataset, threads: int, session: Session) -> Trained:
        """The trained network, from the trial's checkpoint where there is one."""

    def rest(self, trained: Trained) -> None:
        """Called between the end of training and the test."""

    def run(self, trial: Trial, data: Dataset, threads: int, session: Session) -> Measured:
        with self.network(trial, data, threads, session) as trained:
            if session.pruned_after is None:
                self.rest(trained)
            return measured(trained, trial, data, session)


class SsnnBpMethod(SpikingMethod):
    """SSNN-BP: its rules differ only in the synapses."""

    @abstractmethod
    def synapses(self) -> SynapsesFactory:
        """The factory of the synapses of every crossbar."""

    def network(self, trial: Trial, data: Dataset, threads: int, session: Session) -> Trained:
        from rpu_ssnn.training import train

        settings = trial.settings
        start_training = partial(
            train,
            settings.network,
            settings.training,
            self.synapses(),
            data,
            seed=settings.seed,
            threads=threads,
        )
        return trained_in(session, start_training)

    @contextmanager
    def rehearse(self, trial: Trial, data: Dataset, threads: int) -> Iterator[Rehearsal]:
        from rpu_ssnn.training import INFERENCE_CHUNK

        with built(trial, data, threads, self.synapses()) as trained:
            yield rehearsal(trained, data, trial.settings.seed, INFERENCE_CHUNK)


def built(trial: Trial, data: Dataset, threads: int, synapses: SynapsesFactory) -> Trained:
    """The trial's network before its first epoch."""
    from rpu_ssnn.training import train

    settings = trial.settings
    no_epochs = settings.training.model_copy(update={"epochs": 0})
    return train(settings.network, no_epochs, synapses, data, seed=settings.seed, threads=threads)
