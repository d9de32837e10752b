"""Studies with update rules of the user's own, in a copy of the package `studies`."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from support.markdown import ROOT


class OwnRules:
    """Runs `rpu-ssnn` with a copy of `studies` in a folder, to which files of rules are added."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(
            ROOT / "studies", folder / "studies", ignore=shutil.ignore_patterns("__pycache__")
        )

    def write(self, name: str, code: str) -> Path:
        """A file of the package of the rules."""
        path = self.folder / "studies" / "declaration" / "update_rules" / f"{name}.py"
        path.write_text(code)
        return path

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command line on that copy."""
        return subprocess.run(
            [sys.executable, "-m", "studies.cli", *arguments],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": f"{self.folder}{os.pathsep}{ROOT}"},
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, cases: list[dict[str, Any]]) -> dict[str, float]:
        """Test accuracies (%) of a small study on digits, by label; runs what is missing."""
        study = {
            "study": "own",
            "question": "Does it train?",
            "dataset": {"name": "digits", "validation_share": 0.2},
            "network": {"hidden": [32], "T": 30},
            "training": {"epochs": 2},
            "seeds": 1,
            "cases": cases,
        }
        (self.folder / "own.yaml").write_text(json.dumps(study))
        done = self.call("run", "own.yaml", "--workers", "1")
        assert done.returncode == 0, done.stderr
        with (self.folder / "out" / "own" / "results.csv").open(newline="") as file:
            return {row["label"]: float(row["test_accuracy"]) for row in csv.DictReader(file)}
