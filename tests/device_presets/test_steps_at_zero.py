"""The formulas of the mean step, against pulses on a tile."""

import pytest

from device_presets import get_preset, preset_names
from device_presets.steps_at_zero import asymmetry_of, mean_steps_at_zero
from support.tile_steps import steps_at_zero


@pytest.mark.parametrize("name", preset_names())
def test_the_formula_is_the_step_on_a_tile(name: str) -> None:
    preset = get_preset(name)
    expected = steps_at_zero(preset)
    assert mean_steps_at_zero(preset) == pytest.approx(expected, rel=2e-5, nan_ok=True)


@pytest.mark.parametrize("asymmetry", [-0.3, 0.2])
@pytest.mark.parametrize("name", ["charge_trap", "reram_es", "capacitor"])
def test_asymmetry_shrinks_one_direction(name: str, asymmetry: float) -> None:
    preset = get_preset(name, {"asymmetry": asymmetry})
    assert mean_steps_at_zero(preset) == pytest.approx(steps_at_zero(preset), rel=2e-5)


@pytest.mark.parametrize("asymmetry", [-0.3, 0.0, 0.2])
def test_asymmetry_of_the_steps_is_the_parameter(asymmetry: float) -> None:
    steps = mean_steps_at_zero(get_preset("ideal", {"asymmetry": asymmetry}))
    assert asymmetry_of(*steps) == pytest.approx(asymmetry)
