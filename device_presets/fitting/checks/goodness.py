"""Whether the chosen model describes the data, in sizes that matter and beyond chance."""

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from device_presets.fitting.checks.many_pulses import far_checks, free_of_bounds, without_noise
from device_presets.fitting.checks.noise_law import noise_law_checks
from device_presets.fitting.checks.questions import Check, status_of
from device_presets.fitting.checks.standstill import standstill_checks
from device_presets.fitting.checks.turns import turn_checks
from device_presets.fitting.model.joint_fit import JointFit, noises
from device_presets.fitting.model.likelihood import pulse_step
from device_presets.fitting.model.series import Trace
from device_presets.fitting.reading.outliers import MOST_OUTLIERS
from rpu_ssnn.common.wording import counted

MOST_STEP_DEVIATION = 0.15
MOST_CORRELATION = 0.2

_MEAN_STEP = "Is the mean step right at every state?"
_BINS = 8
_FEWEST_A_GROUP = 8
_SIGNIFICANT = 1e-4
_NEGLIGIBLE = 0.01  # of the step
_TOO_WIDE = 1.0  # of the step: what could hide before a check says that it cannot tell
_MOST_CORRELATION_SLACK = 0.5
FAR = 5.0
"""Standard deviations: a normal law puts one of two million readings beyond."""


@dataclass(frozen=True)
class Verdict:
    """All checks.

    Args:
        outliers: rows of the readings that lie far from their predictions; none where a normal
            law explains them.
        n_predicted: readings that were compared.
    """

    checks: tuple[Check, ...]
    outliers: tuple[int, ...] = ()
    n_predicted: int = 0

    @property
    def describes(self) -> bool:
        """Whether no check fails."""
        return all(check.passed for check in self.checks)

    @property
    def failures(self) -> str:
        """The failed checks with their numbers, as one phrase."""
        return "; ".join(f"{c.question} {c.answer}" for c in self.checks if not c.passed)

    @property
    def failed(self) -> str:
        """The questions of the failed checks."""
        return " ".join(check.question for check in self.checks if not check.passed)

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
    used = np.isfinite(trace.expected) & free_of_bounds(fit, trace.expected, deviation)
    used &= ~without_noise(fit)
    miss = np.where(used, series.weight - trace.expected, np.nan)
    moved = used & (series.pulse != 0)
    steps, sizes = _steps(fit, trace)
    step = float(np.mean(steps[moved])) if moved.any() else np.nan
    checks = [_moves(fit, sizes)]
    noisy = False
    if used.sum() >= 3 * _FEWEST_A_GROUP and step > 0:
        checks.append(_mean_step(fit, trace, miss, used, step))
        # A device without noise leaves rounding errors, whose law does not matter.
        noisy = float(np.sqrt(np.mean(miss[used] ** 2))) > _NEGLIGIBLE * step
        if noisy:
            checks.append(_independent(miss / deviation, used))
        if fit.prepared.own_cycle.any():
            checks.append(_cycles(fit, miss, used, step))
    else:
        checks.append(Check(_MEAN_STEP, "too few predictions away from the bounds to tell", "open"))
    checks += standstill_checks(fit, trace, step)
    lowest, highest = fit.prepared.lowest, fit.prepared.highest
    checks += turn_checks(series, float(np.mean(highest - lowest)))
    checks += noise_law_checks(series, lowest, highest, fit.white_noise)
    far_off = outliers(miss, deviation, used) if noisy else np.array([], dtype=np.int64)
    checks += far_checks(fit, trace, step, noisy)
    return Verdict(tuple(checks), tuple(far_off.tolist()), int(used.sum()))


def outliers(miss: np.ndarray, deviation: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Rows that no normal law explains: a few wrong readings inflate the fitted noise.

    Args:
        miss, deviation: [rows] of predictions, and what they state. used: [rows] which count.
    """
    rows = np.flatnonzero(used)
    rows = rows[np.abs(miss[rows]) > FAR * deviation[rows]]
    return rows if len(rows) <= MOST_OUTLIERS * used.sum() else rows[:0]


def _moves(fit: JointFit, sizes: np.ndarray) -> Check:
    """Whether pulses move the device at all, more than noise would.

    Of a stretch of pulses in one direction only the first and the last reading tell: read noise
    between them cancels, but for the share that a loss takes. The cycle noise of each pulse adds
    up. What is lost before a pulse is no move of it.

    Args:
        sizes: [rows] what the cycle noise is a share of.
    """
    series = fit.series
    cycle, _, slow, _, _ = noises(fit.layout, fit.prepared, fit.shared)
    white = float(np.sqrt(np.mean(fit.white_noise**2)))
    question = "Do pulses move the device in their direction?"
    answers, passed = [], True
    for way, name in ((1, "up"), (-1, "down")):
        mine = (series.pulse == way) & ~series.begins
        pulses = np.flatnonzero(mine)
        if len(pulses) < 2:
            continue
        lost = 1.0 - series.kept[pulses]
        before = series.weight[pulses - 1] + lost * (series.rest - series.weight[pulses - 1])
        moved = float(np.sum(way * (series.weight[pulses] - before)))
        n_readings = 2.0 * int(np.sum(~mine[pulses - 1])) + float(np.sum(lost**2))
        read = (white**2 + slow**2 + series.resolution**2) * n_readings
        error = np.sqrt(read + float(np.sum((cycle * sizes[pulses]) ** 2)))
        score = moved / max(float(error), 1e-12)
        answers.append(f"{name}: mean step {min(score, 999.0):.1f} standard errors above 0")
        passed = passed and bool(score > 3)
    answer = "; ".join(answers) + " (at least 3)"
    return Check(question, answer, "ok" if passed else "FAIL")


def _steps(fit: JointFit, trace: Trace) -> tuple[np.ndarray, np.ndarray]:
    """[rows] mean step of the row's pulse, and what its cycle noise is a share of; 0 without one.

    A predicted reading less the state before it is not the step: it has loss and read noise in it.
    """
    series, code, law, local, shape, _ = fit.arguments
    weight = series.rest + series.kept * (trace.state - series.rest)
    found = np.zeros((2, len(weight)))
    for row in np.flatnonzero((series.pulse != 0) & ~series.begins):
        own = local[fit.prepared.device[row]]
        up = bool(series.pulse[row] > 0)
        step, _, size = pulse_step(code, law, up, float(weight[row]), own, shape)
        found[:, row] = series.factor[row] * step, series.factor[row] * size
    return found[0], found[1]


def _mean_step(
    fit: JointFit, trace: Trace, miss: np.ndarray, used: np.ndarray, step: float
) -> Check:
    """Deviation of the mean step from the model, by state and polarity."""
    groups = []
    for way in (1, -1):
        rows = np.flatnonzero(used & (fit.prepared.series.pulse == way))
        ordered = rows[np.argsort(trace.state[rows])]
        groups += [miss[part] / step for part in np.array_split(ordered, _BINS)]
    return _excess(_MEAN_STEP, "of the step off", groups)


def _cycles(fit: JointFit, miss: np.ndarray, used: np.ndarray, step: float) -> Check:
    """Deviation of whole cycles from the model, by device, cycle and polarity."""
    prepared = fit.prepared
    key = (prepared.device.astype(np.int64) * (prepared.cycle.max() + 1) + prepared.cycle) * 2
    key += prepared.series.pulse > 0
    used = used & (prepared.series.pulse != 0)
    groups = [miss[used & (key == group)] / step for group in np.unique(key[used])]
    return _excess("Are cycles alike?", "of the step between cycles", groups)


def _excess(question: str, unit: str, groups: list[np.ndarray]) -> Check:
    """Size of the groups' mean misses beyond chance, between the least and the most that the data
    allow.

    A mean over its own standard error follows Student's law, and is turned into the normal number
    that is as unlikely. The standard error is widened by the same factor.
    """
    groups = [group for group in groups if len(group) >= _FEWEST_A_GROUP]
    if not groups:
        return Check(question, "too few pulses to tell", "open")
    sizes = np.array([len(group) for group in groups])
    errors = np.array([group.std(ddof=1) for group in groups]) / np.sqrt(sizes)
    errors = np.maximum(errors, 1e-9)
    student = np.maximum(np.abs([group.mean() for group in groups]) / errors, 1e-9)
    tail = np.maximum(stats.t.sf(student, sizes - 1), 1e-300)  # smaller ones underflow
    normal = stats.norm.isf(tail)
    information = float(np.sum((normal / student / errors) ** 2))
    total, degrees = float(np.sum(normal**2)), len(groups)

    def size(probability: float) -> float:
        """Gap at which the probability of a sum up to this one is `probability`."""

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
    status = status_of(least <= MOST_STEP_DEVIATION, most > _TOO_WIDE)
    if status == "open":
        answer += f"; up to {most:.2f} could hide in the noise"
    return Check(question, answer, status)


def _independent(z: np.ndarray, used: np.ndarray) -> Check:
    """Whether a pulse's miss says nothing about the next one's."""
    pairs = used[1:] & used[:-1]
    n = int(pairs.sum())
    question = "Are the misses of neighbouring pulses independent?"
    if n < 3 * _FEWEST_A_GROUP:
        return Check(question, "too few neighbours to tell", "open")
    first, second = z[:-1][pairs], z[1:][pairs]
    # Ranks: a single jump must not decide.
    correlation = float(stats.spearmanr(first, second).statistic)
    most = max(MOST_CORRELATION, 4 / np.sqrt(n))
    answer = f"rank correlation {correlation:.3f} (at most {most:.2f} either way)"
    return Check(
        question, answer, status_of(abs(correlation) <= most, most > _MOST_CORRELATION_SLACK)
    )
