"""Whether the chosen model describes the data, in sizes that matter and beyond chance."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from device_presets.fitting.joint_fit import JointFit
from device_presets.fitting.likelihood import Trace

MOST_STEP_DEVIATION = 0.15
MOST_CORRELATION = 0.2
INSIDE_LIMITS = (0.90, 0.985)

_BINS = 8
_FEWEST_A_BIN = 8
_SIGNIFICANT = 1e-4
_NEGLIGIBLE = 0.01  # of the step


@dataclass(frozen=True)
class Check:
    """One question to the fit.

    Args:
        question: what was asked. answer: the number found, as text. passed: whether it is fine.
    """

    question: str
    answer: str
    passed: bool


@dataclass(frozen=True)
class Verdict:
    """All checks."""

    checks: tuple[Check, ...]

    @property
    def describes(self) -> bool:
        """Whether the fit describes the data."""
        return all(check.passed for check in self.checks)


def judge(fit: JointFit, trace: Trace) -> Verdict:
    """Checks one-pulse-ahead predictions of the fit (``trace``) away from the bounds.

    A check fails only where the misfit is both large (the limits above) and significant, so that
    ten thousand pulses do not fail for a deviation nobody would see.
    """
    series = fit.prepared.series
    deviation = np.sqrt(trace.variance)
    high = np.where(series.clips_high, fit.local[:, 4], np.inf)[fit.prepared.device]
    low = np.where(series.clips_low, fit.local[:, 5], -np.inf)[fit.prepared.device]
    with np.errstate(invalid="ignore"):
        free = (trace.expected + 3 * deviation < high) & (trace.expected - 3 * deviation > low)
    used = np.isfinite(trace.expected) & free
    miss = np.where(used, series.weight - trace.expected, np.nan)
    step = float(np.mean(np.abs(trace.expected - trace.state)[used])) if used.any() else np.nan
    z = miss / deviation
    checks = [_moves(fit)]
    if used.sum() >= 3 * _FEWEST_A_BIN and step > 0:
        checks.append(_mean_step(fit, trace, miss, used, step))
        # A device without noise leaves rounding errors, whose law does not matter.
        if float(np.sqrt(np.mean(miss[used] ** 2))) > _NEGLIGIBLE * step:
            checks += [_inside(z[used]), _independent(z, used)]
        if len(np.unique(fit.prepared.cycle)) > 1:
            checks.append(_cycles(fit, miss, used, step))
    return Verdict(tuple(checks))


def _moves(fit: JointFit) -> Check:
    """Whether pulses move the device at all, more than noise would."""
    blocks = fit.prepared.blocks
    question = "Do pulses move the device in their direction?"
    answers, passed = [], True
    for up, name in ((True, "up"), (False, "down")):
        steps = blocks.step[blocks.up == up]
        if len(steps) < 2:
            continue
        error = max(float(np.std(steps, ddof=1)) / np.sqrt(len(steps)), 1e-12)
        score = float(np.mean(steps)) / error
        answers.append(f"{name}: mean step {min(score, 999.0):.1f} standard errors above 0")
        passed = passed and bool(score > 3)
    return Check(question, "; ".join(answers) + " (at least 3)", passed)


def _mean_step(
    fit: JointFit, trace: Trace, miss: np.ndarray, used: np.ndarray, step: float
) -> Check:
    """Deviation of the mean step from the model, by state and polarity."""
    gaps, errors = [], []
    for way in (1, -1):
        rows = np.flatnonzero(used & (fit.prepared.series.pulse == way))
        ordered = rows[np.argsort(trace.state[rows])]
        for part in np.array_split(ordered, _BINS):
            if len(part) >= _FEWEST_A_BIN:
                gaps.append(float(np.mean(miss[part])) / step)
                errors.append(float(np.std(miss[part], ddof=1)) / np.sqrt(len(part)) / step)
    return _excess(
        "Is the mean step right at every state?",
        "of the step off beyond chance",
        np.array(gaps),
        np.array(errors),
    )


def _cycles(fit: JointFit, miss: np.ndarray, used: np.ndarray, step: float) -> Check:
    """Deviation of whole cycles from the model, by device, cycle and polarity."""
    prepared = fit.prepared
    key = (prepared.device.astype(np.int64) * (prepared.cycle.max() + 1) + prepared.cycle) * 2
    key += prepared.series.pulse > 0
    gaps, errors = [], []
    for group in np.unique(key[used]):
        part = miss[used & (key == group)]
        if len(part) >= _FEWEST_A_BIN:
            gaps.append(float(part.mean()) / step)
            errors.append(float(part.std(ddof=1)) / np.sqrt(len(part)) / step)
    return _excess(
        "Are cycles alike?",
        "of the step between cycles beyond chance",
        np.array(gaps),
        np.array(errors),
    )


def _excess(question: str, unit: str, gaps: np.ndarray, errors: np.ndarray) -> Check:
    if not len(gaps):
        return Check(question, "too few pulses to tell", True)
    errors = np.maximum(errors, 1e-9)
    excess = float(np.sqrt(max(np.mean(gaps**2 - errors**2), 0.0)))
    chance = float(stats.chi2.sf(np.sum((gaps / errors) ** 2), len(gaps)))
    answer = f"{excess:.3f} {unit} (at most {MOST_STEP_DEVIATION})"
    return Check(question, answer, not (excess > MOST_STEP_DEVIATION and chance < _SIGNIFICANT))


def _inside(z: np.ndarray) -> Check:
    """Whether the noise has the right size and shape: 95 % intervals that hold 95 %."""
    inside = np.abs(z) < stats.norm.ppf(0.975)
    share, n = float(inside.mean()), len(z)
    low, high = INSIDE_LIMITS
    slack = 4 * np.sqrt(0.95 * 0.05 / n)
    passed = low <= share <= high or bool(abs(share - 0.95) < slack)
    answer = f"{share:.3f} of the pulses ({low} to {high})"
    return Check("Do 95 % prediction intervals hold 95 % of the pulses?", answer, passed)


def _independent(z: np.ndarray, used: np.ndarray) -> Check:
    """Whether a pulse's miss says nothing about the next one's."""
    pairs = used[1:] & used[:-1]
    n = int(pairs.sum())
    question = "Are the misses of neighbouring pulses independent?"
    if n < 3 * _FEWEST_A_BIN:
        return Check(question, "too few neighbours to tell", True)
    first, second = z[:-1][pairs], z[1:][pairs]
    # Ranks: a single jump must not decide.
    correlation = float(stats.spearmanr(first, second).statistic)
    passed = abs(correlation) <= MOST_CORRELATION or bool(abs(correlation) * np.sqrt(n) <= 4)
    answer = f"rank correlation {correlation:.3f} (at most {MOST_CORRELATION} either way)"
    return Check(question, answer, passed)
