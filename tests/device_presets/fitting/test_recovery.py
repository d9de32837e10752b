"""Fits of simulated measurements recover the device that was simulated."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from device_presets import Preset, get_preset, preset_names
from device_presets.fitting import FittedDevice, fit_file
from device_presets.fitting.model.likelihood import mean_step
from device_presets.library.entry_writing import entries_text
from device_presets.library.preset_file import ParameterEntry, PresetEntry
from device_presets.pulsing.pulse_train import pulse_train
from rpu_ssnn.devices.fit_form import CONSTANT, LINEAR, PIECEWISE, SOFT_BOUNDS
from rpu_ssnn.devices.laws import LAWS
from support.device_presets.fits import ONE, ZERO, seeded_pulse_train, write_pulses
from support.device_presets.imperfect import without

NOISY_SOFT_BOUNDS = {"levels": 40, "cycle_to_cycle": 0.4, "write_noise": 1.5, "step_spread": 0.1}
# Steps fall toward bounds that differ between devices, and sweeps that end before the bounds do not
# determine the curvature of each device (docs/findings/fits.md).
LONG_SWEEPS = {"charge_trap_tunnelling": ({"levels": 600}, 1.8)}
BIDIRECTIONAL = [name for name in preset_names() if get_preset(name).bidirectional]


def step_curve(
    preset: Preset, weights: np.ndarray, up: bool, devices: int, seed: int = 0
) -> np.ndarray:
    """Returns mean steps at some weights, averaged over devices drawn with the spread; by default
    over just those that ``write_pulses`` measures."""
    noise_free = without(preset, noise=True)
    found = []
    for weight in weights:
        pulses = seeded_pulse_train(noise_free, devices, [up], float(weight), seed)
        inside = np.abs(pulses[0] - weight) < 1e-6
        found.append(float(np.abs(np.diff(pulses, axis=0))[0][inside].mean()))
    return np.array(found)


def drawn_step(preset: Preset, devices: int, seed: int = 0) -> float:
    """Returns the mean step at weight zero of drawn devices, in the direction of the larger step;
    by default of just those that ``write_pulses`` measures. A preset's ``step`` is the median where
    steps are log-normal. Bounds that are ten times as far away cut no step short."""
    wide = dict(preset.parameters)
    for name in ("w_max", "w_min", "levels"):
        wide[name] = replace(wide[name], value=10.0 * preset.number(name))
    noise_free = without(replace(preset, parameters=wide), noise=True)
    moves = [seeded_pulse_train(noise_free, devices, [up], 0.0, seed) for up in (True, False)]
    return float(max(np.abs(np.diff(move, axis=0)).mean() for move in moves))


def saved(fit: FittedDevice, folder: Path) -> Preset:
    fit.save(folder / "mine.yaml", folder / "mine.png")
    return get_preset(str(folder / "mine.yaml"))


@pytest.mark.parametrize(
    ("code", "shape", "name", "overrides"),
    [
        (CONSTANT, (), "ideal", {}),
        (LINEAR, (0.3, 0.4), "charge_trap", {"slope_up": 0.3, "slope_down": 0.4}),
        (LINEAR, (-0.5, -0.2), "charge_trap", {"slope_up": -0.5, "slope_down": -0.2}),
        (SOFT_BOUNDS, (), "reram_sb", {"w_max": 1.0, "w_min": -1.0}),
    ],
)
def test_mean_steps_are_aihwkits(
    code: int, shape: tuple[float, ...], name: str, overrides: dict[str, float]
) -> None:
    """The fitted step functions agree with a tile, up to the scale at weight zero."""
    noise_free = without(get_preset(name, overrides), spread=True, noise=True)
    local = np.array([0.0, 0.0, 0.0, 0.0, 1.0, -1.0])
    for up in (True, False):
        for weight in (-0.7, 0.0, 0.5):
            on_tile = {
                w: float(np.ptp(pulse_train(noise_free, 1, [up], w, seed=0))) for w in (0.0, weight)
            }
            ours = mean_step(code, up, weight, local, np.array(shape))[0]
            zero = mean_step(code, up, 0.0, local, np.array(shape))[0]
            assert ours / zero == pytest.approx(on_tile[weight] / on_tile[0.0], rel=0.01)


def test_a_piecewise_step_is_aihwkits(tmp_path: Path) -> None:
    values: dict[str, float | tuple[float, ...]] = dict.fromkeys(
        ("w_max_spread", "w_min_spread", "step_spread", "asymmetry_spread", "asymmetry"), 0.0
    )
    values |= {"step": 0.02, "w_max": 1.0, "w_min": -1.0, "cycle_to_cycle": 0.0}
    values["step_factors_up"] = (1.5, 1.2, 1.0, 0.9, 0.3)
    values["step_factors_down"] = (0.3, 0.8, 1.0, 1.1, 1.2)
    shape = np.log([1.5, 1.2, 0.9, 0.3, 0.3, 0.8, 1.1, 1.2])
    law, told = LAWS["piecewise"], {"technology": "test", "description": "test", "citation": "test"}
    stated = {n: ParameterEntry.of(law, n, v, source="test") for n, v in values.items()}
    entry = PresetEntry(law="piecewise", parameters=stated, **told)
    file = tmp_path / "test.yaml"
    file.write_text(entries_text({"test": entry}, ("made by a test",)))
    preset = get_preset(str(file))
    local = np.array([0.0, 0.0, 0.0, 0.0, 1.0, -1.0])
    for up in (True, False):
        for weight in (-0.7, -0.25, 0.0, 0.6):
            step = float(np.ptp(pulse_train(preset, 1, [up], weight, seed=0)))
            ours = mean_step(PIECEWISE, up, weight, local, shape)[0]
            assert ours * 0.02 == pytest.approx(step, rel=2e-3)


def test_a_linear_device_comes_back(tmp_path: Path) -> None:
    preset = get_preset("ecram", {"levels": 80})
    file = write_pulses(tmp_path / "data.csv", preset, 6, 130)
    fit = fit_file(file, "mine", weight_zero=1e6 * ZERO, weight_one=1e6 * ONE)
    assert fit.verdict.describes
    assert fit.selection.chosen.model.code == LINEAR
    truths = {
        "step": 0.025,
        "cycle_to_cycle": 0.3,
        "nonlinearity down": 0.5085,
        "step_spread": 0.1,
        "w_max": 1.1724,
        "w_min": -0.8276,
    }
    assert not outside_widened(fit, truths)
    mine = saved(fit, tmp_path)
    assert mine.law.name == "linear"
    assert mine.step == pytest.approx(0.025, rel=0.2)
    assert mine.device().gamma_down == pytest.approx(0.5085, abs=0.15)
    told = mine.parameters["cycle_to_cycle"].source
    assert told.startswith("data.csv, column conductance_uS: fit of the model linear")
    assert "95 % interval" in told


def outside_widened(fit: FittedDevice, truths: dict[str, float]) -> list[str]:
    """Returns numbers that have no 95 % interval, or whose interval does not hold the truth even if
    widened by half on either side, since one draw in twenty lies outside."""
    quantities = {q.name: q for q in fit.quantities}
    missed = []
    for name, truth in truths.items():
        low, high = quantities[name].low, quantities[name].high
        if low is None or high is None:
            missed.append(f"{name}: no interval")
        elif not low - (high - low) / 2 <= truth <= high + (high - low) / 2:
            missed.append(f"{name}: {low} to {high}, not {truth}")
    return missed


@pytest.mark.slow
def test_soft_bounds_under_read_noise_come_back(tmp_path: Path) -> None:
    """There is read noise of 1.5 steps and cycle noise of 0.4, with 40 states, eight devices whose
    bounds spread by 30 %, and three cycles of 80 pulses each way. The model must be right, and each
    number within its 95 % interval widened by half on either side."""
    preset = get_preset("reram_sb", {**NOISY_SOFT_BOUNDS, "w_max_spread": 0.3, "w_min_spread": 0.3})
    file = write_pulses(tmp_path / "data.csv", preset, 8, 80, 3)
    fit = fit_file(file, "mine", weight_zero=1e6 * ZERO, weight_one=1e6 * ONE)
    assert fit.verdict.describes, fit.verdict
    assert fit.selection.chosen.model.code == SOFT_BOUNDS
    truths = {
        "step": preset.step,
        "w_max": 1.25,
        "w_min": -0.75,
        "cycle_to_cycle": 0.4,
        "write_noise": 1.5,
        "step_spread": 0.1,
        "w_max_spread": 0.3,
        "w_min_spread": 0.3,
    }
    assert not outside_widened(fit, truths)
    mine = saved(fit, tmp_path)
    assert mine.law.name == "soft_bounds_reference"
    assert mine.number("write_noise") * mine.step == pytest.approx(1.5 * preset.step, rel=0.2)


@pytest.mark.slow
def test_models_that_data_do_not_tell_apart_are_named(tmp_path: Path) -> None:
    """With six devices, one cycle and bounds that spread by 10 %, a linear step often predicts as
    well. The choice varies between data sets: soft bounds were marked in 27 of 30, another model
    beside the chosen one in 21, and the read noise was right in 29."""
    preset = get_preset("reram_sb", {**NOISY_SOFT_BOUNDS, "w_max_spread": 0.1, "w_min_spread": 0.1})
    with_soft_bounds, with_others, right = 0, 0, 0
    for seed in range(5):
        file = write_pulses(tmp_path / "data.csv", preset, 6, 80, seed=seed)
        fit = fit_file(file, "mine", weight_zero=1e6 * ZERO, weight_one=1e6 * ONE)
        marked = [name for name in fit.models()["model"] if name[:2] in ("* ", "= ")]
        assert sum(name.startswith("* ") for name in marked) == 1
        with_soft_bounds += any("soft bounds" in name for name in marked)
        with_others += len(marked) > 1
        right += not outside_widened(fit, {"write_noise": 1.5})
    assert with_soft_bounds >= 3
    assert with_others > 0
    assert right >= 4


@pytest.mark.slow
def test_hfo2_comes_back(tmp_path: Path) -> None:
    """The device has four states, steps that spread by 71 % and read noise of half a step; 40
    devices get 8 sweeps of 12 pulses each way. Some devices hardly move, so that their likelihood
    has no smooth maximum."""
    preset = get_preset("hfo2")
    file = write_pulses(tmp_path / "data.csv", preset, 40, 12, 8)
    fit = fit_file(file, "mine", weight_zero=1e6 * ZERO, weight_one=1e6 * ONE)
    assert fit.verdict.describes, fit.verdict
    assert fit.selection.chosen.model.code == SOFT_BOUNDS
    names = ("step", "w_max", "w_min", "cycle_to_cycle", "write_noise")
    spreads = ("step_spread", "w_max_spread", "w_min_spread")
    truths = {name: preset.number(name) for name in (*names, *spreads)}
    assert not outside_widened(fit, truths)


@pytest.mark.slow
def test_the_noise_of_reram_sb_comes_back(tmp_path: Path) -> None:
    """The shipped device has soft bounds, 3.75 steps of noise per pulse, and 56 steps per reading.

    Eight devices get one sweep of 1,250 pulses each way. Soft bounds are distinguished from
    piecewise, power and exponential steps, but not always from a linear step that ends beyond the
    measured range. Both noises are recovered within 15 %, and the step within 15 % of the mean of
    these eight (they spread by 30 %). The means of the bounds are not checked, since the preset's
    spread of 24 and 40 % leaves them uncertain by 9 and 14 %.
    """
    preset = get_preset("reram_sb")
    file = write_pulses(tmp_path / "data.csv", preset, 8, 1250)
    fit = fit_file(file, "mine", weight_zero=1e6 * ZERO, weight_one=1e6 * ONE)
    marked = {score.model.name for score in fit.selection.as_good}
    assert "soft bounds, constant noise" in marked
    linear = {"linear, constant noise", "linear, one slope, constant noise"}
    assert marked <= {"soft bounds, constant noise", *linear}
    assert fit.verdict.describes, fit.verdict
    mine = saved(fit, tmp_path)
    assert mine.step == pytest.approx(drawn_step(preset, 8), rel=0.15)
    assert mine.cycle_to_cycle == pytest.approx(preset.cycle_to_cycle, rel=0.15)
    assert mine.number("write_noise") * mine.step == pytest.approx(0.112, rel=0.15)


def test_one_device_says_what_could_not_be_known(tmp_path: Path) -> None:
    file = write_pulses(tmp_path / "data.csv", get_preset("capacitor", {"levels": 60}), 1, 90)
    fit = fit_file(file, "mine")
    spreads = [q for q in fit.quantities if q.name.endswith("_spread")]
    assert spreads
    for quantity in spreads:
        assert quantity.value is None
        assert "fewer than two devices" in quantity.note
    step_spread = saved(fit, tmp_path).parameters["step_spread"]
    assert "fewer than two devices" in str(step_spread.assumption)


def test_pulses_in_one_direction_give_a_one_directional_preset(tmp_path: Path) -> None:
    preset = get_preset("pcm", {"levels": 60})
    weights = pulse_train(preset, 4, [True] * 40, None, seed=0)
    lines = ["pulse,device,polarity,conductance_uS"]
    lines += [
        f"{k},{d},up,{2 + 5 * max(w, 0)}"
        for k, row in enumerate(weights)
        for d, w in enumerate(row)
    ]
    file = tmp_path / "up.csv"
    file.write_text("\n".join(lines))
    fit = fit_file(file, "mine")
    mine = saved(fit, tmp_path)
    assert not mine.bidirectional
    assert {q.name: q.value for q in fit.quantities}["asymmetry"] is None
    for name in ("asymmetry", "asymmetry_spread"):
        assert mine.parameters[name].source is None
        assert "no down pulses" in str(mine.parameters[name].assumption)


@pytest.mark.slow
@pytest.mark.parametrize("name", BIDIRECTIONAL)
def test_every_shipped_device_comes_back(name: str, tmp_path: Path) -> None:
    """Fits of pulses on native devices, with spread and noise, find the drawn devices' mean steps
    in the inner range within a quarter plus the uncertainty from spread and noise, find the noise
    within a third, and judge that the fit describes the data."""
    overrides, windows = LONG_SWEEPS.get(name, ({}, 1.3))
    preset = get_preset(name, overrides)
    if preset.levels > 1500:  # With sweeps over all levels, 20,000 pulses allow only one device.
        preset = get_preset(name, {"levels": 600})
    # A fit uses 20,000 pulses; with few levels there are more devices and cycles.
    pulses = min(max(math.ceil(windows * preset.levels), 12), 1250)
    devices = max(8, min(40, 20_000 // (2 * pulses)))
    cycles = max(1, min(8, 20_000 // (2 * pulses * devices)))
    file = write_pulses(tmp_path / "data.csv", preset, devices, pulses, cycles)
    fit = fit_file(file, "mine", weight_zero=1e6 * ZERO, weight_one=1e6 * ONE)
    assert fit.verdict.describes, fit.verdict
    mine = saved(fit, tmp_path)
    seen = fit.population.device().local
    weights = np.linspace(0.6 * seen[5], 0.6 * seen[4], 4)
    for up in (True, False):
        ours = step_curve(mine, weights, up, devices=3000, seed=5)
        theirs = step_curve(preset, weights, up, devices)
        spread = preset.number("step_spread") * theirs.mean() / math.sqrt(devices)
        # The factor 1.5 is the loss of precision of a straight line at 0.6 of the range.
        scatter = preset.cycle_to_cycle * theirs.mean() / math.sqrt(devices * pulses * cycles)
        slack = 0.25 * theirs.mean() + 2.5 * math.hypot(spread, 1.5 * scatter)
        np.testing.assert_allclose(ours, theirs, atol=slack)
    theirs_noise = preset.cycle_to_cycle * drawn_step(preset, devices)
    ours_noise = mine.cycle_to_cycle * drawn_step(mine, 3000, seed=5)
    assert ours_noise == pytest.approx(theirs_noise, rel=0.35, abs=1e-6)
    if "write_noise" in preset.parameters and preset.number("write_noise") > 0:
        ours_write = mine.number("write_noise") * mine.step
        assert ours_write == pytest.approx(preset.number("write_noise") * preset.step, rel=0.2)
