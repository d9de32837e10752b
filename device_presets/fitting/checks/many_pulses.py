"""Checks that look further than one pulse ahead.

A model with the wrong kind of noise predicts the next pulse well. Cycle noise adds up from pulse to
pulse, and read noise with memory does not: the two differ only over many pulses.
"""

import numpy as np
from scipy import stats

from device_presets.fitting.checks.questions import Check, status_of
from device_presets.fitting.model.joint_fit import JointFit, noises
from device_presets.fitting.model.likelihood import look_ahead
from device_presets.fitting.model.series import Trace
from device_presets.fitting.model.simulation import LAGS, Comparison, Summary, simulate

AHEAD = (1, 10, 50)
"""Pulses between what is known and what is predicted."""

INSIDE_LIMITS = (0.90, 0.985)
MOST_MISS_RATIO = 1.15
MOST_VARIANCE_RATIO = 1.15
MOST_CURVE_DEVIATION = 0.02
"""Of the range, or as much as simulated curves deviate from their mean."""

MOST_END_DEVIATION = 0.15
"""Of the mean step, or as much as simulated moves near a bound deviate from their mean."""

MOST_JUMP_DEVIATION = 0.15
"""Of the range, or as much as the largest changes of simulated sweeps exceed their mean."""

SIMULATED_SETS = 199
_FEWEST = 24  # predictions that do not overlap
_MISS_ERRORS = 3.5
_MOST_ROOM = 0.7  # of a logarithm: beyond a factor of two the check tells little
_WIDE_CURVE = 0.2  # of the range: simulated curves further apart tell little
_WIDE_END = 1.0  # of the step
_ABRUPT = 0.5  # of the range, by one pulse
_OF_READ_NOISE = 6.0  # deviations: the difference of two readings is not so large by chance


def far_checks(fit: JointFit, trace: Trace, step: float, noisy: bool) -> list[Check]:
    """Predictions far ahead, structure function, mean curve, jumps, moves near the bounds.

    Args:
        step: mean size of a step (weights). noisy: whether there is noise to speak of.
    """
    checks = [_ahead(fit, trace, pulses) for pulses in AHEAD] if noisy else []
    comparison = Comparison(fit)
    measured = comparison.summary(fit.prepared.series.weight)
    simulated = [comparison.summary(w) for w in simulate(fit, SIMULATED_SETS, seed=0)]
    if noisy:
        checks.append(_structure(measured, simulated))
    span = float(np.mean(fit.prepared.highest - fit.prepared.lowest))
    checks.append(_curve(measured, simulated, span))
    return checks + _jumps(fit, measured, simulated, span) + _ends(measured, simulated, step)


def _ahead(fit: JointFit, trace: Trace, pulses: int) -> Check:
    """Whether predictions so far ahead miss by as much as they say."""
    question = f"Do predictions {pulses} ahead miss by what they say?"
    expected, deviation = predicted(fit, trace, pulses)
    used = free_of_bounds(fit, expected, deviation) & ~without_noise(fit, pulses)
    apart = int(used.sum()) / pulses
    if apart < _FEWEST:
        return Check(question, "too few predictions away from the bounds to tell", "open")
    z = (fit.prepared.series.weight - expected)[used] / deviation[used]
    inside = float(np.mean(np.abs(z) < stats.norm.ppf(0.975)))
    slack = 4 * np.sqrt(0.95 * 0.05 / apart)
    lowest, highest = min(INSIDE_LIMITS[0], 0.95 - slack), max(INSIDE_LIMITS[1], 0.95 + slack)
    size = float(np.sqrt(np.mean(z**2)))
    room = max(np.log(MOST_MISS_RATIO), _MISS_ERRORS / np.sqrt(2 * apart))
    fine = lowest <= inside <= highest and abs(np.log(max(size, 1e-9))) <= room
    answer = (
        f"{inside:.3f} within their 95 % interval ({lowest:.2f} to {min(highest, 1.0):.3g}); they "
        f"miss by {size:.2f} of the stated deviation ({np.exp(-room):.2f} to {np.exp(room):.2f})"
    )
    return Check(question, answer, status_of(bool(fine), bool(room > _MOST_ROOM)))


def free_of_bounds(fit: JointFit, expected: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """[rows] whether a prediction stays away from the bounds, where its law is normal."""
    series, device = fit.prepared.series, fit.prepared.device
    high = np.where(series.clips[0], fit.local[:, 4], np.inf)[device]
    low = np.where(series.clips[1], fit.local[:, 5], -np.inf)[device]
    with np.errstate(invalid="ignore"):
        free: np.ndarray = (expected + 3 * deviation < high) & (expected - 3 * deviation > low)
    return free


def without_noise(fit: JointFit, ahead: int = 1) -> np.ndarray:
    """[rows] whether a reading differs from the reading `ahead` rows before by rounding errors
    only: there was no pulse between, and the fit has no read noise."""
    pulses = np.cumsum(fit.prepared.series.pulse != 0)
    before = np.pad(pulses, (ahead, 0))[: len(pulses)]
    still: np.ndarray = (pulses == before) & (not fit.prepared.noisy)
    return still


def predicted(fit: JointFit, trace: Trace, pulses: int) -> tuple[np.ndarray, np.ndarray]:
    """[rows] mean and deviation of each row, predicted so many pulses before; NaN if none is."""
    rows = len(fit.prepared.series.weight)
    expected, variance = np.full(rows, np.nan), np.full(rows, np.nan)
    look_ahead(*fit.arguments, trace.filtered, pulses, expected, variance)
    return expected, np.sqrt(variance)


def _structure(measured: Summary, simulated: list[Summary]) -> Check:
    """Whether changes over 1 to 200 pulses scatter as simulated ones do, all lags together."""
    question = "Do changes over many pulses scatter as simulated ones?"
    there = np.isfinite(measured.structure) & (measured.structure > 0)
    if not there.any():
        return Check(question, "runs of pulses are too short to tell", "open")
    logs = np.log(np.maximum([s.structure[there] for s in simulated], 1e-300))
    ours = np.log(measured.structure[there]) - logs.mean(axis=0)
    logs = logs - logs.mean(axis=0)
    # Neighbouring lags go together: what counts is how unusual all of them are, jointly.
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(logs, rowvar=False)))
    scale = 1.0 / np.sqrt(np.maximum(values, 1e-6))
    theirs = np.linalg.norm(logs @ vectors * scale, axis=1)
    distance = float(np.linalg.norm(ours @ vectors * scale))
    worst = int(np.argmax(np.abs(ours)))
    ratio, lag = float(np.exp(ours[worst])), np.array(LAGS)[there][worst]
    answer = f"over {lag} pulses the variance is {ratio:.2f} of the simulated one"
    if abs(ours[worst]) <= np.log(MOST_VARIANCE_RATIO):
        limits = f"{1 / MOST_VARIANCE_RATIO:.2f} to {MOST_VARIANCE_RATIO:.2f}"
        return Check(question, f"{answer} ({limits})", "ok")
    most = float(theirs.max())
    answer += f"; all lags: {distance:.1f} deviations (at most {most:.1f}, the furthest simulated)"
    return Check(question, answer, "ok" if distance <= most else "FAIL")


def _curve(measured: Summary, simulated: list[Summary], span: float) -> Check:
    """Whether the measured mean curve is one of those the model makes."""
    curves = np.array([s.curve for s in simulated])
    centre = curves.mean(axis=0)
    off = float(np.sqrt(np.mean((measured.curve - centre) ** 2))) / span
    theirs = np.sqrt(np.mean((curves - centre) ** 2, axis=1)) / span
    most = max(float(theirs.max()), MOST_CURVE_DEVIATION)
    answer = f"{off:.3f} of the range off their mean (at most {most:.3f})"
    question = "Is the mean curve among simulated mean curves?"
    return Check(question, answer, status_of(off <= most, most > _WIDE_CURVE))


def _jumps(fit: JointFit, measured: Summary, simulated: list[Summary], span: float) -> list[Check]:
    """Whether one pulse moves the device further than in simulated sweeps.

    A device that switches by half its range at once is told, even where a model with much cycle
    noise simulates that: it has no mean step to speak of.
    """
    checks = []
    slow = noises(fit.layout, fit.prepared, fit.shared)[2]
    read_noise = float(np.hypot(np.sqrt(np.mean(fit.white_noise**2)), slow))
    for side, name in enumerate(("up", "down")):
        ours, theirs = measured.largest[side], np.array([s.largest[side] for s in simulated])
        if not np.isfinite(ours):
            continue
        centre = float(theirs.mean())
        most = max(float(np.abs(theirs - centre).max()) / span, MOST_JUMP_DEVIATION)
        off = max(float(ours - centre), 0.0) / span
        abrupt = ours > _ABRUPT * span and ours > _OF_READ_NOISE * read_noise
        answer = (
            f"{ours / span:.3f} of the range by one pulse, simulated {centre / span:.3f} "
            f"({off:.3f} more, at most {most:.3f})"
        )
        if abrupt or off > most:
            answer += "; an abrupt device has no mean step: --table draws the measured changes"
        question = f"Is the largest change of {name} sweeps as simulated?"
        status = status_of(off <= most, bool(abrupt or most > _WIDE_CURVE))
        checks.append(Check(question, answer, status))
    return checks


def _ends(measured: Summary, simulated: list[Summary], step: float) -> list[Check]:
    """Whether the device moves near its bounds, or rests there, as simulated."""
    checks = []
    for side, name in enumerate(("upper", "lower")):
        question = f"Do pulses near the {name} end move the device as simulated?"
        ours = float(measured.ends[side])
        theirs = np.array([s.ends[side] for s in simulated])
        theirs = theirs[np.isfinite(theirs)]
        if not np.isfinite(ours) or len(theirs) < SIMULATED_SETS // 2 or not step > 0:
            continue
        centre = float(theirs.mean())
        most = max(float(np.abs(theirs - centre).max()) / step, MOST_END_DEVIATION)
        off = abs(ours - centre) / step
        answer = (
            f"{ours / step:.3f} of the mean step a pulse, simulated {centre / step:.3f} "
            f"({off:.3f} apart, at most {most:.3f})"
        )
        checks.append(Check(question, answer, status_of(off <= most, most > _WIDE_END)))
    return checks
