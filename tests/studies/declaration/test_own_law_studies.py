"""With docs/how-to/own_law.md alone, a user-defined law gets a study, a card and an ablation."""

import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from device_presets import Preset, get_device
from device_presets.cards.card_plot import plot_card
from rpu_ssnn.common.errors import InputError
from studies.declaration.trial import Trial
from studies.sensitivity.axes import axis, parameters_for
from studies.sensitivity.device_question import TunedDevice
from studies.sensitivity.imperfections import imperfections, switched_off
from studies.workers.run_trial import run_trial
from support.studies.harness import BRIEF, in_device, trial_of_case

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "own_law.md"
BLOCKS = re.findall(r"```(?:python|yaml)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
LAW = next(block for block in BLOCKS if "LAW = Law(" in block)
FIT = next(block for block in BLOCKS if "least_squares" in block)
PRESET = next(block for block in BLOCKS if block.startswith("my_trap:"))
HYPERPARAMETERS = {"weight_range": 2.0, "learning_rate": 8.0}


@pytest.fixture
def preset(tmp_path: Path) -> Path:
    """Writes the two files of the page."""
    (tmp_path / "trapping.py").write_text(LAW)
    (tmp_path / "my_trap.yaml").write_text(PRESET)
    return tmp_path / "my_trap.yaml"


def trial_of(device: Any, **case: Any) -> Trial:
    whole = {
        "device": device,
        "hyperparameters": HYPERPARAMETERS,
        "tile": {"simulator": "native"},
        **case,
    }
    return trial_of_case(whole, **BRIEF)


def inline(preset: Path) -> dict[str, Any]:
    """Returns the device of the page in the form for a case, without a preset file."""
    device = get_device(str(preset))
    assert isinstance(device, Preset)
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


def test_aihwkits_tiles_refuse_the_case(preset: Path) -> None:
    with pytest.raises(InputError) as error:
        trial_of(str(preset), tile={"simulator": "aihwkit"})
    assert error.value.field.endswith("tile.simulator")


def test_card_ablation_and_requirement_read_the_law(preset: Path, tmp_path: Path) -> None:
    device = get_device(str(preset))
    assert isinstance(device, Preset)
    assert plot_card(device, tmp_path / "card.png").stat().st_size > 10_000
    case = in_device(
        device=str(preset), hyperparameters=HYPERPARAMETERS, tile={"simulator": "native"}
    )
    off, _ = imperfections(case, None)
    assert off["trapped_charge"] == {"overrides.trap_weight": 0.0}
    assert switched_off(case, off, ["trapped_charge"]).device_rule.overrides == {"trap_weight": 0.0}
    along = axis("trap_weight", case, TunedDevice(8.0, 2.0, None))
    assert not isinstance(along, str)
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
