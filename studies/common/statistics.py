"""Statistics of a few seeds: Student t intervals, paired t-tests, Holm's correction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95
"""Of every interval."""

SIGNIFICANCE = 1.0 - CONFIDENCE
"""A corrected p below it is called significant."""

_ROUNDING = 1e-9
"""Values that spread by less than this share of themselves are equal but for rounding."""


@dataclass(frozen=True)
class SampleStatistics:
    """A few values; NaN where undefined (of no value; spread of one).

    Attributes:
        sd: standard deviation with n - 1.
        half_width: of the confidence interval of the mean.
    """

    n: int
    mean: float
    sd: float
    half_width: float
    minimum: float
    maximum: float


def describe(values: Sequence[float]) -> SampleStatistics:
    """Mean, standard deviation, interval and range of values."""
    from scipy import stats

    n = len(values)
    if n == 0:
        return SampleStatistics(0, math.nan, math.nan, math.nan, math.nan, math.nan)
    mean = math.fsum(values) / n
    if n == 1:
        return SampleStatistics(1, mean, math.nan, math.nan, mean, mean)
    sd = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    quantile = float(stats.t.ppf(0.5 + CONFIDENCE / 2, n - 1))
    return SampleStatistics(n, mean, sd, quantile * sd / math.sqrt(n), min(values), max(values))


def mean_and_half_width(values: Sequence[float]) -> tuple[float, float]:
    """Mean, and half width of its confidence interval; NaN where undefined."""
    sample = describe(values)
    return sample.mean, sample.half_width


def paired_p(differences: Sequence[float]) -> float:
    """Two-sided p of the paired t-test, from the differences; NaN for fewer than two.

    Differences that are all equal have no spread to test against; p is then the limit of no
    spread: 1 where they are zero, 0 elsewhere (their interval has no width either).
    """
    from scipy import stats

    sample = describe(differences)
    if sample.n < 2:
        return math.nan
    if sample.sd <= _ROUNDING * max(1.0, abs(sample.mean)):
        return 1.0 if abs(sample.mean) <= _ROUNDING else 0.0
    return float(stats.ttest_1samp(differences, 0.0).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """p values corrected for being many (Holm 1979, step-down): the family-wise error is kept.

    The k-th smallest of m is multiplied by m - k + 1, then made no smaller than those before it
    and at most 1. A NaN (nothing could be tested) stays and does not count.
    """
    order = sorted((p, place) for place, p in enumerate(p_values) if not math.isnan(p))
    corrected = [math.nan] * len(p_values)
    largest = 0.0
    for rank, (p, place) in enumerate(order):
        largest = min(1.0, max(largest, (len(order) - rank) * p))
        corrected[place] = largest
    return corrected
