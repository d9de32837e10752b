"""Tests the presets: their numbers, sources and overrides, and the errors for bad input."""

import copy
import dataclasses
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aihwkit.simulator.configs import devices as aihwkit_devices
from aihwkit.simulator.presets import devices as aihwkit_presets
from aihwkit.simulator.presets.devices import PCMPresetDevice

import device_presets
from device_presets import describe, get_device, get_preset, preset_names
from device_presets.cards.listing import listing
from device_presets.library.preset_file import read_preset_file
from device_presets.library.steps_at_zero import asymmetry_at_zero, states_at_zero
from device_presets.library.to_aihwkit import aihwkit_device
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.devices.law import Law
from rpu_ssnn.devices.laws import LAWS

BIDIRECTIONAL = [name for name in preset_names() if name != "pcm"]
AIHWKIT_PRESETS = {
    "idealized": "IdealizedPresetDevice",
    "gokmen_vlasov": "GokmenVlasovPresetDevice",
    "capacitor": "CapacitorPresetDevice",
    "reram_es": "ReRamESPresetDevice",
    "reram_sb": "ReRamSBPresetDevice",
    "hfo2": "ReRamArrayHfO2PresetDevice",
    "ecram": "EcRamPresetDevice",
    "ecram_mo": "EcRamMOPresetDevice",
}
# No parameter sets these aihwkit fields: runtime settings, mini-batch physics, one model's flags.
UNREACHED = {
    "construction_seed", "drift", "diffusion", "diffusion_dtod", "enforce_consistency",
    "perfect_bias", "reset_std", "count_pulses", "lifetime", "allow_increasing",
    "apply_write_noise_on_set", "reverse_up", "reverse_down", "reverse_offset",
}  # fmt: skip


def fields_of(device: object) -> dict[str, object]:
    """Returns all fields, with numbers in aihwkit's single precision (where 0.3 / 0.75 is 0.4)."""
    fields = {f.name: getattr(device, f.name) for f in dataclasses.fields(device)}  # type: ignore[arg-type]
    return {n: np.float32(v) if isinstance(v, float | int) else v for n, v in fields.items()}


@pytest.mark.parametrize(("name", "aihwkit_name"), AIHWKIT_PRESETS.items())
def test_aihwkit_presets_are_reproduced_field_by_field(name: str, aihwkit_name: str) -> None:
    ours = fields_of(get_preset(name).device(seconds_between_steps=2e-3))
    theirs = fields_of(getattr(aihwkit_presets, aihwkit_name)())
    # The time constant of 2000 s and steps of 2 ms give aihwkit's 1e6, except for the second order
    # of the exponential, half a mini-batch.
    assert ours.pop("lifetime") == pytest.approx(theirs.pop("lifetime"), abs=1.0)
    assert ours == theirs


def test_no_two_files_share_a_preset() -> None:
    files = Path(device_presets.__file__).parent.glob("presets/*.yaml")
    assert len(preset_names()) == sum(len(read_preset_file(file)) for file in files)


def test_pcm_is_reproduced_though_device_refuses_it() -> None:
    pcm = get_preset("pcm")
    ours = aihwkit_device(pcm.name, pcm.law, pcm.values, None)
    assert fields_of(ours) == fields_of(PCMPresetDevice())


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_every_aihwkit_field_is_reached_or_left_out_on_purpose(law: Law) -> None:
    simulated_by = getattr(aihwkit_devices, str(law.aihwkit))
    fields = {f.name for f in dataclasses.fields(simulated_by)}
    reached = {rule.aihwkit_name for rule in law.parameters.values()} - {None}
    assert fields - UNREACHED == reached


@pytest.mark.parametrize("name", preset_names())
def test_every_number_has_a_unit_and_a_source_or_an_assumption(name: str) -> None:
    table = describe(get_preset(name))
    assert list(table.columns) == ["parameter", "value", "unit", "source", "assumption"]
    assert table["unit"].str.len().gt(0).all()
    assert (table["source"].notna() ^ table["assumption"].notna()).all()
    assert set(table["parameter"]) == set(get_preset(name).law.parameters)


@pytest.mark.parametrize("name", BIDIRECTIONAL)
def test_device_is_fresh_and_unseeded(name: str) -> None:
    preset = get_preset(name)
    first, second = preset.device(1.0), preset.device(1.0)
    assert first is not second
    assert first.construction_seed == 0
    assert preset.step == pytest.approx((preset.w_max - preset.w_min) / preset.levels)


def test_only_the_ideal_device_is_noise_free() -> None:
    assert [name for name in preset_names() if get_preset(name).noise_free] == ["ideal"]
    assert get_preset("charge_trap", {"cycle_to_cycle": 0}).noise_free
    assert not get_preset("reram_sb", {"cycle_to_cycle": 0}).noise_free  # It still has write noise.


def test_charge_traps_are_not_silently_ideal() -> None:
    assert get_preset("charge_trap").levels == 1000
    assert get_preset("charge_trap_2019").levels == 10_000
    for name in ("charge_trap", "charge_trap_2019"):
        preset = get_preset(name)
        for field in ("cycle_to_cycle", "step_spread", "asymmetry_spread", "slope_up"):
            assert preset.number(field) > 0
            assert preset.parameters[field].assumption


def test_overview_shows_states_and_the_asymmetry_of_a_pulse() -> None:
    text = listing()
    assert [line.split()[0] for line in text.splitlines() if " / " in line][1:] == preset_names()
    assert "1200 / 1200" in text
    one_way = [name for name in preset_names() if math.isnan(states_at_zero(get_preset(name))[1])]
    assert one_way == ["pcm"]
    up = 0.00135 * (1 + 1.18445 * math.exp(-2.5))  # aihwkit's exponential step at weight zero
    down = 0.00135 * (1 - 0.259359) * (1 + 0.081404 * math.exp(2.5))
    assert up < down
    asymmetry = asymmetry_at_zero(get_preset("reram_es"))
    assert asymmetry == pytest.approx(up / down - 1, abs=1e-4)


def test_overrides_reach_the_aihwkit_device() -> None:
    device = get_preset("charge_trap", {"cycle_to_cycle": 0.1, "levels": 500}).device()
    assert device.dw_min_std == 0.1
    assert device.dw_min == pytest.approx(2 / 500)
    assert get_preset("charge_trap").device().dw_min_std == 0.2


def test_levels_hold_when_the_range_is_overridden_and_so_does_a_step() -> None:
    assert get_preset("ideal", {"w_max": 3.0}).step == pytest.approx(4 / 1200)
    assert get_preset("capacitor", {"w_max": 3.0}).levels == pytest.approx(4 / 0.005)
    assert get_preset("capacitor", {"levels": 100}).step == pytest.approx(0.02)
    assert get_preset("ideal", {"step": 0.01}).levels == pytest.approx(200)


def test_a_leaking_device_wants_to_know_the_time() -> None:
    capacitor = get_preset("capacitor")
    assert capacitor.leaks
    assert not get_preset("charge_trap").leaks
    with pytest.raises(InputError, match="capacitor: seconds_between_steps: missing"):
        capacitor.device()
    assert get_preset("capacitor", {"leak_time_constant_s": "inf"}).device().lifetime == 0
    # Half the charge is gone after tau ln 2: aihwkit removes the share 1/lifetime.
    assert capacitor.device(2000 * math.log(2)).lifetime == pytest.approx(2.0)
    with pytest.raises(InputError, match="lost in single precision"):
        capacitor.device(65 * 500e-9)
    with pytest.raises(InputError, match="above 0"):
        capacitor.device(-1.0)


def test_pcm_says_why_it_cannot_be_a_single_device_weight() -> None:
    pcm = get_preset("pcm")
    assert not pcm.bidirectional
    with pytest.raises(InputError, match=r"only a full reset.*one of ideal, .*hfo2") as caught:
        pcm.device()
    assert "pcm" not in caught.value.allowed.split("must be one of")[1].split(", ")


@pytest.mark.parametrize(
    ("name", "overrides", "field"),
    [
        ("a" * 5000, None, "name"),
        ("ideal", 5, "overrides"),
        ("ideal", {"slope_up": 0.1}, "parameter"),
        ("ideal", {"cycle_to_cycle": 1e30}, "cycle_to_cycle"),
        ("ideal", {"cycle_to_cycle": float("nan")}, "cycle_to_cycle"),
        ("ideal", {"cycle_to_cycle": True}, "cycle_to_cycle"),
        ("ideal", {"levels": 10**400}, "levels"),
        ("ideal", {"levels": np.True_}, "levels"),
        ("ideal", {"step": 0}, "step"),
        ("ideal", {"step": 1e-9}, "step"),
        ("ideal", {"step": 2.5}, "step"),
        ("ideal", {"step": 0.1, "levels": 10}, "step and levels"),
        ("hfo2", {"step_spread_log_normal": 1}, "step_spread_log_normal"),
        ("capacitor", {"w_min": 0}, "w_min"),
        ("charge_trap_tunnelling", {"step_factors_up": [1, 10**400]}, "step_factors_up"),
        ("reram_es", {"gamma_up": 80, "b": 9}, "gamma_up"),
        ("reram_es", {"gamma_down": 80, "b": -9}, "gamma_down"),
        ("capacitor", {"pulse_period_s": 1e-9}, "pulse_period_s"),
    ],
)
def test_bad_input_names_preset_field_and_value(name: str, overrides: Any, field: str) -> None:
    with pytest.raises(InputError) as error:
        get_preset(name, overrides)
    assert error.value.field == field
    assert "\n" not in str(error.value)


def test_all_missing_parameters_are_named_at_once(tmp_path: Path) -> None:
    entry = "{technology: t, law: constant, description: d, citation: c, parameters: {}}"
    (tmp_path / "a.yaml").write_text(f"a: {entry}")
    with pytest.raises(InputError) as error:
        get_preset(str(tmp_path / "a.yaml"))
    required = [name for name, p in LAWS["constant"].parameters.items() if p.required]
    assert error.value.field == ", ".join(required)


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_every_number_has_two_ends(law: Law) -> None:
    for name, rule in law.parameters.items():
        if rule.kind == "flag":
            continue
        low, high = rule.limits
        assert math.isfinite(low), name
        # Only the time constant of the leak may be infinite, which means no leak.
        assert math.isfinite(high) or name == "leak_time_constant_s", name


def test_presets_travel_to_worker_processes_and_cannot_be_changed() -> None:
    preset = get_preset("hfo2")
    assert pickle.loads(pickle.dumps(preset)) == preset
    assert copy.deepcopy(preset) == preset
    with pytest.raises(TypeError):
        preset.parameters["step"] = preset.parameters["levels"]  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        preset.name = "other"  # type: ignore[misc]


def test_asking_for_what_is_not_there() -> None:
    with pytest.raises(InputError, match="did you mean cycle_to_cycle"):
        get_preset("ideal").value("cycle_to_cycl")
    with pytest.raises(InputError, match="must be a number here"):
        get_preset("charge_trap").number("energy_per_pulse_j")


def test_numbers_of_numpy_are_numbers() -> None:
    for levels in (np.int64(500), np.float32(500)):
        assert get_device("charge_trap", {"levels": levels}).parameters["levels"].value == 500.0
    factors = list(np.full(21, 0.5, dtype=np.float32))
    preset = get_device("charge_trap_tunnelling", {"step_factors_up": factors})
    assert preset.parameters["step_factors_up"].value == (0.5,) * 21


def test_a_derived_number_is_sourced_as_what_it_comes_from() -> None:
    """The step of `ideal` follows from assumed levels, and the levels of `capacitor` from a fit."""
    assert get_preset("ideal").parameters["step"].assumption
    assert get_preset("capacitor").parameters["levels"].source
    assert get_preset("capacitor", {"step": 0.01}).parameters["levels"].assumption
