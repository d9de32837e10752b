"""Base classes of the rules with spiking networks: training, epochs and timing."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.spec import NetworkSpec
from studies.declaration.result import Row, plain
from studies.declaration.update_rules.base import (
    Measured,
    MethodBase,
    Rehearsal,
    Session,
    accuracies,
)

if TYPE_CHECKING:
    from rpu_ssnn.data import Dataset
    from rpu_ssnn.synapses import SynapsesFactory
    from rpu_ssnn.training import Trained
    from rpu_ssnn.training_state import EpochRow, TrainingState
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
            return Measured(
                *accuracies(trained.accuracy, trial, data, session),
                statistics=trained.statistics(),
                epochs=[epoch_row(vars(epoch)) for epoch in trained.epochs],
            )


class SsnnBpMethod(SpikingMethod):
    """SSNN-BP: its rules differ only in the synapses."""

    @abstractmethod
    def synapses(self) -> SynapsesFactory:
        """The factory of the synapses of every crossbar."""

    def network(self, trial: Trial, data: Dataset, threads: int, session: Session) -> Trained:
        from rpu_ssnn.training import train

        settings = trial.settings

        def on_epoch(row: EpochRow, state: Callable[[], TrainingState]) -> bool:
            return session.end_epoch(row.epoch + 1, 100 * row.validation_accuracy, state)

        def trained_from(start: TrainingState | None) -> Trained:
            return train(
                settings.network,
                settings.training,
                self.synapses(),
                data,
                seed=settings.seed,
                threads=threads,
                start=start,
                on_epoch=on_epoch,
            )

        return session.going_on(trained_from)

    @contextmanager
    def rehearse(self, trial: Trial, data: Dataset, threads: int) -> Iterator[Rehearsal]:
        import numpy as np

        with built(trial, data, threads, self.synapses()) as trained:
            rng = np.random.default_rng(trial.settings.seed)

            def learn(n: int) -> None:
                trained.train_epoch(data.train_images[:n], data.train_labels[:n], rng, 0)

            yield shown_by(trained, data, learn)


def built(trial: Trial, data: Dataset, threads: int, synapses: SynapsesFactory) -> Trained:
    """The trial's network before its first epoch."""
    from rpu_ssnn.training import train

    settings = trial.settings
    no_epochs = settings.training.model_copy(update={"epochs": 0})
    return train(settings.network, no_epochs, synapses, data, seed=settings.seed, threads=threads)


def shown_by(trained: Trained, data: Dataset, learn: Callable[[int], None]) -> Rehearsal:
    """Steps of a spiking network that learns by ``learn``."""
    from rpu_ssnn.training import INFERENCE_CHUNK

    def show(n: int) -> None:
        trained.accuracy(data.train_images[:n], data.train_labels[:n])

    return Rehearsal(learn, show, shown_at_once=INFERENCE_CHUNK)


def epoch_row(epoch: dict[str, Any]) -> Row:
    """An epoch as a flat row: a tuple becomes one column a layer; accuracies in %."""
    row: Row = {}
    for name, value in epoch.items():
        if isinstance(value, tuple):
            row |= {f"{name}_{layer}": plain(part) for layer, part in enumerate(value)}
        elif name.endswith("_accuracy"):
            row[name] = plain(100 * value)
        else:
            row[name] = plain(value)
    return row
