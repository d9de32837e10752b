"""Whether the chosen model describes the data, in sizes that matter and beyond chance."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from device_presets.fitting.checks.far import far_checks
from device_presets.fitting.checks.questions import Check, Status
from device_presets.fitting.checks.standstill import standstill_checks
from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.series import Trace
from rpu_ssnn.common.wording import counted

MOST_STEP_DEVIATION = 0.15
MOST_CORRELATION = 0.2

_BINS = 8
_FEWEST_A_BIN = 8
_SIGNIFICANT = 1e-4
_NEGLIGIBLE = 0.01  # of the step
_TOO_WIDE = 1.0  # of the step: what could hide before a check says that it cannot tell
_MOST_CORRELATION_SLACK = 0.5


@dataclass(frozen=True)
class Verdict:
    """All checks."""

    checks: tuple[Check, ...]

    @property
    def describes(self) -> bool:
        """Whether no check fails."""
        return all(check.passed for check in self.checks)

    @property
    def failures(self) -> str:
        """The failed checks with their numbers, as one phrase."""
        return "; ".join(f"{c.question} {c.answer}" for c in self.checks if not c.passed)

    @property
    def sentence(self) -> str:
        """The outcome in words."""
        if not self.describes:
            return "The fit DOES NOT DESCRIBE THE DATA"
        n_open = sum(check.status == "open" for check in self.checks)
        if n_open:
            return (
                f"The fit describes the data as far as they tell ({counted(n_open, 'check')} open)"
            )
        return "The fit describes the data"


def judge(fit: JointFit, trace: Trace) -> Verdict:
    """Checks predictions of the fit, one pulse ahead (``trace``) and far.

    A check fails only where the misfit is both large (the limits above) and significant, so that
    ten thousand pulses do not fail for a deviation nobody would see. The bound that an answer
    states is the one it was held against: the limit, widened by what chance explains.
    """
    series = fit.prepared.series
    deviation = np.sqrt(trace.variance)
    used = np.isfinite(trace.expected) & _free(fit, trace.expected, deviation)
    miss = np.where(used, series.weight - trace.expected, np.nan)
    moved = used & (series.pulse != 0)
    step = float(np.mean(np.abs(trace.expected - trace.state)[moved])) if moved.any() else np.nan
    checks = [_moves(fit)]
    noisy = False
    if used.sum() >= 3 * _FEWEST_A_BIN and step > 0:
        checks.append(_mean_step(fit, trace, miss, used, step))
        # A device without noise leaves rounding errors, whose law does not matter.
        noisy = float(np.sqrt(np.mean(miss[used] ** 2))) > _NEGLIGIBLE * step
        if noisy:
            checks.append(_independent(miss / deviation, used))
        if len(np.unique(fit.prepared.cycle)) > 1:
            checks.append(_cycles(fit, miss, used, step))
    checks += standstill_checks(fit, trace, step)
    return Verdict((*checks, *far_checks(fit, trace, step, noisy)))


def _free(fit: JointFit, expected: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """[rows] whether a prediction stays away from the bounds, where its law is normal."""
    series, device = fit.prepared.series, fit.prepared.device
    high = np.where(series.clips_high, fit.local[:, 4], np.inf)[device]
    low = np.where(series.clips_low, fit.local[:, 5], -np.inf)[device]
    with np.errstate(invalid="ignore"):
        free: np.ndarray = (expected + 3 * deviation < high) & (expected - 3 * deviation > low)
    return free


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
    answer = "; ".join(answers) + " (at least 3)"
    return Check(question, answer, "ok" if passed else "FAIL")


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
    return _excess("Is the mean step right at every state?", "of the step off", gaps, errors)


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
    return _excess("Are cycles alike?", "of the step between cycles", gaps, errors)


def _excess(question: str, unit: str, gaps: list[float], errors: list[float]) -> Check:
    """Size of the gaps beyond chance, between the least and the most the data allow."""
    if not gaps:
        return Check(question, "too few pulses to tell", "open")
    scaled = np.array(gaps) / np.maximum(errors, 1e-9)
    information = float(np.sum(1.0 / np.maximum(errors, 1e-9) ** 2))
    total, degrees = float(np.sum(scaled**2)), len(gaps)

    def size(probability: float) -> float:
        """Root mean square gap under which so small a sum, or a larger one, is so likely."""

        def beyond(noncentral: float) -> float:
            if noncentral == 0.0:
                return float(stats.chi2.cdf(total, degrees)) - probability
            return float(stats.ncx2.cdf(total, degrees, noncentral)) - probability

        if beyond(0.0) <= 0.0:
            return 0.0
        most = 4.0 * total + 100.0
        if beyond(most) > 0.0:
            return float("inf")
        return float(np.sqrt(brentq(beyond, 0.0, most) / information))

    # Far out the non-central law is normal, and its own series fails.
    if total > 1e4:
        least = most = float(np.sqrt(total / information))
    else:
        least, most = size(1.0 - _SIGNIFICANT), size(0.05)
    answer = f"at least {least:.3f} {unit} beyond chance (at most {MOST_STEP_DEVIATION})"
    status: Status = "ok"
    if least > MOST_STEP_DEVIATION:
        status = "FAIL"
    elif most > _TOO_WIDE:
        status = "open"
        answer += f"; up to {most:.2f} could hide in the noise"
    return Check(question, answer, status)


def _independent(z: np.ndarray, used: np.ndarray) -> Check:
    """Whether a pulse's miss says nothing about the next one's."""
    pairs = used[1:] & used[:-1]
    n = int(pairs.sum())
    question = "Are the misses of neighbouring pulses independent?"
    if n < 3 * _FEWEST_A_BIN:
        return Check(question, "too few neighbours to tell", "open")
    first, second = z[:-1][pairs], z[1:][pairs]
    # Ranks: a single jump must not decide.
    correlation = float(stats.spearmanr(first, second).statistic)
    most = max(MOST_CORRELATION, 4 / np.sqrt(n))
    status: Literal["ok", "open", "FAIL"] = "ok" if abs(correlation) <= most else "FAIL"
    if status == "ok" and most > _MOST_CORRELATION_SLACK:
        status = "open"
    return Check(
        question, f"rank correlation {correlation:.3f} (at most {most:.2f} either way)", status
    )
