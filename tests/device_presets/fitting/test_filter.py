"""The likelihood of readings is exact, and correlated read noise is named."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from device_presets.fitting.checks.goodness import judge
from device_presets.fitting.model.likelihood import run_filter
from device_presets.fitting.model.maximum_likelihood import fit_model
from device_presets.fitting.model.preparation import prepare
from device_presets.fitting.model.series import Series, empty_trace
from device_presets.fitting.reading.measurement import read_measurement
from rpu_ssnn.devices.fit_form import CONSTANT, LINEAR, OF_DIRECTION
from rpu_ssnn.devices.laws import FIT_FORMS
from support.device_presets.fits import ONE, ZERO, sweeps

ONE_SLOPE = next(m for m in FIT_FORMS if m.code == LINEAR and m.shape and m.additive)


def density(series: Series, device: list[float], noise: list[float]) -> float:
    """Returns the log-likelihood of one device with constant steps."""
    rows, found = np.ones(len(series.weight), dtype=np.bool_), np.empty(1)
    own, shape, noises = np.array([device]), np.zeros(0), np.array([*noise, 0.0])
    trace = empty_trace(0)
    run_filter(series, CONSTANT, OF_DIRECTION, own, shape, noises, rows, trace, found)
    return float(found[0])


def series_of(weight: np.ndarray, pulse: list[int], clips: bool) -> Series:
    """Returns the readings of one device, between whose pulses nothing happens."""
    ones, of_both = np.ones(len(weight)), np.full((2, 1), clips)
    way, start = np.array(pulse), np.array([0, len(weight)])
    rests = np.zeros(len(weight), dtype=np.bool_)
    return Series(weight, way, way == 0, rests, ones, ones, start, of_both, 0.0, 0.0)


def test_away_from_bounds_the_filter_is_the_exact_normal_law() -> None:
    """The reference is the normal law with the explicit covariance of all readings."""
    rng, n = np.random.default_rng(0), 12
    way = [1, 1, 1, -1, 1, -1, -1, 1, 1, 1, -1]
    cycle, white, step = 0.3, 0.02, 0.05
    noise = white**2 * np.eye(n)
    # The law is conditional on the first reading, before which the weight is entirely unknown.
    apart = np.hstack([-np.ones((n - 1, 1)), np.eye(n - 1)])
    walk = np.minimum.outer(np.arange(1, n), np.arange(1, n)) * (cycle * step) ** 2
    law = stats.multivariate_normal(step * np.cumsum(way), apart @ noise @ apart.T + walk)
    weight = np.concatenate([[0.0], rng.normal(0, 0.1, n - 1)])
    series = series_of(weight, [0, *way], clips=False)
    size = math.log(step)
    ours = density(series, [size, size, 0, 0, 9, -9], [cycle, white])
    assert ours == pytest.approx(float(law.logpdf(weight[1:])), abs=1e-6)


def test_at_a_bound_the_density_still_adds_up_to_one() -> None:
    grid = np.linspace(-0.5, 0.6, 4001)
    device = [math.log(0.05), math.log(0.05), 0.0, 0.0, 0.06, -0.3]
    noise, logs = [0.8, 0.03], []
    for y in grid:
        weight = np.array([0.03, 0.05, y])
        logs.append(density(series_of(weight, [0, 1, 1], clips=True), device, noise))
    first = series_of(weight[:2], [0, 1], clips=True)
    total = np.trapezoid(np.exp(np.array(logs) - density(first, device, noise)), grid)
    assert total == pytest.approx(1.0, abs=2e-3)


def test_correlated_read_noise_fails_where_the_fit_looks_far_and_is_named(tmp_path: Path) -> None:
    """AR(1) read noise of 3 steps looks like cycle noise if only the next pulse is predicted."""
    prepared = prepare(read_measurement(sweeps(tmp_path / "data.csv", 0, 3.0)), ZERO, ONE)
    fit = fit_model(prepared, ONE_SLOPE)
    assert math.exp(fit.shared[0]) > 1.0  # The fit takes it for cycle noise.
    verdict = judge(fit)
    assert not verdict.describes
    assert "over many pulses" in verdict.failed
    assert "correlated noise" in [defect.name for defect in verdict.defects]
    (near,) = (check for check in verdict.checks if "prediction errors" in check.question)
    assert near.passed
