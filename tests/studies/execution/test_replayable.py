"""Rows marked as replayable are the same for any number of threads."""

from typing import Any

import pytest

from studies.declaration.trial import Trial
from studies.workers.run_trial import run_trial
from support.studies.harness import RATE, trial_of_case

TIMES = ("seconds", "peak_memory_mb", "threads")

CASES: dict[str, dict[str, Any]] = {
    "ann": {"update": "ann", "learning_rate": 0.1},
    "conversion": {"update": "conversion", "learning_rate": 0.1},
    "rate": RATE,
    "coincidence": {"update": "coincidence", "learning_rate": 1.0},
    "charge_trap_pulsed": {
        "device": "charge_trap_pulsed",
        "tile": {"simulator": "native"},
        "hyperparameters": {"weight_range": 4.0, "learning_rate": 30.0},
    },
    "ideal": {
        "device": "ideal",
        "hyperparameters": {"weight_range": 4.0, "learning_rate": 1.0},
    },
}


def trial_of(case: str) -> Trial:
    return trial_of_case(
        CASES[case],
        dataset={"name": "digits", "n_train": 400, "n_test": 200},
        network={"hidden": [64], "T": 20},
        training={"epochs": 1, "batch": 50},
    )


@pytest.mark.parametrize("case", CASES)
def test_the_number_of_threads_changes_no_number(case: str) -> None:
    one, two = (run_trial(trial_of(case), None, threads).row for threads in (1, 2))
    assert one["replayable"] is True
    assert {k: v for k, v in one.items() if k not in TIMES} == {
        k: v for k, v in two.items() if k not in TIMES
    }
