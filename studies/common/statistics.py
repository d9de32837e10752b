"""Statistics of a few seeds: Student t intervals, paired t-tests, Holm's correction, and how they
are told, so that an interval and its mark never contradict each other."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

CONFIDENCE = 0.95
"""Of every interval."""

SIGNIFICANCE = 1.0 - CONFIDENCE
"""A corrected p below it is called significant."""

FEWEST_SEEDS = 3
"""Fewer are not tested, and no interval is shown: that of two is nine deviations wide each way."""

MOST_SEEDS = 100
"""More are not asked for."""

NOT_SIGNIFICANT, ONLY_ALONE, UNTESTED = "ns", "(ns)", "untested"
"""Marks of a difference: its interval holds zero; its interval does not, but the corrected p is not
significant; no spread to tell it by."""

WHY_UNTESTED = f"fewer than {FEWEST_SEEDS} seeds, or equal differences"
"""In words."""


def why_untested(n: int) -> str:
    """Of n differences, in words."""
    return f"fewer than {FEWEST_SEEDS} seeds" if n < FEWEST_SEEDS else "equal differences"


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
    n = len(values)
    if n == 0:
        return SampleStatistics(0, math.nan, math.nan, math.nan, math.nan, math.nan)
    mean = math.fsum(values) / n
    if n == 1:
        return SampleStatistics(1, mean, math.nan, math.nan, mean, mean)
    sd = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    quantile = float(t_quantile(n - 1))
    return SampleStatistics(n, mean, sd, quantile * sd / math.sqrt(n), min(values), max(values))


def mean_and_half_width(values: Sequence[float]) -> tuple[float, float]:
    """Mean, and half width of its confidence interval; NaN where undefined."""
    sample = describe(values)
    return sample.mean, sample.half_width


def paired_p(differences: Sequence[float]) -> float:
    """Two-sided p of the paired t-test, from the differences; NaN for fewer than three.

    Differences that are all equal have no spread to test against. Where they are zero, p is 1;
    else NaN: on few images a few seeds differ by one image each, by chance.
    """
    sample = describe(differences)
    if sample.n < FEWEST_SEEDS:
        return math.nan
    if sample.sd <= _ROUNDING * max(1.0, abs(sample.mean)):
        return 1.0 if abs(sample.mean) <= _ROUNDING else math.nan
    return float(_two_sided_p(sample.mean / (sample.sd / math.sqrt(sample.n)), sample.n - 1))


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


def seeds_to_tell(
    means: Sequence[float], half_widths: Sequence[float], counts: Sequence[int]
) -> list[float]:
    """How many seeds would tell each difference from zero after Holm's correction of them all.

    Every difference keeps its mean and its standard deviation, and all get as many seeds.

    Args:
        half_widths: of the intervals of the means.
        counts: seeds that each has.

    Returns:
        NaN where a difference is not tested, infinity where it takes more than `MOST_SEEDS`.
    """
    import numpy as np

    n_now = np.asarray(counts, dtype=float)
    quantile = t_quantile(np.maximum(n_now - 1, 1))
    deviations = np.asarray(half_widths, dtype=float) * np.sqrt(n_now) / quantile
    size = np.abs(np.asarray(means, dtype=float))
    spread = np.maximum(deviations, _ROUNDING * np.maximum(1.0, size))
    size = np.where((n_now < FEWEST_SEEDS) | np.isnan(spread), np.nan, size)
    needed = np.where(np.isnan(size), np.nan, np.inf)
    for n in range(MOST_SEEDS, FEWEST_SEEDS - 1, -1):
        p = _two_sided_p(size / spread * math.sqrt(n), n - 1)
        needed = np.where(np.array(holm(p.tolist())) < SIGNIFICANCE, n, needed)
    return [float(n) for n in needed]


def t_quantile(degrees: Any) -> Any:
    """Half width of Student's t interval in standard errors."""
    # Of scipy.special: scipy.stats takes longer to import than most commands take to answer.
    from scipy.special import stdtrit

    return stdtrit(degrees, 0.5 + CONFIDENCE / 2)


def _two_sided_p(t: Any, degrees: int) -> Any:
    from scipy.special import stdtr

    return 2 * stdtr(degrees, -abs(t))


def is_significant(p: float) -> bool | None:
    """Whether a corrected p is significant; None: not tested."""
    return None if math.isnan(p) else p < SIGNIFICANCE


def mark(mean: float, half_width: float, p: float) -> str:
    """What stands behind a difference and its interval; nothing where both tell it from zero.

    Args:
        p: corrected; NaN: not tested.
    """
    if math.isnan(mean):
        return ""
    if math.isnan(p):
        return UNTESTED
    if p < SIGNIFICANCE:
        return ""
    return ONLY_ALONE if abs(mean) > half_width else NOT_SIGNIFICANT


def correction(tests: int, untold: str = "not significant") -> str:
    """How the differences of a table were tested, and what their marks mean, in words."""
    if tests == 0:
        return f"{UNTESTED}: {WHY_UNTESTED}"
    alone = f"{NOT_SIGNIFICANT}: {untold} at {SIGNIFICANCE:.2g} (paired t-test)"
    if tests == 1:
        return alone
    return f"{alone}; {ONLY_ALONE}: {untold} after Holm's correction for {tests} comparisons"
