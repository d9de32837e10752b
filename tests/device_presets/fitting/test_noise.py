"""Fitted noise is that of the devices; the numbers fitted to each device do not reduce it."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from device_presets import get_preset
from device_presets.fitting.model.effects import LEAK
from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.maximum_likelihood import fit_model
from device_presets.fitting.model.preparation import (
    LEAST_READ_NOISE,
    Prepared,
    prepare,
    with_read_noise,
    without_read_noise,
)
from device_presets.fitting.model.selection import select_model
from device_presets.fitting.model.uncertainty import uncertainty, with_unbiased_noise
from device_presets.fitting.reading.measurement import read_measurement
from device_presets.fitting.results.population import Population
from device_presets.fitting.results.quantities import report
from rpu_ssnn.devices.fit_form import CONSTANT, LINEAR, PIECEWISE, SOFT_BOUNDS
from rpu_ssnn.devices.laws import FIT_FORMS
from support.device_presets.fits import ONE, ZERO, write_pulses

STEP, CYCLE = 0.02, 0.4


def measured(
    file: Path, way: np.ndarray, states: list[np.ndarray], read_noise: float, seed: int
) -> Prepared:
    """Returns devices that receive the pulses `way`, read after each with this noise (weights)."""
    rng, rows = np.random.default_rng(seed), []
    for device, state in enumerate(states):
        weight = state + read_noise * rng.standard_normal(len(state))
        rows.append(
            pd.DataFrame(
                {
                    "device": device,
                    "pulse": np.arange(len(weight)),
                    "polarity": np.where(np.concatenate([[1.0], way]) > 0, "up", "down"),
                    "conductance_uS": 1e6 * (ZERO + (ONE - ZERO) * weight),  # in uS
                }
            )
        )
    pd.concat(rows).to_csv(file, index=False)
    prepared = prepare(read_measurement(file), ZERO, ONE)
    assert prepared.noisy == (read_noise > 0)
    return prepared


def fitted(prepared: Prepared, code: int) -> JointFit:
    model = next(m for m in FIT_FORMS if m.code == code and m.additive)
    return fit_model(prepared, model)


def constant_steps(
    folder: Path, rng: np.random.Generator, devices: int, pulses: int, read_noise: float
) -> JointFit:
    """Fits the constant step to devices that have it; their sweeps never reach a bound."""
    way = np.tile(np.repeat([1.0, -1.0], 40), pulses // 80)
    states = []
    for _ in range(devices):
        steps = STEP * (way + CYCLE * rng.standard_normal(len(way)))
        states.append(np.concatenate([[0.0], np.cumsum(steps)]))
    noise, seed = read_noise * STEP, int(rng.integers(2**32))
    return fitted(measured(folder / "data.csv", way, states, noise, seed), CONSTANT)


def soft_bounds(
    file: Path, seed: int, devices: int, pulses: int, cycle: float, read_noise: float
) -> JointFit:
    """Fits soft bounds to devices that have them, in one sweep up and down, like `reram_sb`."""
    rng, step = np.random.default_rng(seed), 0.002
    way, states = np.repeat([1.0, -1.0], pulses), []
    for _ in range(devices):
        own = step * (1 + 0.3 * rng.standard_normal())
        high = 1.25 * (1 + 0.24 * rng.standard_normal())
        low = -0.75 * (1 + 0.4 * rng.standard_normal())
        state = [0.0]
        for up in way > 0:
            move = own * (1 - state[-1] / high) if up else -own * (1 - state[-1] / low)
            moved = state[-1] + move + cycle * own * rng.standard_normal()
            state.append(min(max(moved, low), high))
        states.append(np.array(state))
    return fitted(measured(file, way, states, read_noise, seed + 1), SOFT_BOUNDS)


def unbiased(fit: JointFit) -> JointFit:
    return with_unbiased_noise(fit)[0]


def test_without_read_noise_it_is_a_number_fitted_less_a_pulse(tmp_path: Path) -> None:
    """This is the textbook's n - k: two steps are fitted to the 80 pulses of each device."""
    fit = constant_steps(tmp_path, np.random.default_rng(0), 8, 80, 0.0)
    change = unbiased(fit).shared[0] - fit.shared[0]
    assert change == pytest.approx(0.5 * np.log(80 / (80 - 2)), rel=0.25)


def test_noise_of_more_than_a_step_is_not_corrected_too_far(tmp_path: Path) -> None:
    """With noise of 1.8 steps, the noise tells more about a device's step than the mean change
    does. If steps are held fixed while the noise changes, the correction is eight times too
    large."""
    preset = get_preset("neurosim_alox_hfo2")
    file = write_pulses(tmp_path / "data.csv", preset, 20, 45, cycles=2)
    prepared = without_read_noise(prepare(read_measurement(file), ZERO, ONE))
    model = next(m for m in FIT_FORMS if m.code == LINEAR and m.shape and m.additive)
    fit = fit_model(prepared, model)
    change = unbiased(fit).shared[0] - fit.shared[0]
    assert 0.5 < change / (0.5 * np.log(90 / (90 - 1))) < 1.5


def test_under_read_noise_cycle_noise_is_not_taken_too_small(tmp_path: Path) -> None:
    """With 160 pulses per device and read noise of 1.5 steps, cycle noise shows only as slow
    wandering."""
    rng, plain, corrected = np.random.default_rng(1), [], []
    for _ in range(10):
        fit = constant_steps(tmp_path, rng, 10, 160, 1.5)
        plain.append(fit.shared[0])
        corrected.append(unbiased(fit).shared[0])
    truth, error = np.log(CYCLE), np.std(corrected, ddof=1) / np.sqrt(len(corrected))
    assert abs(np.mean(corrected) - truth) < 3 * error < 0.12
    assert np.mean(plain) < truth - 3 * error


def test_clipping_is_no_read_noise(tmp_path: Path) -> None:
    """Noise of 1.8 steps that bounds clip also makes neighbouring steps oppose each other."""
    preset = get_preset("neurosim_alox_hfo2")
    file = write_pulses(tmp_path / "data.csv", preset, 20, 45, cycles=2)
    prepared = prepare(read_measurement(file), ZERO, ONE)
    assert prepared.noisy
    linear = tuple(m for m in FIT_FORMS if m.code == LINEAR and m.shape and m.additive)
    chosen = select_model(prepared, linear).chosen.fit
    assert not chosen.prepared.noisy
    assert chosen.prepared.series.clips.mean() > 0.9
    noise = float(np.exp(chosen.shared[0]))
    assert noise == pytest.approx(preset.cycle_to_cycle, rel=0.15)


def standing(file: Path, devices: tuple[float, ...], read_noise: float) -> Prepared:
    """Returns devices of constant steps that stand at 10 uS for 30 pulses or more in each of four
    cycles, and in between at 30 uS, as far as they get.

    Args:
        devices: The up step of each device (uS); the down step is 0.4 uS.
        read_noise: The deviation of a reading (uS).
    """
    rng, rows = np.random.default_rng(11), []
    for device, up in enumerate(devices):
        state = 10.0
        for cycle in range(4):
            for number, step in enumerate(np.repeat([up, -0.4], 80)):
                state += step * (1 + 0.25 * rng.standard_normal())
                state = min(max(state, 10.0), 30.0)
                read = state + read_noise * rng.standard_normal()
                rows.append((device, cycle, number, "up" if step > 0 else "down", read))
    columns = ["device", "cycle", "pulse", "polarity", "conductance_uS"]
    pd.DataFrame(rows, columns=columns).to_csv(file, index=False)
    return prepare(read_measurement(file), 20e-6, 30e-6)


@pytest.mark.parametrize("share", [0.05, 0.12, 0.3])
def test_readings_that_scatter_at_a_hard_bound_are_read_noise(share: float, tmp_path: Path) -> None:
    """In a sweep that ends at a bound, neighbouring steps do not oppose each other on the whole.
    Without read noise, steps were found to shrink by 97 % toward bounds that were not seen."""
    prepared = standing(tmp_path / "data.csv", (0.44,), share * 0.42)
    models = tuple(m for m in FIT_FORMS if m.code in (CONSTANT, PIECEWISE))
    fit = select_model(prepared, models).chosen.fit
    assert fit.layout.model.code == CONSTANT
    assert fit.prepared.series.clips.all()
    np.testing.assert_allclose(np.exp(fit.shared[:2]), [0.25, share * 0.042], rtol=0.15)
    np.testing.assert_allclose(np.exp(fit.local[0, :2]), [0.044, 0.04], rtol=0.05)
    np.testing.assert_allclose(fit.local[0, 4:], [1.0, -1.0], atol=0.01)


def test_a_device_that_does_not_reach_a_bound_does_not_move_the_mean_bound(tmp_path: Path) -> None:
    prepared = without_read_noise(standing(tmp_path / "data.csv", (0.44, 0.2, 0.44), 0.0))
    population = Population(*with_unbiased_noise(fitted(prepared, CONSTANT)))
    np.testing.assert_array_equal(population.reached(True), [True, False, True])
    np.testing.assert_allclose(population.device().local[4:], [1.0, -1.0])
    note = next(q.note for q in report(population) if q.name == "w_max")
    assert "not reached by 1 of 3 devices" in note
    assert note.endswith("or the mean bound of the others if further out")


def test_a_read_noise_at_its_lower_limit_is_told_as_none(tmp_path: Path) -> None:
    """Its report used to be a write noise of 0.00005 steps."""
    quiet = without_read_noise(standing(tmp_path / "data.csv", (0.44,), 0.0))
    fit = fitted(with_read_noise(quiet), CONSTANT)
    assert 0 < math.exp(fit.shared[1]) < LEAST_READ_NOISE
    (noise,) = (q for q in report(Population(fit, uncertainty(fit))) if q.name == "write_noise")
    assert (noise.value, noise.interval) == (0.0, "-")
    assert noise.note.endswith("less than the readings resolve")


@pytest.mark.parametrize("seed", [5, 13])
def test_one_device_at_no_clear_top_does_not_decide_on_the_noise(seed: int, tmp_path: Path) -> None:
    """Read noise of 56 steps hides the bounds. One of the six devices may have its bound in either
    of two places, and this used to raise the noise by 65 and 58 %."""
    fit = soft_bounds(tmp_path / "data.csv", seed, 6, 800, cycle=3.75, read_noise=0.112)
    found = np.exp(unbiased(fit).shared[:2])
    np.testing.assert_allclose(found, [3.75, 0.112], rtol=0.15)


def test_a_device_that_leaks_to_its_bound_and_rests_there_is_not_quiet(tmp_path: Path) -> None:
    """At the bound only its readings scatter, which a leak explains."""
    rng, rows = np.random.default_rng(5), []
    for device in (0, 1):
        weight, time = -1.0, 0.0
        rows.append((device, 1, 0, time, weight))
        for cycle in (1, 2, 3):
            for way in (1, -1):
                short = np.where(rng.random(120) < 0.7, 0.01, 0.1)
                for number, wait in enumerate([*short, 0.1, 0.3, 1.0]):
                    weight, time = -1 + (weight + 1) * math.exp(-wait / 2.0), time + wait
                    if number < 120:
                        step = 0.03 * (1 - 0.5 * way * weight) * (1 + 0.4 * rng.normal())
                        weight = min(max(weight + way * step, -1.0), 1.0)
                    read = weight + 0.008 * rng.normal()
                    rows.append((device, cycle, way if number < 120 else 0, time, read))
    table = pd.DataFrame(rows, columns=["device", "cycle", "polarity", "time_s", "conductance_uS"])
    table["conductance_uS"] = 5 + 3 * table["conductance_uS"]
    table.to_csv(file := tmp_path / "leak.csv", index=False)
    prepared = prepare(read_measurement(file), None, None)
    few = tuple(model for model in FIT_FORMS if model.code in (CONSTANT, LINEAR))
    fit = select_model(prepared, few).chosen.fit
    assert fit.layout.effects.terms == (LEAK,)
    assert np.exp(fit.shared[0]) == pytest.approx(0.4, rel=0.1)


def test_read_noise_of_soft_bounds_is_not_taken_for_cycle_noise(tmp_path: Path) -> None:
    """A search that starts from too much cycle noise goes to a read noise of almost 0 on its way.
    From there it ended 31 log-units below the maximum."""
    rng = np.random.default_rng(14)
    way = np.tile(np.repeat([1.0, -1.0], 60), 4)
    states = []
    for low, high in ((-1.0, 1.0), (-1.1, 0.95), (-0.95, 1.1)):
        state = [low + 0.1]
        for up in way > 0:
            move = 0.05 * (high - state[-1] if up else low - state[-1])
            state.append(state[-1] + move + 0.02 * rng.standard_normal())
        states.append(np.array(state))
    fit = fitted(measured(tmp_path / "pulses.csv", way, states, 0.0125, seed=15), SOFT_BOUNDS)
    assert np.exp(fit.shared[1]) == pytest.approx(0.0125, rel=0.2)
