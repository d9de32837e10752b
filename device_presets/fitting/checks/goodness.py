"""Checks whether the chosen model describes the data, up to misfits that matter."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from device_presets.fitting.checks.defects import MOST_STEP_DEVIATION, Defect, defects_of
from device_presets.fitting.checks.questions import ERRORS, MEAN_STEP, SCATTER, Check, status_of
from device_presets.fitting.model.effects import WIDTH
from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.series import Trace
from device_presets.fitting.model.simulation import LAGS, structures
from rpu_ssnn.common.wording import counted

_TOO_FEW = "Too few predictions lie far enough from the bounds to decide."
_BINS = 8
_FEWEST_A_GROUP = 8
_SIGNIFICANT = 1e-4

_NEGLIGIBLE = 0.01
"""Misses below this share of the step count as rounding errors, not as noise."""

_TOO_WIDE = 1.0
"""The check stays open if a deviation of more than this share of a step could hide in the noise."""

INSIDE_LIMITS = (0.90, 0.985)
"""The share of predictions within their 95 % intervals must lie between these."""

MOST_MISS_RATIO, _MOST_VARIANCE_RATIO = 1.15, 1.15

_FEWEST = 24
"""With fewer predictions the check stays open."""

_FEWEST_SWEEPS = 6
_MISS_ERRORS = 3.5

_MOST_ROOM = 0.7
"""The check stays open if it allows the logarithm of the size more than this, a factor of two."""


@dataclass(frozen=True)
class Verdict:
    """Holds all checks of a fit, and the defects found.

    Args:
        checks: The checks with their answers.
        defects: What the law lacks and has a name.
    """

    checks: tuple[Check, ...]
    defects: tuple[Defect, ...] = ()

    @property
    def describes(self) -> bool:
        """Returns whether no check fails."""
        return all(check.passed for check in self.checks)

    @property
    def moves(self) -> bool:
        """Returns whether pulses move the device in their direction."""
        return self.checks[0].passed

    @property
    def failed(self) -> str:
        """Returns the questions of the failed checks."""
        return " ".join(f"'{check.question}'" for check in self.checks if not check.passed)

    @property
    def sentence(self) -> str:
        """Returns the outcome in words."""
        if not self.describes:
            return "The fit DOES NOT DESCRIBE THE DATA"
        n_open = sum(check.status == "open" for check in self.checks)
        left = f", as far as they can be checked ({counted(n_open, 'check')} left open)"
        return f"The fit describes the data{left if n_open else ''}"


def judge(fit: JointFit) -> Verdict:
    """Checks predictions of the fit, one pulse ahead and over many pulses.

    A check fails only if the misfit is both large (the limits above) and significant, so that ten
    thousand pulses do not fail for a deviation that nobody would notice. The bound in an answer is
    the one applied: the limit, widened by what chance explains.
    """
    series, trace = fit.prepared.series, fit.trace()
    deviation = np.sqrt(trace.variance)
    used = np.isfinite(trace.expected) & free_of_bounds(fit, trace.expected, deviation)
    # Without noise, no reading without a pulse changes.
    used &= ~series.rests if fit.prepared.noisy else series.pulse != 0
    miss = np.where(used, series.weight - trace.expected, np.nan)
    moved = used & (series.pulse != 0)
    step = float(np.mean(trace.step[moved])) if moved.any() else np.nan
    enough = used.sum() >= 3 * _FEWEST_A_GROUP and step > 0
    checks = [_moves(fit, trace), Check(MEAN_STEP, _TOO_FEW, "open")]
    if enough:
        orders, timing = [np.argsort(trace.state)], fit.prepared.timing
        if timing is not None and WIDTH in timing.asked:
            orders.append(np.argsort(timing.width, kind="stable"))
        ways = (rows[(used & (series.pulse == way))[rows]] for rows in orders for way in (1, -1))
        parts = (part for rows in ways for part in np.array_split(rows, _BINS))
        checks[1] = _excess([miss[part] / step for part in parts])
    measured, simulated = structures(fit)
    # A device without noise leaves rounding errors, whose law does not matter.
    if enough and float(np.sqrt(np.mean(miss[used] ** 2))) > _NEGLIGIBLE * step:
        checks.append(_predictions(miss[used] / deviation[used]))
        checks.append(_structure(measured, simulated))
    size = step if step > 0 else float(np.exp(fit.local[:, :2]).mean())
    defects = defects_of(fit, trace, miss**2 / trace.variance, size, measured, simulated)
    return Verdict(tuple(checks), defects)


def _moves(fit: JointFit, trace: Trace) -> Check:
    """Checks whether pulses move the device by more than noise would.

    Over a run of pulses in one direction, read noise counts only at the first and the last reading:
    between them it cancels, except for the share that a loss takes. The cycle noise of each pulse
    adds up. What is lost before a pulse is not part of its move. With many sweeps, the scatter of
    their moves is used as well, since models take the first move of an abrupt device for noise.
    """
    series, *_, (cycle, white, _) = fit.arguments
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
        read = (white**2 + series.resolution**2) * n_readings
        noise = read + float(np.sum((cycle * trace.noisy_step[pulses]) ** 2))
        score = moved / max(float(np.sqrt(noise)), 1e-12)
        runs = fit.prepared.runs[series.pulse[fit.prepared.runs[:, 1]] == way]
        ways = way * (series.weight[runs[:, 1]] - series.weight[runs[:, 0]])
        if len(ways) >= _FEWEST_SWEEPS:
            alike = float(ways.std(ddof=1)) / np.sqrt(len(ways))
            score = max(score, float(ways.mean()) / max(alike, 1e-12))
        answers.append(f"{min(score, 999.0):.1f} ({name})")
        passed = passed and bool(score > 3)
    answer = f"The mean step along pulses is {' and '.join(answers)} standard errors (needed: 3)."
    return Check(question, answer, "ok" if passed else "FAIL")


def _excess(groups: list[np.ndarray]) -> Check:
    """Checks the deviation of the mean step from the model in groups of states and polarities: the
    size of their mean misses (steps) beyond chance, between the least and the most that the data
    allow.

    A mean divided by its standard error follows Student's t, and is converted to the normal number
    that is equally unlikely. The standard error is widened by the same factor.
    """
    groups = [group for group in groups if len(group) >= _FEWEST_A_GROUP]
    if not groups:
        return Check(MEAN_STEP, "There are too few pulses to decide.", "open")
    sizes = np.array([len(group) for group in groups])
    errors = np.array([group.std(ddof=1) for group in groups]) / np.sqrt(sizes)
    errors = np.maximum(errors, 1e-9)
    student = np.maximum(np.abs([group.mean() for group in groups]) / errors, 1e-9)
    tail = np.maximum(stats.t.sf(student, sizes - 1), 1e-300)  # Smaller values underflow.
    normal = stats.norm.isf(tail)
    information = float(np.sum((normal / student / errors) ** 2))
    # The sum of squares follows the non-central chi-squared law, whose tails are nearly normal.
    beyond, degrees = float(np.sum(normal**2)) - len(groups), len(groups)
    scatter = float(np.sqrt(2 * degrees + 4 * max(beyond, 0.0)))
    chance = float(stats.chi2.isf(_SIGNIFICANT, degrees)) - degrees
    surely = beyond - max(chance, float(stats.norm.isf(_SIGNIFICANT)) * scatter)
    ends = (surely, beyond + float(stats.norm.isf(0.05)) * scatter)
    least, most = (float(np.sqrt(max(end, 0.0) / information)) for end in ends)
    status = status_of(least <= MOST_STEP_DEVIATION, most > _TOO_WIDE)
    hidden = f"; an error of up to {most:.2f} could hide in the noise" if status == "open" else ""
    found = "is within chance" if least < 0.0005 else f"is at least {least:.3f} beyond chance"
    allowed = f"a good fit has at most {MOST_STEP_DEVIATION} of the step"
    answer = f"The rms error over the states {found} ({allowed}){hidden}."
    return Check(MEAN_STEP, answer, status)


def _predictions(z: np.ndarray) -> Check:
    """Checks whether predictions of the next reading miss by as much as their deviations state.

    Args:
        z: [readings] misses divided by their stated deviations.
    """
    if len(z) < _FEWEST:
        return Check(ERRORS, _TOO_FEW, "open")
    inside = float(np.mean(np.abs(z) < stats.norm.ppf(0.975)))
    slack = 4 * np.sqrt(0.95 * 0.05 / len(z))
    lowest, highest = min(INSIDE_LIMITS[0], 0.95 - slack), max(INSIDE_LIMITS[1], 0.95 + slack)
    size = float(np.sqrt(np.mean(z**2)))
    room = max(np.log(MOST_MISS_RATIO), _MISS_ERRORS / np.sqrt(2 * len(z)))
    fine = lowest <= inside <= highest and abs(np.log(max(size, 1e-9))) <= room
    answer = (
        f"{100 * inside:.1f} % of the readings lie in their predicted 95 % intervals (a good fit "
        f"has {100 * lowest:.0f} to {100 * min(highest, 1.0):.3g} %); the errors are {size:.2f} "
        f"times as large as expected (rms; a good fit has {np.exp(-room):.2f} to "
        f"{np.exp(room):.2f})."
    )
    return Check(ERRORS, answer, status_of(bool(fine), bool(room > _MOST_ROOM)))


def _structure(measured: np.ndarray, simulated: np.ndarray) -> Check:
    """Checks whether changes over 1 to 200 pulses scatter as simulated ones do, over all lags
    together.

    A model with the wrong kind of noise still predicts the next pulse well. Cycle noise adds up
    from pulse to pulse, and correlated read noise does not: the two differ only over many pulses.

    Args:
        measured, simulated: Both results of `structures`.
    """
    there = np.isfinite(measured) & (measured > 0)
    if not there.any():
        return Check(SCATTER, "The runs of pulses are too short to decide.", "open")
    logs = np.log(np.maximum(simulated[:, there], 1e-300))
    ours = np.log(measured[there]) - logs.mean(axis=0)
    logs = logs - logs.mean(axis=0)
    # Neighbouring lags are correlated, so the measure is how unusual all of them are together.
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(logs, rowvar=False)))
    scale = 1.0 / np.sqrt(np.maximum(values, 1e-6))
    theirs = np.linalg.norm(logs @ vectors * scale, axis=1)
    distance = float(np.linalg.norm(ours @ vectors * scale))
    worst = int(np.argmax(np.abs(ours)))
    ratio, lag = float(np.exp(ours[worst])), np.array(LAGS)[there][worst]
    over = f"over {counted(int(lag), 'pulse')}, the variance is {ratio:.2f} of the simulated one"
    if abs(ours[worst]) <= np.log(_MOST_VARIANCE_RATIO):
        limits = f"{1 / _MOST_VARIANCE_RATIO:.2f} to {_MOST_VARIANCE_RATIO:.2f}"
        return Check(SCATTER, f"At worst, {over} (a good fit has {limits}).", "ok")
    most = float(theirs.max())
    answer = (
        f"At worst, {over}; all lags together are {distance:.1f} deviations from the mean "
        f"simulation (a good fit has at most {most:.1f}, as far as the furthest simulation)."
    )
    return Check(SCATTER, answer, "ok" if distance <= most else "FAIL")


def free_of_bounds(fit: JointFit, expected: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Returns [rows] whether a prediction is far enough from the bounds to have a normal law."""
    series, device = fit.prepared.series, fit.prepared.device
    high = np.where(series.clips[0], fit.local[:, 4], np.inf)[device]
    low = np.where(series.clips[1], fit.local[:, 5], -np.inf)[device]
    return np.asarray((expected + 3 * deviation < high) & (expected - 3 * deviation > low))
