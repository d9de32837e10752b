"""Compares spreads between devices with statsmodels and with the closed form for equal variances,
and tests how errors of the shared numbers affect the means."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from device_presets.fitting.fit_file import fit_file
from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.maximum_likelihood import fit_model, refit
from device_presets.fitting.model.moments import fitted_to_moments
from device_presets.fitting.model.preparation import prepare
from device_presets.fitting.model.uncertainty import Uncertainty, resampled, uncertainty
from device_presets.fitting.reading.measurement import read_measurement
from device_presets.fitting.results.intervals import Quantity, as_far_as_determined, spread_interval
from device_presets.fitting.results.population import MeanDevice, Population
from device_presets.library.steps_at_zero import asymmetry_of
from rpu_ssnn.devices.fit_form import LINEAR, PIECEWISE
from rpu_ssnn.devices.laws import FIT_FORMS
from support.device_presets.fits import ONE, ZERO, file_of, sweeps


@pytest.mark.parametrize("seed", range(8))
def test_the_estimate_is_that_of_paule_and_mandel_in_statsmodels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    within = rng.uniform(0.01, 0.5, 12) ** 2
    values = rng.normal(1.0, np.hypot(0.3 * (seed > 1), np.sqrt(within)))
    theirs = combine_effects(values, within, method_re="iterated").tau2
    spread, _, _ = spread_interval(values, within, relative=False)
    assert spread**2 == pytest.approx(max(theirs, 0.0), rel=1e-4, abs=1e-6)


def test_a_cliff_of_the_likelihood_at_its_maximum_makes_no_error_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Corners of a piecewise step make such cliffs. Cycle noise of 0.18 ± 0.02 steps was once told
    as 0.177 to 0.181."""
    file = sweeps(tmp_path / "a.csv", 0, slow=0.0, cycle=1.0, pulses=100)
    form = next(m for m in FIT_FORMS if m.code == PIECEWISE)
    fit = fit_model(prepare(read_measurement(file), None, None), form)

    class Cliff:
        """A parabola of standard errors of 0.1, and a cliff of 0.1 log-units beside its top."""

        def __init__(self, *_: object) -> None:
            pass

        def __call__(self, shared: np.ndarray, local: np.ndarray) -> np.ndarray:
            moves = np.append(shared - fit.shared, local - fit.local)
            return np.array([-50.0 * moves @ moves - 0.1 * (moves[0] > 1e-9)])

    monkeypatch.setattr("device_presets.fitting.model.uncertainty.LogLikelihood", Cliff)
    assert uncertainty(fit).shared[0, 0] == pytest.approx(0.1**2, rel=0.2)


def test_the_interval_of_equal_variances_is_that_of_chi_squared() -> None:
    values = np.random.default_rng(5).normal(0.0, 1.0, 15)
    error = 0.04
    scatter = float(np.var(values, ddof=1))
    _, low, high = spread_interval(values, np.full(15, error), relative=False)
    for end, probability in ((low, 0.975), (high, 0.025)):
        quantile = float(stats.chi2.ppf(probability, 14)) / 14
        assert end**2 + error == pytest.approx(scatter / quantile, rel=1e-4)


def test_spreads_are_not_lessened_by_an_error_that_all_devices_share(tmp_path: Path) -> None:
    """There are twelve populations of eight devices whose steps spread by 6 %, at one end of their
    range. There the error of the common slope adds as much to each step as the device's noise."""
    (model,) = (m for m in FIT_FORMS if m.code == LINEAR and m.shape and m.additive)
    found = []
    for seed in range(12):
        file = sweeps(
            tmp_path / "a.csv", seed, slow=0.0, cycle=1.0, devices=8, spread=0.06, pulses=100
        )
        prepared = prepare(read_measurement(file), 41.2e-6, 51.2e-6)
        fit = fit_model(prepared, model)
        spreads = Population(fit, uncertainty(fit)).spreads()
        found.append(next(q.value for q in spreads if q.name == "step_spread"))
    assert np.sqrt(np.mean(np.square(found))) == pytest.approx(0.06, rel=0.12)


def test_two_devices_give_no_interval_of_a_spread(tmp_path: Path) -> None:
    """An interval was shown if both were alike by chance: of those shown, 72 % held a spread of 0.1
    and 69 % one of 0.3."""
    file = sweeps(tmp_path / "a.csv", 0, slow=0.0, cycle=0.3, devices=2, spread=0.01, pulses=60)
    prepared = prepare(read_measurement(file), 41.2e-6, 51.2e-6)
    fit = fit_model(prepared, next(m for m in FIT_FORMS if m.code == LINEAR and m.shape))
    spreads = Population(fit, uncertainty(fit)).spreads()
    assert {q.interval for q in spreads if q.value is not None} == {"not determined"}


def test_an_error_of_the_shared_slope_moves_all_devices(tmp_path: Path) -> None:
    """The numbers of a device follow a changed slope as `response` predicts, and the error of the
    mean asymmetry includes that.

    The four devices are copies of one, so their scatter carries no information.
    """
    file = sweeps(tmp_path / "a.csv", 1, slow=0.0, cycle=1.0, white=1.0, pulses=200)
    one = pd.read_csv(file)
    pd.concat([one.assign(device=k) for k in range(4)]).to_csv(file, index=False)
    prepared = prepare(read_measurement(file), ZERO, ONE)
    (model,) = (m for m in FIT_FORMS if m.code == LINEAR and m.shape and m.additive)
    fit = fit_model(prepared, model)
    errors = uncertainty(fit)
    slope = len(fit.shared) - 2
    moved = fit.shared.copy()
    moved[slope] += 0.5 * np.sqrt(errors.shared[slope, slope])
    none_free = replace(fit.layout, shared_free=np.zeros_like(fit.layout.shared_free))
    at, beside = (
        refit(replace(fit, layout=none_free, shared=shared)).local[:, :2]
        for shared in (fit.shared, moved)
    )
    expected = errors.response[:, :2, slope] * (moved[slope] - fit.shared[slope])
    np.testing.assert_allclose(beside - at, expected, rtol=0.1, atol=2e-4)

    def asymmetry(device: MeanDevice) -> float:
        return asymmetry_of(*np.exp(device.local[:2]))

    def width(found: Uncertainty) -> float:
        told = Population(fit, found).quantity("asymmetry", "step", asymmetry)
        return told.high - told.low

    without = replace(errors, response=np.zeros_like(errors.response))
    assert width(without) < 0.01 < width(errors)


def test_cycles_drawn_anew_leave_the_spread_of_devices_in_the_interval(tmp_path: Path) -> None:
    """Identical draws mean that cycles cause no uncertainty, but the devices still differ."""
    file = sweeps(tmp_path / "a.csv", 0, slow=0.0, cycle=0.3, devices=6, spread=0.1, pulses=60)
    prepared = prepare(read_measurement(file), 41.2e-6, 51.2e-6)
    fit = fit_model(prepared, next(m for m in FIT_FORMS if m.code == LINEAR and m.shape))
    population = Population(fit, uncertainty(fit), [fit] * 20)
    step = population.quantity(
        "step up", "weight", lambda device: population.step_at(device, True, 0.0)
    )
    error = stats.sem(np.exp(fit.local[:, 0]))
    assert (step.high - step.low) / 2 == pytest.approx(stats.t.ppf(0.975, 5) * error, rel=0.01)


def test_the_mean_curve_of_a_single_cycle_does_not_show_its_error(tmp_path: Path) -> None:
    rng, up = np.random.default_rng(0), np.tile(np.repeat([True, False], 20), 2)
    steps = np.where(up, 1.0, -1.0) * (1 + 0.1 * rng.standard_normal(len(up)))
    path = 50 + np.concatenate([[0.0], np.cumsum(steps)])
    for pulses, draws in ((40, 0), (80, 20)):
        measurement = read_measurement(file_of(tmp_path / "a.csv", path[: pulses + 1], up[:pulses]))
        prepared = prepare(measurement, None, None)
        fit = fitted_to_moments(fit_model(prepared, FIT_FORMS[0]), prepared.everything)
        again = resampled(fit)
        assert len(again) == draws
        population = Population(fit, uncertainty(fit), again)
        step = as_far_as_determined(population.quantity("step", "weight", population.step))
        assert step.determined == bool(draws)


@pytest.mark.parametrize("cycles", [2, 3, 6])
def test_intervals_from_few_cycles_hold_the_truth(cycles: int, tmp_path: Path) -> None:
    """The level of each cycle is off by a normal number, and each draw by the mean of those drawn.
    With the scatter and the degrees of freedom of the 20 draws, 79 % and 86 % held the truth."""
    rng, up = np.random.default_rng(0), np.tile(np.repeat([True, False], 20), cycles)
    steps = np.where(up, 1.0, -1.0) * (1 + 0.1 * rng.standard_normal(len(up)))
    path = 50 + np.concatenate([[0.0], np.cumsum(steps)])
    prepared = prepare(read_measurement(file_of(tmp_path / "a.csv", path, up)), None, None)
    fit = fit_model(prepared, FIT_FORMS[0])
    errors, held = uncertainty(fit), []

    def off_by(error: float) -> JointFit:
        return replace(fit, local=fit.local + 0.01 * error * np.eye(6)[4])

    for _ in range(400):
        level = rng.normal(size=cycles)
        means = rng.multinomial(cycles, np.full(cycles, 1 / cycles), size=20) @ level / cycles
        population = Population(off_by(level.mean()), errors, [off_by(mean) for mean in means])
        bound = population.quantity("w_max", "weight", lambda device: float(device.local[4]))
        held.append(bound.low < fit.local[0, 4] < bound.high)
    assert 0.92 < np.mean(held) < 0.98


@pytest.mark.parametrize(("name", "value"), [("w_max", 1.2), ("w_min", -1.2)])
def test_a_bound_that_may_be_anywhere_is_not_determined(name: str, value: float) -> None:
    quantity = as_far_as_determined(Quantity(name, value, -165.0, 168.0, "weight"))
    assert (quantity.interval, quantity.value) == ("not determined", value)
    told = as_far_as_determined(Quantity(name, value, value - 0.5, value + 0.5, "weight"))
    assert told.interval == f"{value - 0.5:.4g} to {value + 0.5:.4g}"


@pytest.mark.parametrize("top", [0.6, 1.0])
def test_a_bound_that_only_places_nodes_of_a_step_is_no_bound(top: float, tmp_path: Path) -> None:
    """Steps fall exponentially. Sweeps end at about 0.85, unless the device stops before.

    A bound just above the last readings had an interval of 1 % then.
    """
    rng, path = np.random.default_rng(0), [0.2]
    up = np.tile(np.repeat([True, False], 80), 4)
    for rises in up:
        step = 0.02 * np.exp(-1.6 * (path[-1] if rises else 1 - path[-1]))
        step *= (1 if rises else -1) * (1 + 0.2 * rng.standard_normal())
        path.append(float(np.clip(path[-1] + step, 0.0, top)))
    readings = 20 + 60 * (np.array(path) + 0.003 * rng.standard_normal(len(path)))
    prepared = prepare(read_measurement(file_of(tmp_path / "a.csv", readings, up)), None, None)
    fit = fit_model(prepared, next(m for m in FIT_FORMS if m.code == PIECEWISE))
    population = Population(fit, uncertainty(fit))
    assert population.reached(True).all()
    assert population.extrapolated(True) == (top == 1.0)


@pytest.mark.parametrize("pulses", [40, 300])
def test_pulses_up_show_no_lower_bound_and_the_fit_says_it(pulses: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    conductance = [12.0]
    for _ in range(pulses):
        step = 0.03 * (1.0 + 0.3 * rng.normal()) * (30.0 - conductance[-1])
        conductance.append(conductance[-1] + step)
    file = tmp_path / "a.csv"
    pd.DataFrame({"polarity": "up", "conductance_uS": conductance}).to_csv(file, index=False)
    fitted = fit_file(file, "mine")
    quantities = {q.name: q for q in fitted.quantities}
    assert quantities["w_min"].low is None
    assert "not reached" in quantities["w_min"].note
    assert quantities["states"].note.startswith("a lower limit")
    told = " ".join(fitted.remarks)
    assert "The file has no down pulses, so steps down were not measured" in told
    assert ("upper bound was not measured" in told) == (quantities["w_max"].low is None)
    fitted.save(tmp_path / "mine.yaml", tmp_path / "mine.png")
    assert told in " ".join((tmp_path / "mine.yaml").read_text().split("\n# "))


def test_a_comment_on_a_number_says_only_what_is_known() -> None:
    assert Quantity("a", None, None, None, "s", "not seen").line == "a: unknown (not seen)"
    assert Quantity("b", 1.0, None, None, "s").line == "b: 1 s"
    assert Quantity("c", 1.0, 0.5, 2.0, "s", "one device").line == "c: 1 s, 0.5 to 2 (one device)"
