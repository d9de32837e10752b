"""A device moves at its ends as simulated, and stands still between two sweeps."""

import math
from pathlib import Path

import numpy as np
import pytest

from device_presets import get_preset
from device_presets.fitting.checks.many_pulses import far_checks
from device_presets.fitting.checks.questions import Check
from device_presets.fitting.checks.turns import turn_checks
from device_presets.fitting.model.joint_fit import fit_at
from device_presets.fitting.model.maximum_likelihood import layout_of
from device_presets.fitting.model.preparation import prepare, without_read_noise
from device_presets.fitting.model.series import plain_series
from device_presets.fitting.reading.measurement import read_measurement
from rpu_ssnn.devices.laws import FIT_FORMS
from support.device_presets.fits import ONE, ZERO, write_pulses

STEP = 0.02


@pytest.mark.parametrize("seed", [1, 4])
def test_the_true_device_moves_at_its_ends_as_simulated(seed: int, tmp_path: Path) -> None:
    """Cycle noise of 1.7 steps takes a device to its upper end by chance, and not in each sweep.

    Near an end is what is near the extreme of the same set. Against the extremes of the measured
    set, simulated sets moved further: the true device failed with 5 of the seeds 0 to 11.
    """
    preset = get_preset("neurosim_ag_asi")
    file = write_pulses(tmp_path / "data.csv", preset, 40, 52, 4, seed=seed)
    prepared = without_read_noise(prepare(read_measurement(file), ZERO, ONE))
    layout = layout_of(
        prepared, next(m for m in FIT_FORMS if m.name == "linear, one slope, constant noise")
    )
    slopes = [preset.number("slope_up"), preset.number("slope_down")]
    shared = np.array([math.log(preset.cycle_to_cycle), 0.0, 0.0, 0.0, 0.0, *slopes])
    up, down = preset.step * (1 + preset.number("asymmetry")), preset.step
    own = np.array([math.log(up), math.log(down), 0.0, 0.0, 1.0, -1.0])
    fit = fit_at(prepared, layout, shared, np.tile(own, (40, 1)))
    checks = far_checks(fit, (up + down) / 2, noisy=False)
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
