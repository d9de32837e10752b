"""A training whose accuracy is a known function of the settings, in no time and in this process."""

from collections.abc import Callable
from typing import Any

import numpy as np
from test_studies_support import small_study

from studies.options import Outcome
from studies.result import Failure, UnitResult
from studies.study import Study
from studies.unit import PulseMethod, Unit
from studies.units import units_of

DRIVE = {"weight_range": 8.0, "learning_rate": 1.0}
REFERENCE = 97.0


def device_study(device: str = "capacitor", **changes: Any) -> Study:
    """A reference and a device with a given drive, five seeds."""
    case = changes.pop("case", {})
    return small_study(
        **{
            "cases": [
                {"update": "rate", "learning_rate": 1.0},
                {"device": device, "drive": DRIVE, **case},
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
        salt: makes the noise of equal units another one.
        done: the settings of every unit that ran, by identity.
        rounds: units that each study had to run.
    """

    def __init__(
        self,
        loss: Callable[[dict[str, Any], PulseMethod], float],
        noise: float = 0.0,
        fails: Callable[[Unit], bool] = lambda unit: False,
        thinning: float = 0.25,
        salt: int = 0,
    ) -> None:
        self.salt = salt
        self.loss, self.noise, self.fails, self.thinning = loss, noise, fails, thinning
        self.done: dict[str, Unit] = {}
        self.rounds: list[int] = []

    def __call__(self, study: Study) -> Outcome:
        runs, failures, new = [], [], 0
        for unit in units_of(study, {}):
            if self.fails(unit):
                failures.append(Failure(unit.identity, unit.title, "burnt", ""))
                continue
            new += unit.identity not in self.done
            self.done[unit.identity] = unit
            runs.append((unit, UnitResult(self._row(unit), [])))
        self.rounds.append(new)
        return Outcome(runs, failures)

    def _row(self, unit: Unit) -> dict[str, Any]:
        method, seed = unit.settings.method, unit.settings.seed
        # What a seed adds to reference and device alike must not matter: pairs take it out.
        accuracy = REFERENCE + 3.0 * np.random.default_rng(seed).standard_normal()
        noise = np.random.default_rng([self.salt, int(unit.identity, 16)]).standard_normal()
        accuracy += self.noise * noise
        row: dict[str, Any] = {"seed": seed}
        if isinstance(method, PulseMethod):
            accuracy -= self.loss(method.parameters, method)
            row |= {"thinning_1": self.thinning / 2, "thinning_2": self.thinning}
        return row | {"test_accuracy": accuracy}
