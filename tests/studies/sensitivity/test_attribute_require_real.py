"""Runs `attribute` and `require` with real training of tiles, by the command line, and resumed."""

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from studies.cli.app import main
from studies.declaration.study import Study
from studies.execution.study_runs import run_in_folder
from studies.sensitivity.attribution import REMAINING, attribute
from support.studies.harness import RATE, Harness
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
def study_file(tmp_path: Path) -> Path:
    path = tmp_path / "real.yaml"
    path.write_text(yaml.safe_dump(REAL))
    return path


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["rpu-ssnn", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code in (None, 0)


@pytest.mark.slow
def test_attribution_of_a_noisy_device(
    study_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    command = ["attribute", str(study_file), "--device", "reram_es", "--out", str(out)]
    call(monkeypatch, *command)
    first = capsys.readouterr()
    table = pd.read_csv(out / "attribution.csv").set_index("imperfection")
    assert {"cycle_to_cycle", "write_noise", "nonlinearity", "stuck_share"} <= set(table.index)
    assert table.loc["all together", "recovered"] > 5.0  # A device with noise of 5 loses a lot.
    assert table["lost_n"].eq(3).all()
    assert table["recovered_n"].drop(REMAINING).eq(3).all()
    assert (out / "attribution.png").read_bytes()[:4] == b"\x89PNG"
    assert "every change keeps the hyperparameters" in first.out
    call(monkeypatch, *command)
    second = capsys.readouterr()
    assert second.out == first.out
    assert "to run" not in second.err
    call(monkeypatch, "ledger", str(out))
    spent = capsys.readouterr().out
    assert "only write_noise" in spent
    assert "energy_per_pulse_j and endurance_cycles: not known to the preset" in spent


@pytest.mark.slow
def test_requirement_of_levels(
    study_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    command = ["require", str(study_file), "--device", "ideal", "--loss", "30"]
    command += ["--parameter", "levels", "--out", str(out)]
    call(monkeypatch, *command)
    first = capsys.readouterr().out
    table = pd.read_csv(out / "requirements.csv").set_index("parameter")
    # Weights of two states learn nothing here, while a hundred states are plenty.
    assert 2 < table.loc["levels", "required"] < 100
    assert table.loc["levels", "verdict"] == "met"
    call(monkeypatch, *command)
    assert capsys.readouterr().out == first
    kept = ["--rows", str(out / "results.csv")]
    call(monkeypatch, *command[:-1], str(tmp_path / "elsewhere"), *kept)
    again = capsys.readouterr()
    assert again.out == first.replace(str(out), str(tmp_path / "elsewhere"))
    assert "running" not in again.err
    assert "at most 33 trainings (rate, as it is, levels), " in again.err
    assert (
        " one after the other if each takes as long as the longest finished one; --plan"
        in again.err
    )


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
