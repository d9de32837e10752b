"""A device stands still between two sweeps."""

import numpy as np
import pytest

from device_presets.fitting.checks.questions import Check
from device_presets.fitting.checks.turns import turn_checks
from device_presets.fitting.model.series import plain_series

STEP = 0.02


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
