"""Compares the formulas of the mean step with pulses on a tile."""

import math

import numpy as np
import pytest

from device_presets import get_device, get_preset, preset_names
from device_presets.library.steps_at_zero import (
    asymmetry_at_zero,
    asymmetry_of,
    mean_steps,
    noise_at_zero,
    shrinkage_at_bounds,
    states_at_zero,
)
from device_presets.pulsing.pulse_train import pulse_train
from rpu_ssnn.common.errors import InputError
from support.device_presets.imperfect import without
from support.device_presets.tile_steps import steps_at, steps_at_zero


@pytest.mark.parametrize("share", [-0.5, 0.0, 0.5])
@pytest.mark.parametrize("name", preset_names())
def test_the_formula_is_the_step_on_a_tile(name: str, share: float) -> None:
    preset = get_preset(name)
    weight = share * (preset.w_max if share > 0 else -preset.w_min)
    expected = steps_at(preset, weight)
    # A step is the difference of two weights in single precision.
    near = 2e-7 * abs(weight)
    steps = mean_steps(preset, weight)
    assert steps == pytest.approx(expected, rel=2e-5, abs=near, nan_ok=True)


def test_linear_steps_shrink_by_the_slopes() -> None:
    assert shrinkage_at_bounds(get_preset("ecram")) == pytest.approx((0.1153, 0.5085))


@pytest.mark.parametrize("asymmetry", [-0.3, 0.2])
@pytest.mark.parametrize("name", ["charge_trap", "reram_es", "capacitor"])
def test_asymmetry_shrinks_one_direction(name: str, asymmetry: float) -> None:
    preset = get_preset(name, {"asymmetry": asymmetry})
    assert mean_steps(preset) == pytest.approx(steps_at_zero(preset), rel=2e-5)


@pytest.mark.parametrize("width_s", [2e-6, 1e-5])
def test_a_pulse_of_another_width_makes_another_step(width_s: float) -> None:
    preset = get_preset("charge_trap_pulsed", {"pulse_width_s": width_s})
    assert mean_steps(preset) == pytest.approx(steps_at_zero(preset), rel=2e-5)
    assert states_at_zero(preset)[0] == pytest.approx(2.0 / steps_at_zero(preset)[0], rel=1e-3)


@pytest.mark.parametrize("weight", [0.0, 0.3])
@pytest.mark.parametrize("subtracted", [True, False])
def test_a_reference_shifts_the_weight_a_step_is_made_at(subtracted: bool, weight: float) -> None:
    """If its symmetry point is subtracted, a device has equal steps at weight zero."""
    for asymmetry, reference in ((0.5, 0.0), (-0.3, 0.0), (0.0, 0.3), (0.5, -0.2)):
        device = get_device(
            "hfo2",
            {
                "levels": 100,
                "asymmetry": asymmetry,
                "reference": reference,
                "subtract_symmetry_point": subtracted,
            },
        )
        assert mean_steps(device, weight) == pytest.approx(steps_at(device, weight), rel=3e-5)


@pytest.mark.parametrize("asymmetry", [-0.3, 0.0, 0.2])
def test_asymmetry_of_the_steps_is_the_parameter(asymmetry: float) -> None:
    steps = mean_steps(get_preset("ideal", {"asymmetry": asymmetry}))
    assert asymmetry_of(*steps) == pytest.approx(asymmetry)


def test_a_device_without_a_step_at_zero_has_no_error() -> None:
    still = get_preset("reram_es", {"A_up": 1.0, "gamma_up": 0.0, "A_down": 1.0, "gamma_down": 0.0})
    assert states_at_zero(still) == (math.inf, math.inf)
    assert asymmetry_at_zero(still) == 0.0
    assert all(math.isnan(share) for share in shrinkage_at_bounds(still))


@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        ("capacitor", {}),
        ("charge_trap_pulsed", {"pulse_width_s": 1e-5}),
        ("reram_es", {"cycle_to_cycle": 0.1, "asymmetry": 0.4}),
        ("hfo2", {"levels": 100, "asymmetry": 0.5}),
        ("reram_sb", {"reference": 0.5, "cycle_to_cycle": 0.1}),
        ("pcm", {"cycle_to_cycle": 0.2}),
    ],
)
def test_the_formula_of_the_noise_is_that_on_a_tile(name: str, overrides: dict[str, float]) -> None:
    preset = get_preset(name, overrides)
    quiet = {"write_noise": 0.0} if "write_noise" in preset.parameters else {}
    alike = without(get_preset(name, overrides | quiet), spread=True)
    for up, step, noise in zip((True, False), mean_steps(alike), noise_at_zero(alike), strict=True):
        if math.isnan(step):
            assert math.isnan(noise)
            continue
        moves = np.diff(pulse_train(alike, 20_000, [up], 0.0, 0), axis=0)
        assert moves.std() / step == pytest.approx(noise, rel=0.04)


def test_soft_bounds_less_a_reference_have_no_step_at_their_bounds() -> None:
    for overrides in ({"reference": 0.5}, {"asymmetry": 0.5, "subtract_symmetry_point": True}):
        preset = get_preset("reram_sb", overrides)
        assert shrinkage_at_bounds(preset) == pytest.approx((1.0, 1.0))


def test_soft_bounds_are_the_linear_law_with_slopes_of_one() -> None:
    soft = get_preset("reram_sb")
    for weight in (-0.7, 0.0, 0.9):
        linear = get_preset("reram_sb", {"slope_up": 1.0, "w_max_spread": 0.1})
        assert mean_steps(linear, weight) == pytest.approx(mean_steps(soft, weight))
        flat = mean_steps(get_preset("reram_sb", {"slope_up": 0.0, "slope_down": 0.0}), weight)
        assert flat == pytest.approx(mean_steps(soft))
    with pytest.raises(InputError, match=r"slope_up: 0.5 .*as the reference .* holds weight 0.2"):
        get_device("SoftBoundsReferenceDevice(reference_mean=0.2)", {"slope_up": 0.5})
