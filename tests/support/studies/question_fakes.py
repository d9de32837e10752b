"""Fakes a training whose accuracy is a known function of the settings, at once in this process."""

from collections.abc import Callable
from typing import Any

import numpy as np

from studies.declaration.study import Study
from studies.declaration.trial import Failure, Trial, TrialResult
from studies.declaration.update_rules.pulses import PulseRule
from studies.execution.phase import Outcome
from studies.sensitivity.requirement import Requirement
from support.studies.harness import DRIVE, RATE, declared_trials, small_study

REFERENCE = 97.0


def device_study(device: str = "capacitor", **changes: Any) -> Study:
    """Returns a study of a reference and a device with given hyperparameters and five seeds."""
    case = changes.pop("case", {})
    return small_study(
        **{
            "cases": [RATE, {"device": device, "hyperparameters": DRIVE, **case}],
            "seeds": {"count": 5},
            **changes,
        }
    )


class FakeRun:
    """Runs studies in which the reference reaches 97 % and a device falls below by its loss.

    Attributes:
        loss: percentage points that a device loses, from its parameters and its method.
        noise: standard deviation of a run's accuracy; the draw depends on the trial's identity.
        fails: whether a trial fails.
        thinning: the thinning that rows of devices report for the second crossbar.
        salt: changes the noise of equal trials.
        done: every trial that ran, by identity.
        rounds: the number of new trials in each study that was run.
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
        # A seed shifts reference and device equally, which must not matter: pairs cancel it.
        accuracy = REFERENCE + 3.0 * np.random.default_rng(seed).standard_normal()
        noise = np.random.default_rng([self.salt, int(trial.identity, 16)]).standard_normal()
        accuracy += self.noise * noise
        row: dict[str, Any] = {"seed": seed}
        if isinstance(method, PulseRule):
            accuracy -= self.loss(method.parameters, method)
            row |= {"thinning_1": self.thinning / 2, "thinning_2": self.thinning}
        return row | {"test_accuracy": accuracy}


def logistic(value: float, at: float, steepness: float = 2.0, most: float = 80.0) -> float:
    """Returns a loss of exactly 1 point at ``at``, almost 0 well below it, ``most`` far above."""
    if value <= 0:
        return 0.0
    return most / (1.0 + (most - 1.0) * (at / value) ** steepness)


def reads(method: PulseRule) -> float:
    return float(method.tile.reads.read_noise) if method.tile.reads else 0.0


TRUE = {
    "levels": 40.0,
    "asymmetry": 0.2,
    "cycle_to_cycle": 2.0,
    "step_spread": 0.45,
    "weight_range": 1.5,
    "read_noise": 0.3,
    "stuck_share": 0.05,
}
"""The value at which each parameter alone costs 1 point in a device that is otherwise ideal."""


def separate(parameters: dict[str, Any], method: PulseRule) -> float:
    """Returns the largest loss over all parameters; each is 1 point at the value in `TRUE`."""
    span = method.tile.weight_range
    step = span / parameters["levels"]
    return max(
        # This counts levels over a weight range of 8, the device's: a wider range at the same step
        # has as many levels per weight.
        logistic(step * TRUE["levels"] / 8.0, 1.0),
        logistic(abs(parameters["asymmetry"]), TRUE["asymmetry"]),
        logistic(parameters["cycle_to_cycle"], TRUE["cycle_to_cycle"]),
        logistic(parameters["step_spread"], TRUE["step_spread"]),
        logistic(TRUE["weight_range"] / span, 1.0),
        logistic(reads(method), TRUE["read_noise"]),
        logistic(method.tile.stuck_share, TRUE["stuck_share"]),
    )


def rows(found: Requirement) -> dict[str, dict[str, Any]]:
    return {str(row["parameter"]): dict(row) for _, row in found.table.iterrows()}
