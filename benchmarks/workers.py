"""Measures what a study gains from a second core, as a second worker or as a second thread.

`python benchmarks/workers.py` (part of `make bench`) runs four equal trials through the harness
(scikit-learn's digits, 64-1280-10, T = 50): on one core, with two workers of one thread each, and
with one worker of two threads. Trials per minute are computed from the time of the trials
themselves, without the time that workers take to start.
"""

import os
import tempfile
from pathlib import Path

import pandas as pd

from studies import run_study
from studies.declaration.study import Study

UNITS = 4
EPOCHS = 20


def study(case: dict[str, object]) -> Study:
    return Study.model_validate(
        {
            "study": "workers",
            "question": "What does a second core bring?",
            "dataset": {"name": "digits", "validation_share": 0.1},
            "network": {"hidden": [1280], "T": 50},
            "training": {"epochs": EPOCHS, "batch": 50},
            "seeds": {"count": UNITS},
            "reference": case["label"],
            "cases": [case],
        }
    )


def units_a_minute(case: dict[str, object], workers: int, cores: list[int]) -> float:
    """Returns trials per minute on the given cores; workers inherit the cores of this process."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        with tempfile.TemporaryDirectory() as folder:
            rows = run_study(study(case), Path(folder) / "out", workers=workers)
    finally:
        os.sched_setaffinity(0, before)
    assert set(rows["threads"]) == {len(cores) // workers}
    return 60 * workers / float(rows["seconds"].mean())


def compare() -> pd.DataFrame:
    """Returns the trials per minute on one core, and the ratios of the two other ways to it."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    rows = []
    for case in (
        {"label": "rate", "update": "rate", "learning_rate": 4},
        {
            "label": "capacitor",
            "device": "capacitor",
            "hyperparameters": {"weight_range": 2, "learning_rate": 8},
        },
    ):
        one = units_a_minute(case, 1, cores[:1])
        two_workers = units_a_minute(case, 2, cores)
        two_threads = units_a_minute(case, 1, cores)
        rows.append(
            {
                "trials": case["label"],
                "one core (trials per minute)": one,
                "two workers / one core": two_workers / one,
                "one worker of two threads / one core": two_threads / one,
            }
        )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    table = compare()
    print("\nFour trials of a study on digits, 64-1280-10, T = 50")
    print(table.to_markdown(index=False, floatfmt=".3g"), flush=True)
