"""Computes 95 % intervals for means and spreads over a few devices."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import special, stats
from scipy.optimize import brentq

_LIMITS = {
    **dict.fromkeys(("step", "step as conductance", "states"), (0.0, math.inf)),
    **dict.fromkeys(("asymmetry", "nonlinearity up", "nonlinearity down"), (-1.0, 1.0)),
    "reset_level": (-3.0, 3.0),
    "width_steepness": (-1.0, 100.0),
}
"""The limits of quantities with a symmetric interval: those above 0, possible shares, the
weights that a fit considers, and those of the preset's parameter."""

BOUNDS = ("w_max", "w_min")
"""The names of both bounds, whose half range is 1 unless the user chose other weights."""

_WIDE = 1e3

_TWICE_OFF = 3.0
"""An interval that reaches 0 is informative if it ends below this many times the value."""

_SMALL_SPREAD = 0.1
"""The interval of a spread is also informative if it ends below this."""

_FEW_DEVICES = 5.0
"""The interval of a spread from very few devices is not informative if it ends above this many
times the value, and above the whole number that varies."""

_WIDE_BOUND = 1.5
"""The interval of a bound is not informative if it is this much of the half range wide."""


@dataclass(frozen=True)
class Quantity:
    """Holds a reported number.

    Args:
        name: The name in the report.
        value: Best estimate; None if it cannot be known.
        low, high: 95 % interval; None if there is none.
        unit: The unit of all three.
        note: Why there is no value or interval, or another remark; may be empty.
        determined: Whether the data determine the value; if not, there is no interval.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    note: str = ""
    determined: bool = True

    def noted(self, more: str) -> "Quantity":
        """Returns the quantity with one more note."""
        return replace(self, note="; ".join(filter(None, [self.note, more])))

    def opened(self) -> "Quantity":
        """Returns the quantity without an interval, as the data do not determine its value."""
        return replace(self, low=None, high=None, determined=self.value is None)

    @property
    def shown(self) -> str:
        """Returns the value as text."""
        return "unknown" if self.value is None else f"{self.value:.4g}"

    @property
    def line(self) -> str:
        """Returns the quantity as a line of a preset's comments."""
        shown = self.shown if self.value is None else f"{self.shown} {self.unit}"
        interval = "" if self.interval == "-" else f", {self.interval}"
        return f"{self.name}: {shown}{interval}{f' ({self.note})' if self.note else ''}"

    @property
    def interval(self) -> str:
        """Returns the interval as text."""
        none = self.low is None or self.high is None
        left = "-" if self.determined else "not determined"
        return left if none else f"{self.low:.4g} to {self.high:.4g}"


def as_far_as_determined(one: Quantity) -> Quantity:
    """Returns the quantity without its interval if that is too wide to be informative, otherwise
    with the interval cut to possible values.

    Intervals of logarithms (low above 0) stay, since `Population.positive` limits them.
    """
    if one.value is None or one.low is None or one.high is None:
        return one
    least, most = _LIMITS.get(one.name, (-math.inf, math.inf))
    if least == 0.0:
        nothing = one.high >= (_WIDE * one.low if one.low > 0.0 else _TWICE_OFF * one.value)
    elif one.name in _LIMITS:
        nothing = one.low <= least and one.high >= most
    elif one.name.endswith("_spread"):
        times, small = (_FEW_DEVICES, 1.0) if one.low > 0.0 else (_TWICE_OFF, _SMALL_SPREAD)
        nothing = one.high > max(times * one.value, small)
    elif one.name in BOUNDS:
        nothing = one.high - one.low >= _WIDE_BOUND * max(abs(one.value), 1.0)
    else:
        nothing = one.low <= 0.0 and one.high - one.low >= _WIDE * max(abs(one.value), 1.0)
    if nothing:
        note = f"at most {one.high:.4g}" if one.name.endswith("_spread") else ""
        return one.opened().noted(note)
    return replace(one, low=max(one.low, least), high=min(one.high, most))


def student_factor(degrees: float) -> float:
    """Returns the half width of a 95 % interval, in standard errors."""
    return float(stats.t.ppf(0.975, max(degrees, 1.0)))


def spread_interval(
    values: np.ndarray, within: np.ndarray, relative: bool, doubt: float = 0.0
) -> tuple[float, float, float]:
    """Returns the deviation between devices as an estimate and the ends of its 95 % interval.

    The variance of a device's fitted value is the variance between devices plus that of its fit,
    which is known from its curvature. Weighted by it, the values scatter around their mean as
    chi-squared (Cochran's Q), which gives the estimate (Paule and Mandel 1982) and the interval
    (Viechtbauer 2007). A device with an uncertain fit has little influence. As far as the variances
    of the fits are themselves uncertain, Snedecor's F replaces chi-squared.

    Args:
        values: [devices], at least 2, divided by their mean if ``relative``.
        within: [devices] variance of each value from its fit.
        relative: Whether the error of the mean adds (a coefficient of variation).
        doubt: Relative variance of the variances in ``within``, which all share one error.
    """
    total = float(np.var(values, ddof=1))
    errors = np.maximum(within, 1e-12 * total)
    if total == 0.0:
        return 0.0, 0.0, 0.0
    n = len(values)
    degrees = float(n - 1)

    def scatter(between: float) -> float:
        """Returns the scatter of the weighted values relative to its expectation."""
        weights = 1.0 / (between + errors)
        mean = float(weights @ values / weights.sum())
        return float(weights @ (values - mean) ** 2) / (n - 1)

    def where_it_falls_to(quantile: Callable[[float], float]) -> float:
        def beyond(between: float) -> float:
            return scatter(between) - quantile(between)

        if beyond(0.0) <= 0.0:
            return 0.0
        most = total
        while beyond(most) > 0.0:
            most *= 4.0
        return float(brentq(beyond, 0.0, most))

    between = where_it_falls_to(lambda _: 1.0)
    if relative:
        typical = n / float((1.0 / (between + errors)).sum())
        degrees = 1.0 / (1.0 / degrees + 2.0 * typical / n)

    def end(probability: float) -> float:
        def quantile(between: float) -> float:
            share = float(np.mean(errors / (between + errors)))
            # These are the degrees of freedom of the fits' variance, at least one.
            others = max(2.0 / max(share**2 * doubt, 1e-9), 1.0)
            return float(special.fdtri(degrees, others, probability))

        return math.sqrt(where_it_falls_to(quantile))

    return math.sqrt(between), end(0.975), end(0.025)


def is_log_normal(values: np.ndarray) -> bool:
    """Returns whether values over devices fit a log-normal law clearly better than a normal one."""
    if len(values) < 8 or (values <= 0).any() or values.std() < 1e-3 * values.mean():
        return False  # They are not positive, too few, or too similar to decide.
    normal = stats.norm.logpdf(values, values.mean(), values.std()).sum()
    logs = np.log(values)
    return bool((stats.norm.logpdf(logs, logs.mean(), logs.std()) - logs).sum() > normal + 2.0)
