"""In a study of devices drawn from a fit each seed has one, and tables separate fit and seeds."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from device_presets.library.preset_file import shipped_entries
from rpu_ssnn.common.errors import InputError
from studies.common.statistics import nested_deviations
from studies.declaration.hyperparameters import trials_of
from studies.declaration.study import load_study, parse_study
from studies.report.draw import drawn_apart
from studies.report.figures import sweep_figure
from studies.report.summary_view import readable
from studies.results.comparison import compare
from studies.results.result_folder import open_folder, stored_study
from studies.results.summary import summary
from studies.sensitivity.device_question import ask
from support.studies.harness import DRIVE, RATE, study_file

STEPS = (0.01, 0.02, 0.03)


def write_study(folder: Path, device: object) -> Path:
    entry = shipped_entries()["capacitor"].model_dump(exclude_defaults=True)
    entry["parameters"].pop("levels", None)
    drawn = {}
    for number, step in enumerate((0.015, *STEPS)):
        parameters = {**entry["parameters"], "step": {"value": step, "unit": "weight"}}
        parameters["step"]["assumption"] = "made for a test"
        drawn[f"draw_{number}"] = {**entry, "parameters": parameters}
    (folder / "mine.yaml").write_text(yaml.safe_dump({"mine": drawn.pop("draw_0")}))
    (folder / "mine_draws.yaml").write_text(yaml.safe_dump(drawn))
    cases = [RATE, {"device": device, "hyperparameters": DRIVE}]
    return study_file(folder, "study.yaml", seeds={"count": 6}, cases=cases)


def test_each_seed_has_its_own_draw(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path, {"fit": "mine.yaml", "draws": 3}))
    point = study.points()[-1]
    trials = [point.trial("of_draws", point.hyperparameters, seed) for seed in range(6)]
    steps = [trial.settings.method.parameters["step"] for trial in trials]
    assert steps == [*STEPS, *STEPS]
    assert trials[1].settings.method.columns()["device"] == "mine_draws.yaml:draw_2"


@pytest.mark.parametrize(
    "device", [{"fit": "capacitor", "draws": 3}, {"fit": "mine.yaml", "draws": 9}]
)
def test_draws_that_are_not_there_are_refused(device: object, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"draw"):
        load_study(write_study(tmp_path, device)).points()


@pytest.mark.parametrize(("device", "reference"), [("mine", "rate"), ("capacitor", "mine")])
def test_questions_refuse_drawn_devices(device: str, reference: str, tmp_path: Path) -> None:
    content = yaml.safe_load(write_study(tmp_path, {"fit": "mine.yaml", "draws": 3}).read_text())
    content["cases"][1]["label"] = "mine"
    study = parse_study({**content, "reference": reference}, "study.yaml", tmp_path)
    with pytest.raises(InputError, match=r"mine: draws: 3 is not allowed; must be 0"):
        ask(study, device)


def test_the_deviations_of_seeds_and_fit_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    groups = 2.0 * rng.standard_normal((400, 1)) + 0.5 * rng.standard_normal((400, 3))
    assert nested_deviations(groups.tolist()) == pytest.approx((0.5, 2.0), rel=0.1)


def test_an_output_folder_keeps_the_draws(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path, {"fit": "mine.yaml", "draws": 3}))
    trials = [trial.identity for trial in trials_of(study, {})]
    with open_folder(tmp_path / "out", study):
        pass
    for file in ("mine.yaml", "mine_draws.yaml"):
        (tmp_path / file).unlink()
    (tmp_path / "out").rename(tmp_path / "moved")
    read = stored_study(tmp_path / "moved")
    assert [trial.identity for trial in trials_of(read, {})] == trials


def _runs_of_draws(draws: int) -> pd.DataFrame:
    rows = pd.DataFrame({"label": "rate", "seed": range(6), "device": None, "test_accuracy": 95.0})
    names = [f"mine_draws.yaml:draw_{1 + seed % draws}" for seed in range(6)]
    own = rows.assign(label="mine", device=names)
    own["test_accuracy"] = [90.0, 92.0, 94.0, 90.2, 92.2, 94.2]
    return pd.concat([rows, own], ignore_index=True).assign(
        pulses_per_device_mean=1.0, saturated_fraction=0.0
    )


def test_two_draws_have_no_interval_however_many_seeds_they_have() -> None:
    table = summary(_runs_of_draws(2), "rate")
    assert table["n"].tolist() == [6, 6]
    assert math.isnan(table["accuracy_ci"][1])
    assert "±" not in readable(table, "rate").markdown.split("mine")[1].split("\n")[0]


def test_the_interval_of_the_table_is_that_of_the_draws() -> None:
    """Seeds that share a drawn device are not independent."""
    row = summary(_runs_of_draws(3), "rate").iloc[1]
    assert (row["n"], row["accuracy"]) == (6, pytest.approx(92.1))
    assert row["accuracy_ci"] == pytest.approx(4.303 * 2.0 / 3**0.5, rel=1e-3)
    assert row["gap_ci"] == pytest.approx(row["accuracy_ci"])
    assert row["sd_seeds"] == pytest.approx(0.1414, rel=1e-2)
    assert row["sd_fit"] == pytest.approx(2.0, rel=1e-2)
    assert (row["min"], row["max"]) == (90.0, 94.2)


def test_draws_that_are_alike_by_chance_have_no_narrower_interval_than_their_seeds() -> None:
    runs = _runs_of_draws(3)
    runs.loc[runs["label"] == "mine", "test_accuracy"] = [84.0, 86.0, 88.0, 88.0, 86.0, 84.0]
    row = summary(runs, "rate").iloc[1]
    assert (row["accuracy"], row["sd_fit"], row["gap_n"]) == (86.0, 0.0, 6)
    assert row["accuracy_ci"] == row["gap_ci"] == pytest.approx(1.877, rel=1e-3)


def test_a_difference_is_that_of_the_draws_on_either_side() -> None:
    runs = _runs_of_draws(3)
    ours, theirs = compare(runs, "rate").iloc[0], compare(runs, "mine").iloc[0]
    for column in ("ci", "n", "p_holm"):
        assert ours[column] == pytest.approx(theirs[column])
    assert ours["n"] == 3


@pytest.mark.parametrize("draws", [2, 3])
def test_figures_have_the_interval_of_the_draws_or_each_seed(draws: int) -> None:
    """Two draws have no interval, and so no bar."""
    runs = pd.concat([_runs_of_draws(draws).assign(**{"sweep.network.T": T}) for T in (10, 20)])
    axes = sweep_figure(runs.reset_index(drop=True), "network.T", 6.0).axes[0]
    lengths = [np.diff(bar, axis=0) for bar in axes.containers[1].lines[2][0].get_segments()]
    half_width = summary(_runs_of_draws(draws), "rate")["accuracy_ci"][1]
    drawn = [bar[0, 1] for bar in lengths if len(bar)]
    assert drawn == pytest.approx([2 * half_width] * 2 * (draws > 2))
    assert drawn_apart(runs)
