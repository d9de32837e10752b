"""Rows describe their machine; replayable ones are the same for any number of threads."""

import platform
from pathlib import Path
from typing import Any

import pytest

from studies.declaration.trial import Trial
from studies.workers import run_trial as module
from studies.workers.run_trial import machine, run_trial
from support.studies.harness import RATE, trial_of_case


@pytest.mark.parametrize(
    ("cpu_info", "processor"),
    [
        ("processor\t: 0\nmodel name\t: Fancy 3 @ 2 GHz\nmodel name\t: Other", "Fancy 3 @ 2 GHz"),
        ("processor\t: 0\nBogoMIPS\t: 50.00", platform.processor() or platform.machine()),
        (None, platform.processor() or platform.machine()),
    ],
)
def test_the_machine_is_the_system_and_the_model_of_the_processor(
    cpu_info: str | None, processor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cpuinfo"
    if cpu_info is not None:
        file.write_text(cpu_info)
    monkeypatch.setattr(module, "_CPU_INFO", file)
    assert machine.__wrapped__() == f"{platform.platform()}, {processor}"


TIMES = ("seconds", "peak_memory_mb", "threads")

CASES: dict[str, dict[str, Any]] = {
    "ann": {"update": "ann", "learning_rate": 0.1},
    "conversion": {"update": "conversion", "learning_rate": 0.1},
    "rate": RATE,
    "ideal": {"device": "ideal", "hyperparameters": {"weight_range": 4.0, "learning_rate": 1.0}},
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
    numbers = [{k: v for k, v in row.items() if k not in TIMES} for row in (one, two)]
    assert numbers[0] == numbers[1]
