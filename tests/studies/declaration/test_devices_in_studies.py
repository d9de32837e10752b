"""Tests how studies declare native devices: charge traps, measured jumps, and laws of users."""

import json
import re
import runpy
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from device_presets import get_device
from device_presets.cards.card_plot import plot_card
from studies.declaration.cases import Case
from studies.declaration.trial import Trial, TrialResult
from studies.sensitivity.axes import axis, parameters_for
from studies.sensitivity.device_question import TunedDevice
from studies.sensitivity.imperfections import imperfections, switched_off
from studies.workers.run_trial import run_trial
from support.device_presets.jump_tables import write_table
from support.studies.harness import BRIEF, in_device, trial_of_case

DRIVE = {"weight_range": 2.0, "learning_rate": 8.0}
NATIVE = {"simulator": "native"}
SIX_EPOCHS: dict[str, Any] = {
    "dataset": {"name": "digits", "n_train": 600, "n_test": 100},
    "network": {"hidden": [16], "T": 20},
    "training": {"epochs": 6, "batch": 20},
}


def trial_of(device: Any, brief: dict[str, Any] = BRIEF, **case: Any) -> Trial:
    """Returns a trial of the device, native unless the case has another tile."""
    whole = {"device": device, "hyperparameters": DRIVE, "tile": NATIVE, **case}
    return trial_of_case(whole, **brief)


def run(trial: Trial) -> TrialResult:
    return run_trial(trial, None, 1)


def test_a_row_says_that_native_devices_are_not_aihwkit() -> None:
    exact = trial_of("charge_trap_pulsed", SIX_EPOCHS)
    row = run(exact).row
    assert row["simulator"] == "native"
    assert row["replayable"]
    assert row["pulses_per_device_mean"] > 1
    assert row["slot_s_1"] == 3e-6
    on_aihwkit, ours = (trial_of("charge_trap", tile=tile) for tile in ({}, NATIVE))
    assert on_aihwkit.identity != ours.identity
    assert not on_aihwkit.settings.method.is_replayable(), "aihwkit's noise cannot be seeded"


def test_storage_acts_between_training_and_inference() -> None:
    """If all charge is lost in storage, answers are at chance, but training is not affected."""
    lossy = {"loss_per_decade": 0.2}
    tiles = ({**NATIVE, "storage_seconds": seconds} for seconds in (0.0, 1e6))
    trials = (trial_of("charge_trap_pulsed", SIX_EPOCHS, tile=t, overrides=lossy) for t in tiles)
    fresh, stored = map(run, trials)
    curves = [[e["validation_accuracy"] for e in result.epochs] for result in (fresh, stored)]
    assert curves[0] == curves[1]
    assert fresh.row["test_accuracy"] > 40
    assert stored.row["test_accuracy"] < 20
    assert fresh.row["charge_kept_1"] > 0.95
    assert stored.row["charge_kept_1"] < 1e-6


def table_in(folder: Path, **changes: float) -> dict[str, str]:
    """Writes a table of measured jumps, and returns it as the device of a case."""
    return {"table": str(write_table(folder, **changes))}


def test_a_row_says_the_table_and_repeats(tmp_path: Path) -> None:
    trial = trial_of(table_in(tmp_path / "mine", spread=1e-6))
    row = run_trial(trial, None, 1).row
    assert str(row["device"]).startswith("table(mine, sha256=")
    assert row["replayable"]
    assert row["pulses_up_total"] > 100
    again = run_trial(trial, None, 2).row
    assert again["validation_accuracy"] == row["validation_accuracy"]
    assert again["pulses_up_total"] == row["pulses_up_total"]


def test_the_identity_follows_from_the_content_alone(tmp_path: Path) -> None:
    first = trial_of(table_in(tmp_path / "a"))
    folder = Path(shutil.copytree(tmp_path / "a", tmp_path / "elsewhere" / "b"))
    moved = {"table": str(folder)}
    assert trial_of(moved).identity == first.identity
    assert trial_of(moved, overrides={"jump_spread": 0.5}).identity != first.identity
    write_table(folder, up=1.1e-6)
    assert trial_of(moved).identity != first.identity
    assert json.loads(first.settings_json)["method"]["device"].startswith("table(/")


def test_what_a_table_does_wrong_can_be_switched_off_and_varied(tmp_path: Path) -> None:
    device = table_in(tmp_path / "mine", slope=0.5)
    case = Case.model_validate({"device": device, "tile": NATIVE})
    off, notes = imperfections(case, thinning=0.5)
    assert set(off) == {"cycle_to_cycle", "asymmetry", "nonlinearity"}
    assert any("the step is that of the table" in note for note in notes)
    assert switched_off(case, off, ["cycle_to_cycle"]).device_rule.overrides == {"jump_spread": 0.0}
    tuned = TunedDevice(learning_rate=4.0, weight_range=2.0, thinning=0.5)
    assert "is that of its table" in str(axis("levels", case, tuned))
    varied = axis("jump_spread", case, tuned)
    assert varied.case(2.0).device_rule.overrides == {"jump_spread": 2.0}


PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "own_law.md"
BLOCKS = re.findall(r"```(?:python|yaml)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
LAW = next(block for block in BLOCKS if "LAW = Law(" in block)
FIT = next(block for block in BLOCKS if "least_squares" in block)
PRESET = next(block for block in BLOCKS if block.startswith("my_trap:"))


@pytest.fixture
def preset(tmp_path: Path) -> Path:
    """Writes the two files of the page."""
    (tmp_path / "trapping.py").write_text(LAW)
    (tmp_path / "my_trap.yaml").write_text(PRESET)
    return tmp_path / "my_trap.yaml"


def inline(preset: Path) -> dict[str, Any]:
    """Returns the device of the page in the form for a case, without a preset file."""
    device = get_device(str(preset))
    given = {n: device.parameters[n].value for n, p in device.law.parameters.items() if p.required}
    return {"law": str(preset.with_name("trapping.py")), "step": 0.01, **given}


def test_a_run_repeats_and_the_law_with_its_parameters_is_the_same_run(preset: Path) -> None:
    trial = trial_of(str(preset))
    row = run_trial(trial, None, 1).row
    assert row["replayable"]
    assert row["pulses_up_total"] > 100
    again = run_trial(trial_of(inline(preset)), None, 2).row
    for column in ("validation_accuracy", "pulses_up_total", "pulses_down_total"):
        assert again[column] == row[column]
    assert str(again["device"]).startswith("law(trapping.py, ")


def test_an_edited_law_or_parameter_makes_another_trial(preset: Path) -> None:
    first, first_inline = trial_of(str(preset)), trial_of(inline(preset))
    assert trial_of(str(preset), overrides={"trap_weight": 0.1}).identity != first.identity
    law = preset.with_name("trapping.py")
    law.write_text(LAW + "\n")
    assert trial_of(str(preset)).identity != first.identity
    assert trial_of(inline(preset)).identity != first_inline.identity


def test_card_ablation_and_requirement_read_the_law(preset: Path, tmp_path: Path) -> None:
    device = get_device(str(preset))
    assert plot_card(device, tmp_path / "card.png").stat().st_size > 10_000
    case = in_device(device=str(preset), hyperparameters=DRIVE, tile=NATIVE)
    off, _ = imperfections(case, None)
    assert off["trapped_charge"] == {"overrides.trap_weight": 0.0}
    assert switched_off(case, off, ["trapped_charge"]).device_rule.overrides == {"trap_weight": 0.0}
    tuned = TunedDevice(**DRIVE, thinning=None)
    along = axis("trap_weight", case, tuned)
    assert along.case(0.25).device_rule.overrides == {"trap_weight": 0.25}
    assert (along.own, along.worst_value) == (0.5, 1.0)
    assert "trap_rate" not in parameters_for(case)


def test_least_squares_find_the_numbers_of_the_page_in_a_mean_curve(
    preset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(preset.parent)
    (preset.parent / "fit.py").write_text(FIT)
    page, up = runpy.run_path("fit.py"), [True] * 60 + [False] * 60
    truth = np.array([0.02, 0.6, 0.02])
    weights = page["curve"](truth, up, -0.5)
    weights = weights + 0.002 * np.random.default_rng(0).standard_normal(len(weights))
    np.testing.assert_allclose(page["fitted"](weights, up), truth, rtol=0.1)
