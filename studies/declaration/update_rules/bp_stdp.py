"""BP-STDP with float weights, a rule of Table 1 (`rpu_ssnn.baselines.bp_stdp`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.spec import NetworkSpec, TrainingSpec
from studies.declaration.update_rules.base import (
    IdealCase,
    Rehearsal,
    Session,
)
from studies.declaration.update_rules.spiking import SpikingMethod, built, shown_by

if TYPE_CHECKING:
    from rpu_ssnn.data import Dataset
    from rpu_ssnn.training import Trained
    from studies.declaration.trial import Trial


class BpStdpCase(IdealCase):
    """BP-STDP with float weights, a rule of Table 1."""

    rule: ClassVar[str] = "bp_stdp"

    update: Literal["bp_stdp"]

    def check(self, network: NetworkSpec, training: TrainingSpec) -> None:
        for name in ("dropout_input", "dropout_hidden"):
            if getattr(training, name):
                allowed = "must be 0: BP-STDP has no dropout"
                raise InputError("study", f"training.{name}", getattr(training, name), allowed)


class BpStdpMethod(SpikingMethod):
    """A rule of Table 1: phased, with stored trains; without checkpoints, since it is short."""

    watched: ClassVar[bool] = False

    update: Literal["bp_stdp"] = "bp_stdp"
    learning_rate: float

    def network(self, trial: Trial, data: Dataset, threads: int, session: Session) -> Trained:
        from rpu_ssnn.baselines.bp_stdp import train_bp_stdp

        settings = trial.settings
        return train_bp_stdp(
            settings.network, settings.training, self.learning_rate, data, seed=settings.seed
        )

    @contextmanager
    def rehearse(self, trial: Trial, data: Dataset, threads: int) -> Iterator[Rehearsal]:
        from rpu_ssnn.baselines.bp_stdp import train_bp_stdp
        from rpu_ssnn.synapses import coincidence_synapses

        settings = trial.settings

        def learn(n: int) -> None:
            images, labels = data.train_images[:n], data.train_labels[:n]
            few = replace(data, train_images=images, train_labels=labels)
            once = settings.training.model_copy(update={"epochs": 1})
            train_bp_stdp(settings.network, once, 0.0, few, seed=settings.seed).close()

        with built(trial, data, threads, coincidence_synapses(self.learning_rate)) as trained:
            yield shown_by(trained, data, learn)
