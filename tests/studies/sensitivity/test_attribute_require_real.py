"""Runs `attribute` and `require` with real training of tiles, by the command line, and resumed."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from studies.declaration.study import Study
from studies.execution.study_runs import run_in_folder
from studies.sensitivity.attribution import REMAINING, attribute
from support.commands import Command
from support.studies.harness import RATE, Harness, study_file
from support.studies.question_fakes import device_study

REAL: dict[str, Any] = {
    "study": "real",
    "question": "Do the questions work on real tiles?",
    "dataset": {"name": "digits", "validation_share": 0.2},
    "network": {"hidden": [24], "T": 30},
    "training": {"epochs": 8, "batch": 50, "schedule": "batch"},
    "seeds": {"count": 3},
    "cases": [
        {"update": "rate", "learning_rate": 8.0},
        {
            "device": "reram_es",
            "hyperparameters": {"weight_range": 2.0, "learning_rate": 8.0},
            "tile": {"stuck_share": 0.02},
        },
        {"device": "ideal", "hyperparameters": {"weight_range": 2.0, "learning_rate": 8.0}},
    ],
}


@pytest.fixture
def real(tmp_path: Path) -> Path:
    return study_file(tmp_path, "real.yaml", **REAL)


@pytest.mark.slow
def test_attribution_of_a_noisy_device(real: Path, tmp_path: Path, command: Command) -> None:
    out = tmp_path / "out"
    question = "attribute", real, "--device", "reram_es", "--out", out
    code, printed, _ = command(*question)
    assert code == 0
    table = pd.read_csv(out / "attribution.csv").set_index("imperfection")
    assert {"cycle_to_cycle", "write_noise", "nonlinearity", "stuck_share"} <= set(table.index)
    assert table.loc["all together", "recovered"] > 5.0  # A device with noise of 5 loses a lot.
    assert table["lost_n"].eq(3).all()
    assert table["recovered_n"].drop(REMAINING).eq(3).all()
    assert (out / "attribution.png").read_bytes()[:4] == b"\x89PNG"
    assert "every change keeps the hyperparameters" in printed
    code, again, errors = command(*question)
    assert (code, again, "to run" in errors) == (0, printed, False)
    _, spent, _ = command("ledger", out)
    assert "only write_noise" in spent
    assert "energy_per_pulse_j and endurance_cycles: not known to the preset" in spent


@pytest.mark.slow
def test_requirement_of_levels(real: Path, tmp_path: Path, command: Command) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    question = "require", real, "--device", "ideal", "--loss", "30", "--parameter", "levels"
    code, printed, _ = command(*question, "--out", out)
    assert code == 0
    table = pd.read_csv(out / "requirements.csv").set_index("parameter")
    # Weights of two states learn nothing here, while a hundred states are plenty.
    assert 2 < table.loc["levels", "required"] < 100
    assert table.loc["levels", "verdict"] == "met"
    assert command(*question, "--out", out)[:2] == (0, printed)
    code, again, errors = command(*question, "--out", elsewhere, "--rows", out / "results.csv")
    assert (code, again) == (0, printed.replace(str(out), str(elsewhere)))
    assert "running" not in errors
    assert "at most 33 trainings (rate; as it is; levels), " in errors
    assert " if each takes as long as the longest finished one; --plan" in errors


def test_units_are_kept_in_folders_and_searched_once(harness: Harness, tmp_path: Path) -> None:
    """Folder and search are real; only the training is fake."""
    options = harness.options()
    study = device_study(
        "ideal",
        cases=[RATE, {"device": "ideal"}],
        search={"weight_range": [4, 8], "learning_rate": [0.5, 1.0], "points": 2},
        seeds=[0, 1],
    )

    def run(asked: Study) -> Any:
        return run_in_folder(asked, harness.out, options)

    attribution = attribute(study, "ideal", run)
    log = harness.take_log()
    searched = {title for title in log if title.startswith("search")}
    assert len(searched) == 2
    assert all(title.startswith("search as it is seed 0 (") for title in searched)
    assert log["test as it is seed 1"] == 1
    assert attribution.notes[0].startswith(
        "every change keeps the hyperparameters of the device as it is ("
    )
    assert set(log.values()) == {1}
    attribute(study, "ideal", run)
    assert not harness.take_log()
    kept = replace(options, kept_rows=[harness.out / "results.csv"])
    attribute(study, "ideal", partial(run_in_folder, root=tmp_path / "elsewhere", options=kept))
    # Rows do not record the result of a search. The fake's accuracies at searched hyperparameters
    # are not whole numbers of images, so these rows are left out and their trials run again.
    assert searched <= set(harness.take_log())
