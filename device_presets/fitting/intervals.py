"""95 % intervals of means and spreads over a few devices."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.optimize import brentq

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Quantity:
    """A reported number.

    Args:
        name: what it is.
        value: best estimate; None where it could not be known.
        low, high: 95 % interval; None where there is none.
        unit: of all three.
        note: why there is no value or no interval, or what to know about it; may be empty.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    note: str = ""

    @property
    def interval(self) -> str:
        """The interval as text."""
        if self.low is None or self.high is None:
            return "-"
        return f"{self.low:.4g} to {self.high:.4g}"


def student_factor(degrees: float) -> float:
    """Half width of a 95 % interval in standard errors."""
    return float(stats.t.ppf(0.5 + CONFIDENCE / 2, max(degrees, 1.0)))


def spread_interval(
    values: np.ndarray, within: np.ndarray, relative: bool, doubt: float = 0.0
) -> tuple[float, float, float]:
    """Deviation between devices: estimate and 95 % interval.

    The variance of the devices' fitted values is that between devices plus that of the fits. The
    total has a chi-squared interval; the fits' share, known from their curvature, is subtracted.
    As far as that share is itself in doubt, Snedecor's F takes the place of chi-squared.

    Args:
        values: [devices], at least 2, divided by their mean where ``relative``.
        within: [devices] variance of each value's own fit.
        relative: whether the mean's own error adds (a coefficient of variation).
        doubt: relative variance of the variances in ``within``, all wrong alike.
    """
    n = len(values)
    total = float(np.var(values, ddof=1))
    fits = float(np.mean(within))
    degrees = float(n - 1)
    if relative:
        degrees = 1.0 / (1.0 / degrees + 2.0 * total / n)
    tail = (1.0 - CONFIDENCE) / 2
    estimate = math.sqrt(max(total - fits, 0.0))

    def end(probability: float) -> float:
        def beyond(between: float) -> float:
            """Of the total, over what it is with that probability at most."""
            share = fits / (between + fits) if fits else 0.0
            # Degrees of freedom of the fits' variance, as good as none below one.
            others = max(2.0 / max(share**2 * doubt, 1e-9), 1.0)
            quantile = float(stats.f.ppf(probability, degrees, others))
            return total - (between + fits) * quantile

        if beyond(0.0) <= 0.0:
            return 0.0
        most = total
        while beyond(most) > 0.0:
            most *= 4.0
        return math.sqrt(float(brentq(beyond, 0.0, most)))

    return estimate, end(1.0 - tail), end(tail)


def is_log_normal(values: np.ndarray) -> bool:
    """Whether positive values over devices follow a log-normal law clearly better than a normal."""
    if len(values) < 8 or (values <= 0).any() or values.std() < 1e-3 * values.mean():
        return False  # too few, or too alike, to tell
    normal = stats.norm.logpdf(values, values.mean(), values.std()).sum()
    logs = np.log(values)
    log_normal = (stats.norm.logpdf(logs, logs.mean(), logs.std()) - logs).sum()
    return bool(log_normal > normal + 2.0)
