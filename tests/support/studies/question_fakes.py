"""A training whose accuracy is a known function of the settings, in no time and in this process."""

from collections.abc import Callable
from typing import Any

import numpy as np

from studies.declaration.study import Study
from studies.declaration.trial import Failure, Trial, TrialResult
from studies.declaration.update_rules.pulses import PulseRule
from studies.execution.phase import Outcome
from support.studies.harness import declared_trials, small_study

DRIVE = {"weight_range": 8.0, "learning_rate": 1.0}
REFERENCE = 97.0


def device_study(device: str = "capacitor", **changes: Any) -> Study:
    """A reference and a device with a given drive, five seeds."""
    case = changes.pop("case", {})
    return small_study(
        **{
            "cases": [
                {"update": "rate", "learning_rate": 1.0},
                {"device": device, "hyperparameters": DRIVE, **case},
            ],
            "seeds": {"count": 5},
            **changes,
        }
    )


class FakeRun:
    """Runs studies; the reference reaches 97 %, a device that less its loss.

    Attributes:
        loss: points that a device loses, from its parameters and its method.
        noise: standard deviation of each run's accuracy, drawn anew from its identity.
        salt: makes the noise of equal trials another one.
        done: the settings of every trial that ran, by identity.
        rounds: trials that each study had to run.
    """

    def __init__(
        self,
        loss: Callable[[dict[str, Any], PulseRule], float],
        noise: float = 0.0,
        fails: Callable[[Trial], bool] = lambda trial: False,
        thinning: float = 0.25,
        salt: int = 0,
    ) -> None:
        self.salt = salt
        self.loss, self.noise, self.fails, self.thinning = loss, noise, fails, thinning
        self.done: dict[str, Trial] = {}
        self.rounds: list[int] = []

    def __call__(self, study: Study) -> Outcome:
        runs, failures, new = [], [], 0
        for trial in declared_trials(study):
            if self.fails(trial):
                failures.append(Failure(trial.identity, trial.title, "burnt", ""))
                continue
            new += trial.identity not in self.done
            self.done[trial.identity] = trial
            runs.append((trial, TrialResult(self._row(trial), [])))
        self.rounds.append(new)
        return Outcome(runs, failures)

    def _row(self, trial: Trial) -> dict[str, Any]:
        method, seed = trial.settings.method, trial.settings.seed
        # What a seed adds to reference and device alike must not matter: pairs take it out.
        accuracy = REFERENCE + 3.0 * np.random.default_rng(seed).standard_normal()
        noise = np.random.default_rng([self.salt, int(trial.identity, 16)]).standard_normal()
        accuracy += self.noise * noise
        row: dict[str, Any] = {"seed": seed}
        if isinstance(method, PulseRule):
            accuracy -= self.loss(method.parameters, method)
            row |= {"thinning_1": self.thinning / 2, "thinning_2": self.thinning}
        return row | {"test_accuracy": accuracy}
