"""A trial with measured jumps is identified by the table's content; rows give name and digest."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from rpu_ssnn.common.errors import InputError
from studies.declaration.cases import Case
from studies.declaration.trial import Trial
from studies.sensitivity.axes import axis
from studies.sensitivity.device_question import TunedDevice
from studies.sensitivity.imperfections import imperfections, switched_off
from studies.workers.run_trial import run_trial
from support.device_presets.jump_tables import write_table
from support.studies.harness import BRIEF, trial_of_case

NATIVE = {"simulator": "native"}


def trial_of(folder: Path, **case: Any) -> Trial:
    whole = {
        "device": {"table": str(folder)},
        "hyperparameters": {"weight_range": 2.0, "learning_rate": 8.0},
        "tile": NATIVE,
        **case,
    }
    return trial_of_case(whole, **BRIEF)


def test_a_row_says_the_table_and_repeats(tmp_path: Path) -> None:
    trial = trial_of(write_table(tmp_path / "mine", spread=1e-6))
    row = run_trial(trial, None, 1).row
    assert str(row["device"]).startswith("table(mine, sha256=")
    assert row["replayable"]
    assert row["pulses_up_total"] > 100
    again = run_trial(trial, None, 2).row
    assert again["validation_accuracy"] == row["validation_accuracy"]
    assert again["pulses_up_total"] == row["pulses_up_total"]


def test_the_identity_follows_from_the_content_alone(tmp_path: Path) -> None:
    first = trial_of(write_table(tmp_path / "a"))
    moved = Path(shutil.copytree(tmp_path / "a", tmp_path / "elsewhere" / "b"))
    assert trial_of(moved).identity == first.identity
    assert trial_of(moved, overrides={"jump_spread": 0.5}).identity != first.identity
    write_table(moved, up=1.1e-6)
    assert trial_of(moved).identity != first.identity
    assert json.loads(first.settings_json)["method"]["device"].startswith("table(/")


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ({"tile": {}}, r"tile\.simulator: 'aihwkit'.*needs tile: {simulator: native}"),
        (
            {"update": "analog_sgd", "tile": {}},
            r"tile\.simulator: 'aihwkit'.*neither tables of measured jumps",
        ),
        ({"overrides": {"levels": 10}}, r"overrides\.levels.*must be one of jump_spread"),
    ],
)
def test_what_a_table_cannot_be_asked_for_is_one_line(
    case: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        trial_of(write_table(tmp_path / "mine"), **case)
    assert "\n" not in str(caught.value)


def test_a_bad_table_is_named_with_its_file(tmp_path: Path) -> None:
    folder = write_table(tmp_path / "mine")
    (folder / "dG_decreasing.txt.gz").unlink()
    said = r"case 1\.device: '.*mine' is not allowed; file dG_decreasing\.txt is missing: must hold"
    with pytest.raises(InputError, match=said):
        trial_of(folder)


def test_what_a_table_does_wrong_can_be_switched_off_and_varied(tmp_path: Path) -> None:
    folder = write_table(tmp_path / "mine", slope=0.5)
    case = Case.model_validate({"device": {"table": str(folder)}, "tile": NATIVE})
    off, notes = imperfections(case, thinning=0.5)
    assert set(off) == {"cycle_to_cycle", "asymmetry", "nonlinearity"}
    assert any("the step is that of the table" in note for note in notes)
    assert switched_off(case, off, ["cycle_to_cycle"]).device_rule.overrides == {"jump_spread": 0.0}
    tuned = TunedDevice(learning_rate=4.0, weight_range=2.0, thinning=0.5)
    assert "is that of its table" in str(axis("levels", case, tuned))
    varied = axis("jump_spread", case, tuned)
    assert not isinstance(varied, str)
    assert varied.case(2.0).device_rule.overrides == {"jump_spread": 2.0}
