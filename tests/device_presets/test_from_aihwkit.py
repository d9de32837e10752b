"""Tests devices given by aihwkit's configurations and by the names of its classes."""

import warnings
from pathlib import Path
from typing import Any

import pytest
from aihwkit.simulator import configs, presets

from device_presets import get_device
from rpu_ssnn.common.errors import InputError
from studies.declaration.study import Study
from support.studies.harness import DRIVE, RATE, small_study

PERFECT = configs.IOParameters(is_perfect=True)


@pytest.mark.parametrize(
    "device",
    [
        configs.SoftBoundsDevice(dw_min=0.01, up_down=0.02),
        configs.ConstantStepDevice(w_min=-0.9),
        presets.ReRamESPresetDevice(),
        presets.ReRamArrayHfO2PresetDevice(),
        configs.LinearStepDevice(gamma_up=-0.3, gamma_down=0.1, allow_increasing=True),
    ],
)
def test_the_configuration_comes_back_field_by_field(device: Any) -> None:
    preset = get_device(device)
    made = preset.device()
    for name, value in vars(device).items():
        if name != "construction_seed":
            assert getattr(made, name) == value, name
    again = get_device(preset.name)
    assert again.name == preset.name
    assert again.parameters == preset.parameters


def test_text_object_class_and_configuration_are_one_device() -> None:
    text = get_device("SoftBoundsDevice(dw_min=0.02)")
    config = configs.SingleRPUConfig(
        device=configs.SoftBoundsDevice(dw_min=0.02), forward=PERFECT, backward=PERFECT
    )
    for source in (configs.SoftBoundsDevice(dw_min=0.02), config):
        assert get_device(source).name == text.name == "SoftBoundsDevice(dw_min=0.02)"
    assert get_device("ReRamESPresetDevice").parameters["step"].value == 0.00135
    assert get_device(presets.ReRamESPresetDevice).name == get_device("ReRamESPresetDevice()").name
    assert get_device("SoftBoundsDevice(dw_min=0.02)", {"step": 0.05}).parameters[
        "step"
    ].value == pytest.approx(0.05)


def test_a_configuration_says_what_of_it_is_not_used() -> None:
    with pytest.warns(UserWarning, match="only its device is used; forward, backward"):
        assert get_device(presets.ReRamESPreset()).name == "ReRamESPresetDevice()"
    own_update = configs.SingleRPUConfig(
        device=configs.SoftBoundsDevice(),
        forward=PERFECT,
        backward=PERFECT,
        update=configs.UpdateParameters(desired_bl=1),
    )
    with pytest.warns(UserWarning, match="forward, backward and update are"):
        assert get_device(own_update).name == "SoftBoundsDevice()"


def test_a_seed_that_is_not_used_is_told() -> None:
    with pytest.warns(UserWarning, match="construction_seed is not used: the seed of a trial"):
        assert get_device("SoftBoundsDevice(construction_seed=5)").name == "SoftBoundsDevice()"


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("SoftBoundDevice()", "SoftBoundsDevice"),
        ("SoftBoundsDevice(dw_mn=1)", "dw_mn"),
        ("SoftBoundsDevice(dw_min=open('x'))", "dw_min"),
        ("SoftBoundsDevice(0.1)", r"\(0.1\)"),
        ("SoftBoundsDevice(dw_min=0.1", r"\(dw_min=0.1"),
        ("SoftBoundsDevice(dw_min=-1)", "-1"),
        ("LinearStepDevice(gamma_up=[0.1, 0.2])", r"slope_up: \[0.1, 0.2\]"),
        (f"SoftBoundsDevice(w_max=1{'0' * 400})", "w_max: inf"),
        (configs.SoftBoundsDevice(dw_min="0.1"), "step: '0.1'"),
        (configs.SoftBoundsDevice(dw_min=None), "step: missing"),
        (configs.SoftBoundsDevice(diffusion=0.1), "diffusion: 0.1"),
        (configs.LinearStepDevice(gamma_up=-0.1), "allow_increasing: False"),
        (configs.LinearStepDevice(allow_increasing=True), "allow_increasing: True"),
        (configs.SoftBoundsDevice(reset_std=0.5), "reset_std: 0.5"),
        (presets.CapacitorPresetDevice(), "lifetime: .*leak_time_constant_s"),
        (presets.TikiTakaReRamESPreset(), r"tiki_taka\(PRESET\)"),
        (configs.OneSidedUnitCell(), r"one_sided_pair\(PRESET\)"),
        (configs.IdealDevice(), "IdealDevice"),
        (5, "device: content: 5 is not allowed"),
        (type, "content: <class 'type'>"),
    ],
)
def test_what_cannot_be_said_here_is_refused_in_one_line(source: Any, named: str) -> None:
    with pytest.raises(InputError, match=named) as error:
        get_device(source)
    assert "\n" not in str(error.value)


def test_a_class_that_is_refused_is_not_offered() -> None:
    with pytest.raises(InputError) as error:
        get_device("SoftBoundsPmxDevice")
    assert "SoftBoundsDevice, SoftBoundsReferenceDevice, ExpStepDevice" in str(error.value)
    assert "ReRamESPreset, " in str(error.value)
    assert "Pmax" not in str(error.value)


def test_one_way_devices_are_known() -> None:
    assert get_device(presets.PCMPresetDevice()).one_directional_because is not None


def test_a_time_makes_the_device_leak() -> None:
    preset = get_device("SoftBoundsDevice()", {"leak_time_constant_s": 1.0})
    assert preset.device(1e-3).lifetime == pytest.approx(1000, rel=1e-3)


def test_names_find_what_they_mean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert get_device("ECRAM").name == "ecram"
    shipped = Path(__file__).parents[2] / "device_presets/presets/pcm.yaml"
    (tmp_path / "gong.yaml").write_text(shipped.read_text())
    assert get_device("gong").name == "gong.yaml"
    (tmp_path / "capacitor.yaml").write_text(shipped.read_text())
    with pytest.warns(UserWarning, match=r"capacitor means the shipped preset; write capacitor\."):
        get_device("capacitor")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert get_device("capacitor.yaml").name == "capacitor.yaml"


def declared(device: Any) -> Study:
    cases = [RATE, {"device": device, "hyperparameters": DRIVE}]
    return small_study(cases=cases, sweep={"overrides.step": [0.01, 0.02]})


def test_studies_take_text_and_objects_alike() -> None:
    rules = [
        [point.rule for point in declared(device).points()[1:]]
        for device in ("SoftBoundsDevice(w_max=1)", configs.SoftBoundsDevice(w_max=1.0))
    ]
    assert rules[0] == rules[1]
    assert [rule.parameters["step"] for rule in rules[0]] == [0.01, 0.02]
    assert rules[0][0].device == "SoftBoundsDevice(w_max=1.0)"
    assert declared("ECRAM").points()[1].rule.device == "ecram"
