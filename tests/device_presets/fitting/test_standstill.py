"""A bound at which the device moves on is no bound; one at which only the readings move is.
Between two sweeps a device stands still as well."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from device_presets import get_preset
from device_presets.fitting.checks.goodness import judge
from device_presets.fitting.checks.many_pulses import far_checks
from device_presets.fitting.checks.questions import Check
from device_presets.fitting.checks.standstill import left_open, standstill_checks
from device_presets.fitting.checks.trend import common_slope
from device_presets.fitting.checks.turns import turn_checks
from device_presets.fitting.model.joint_fit import JointFit, fit_at
from device_presets.fitting.model.maximum_likelihood import layout_of
from device_presets.fitting.model.selection import filtered
from device_presets.fitting.model.series import plain_series
from device_presets.fitting.model.step_functions import CONSTANT, MODELS
from device_presets.fitting.model.weights import prepare, with_read_noise, without_read_noise
from device_presets.fitting.reading.csv_layout import CsvLayout
from device_presets.fitting.reading.measurement import Measurement, read_measurement
from support.device_presets.fits import ONE, ZERO, write_pulses

STEP, BOUND, MEMORY = 0.02, 0.7, 10.6


def measured(seed: int, beyond: float, slow: float, pulses: int = 120) -> Measurement:
    """Three sweeps each way, with cycle noise of 0.3 and white read noise of 0.5 steps.

    Args:
        beyond: share of the step that is left beyond the bound; 0: the device is clipped.
        slow: AR(1) read noise, in steps.
    """
    rng, kept = np.random.default_rng(seed), math.exp(-1 / MEMORY)
    pulse = np.array([0, *np.tile(np.repeat([1, -1], pulses), 3)])
    weight, noise, read = -BOUND, slow * rng.normal(), []
    for way in pulse:
        inside = way * weight < BOUND
        weight += way * STEP * (1.0 if inside else beyond) * (1 + 0.3 * rng.normal())
        if beyond == 0.0:
            weight = float(np.clip(weight, -BOUND, BOUND))
        noise = kept * noise + math.sqrt(1 - kept**2) * slow * rng.normal()
        read.append(weight + STEP * (noise + 0.5 * rng.normal()))
    return Measurement(
        name="made",
        column="conductance",
        conductance=ZERO + (ONE - ZERO) * np.array(read),
        pulse=pulse.astype(np.int8),
        begins=pulse == 0,
        device=np.zeros(len(pulse), dtype=np.int32),
        cycle=np.zeros(len(pulse), dtype=np.int32),
        n_cycles=1,
        unit="uS",
        notes=(),
        labels=("device 1",),
    )


def fit_of(found: Measurement, slow: float) -> JointFit:
    """What a fit finds, with the bounds at the end of the full steps."""
    prepared = with_read_noise(prepare(found, ZERO, ONE))
    layout = layout_of(prepared, next(m for m in MODELS if m.code == CONSTANT), memory=True)
    noises = np.log([0.3, 0.5 * STEP, slow * STEP, MEMORY, 1.0])
    shared = np.array([*noises, *layout.model.flat])
    local = np.array([[math.log(STEP), math.log(STEP), 0.0, 0.0, BOUND, -BOUND]])
    return fit_at(prepared, layout, shared, local)


def asked(fit: JointFit) -> list[Check]:
    return standstill_checks(fit, filtered(fit), STEP)


def test_a_device_that_moves_on_at_its_bounds_is_caught() -> None:
    """A tenth of the step a pulse beyond a bound that is none; the fit calls it noise with memory.

    The move is less than the 15 % of the step that the check of the ends allows.
    """
    fit = fit_of(measured(0, beyond=0.1, slow=0.0), slow=2.0)
    verdict = judge(fit, filtered(fit))
    for side in ("upper", "lower"):
        assert f"Does the device stand still at its {side} bound? still moves" in verdict.failures
    move, most = map(float, re.findall(r"moves (\S+) a pulse .*?most ([^)]+)", verdict.failures)[0])
    assert move == pytest.approx(0.1 * STEP, rel=0.2)
    assert most < move
    assert any("between sweeps?" in check.question for check in verdict.checks)


def test_read_noise_with_memory_does_not_move_a_device_at_its_bound() -> None:
    found = [
        check
        for slow in (0.5, 3.0)
        for seed in range(3)
        for check in asked(fit_of(measured(seed, beyond=0.0, slow=slow), slow))
    ]
    assert len(found) == 12
    assert all(check.passed for check in found)
    assert sum(check.status == "ok" for check in found) > 5
    for check in found:
        move, most = re.findall(r"moves (\S+) a pulse .*?most ([^)]+)", check.answer)[0]
        assert float(move) <= float(most)


def test_too_few_pulses_at_a_bound_leave_it_open() -> None:
    short = asked(fit_of(measured(0, beyond=0.0, slow=0.5, pulses=65), 0.5))
    assert [check.status for check in short] == ["open", "open"]


def test_a_bound_that_does_not_clip_is_not_asked_for() -> None:
    fit = fit_of(measured(0, beyond=0.0, slow=0.5), 0.5)
    fit.prepared.series.clips[0] = False
    assert ["lower" in check.question for check in asked(fit)] == [True]


@pytest.mark.parametrize(("length", "kept"), [(30, 0.9), (130, 0.9)])
def test_the_error_of_a_slope_is_its_scatter(length: int, kept: float) -> None:
    """Two stretches of AR(1) and white noise; 130 readings are averaged in groups."""
    rng, scores = np.random.default_rng(1), []
    for _ in range(15):
        noise = np.empty((length, 2))
        noise[0] = rng.normal(size=2)
        for row in range(1, length):
            noise[row] = kept * noise[row - 1] + math.sqrt(1 - kept**2) * rng.normal(size=2)
        readings = noise + 0.5 * rng.normal(size=noise.shape) + np.array([3.0, -1.0])
        stretches = [*(readings + 0.1 * np.arange(length)[:, None]).T]
        slope, error = common_slope(stretches, kept)
        scores.append((slope - 0.1) / error)
    assert abs(np.mean(scores)) < 0.8
    assert 0.5 < np.std(scores) < 1.6


@pytest.mark.parametrize("seed", [1, 4])
def test_the_true_device_moves_at_its_ends_as_simulated(seed: int, tmp_path: Path) -> None:
    """Cycle noise of 1.7 steps takes a device to its upper end by chance, and not in each sweep.

    Near an end is what is near the extreme of the same set. Against the extremes of the measured
    set, simulated sets moved further: the true device failed with 5 of the seeds 0 to 11.
    """
    preset = get_preset("neurosim_ag_asi")
    file = write_pulses(tmp_path / "data.csv", preset, 40, 52, 4, seed=seed)
    prepared = without_read_noise(prepare(read_measurement(file, CsvLayout()), ZERO, ONE))
    layout = layout_of(
        prepared, next(m for m in MODELS if m.name == "linear, one slope, constant noise")
    )
    slopes = [preset.number("slope_up"), preset.number("slope_down")]
    shared = np.array([math.log(preset.cycle_to_cycle), 0.0, 0.0, 0.0, 0.0, *slopes])
    up, down = preset.step * (1 + preset.number("asymmetry")), preset.step
    own = np.array([math.log(up), math.log(down), 0.0, 0.0, 1.0, -1.0])
    fit = fit_at(prepared, layout, shared, np.tile(own, (40, 1)))
    checks = far_checks(fit, filtered(fit), (up + down) / 2, noisy=False)
    ends = [check for check in checks if "end move" in check.question]
    assert len(ends) == 2
    for check in checks:
        assert check.passed, check


def turned(lost: float, relaxed: float = 0.0, numbered_0: bool = False) -> list[Check]:
    """Three devices with a slope of 0.5, noisy pulses and readings, five sweeps each way.

    Args:
        lost: of the range, between two sweeps. relaxed: share of the weight, there.
        numbered_0: whether a reading without a pulse comes first in each sweep.
    """
    rng, weights, pulses = np.random.default_rng(1), [], []
    for _ in range(3):
        weight = -0.9
        for sweep, way in enumerate((1, -1) * 5):
            start = [0] if numbered_0 or sweep == 0 else []
            for pulse in [*start, *[way] * 60]:
                move = STEP * pulse * (1 - 0.5 * pulse * weight + 0.5 * rng.normal())
                weight = float(np.clip(weight + move, -1, 1))
                weights.append(weight + 0.5 * STEP * rng.normal())
                pulses.append(pulse)
            weight = (1 - relaxed) * weight - 2 * lost
    rows = len(pulses) // 3
    series = plain_series(
        np.array(weights),
        np.array(pulses, np.int8),
        np.arange(4) * rows,
        np.ones((2, 3), np.bool_),
        0.0,
    )
    return turn_checks(series, 2.0)


@pytest.mark.parametrize(
    ("lost", "relaxed", "status"),
    [(0.0, 0.0, "ok"), (0.0, 0.2, "open"), (0.05, 0.0, "FAIL")],
)
def test_drift_between_sweeps_is_told(lost: float, relaxed: float, status: str) -> None:
    """A large first change may be the device's own; one against its pulses is not."""
    (check,) = turned(lost, relaxed)
    assert check.status == status, check
    assert ("add time_s" in check.answer) == (status != "ok")
    assert turned(lost, relaxed, numbered_0=True) == []


def test_the_end_of_a_lookup_table_is_no_bound() -> None:
    sides = ("upper", "lower")
    questions = [f"Does the device stand still at its {side} bound?" for side in sides]
    checks = [Check(question, "moves 0", "ok") for question in (*questions, "Another?")]
    assert left_open(checks, (False, False)) == tuple(checks)
    found = left_open(checks, (True, False))
    assert [check.status for check in found] == ["open", "ok", "ok"]
    assert found[0].answer == "the bound is the end of the table"
