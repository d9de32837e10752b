"""Presets measured on real aihwkit tiles, one pulse at a time."""

import math

import numpy as np
import pytest
import torch
from aihwkit.simulator.configs import SingleRPUConfig
from aihwkit.simulator.tiles.analog import AnalogTile

from device_presets import get_preset, preset_names, pulse_response
from rpu_ssnn.common.errors import InputError

NOISE_FREE = dict.fromkeys(
    ("cycle_to_cycle", "step_spread", "asymmetry_spread", "w_max_spread", "w_min_spread"), 0
)
NOISE_FREE_LINEAR = NOISE_FREE | {"slope_up_spread": 0, "slope_down_spread": 0}


def test_ideal_moves_by_exactly_one_step_a_pulse_from_bound_to_bound_and_back() -> None:
    ideal = get_preset("ideal")
    table = pulse_response(ideal, n_devices=2)
    assert list(table.columns) == ["device", "pulse", "polarity", "weight"]
    assert len(table) == 2 * 2400
    for _, device in table.groupby("device"):
        weights = np.concatenate([[-1.0], device["weight"].to_numpy()])
        changes = np.diff(weights)
        assert (device["polarity"].to_numpy() == ["up"] * 1200 + ["down"] * 1200).all()
        np.testing.assert_allclose(changes[:1199], ideal.step, atol=1e-6)
        np.testing.assert_allclose(changes[1200:2399], -ideal.step, atol=1e-6)
        assert weights[1200] == pytest.approx(1.0, abs=1e-4)
        assert weights[2400] == pytest.approx(-1.0, abs=1e-4)


@pytest.mark.parametrize("name", preset_names())
def test_each_update_is_a_pulse_on_every_device(name: str) -> None:
    """aihwkit's pulse probability must not thin the pulses (as it would for ExpStepDevice)."""
    constant = get_preset(name).law.name == "constant"
    off = {"cycle_to_cycle": 0} | ({} if constant else {"write_noise": 0})
    preset = get_preset(name, off)
    weights = pulse_response(preset, n_devices=20, n_up=4, n_down=0)
    per_device = weights.pivot(index="pulse", columns="device", values="weight").to_numpy()
    below = per_device < per_device.max(axis=0)  # A saturated device rightly stays where it is.
    assert below.any(axis=0).sum() > 10, "most of the twenty move"
    assert (np.diff(per_device, axis=0)[below[:-1]] > 0).all()


def test_spread_follows_the_seed_and_noise_is_only_where_it_should_be() -> None:
    preset = get_preset("charge_trap", {"cycle_to_cycle": 0})
    first, again, other = (pulse_response(preset, n_up=5, n_down=0, seed=s) for s in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)
    assert first[first["pulse"] == 1]["weight"].nunique() == 8


def test_failed_devices_stand_still_near_zero() -> None:
    preset = get_preset("ideal", {"failed_share": 0.25, "failed_range": 0.05})
    table = pulse_response(preset, n_devices=400, n_up=10, n_down=0)
    weights = table.pivot(index="pulse", columns="device", values="weight").to_numpy()
    still = np.ptp(weights, axis=0) == 0
    assert still.mean() == pytest.approx(0.25, abs=0.07)
    assert np.abs(weights[0, still]).max() <= 0.05
    assert np.abs(weights[0, ~still]).min() > 0.9


def test_the_leak_follows_its_time_constant_on_a_tile() -> None:
    noise_free = NOISE_FREE_LINEAR | {"leak_time_constant_spread": 0}
    device = get_preset("capacitor", noise_free).device(seconds_between_steps=20.0)
    tile = AnalogTile(1, 1, SingleRPUConfig(device=device), bias=False)
    tile.set_weights(torch.full((1, 1), 0.8))
    for _ in range(100):
        tile.decay_weights()
    assert tile.get_weights()[0].item() == pytest.approx(0.8 * math.exp(-1), rel=1e-3)


def test_default_pulse_count_is_the_levels_capped() -> None:
    table = pulse_response(get_preset("hfo2"), n_devices=1)
    assert (table["polarity"] == "up").sum() == 5
    table = pulse_response(get_preset("ecram_mo"), n_devices=1, n_down=0)
    assert len(table) == 2000


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("pcm", {"n_down": 5}, "pcm: n_down: 5 is not allowed; must be 0: pulses crystallise"),
        ("ideal", {"n_devices": 0}, "n_devices: 0 is not allowed; must be a whole number, 1 or "),
        ("ideal", {"n_up": -1}, "n_up: -1"),
        ("ideal", {"seed": -1}, "seed: -1"),
        ("ideal", {"n_up": 1.5}, "n_up: 1.5"),
    ],
)
def test_impossible_measurements(name: str, arguments: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        pulse_response(get_preset(name), **arguments)
