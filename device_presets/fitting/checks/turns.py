"""Tells whether the conductance stays between a sweep and the next one in the other direction.

A file without times does not say whether the device rests there. Drift during a rest is then part
of the first change of a sweep. A step model or noise with memory can describe it as well, so that
no prediction misses: the measured changes themselves are compared.
"""

import math

import numpy as np

from device_presets.fitting.checks.questions import Check
from device_presets.fitting.model.series import Series

MOST_SHIFT = 0.02
"""A first change may be off by this share of the range, since a mean curve may be as well."""

_QUESTION = "Does the conductance stay between sweeps?"
_NEXT = 5
_ERRORS = 4.0
_FEWEST = 30  # changes that tell the noise
_WAYS = ((1, "up"), (-1, "down"))
_ADVICE = "; if time passes there, add time_s, or begin each sweep with a reading numbered 0"


def turn_checks(series: Series, span: float) -> list[Check]:
    """Checks the first change of each sweep against the next five; none without
    turns.

    A first change against the direction of its pulse fails: no pulse makes it. One that is larger
    than the next ones by more than a step may be the device's own, and leaves the check open.

    Args:
        series: measured weights and pulses. span: mean range of a device (weights).
    """
    answers, failed, large = [], False, False
    for way, name in _WAYS:
        first, following, error = _changes(series, way)
        if not math.isfinite(error):
            continue
        limit = max(abs(following), MOST_SHIFT * span)
        beyond = abs(first - following) - _ERRORS * error > limit
        failed |= beyond and first < 0
        large |= beyond and first > 0
        answers.append(f"{name} {first / span:.3f} of the range, next {following / span:.3f}")
    if not answers:
        return []
    answer = f"first changes of sweeps: {'; '.join(answers)}"
    if failed or large:
        answer += _ADVICE
    return [Check(_QUESTION, answer, "FAIL" if failed else "open" if large else "ok")]


def _changes(series: Series, way: int) -> tuple[float, float, float]:
    """Returns the mean first change of a sweep, mean of the next five (along its pulses), and the
    standard error of their difference; no finite error where there are too few."""
    mine = (series.pulse == way) & ~series.begins
    along = np.cumsum(np.concatenate([mine, np.zeros(_NEXT, bool)]))
    rows = np.arange(1, len(mine))
    whole = mine[1:] & (along[rows + _NEXT] - along[rows] == _NEXT)
    rows = rows[whole]
    first = way * (series.weight[rows] - series.weight[rows - 1])
    following = way * (series.weight[rows + _NEXT] - series.weight[rows]) / _NEXT
    turn = series.pulse[rows - 1] == -way
    n = int(turn.sum())
    if n == 0 or len(rows) - n < _FEWEST:
        return math.nan, math.nan, math.nan
    difference = first - following
    deviation = float(difference[~turn].std(ddof=1))
    if n > 3:
        deviation = max(deviation, float(difference[turn].std(ddof=1)))
    return float(first[turn].mean()), float(following[turn].mean()), deviation / math.sqrt(n)
