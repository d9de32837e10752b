"""Runs studies that use files of user-defined update rules."""

from pathlib import Path
from typing import Any

from studies import run_study
from support.studies.harness import InThisProcess, study_file


def trained(folder: Path, cases: list[dict[str, Any]]) -> dict[str, float]:
    """Returns test accuracies (%) of a small study on digits, by label; runs what is missing.

    Args:
        folder: holds the files of the rules, and then the study and its results.
    """
    study = study_file(
        folder,
        dataset={"name": "digits", "validation_share": 0.2},
        network={"hidden": [32], "T": 30},
        training={"epochs": 2},
        seeds=1,
        cases=cases,
        reference=cases[0]["update"],
    )
    rows = run_study(study, out=folder / "out", executor=InThisProcess())
    return dict(zip(rows["label"], rows["test_accuracy"], strict=True))
