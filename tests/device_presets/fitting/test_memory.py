"""Read noise with memory: exact likelihood, it comes back, fits without it are caught."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from device_presets import get_preset
from device_presets.fitting import fit_file
from device_presets.fitting.checks.goodness import judge
from device_presets.fitting.model.effects_search import LEAST_GAIN, adjusted
from device_presets.fitting.model.joint_fit import LogLikelihood
from device_presets.fitting.model.likelihood import run_filter
from device_presets.fitting.model.maximum_likelihood import fit_model, fitted_from, with_memory
from device_presets.fitting.model.noise_limits import cycle_noise_limits
from device_presets.fitting.model.preparation import Prepared, prepare
from device_presets.fitting.model.selection import filtered, select_model
from device_presets.fitting.model.series import Series, empty_trace, plain_series
from device_presets.fitting.model.uncertainty import integrated, marginal
from device_presets.fitting.reading.measurement import read_measurement
from rpu_ssnn.devices.fit_form import CONSTANT, LINEAR, OF_DIRECTION, SOFT_BOUNDS
from rpu_ssnn.devices.laws import FIT_FORMS
from support.device_presets.fits import COARSE_RERAM, ONE, SWEEP_STEP, ZERO, sweeps, write_pulses

FEW_MODELS = tuple(m for m in FIT_FORMS if m.code in (CONSTANT, LINEAR) and m.additive)
ONE_SLOPE = tuple(m for m in FEW_MODELS if m.code == LINEAR and m.shape)
SOFT_CONSTANT_NOISE = next(m for m in FIT_FORMS if m.code == SOFT_BOUNDS and m.additive)


def prepared_of(file: Path) -> Prepared:
    return prepare(read_measurement(file), ZERO, ONE)


def density(series: Series, device: list[float], noise: list[float]) -> float:
    """Log-likelihood of one device of constant steps."""
    rows = np.ones(len(series.weight), dtype=np.bool_)
    found = np.empty(1)
    run_filter(
        series,
        CONSTANT,
        OF_DIRECTION,
        np.array([device]),
        np.zeros(0),
        np.array(noise),
        rows,
        empty_trace(0),
        found,
    )
    return float(found[0])


def test_away_from_bounds_the_filter_is_the_exact_normal_law() -> None:
    """Against the covariance of all readings, written down."""
    rng, n = np.random.default_rng(0), 12
    way = np.array([1, 1, 1, -1, 1, -1, -1, 1, 1, 1, -1])
    cycle, white, slow, kept = 0.3, 0.01, 0.02, 0.8
    step = 0.05
    lag = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    noise = slow**2 * kept**lag + white**2 * np.eye(n)
    # Conditional on the first reading, and with a weight that could be anywhere before it.
    apart = np.hstack([-np.ones((n - 1, 1)), np.eye(n - 1)])
    walk = np.minimum.outer(np.arange(1, n), np.arange(1, n)) * (cycle * step) ** 2
    law = stats.multivariate_normal(step * np.cumsum(way), apart @ noise @ apart.T + walk)
    weight = np.concatenate([[0.0], rng.normal(0, 0.1, n - 1)])
    clips = np.zeros((2, 1), dtype=np.bool_)
    series = plain_series(weight, np.concatenate([[0], way]), np.array([0, n]), clips, 0.0)
    size = math.log(step)
    ours = density(series, [size, size, 0, 0, 9, -9], [cycle, white, slow, kept])
    assert ours == pytest.approx(float(law.logpdf(weight[1:])), abs=1e-6)


def test_at_a_bound_the_density_still_adds_up_to_one() -> None:
    grid = np.linspace(-0.5, 0.6, 4001)
    clips = np.ones((2, 1), dtype=np.bool_)
    device = [math.log(0.05), math.log(0.05), 0.0, 0.0, 0.06, -0.3]
    noise = [0.8, 0.02, 0.04, 0.9]
    logs = []
    for y in grid:
        weight = np.array([0.03, 0.05, y])
        series = plain_series(weight, np.array([0, 1, 1]), np.array([0, 3]), clips, 0.0)
        logs.append(density(series, device, noise))
    first = plain_series(weight[:2], np.array([0, 1]), np.array([0, 2]), clips, 0.0)
    total = np.trapezoid(np.exp(np.array(logs) - density(first, device, noise)), grid)
    assert total == pytest.approx(1.0, abs=2e-3)


@pytest.mark.parametrize(
    ("seed", "white", "true"), [(0, 0.0, 0.0), (0, 1.0, 0.0), (1, 1.0, 0.0), (1, 1.0, 0.6)]
)
def test_correlated_read_noise_is_not_taken_for_cycle_noise(
    seed: int, white: float, true: float, tmp_path: Path
) -> None:
    """AR(1) read noise of 3 steps: one pulse ahead both look alike. Cycle noise that is there is
    found beside it."""
    prepared = prepared_of(sweeps(tmp_path / "data.csv", seed, 3.0, white=white, cycle=true))
    chosen = select_model(prepared, FEW_MODELS).chosen.fit
    assert chosen.layout.memory
    cycle, _, slow, pulses = np.exp(chosen.shared[:4])
    low, high = np.exp(cycle_noise_limits(chosen))
    assert low <= true <= high
    assert (low > 0.0) == (true > 0.0)
    assert cycle == pytest.approx(true, abs=0.15)
    assert slow / SWEEP_STEP == pytest.approx(3.0, rel=0.25)
    assert pulses == pytest.approx(10.6, rel=0.5)
    verdict = judge(chosen, filtered(chosen))
    assert verdict.describes, verdict.failed


def test_a_fit_without_memory_fails_where_it_looks_far(tmp_path: Path) -> None:
    prepared = prepared_of(sweeps(tmp_path / "data.csv", 0, 3.0))
    counted = np.ones(len(prepared.device), dtype=np.bool_)
    fit = fit_model(prepared, FEW_MODELS[-1], counted)
    assert math.exp(fit.shared[0]) > 1.0  # takes it for cycle noise
    verdict = judge(fit, filtered(fit))
    assert not verdict.describes
    assert "over many pulses" in verdict.failed
    (near,) = (check for check in verdict.checks if "predictions" in check.question)
    assert near.passed


@pytest.mark.parametrize(("white", "cycle"), [(0.0, 0.5), (1.5, 0.4)])
def test_no_memory_is_seen_where_there_is_none(white: float, cycle: float, tmp_path: Path) -> None:
    prepared = prepared_of(sweeps(tmp_path / "data.csv", 3, 0.0, white=white, cycle=cycle))
    chosen = select_model(prepared, FEW_MODELS).chosen.fit
    assert not chosen.layout.memory
    assert math.exp(chosen.shared[0]) == pytest.approx(cycle, rel=0.2)


@pytest.mark.slow
def test_the_report_and_the_preset_of_correlated_read_noise(tmp_path: Path) -> None:
    """In 40 data sets, 36 intervals of the noise and 38 of its length held the truth. This is one,
    so each interval is widened by half of it on either side."""
    fit = fit_file(sweeps(tmp_path / "data.csv", 0, 3.0), "mine", None, 1e6 * ZERO, 1e6 * ONE)
    found = {q.name: q for q in fit.quantities}
    cycle = found["cycle_to_cycle"]
    assert cycle.low == 0.0
    assert cycle.high is not None
    assert cycle.high < 0.3
    for name, truth in (("correlated read noise", 3.0), ("correlation length", 10.6)):
        low, high = found[name].low, found[name].high
        assert low is not None
        assert high is not None
        slack = (high - low) / 2
        assert low - slack <= truth <= high + slack
    assert fit.verdict.describes, fit.verdict.failed
    fit.save(tmp_path / "mine.yaml", tmp_path / "mine.png")
    written = " ".join((tmp_path / "mine.yaml").read_text().split())  # YAML folds long lines
    assert "no device of aihwkit has read noise with memory" in written


def test_memory_is_found_where_noises_alone_do_not_show_it(tmp_path: Path) -> None:
    """In this file the noises alone, at the steps of a fit without memory, look worse with it."""
    file = sweeps(
        tmp_path / "a.csv", 2, slow=3.0, devices=4, pulses=200, spread=0.1, pulses_of_memory=8.0
    )
    fit = select_model(prepared_of(file), (FIT_FORMS[0], *ONE_SLOPE)).chosen.fit
    assert fit.layout.memory
    size = float(np.exp(fit.shared[2] - fit.local[:, :2].mean()))
    assert size == pytest.approx(3.0, rel=0.25)
    assert float(np.exp(fit.shared[0])) < 0.1


def test_cycle_noise_that_own_numbers_follow_is_not_taken_for_memory(tmp_path: Path) -> None:
    """Six devices of four own numbers each gain 8.7 log-units by a memory that they do not have."""
    preset = get_preset("reram_sb", COARSE_RERAM)
    prepared = prepared_of(write_pulses(tmp_path / "a.csv", preset, 6, 80, seed=5))
    plain = fit_model(prepared, SOFT_CONSTANT_NOISE)
    memory = fitted_from(with_memory(prepared, plain))
    assert adjusted(memory) > adjusted(plain) + LEAST_GAIN
    assert marginal(memory) < marginal(plain)
    chosen = select_model(prepared, (SOFT_CONSTANT_NOISE,))
    assert not any(score.fit.layout.memory for score in chosen.scores)


def test_own_numbers_are_integrated_out(tmp_path: Path) -> None:
    """One device of constant steps, against the sum over a grid of both steps."""
    file = sweeps(tmp_path / "a.csv", 0, slow=0.0, cycle=0.5, white=1.0, pulses=60)
    prepared = prepare(read_measurement(file), None, None)
    fit = fit_model(prepared, FIT_FORMS[0])
    assert list(np.flatnonzero(fit.layout.local_free[:, 0])) == [0, 1]
    likelihood, moves = LogLikelihood(fit.prepared, fit.layout), np.linspace(-0.3, 0.3, 31)
    total = 0.0
    for up in moves:
        for down in moves:
            local = fit.local + np.array([[up, down, 0, 0, 0, 0]])
            gain = float(likelihood(fit.shared, local)[0]) - fit.total
            total += math.exp(gain) * stats.norm.pdf([up, down], scale=0.5).prod()
    exact = fit.total + math.log(total * (moves[1] - moves[0]) ** 2)
    assert integrated(fit) == pytest.approx(exact, abs=0.1)
