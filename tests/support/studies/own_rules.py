"""Runs studies that use files of user-defined update rules."""

import json
from pathlib import Path
from typing import Any

from studies import run_study
from support.studies.harness import InThisProcess


def trained(folder: Path, cases: list[dict[str, Any]]) -> dict[str, float]:
    """Returns test accuracies (%) of a small study on digits, by label; runs what is missing.

    Args:
        folder: holds the files of the rules, and then the study and its results.
    """
    study = {
        "study": "own",
        "question": "Does it train?",
        "dataset": {"name": "digits", "validation_share": 0.2},
        "network": {"hidden": [32], "T": 30},
        "training": {"epochs": 2},
        "seeds": 1,
        "cases": cases,
        "reference": cases[0]["update"],
    }
    (folder / "own.yaml").write_text(json.dumps(study))
    rows = run_study(folder / "own.yaml", out=folder / "out", executor=InThisProcess())
    return dict(zip(rows["label"], rows["test_accuracy"], strict=True))
