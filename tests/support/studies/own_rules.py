"""Runs studies that use files of user-defined update rules."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from support.markdown import ROOT


class OwnRules:
    """Runs `rpu-ssnn` in a folder that holds files of rules and a study that names them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, code: str) -> Path:
        """Writes the file of a rule beside the study."""
        path = self.folder / f"{name}.py"
        path.write_text(code)
        return path

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs the command line in the folder."""
        return subprocess.run(
            [sys.executable, "-m", "studies.cli", *arguments],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": f"{self.folder}{os.pathsep}{ROOT}"},
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, cases: list[dict[str, Any]]) -> dict[str, float]:
        """Returns test accuracies (%) of a small study on digits, by label; runs what is
        missing."""
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
        (self.folder / "own.yaml").write_text(json.dumps(study))
        done = self.call("run", "own.yaml", "--workers", "1")
        assert done.returncode == 0, done.stderr
        with (self.folder / "out" / "own" / "results.csv").open(newline="") as file:
            return {row["label"]: float(row["test_accuracy"]) for row in csv.DictReader(file)}
