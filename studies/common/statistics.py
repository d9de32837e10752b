"""Computes statistics of a few seeds: Student t intervals, paired t-tests, Holm's correction.

It also chooses the marks of differences, so that an interval and its mark never contradict each
other.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

# scipy.stats takes longer to import than most commands to run.
from scipy.special import stdtr, stdtrit

CONFIDENCE = 0.95
"""Every interval has this confidence."""

SIGNIFICANCE = 1.0 - CONFIDENCE
"""A corrected p below this is called significant."""

FEWEST_SEEDS = 3
"""Fewer seeds are not tested and get no interval, since that of two seeds has a half width of nine
deviations."""

MOST_SEEDS = 1000
"""A question that needs more seeds cannot be answered."""

NOT_SIGNIFICANT, ONLY_ALONE, UNTESTED = "ns", "(ns)", "untested"
"""A difference gets the first mark if its interval contains zero, the second if it does not but the
corrected p is not significant, and the third if there are too few seeds or no spread to test."""

WHY_UNTESTED = f"fewer than {FEWEST_SEEDS} seeds, or differences that are all equal but not 0"
"""This says why a difference is not tested."""


MARKS = (
    f"{NOT_SIGNIFICANT}: not significant",
    f"{ONLY_ALONE}: significant by itself but not after Holm's correction",
    f"{UNTESTED}: {WHY_UNTESTED}",
)
"""These lines explain the three marks below a table."""

_ROUNDING = 1e-9
"""Values whose relative spread is below this differ only by rounding."""


@dataclass(frozen=True)
class SampleStatistics:
    """Holds the statistics of a few values, which are NaN if not defined.

    Attributes:
        sd: standard deviation with n - 1.
        half_width: half width of the confidence interval of the mean.
    """

    n: int
    mean: float
    sd: float
    half_width: float
    minimum: float
    maximum: float


def describe(values: Collection[float]) -> SampleStatistics:
    """Returns mean, standard deviation, interval and range of values."""
    n = len(values)
    if n == 0:
        return SampleStatistics(0, math.nan, math.nan, math.nan, math.nan, math.nan)
    mean = math.fsum(values) / n
    squares = math.fsum((value - mean) ** 2 for value in values)
    sd = math.sqrt(squares / (n - 1)) if n > 1 else math.nan
    quantile = float(t_quantile(n - 1))
    return SampleStatistics(n, mean, sd, quantile * sd / math.sqrt(n), min(values), max(values))


def accuracy_ends(mean: float, half_width: float) -> tuple[float, float]:
    """Returns the ends of an interval of accuracies (%), cut at 0 and 100.

    No mean lies beyond, so that the cut interval contains it as often.
    """
    return max(mean - half_width, 0.0), min(mean + half_width, 100.0)


def independent_values(groups: Sequence[Sequence[float]]) -> list[float]:
    """Returns the values whose interval is that of the mean, where groups share a drawn device.

    These are the means of the groups. They are all values where the interval of these is wider,
    since a few means that are alike by chance must not give a narrower interval than the seeds.
    """
    means = [math.fsum(group) / len(group) for group in groups]
    every = [value for group in groups for value in group]
    enough = len(means) >= FEWEST_SEEDS
    return max(means, every, key=lambda of: describe(of).half_width) if enough else means


def nested_deviations(groups: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Returns the standard deviations within groups, and between groups beyond that.

    It is an analysis of variance with random groups. Both are NaN if a group has only one value or
    there is only one group.
    """
    within = [describe(group) for group in groups]
    if len(groups) < 2 or any(group.n < 2 for group in within):
        return math.nan, math.nan
    variance = math.fsum(group.sd**2 for group in within) / len(within)
    between = describe([group.mean for group in within]).sd ** 2
    from_within = variance * math.fsum(1.0 / group.n for group in within) / len(within)
    return math.sqrt(variance), math.sqrt(max(between - from_within, 0.0))


@dataclass(frozen=True)
class PairedTest:
    """Holds the test of paired differences of two cases, with NaN for undefined values.

    Attributes:
        n: number of pairs.
        mean: mean difference.
        half_width: half width of the 95 % interval of the mean, not corrected.
        p_alone: p of the two-sided paired t-test.
        p: the same after Holm's correction for all differences that were tested together.
    """

    n: int
    mean: float
    half_width: float
    p_alone: float
    p: float

    @property
    def significant(self) -> bool | None:
        """Says whether the corrected p is below `SIGNIFICANCE`, or None if nothing was tested."""
        return None if math.isnan(self.p) else self.p < SIGNIFICANCE


def paired_tests(differences: Iterable[Collection[float]]) -> list[PairedTest]:
    """Tests several means of paired differences against zero, with Holm's correction for all."""
    values = list(differences)
    samples = [describe(pairs) for pairs in values]
    alone = [paired_p(pairs) for pairs in values]
    return [
        PairedTest(sample.n, sample.mean, sample.half_width, p_alone, p)
        for sample, p_alone, p in zip(samples, alone, holm(alone), strict=True)
    ]


def paired_p(differences: Collection[float]) -> float:
    """Returns the two-sided p of the paired t-test, or NaN for fewer than three differences.

    Differences that are all equal have no spread to test against. If they are zero, p is 1. Else it
    is NaN, because with few images each of a few seeds may differ by one image by chance.
    """
    sample = describe(differences)
    if sample.n < FEWEST_SEEDS:
        return math.nan
    if sample.sd <= _ROUNDING * max(1.0, abs(sample.mean)):
        return 1.0 if abs(sample.mean) <= _ROUNDING else math.nan
    t = sample.mean / (sample.sd / math.sqrt(sample.n))
    return float(2 * stdtr(sample.n - 1, -abs(t)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Corrects p values for multiple tests (Holm 1979, step-down), keeping the family-wise error.

    The k-th smallest of m is multiplied by m - k + 1, then made no smaller than the ones before it
    and at most 1. A NaN (nothing could be tested) stays NaN and does not count.
    """
    order = sorted((p, place) for place, p in enumerate(p_values) if not math.isnan(p))
    corrected = [math.nan] * len(p_values)
    largest = 0.0
    for rank, (p, place) in enumerate(order):
        largest = min(1.0, max(largest, (len(order) - rank) * p))
        corrected[place] = largest
    return corrected


def t_quantile(degrees: Any) -> Any:
    """Returns the half width of Student's t interval in standard errors."""
    return stdtrit(degrees, 0.5 + CONFIDENCE / 2)


def seeds_to_tell(n: int, mean: float, half_width: float, tests: int) -> int | None:
    """Returns how many seeds make the clearest of several means significant, after Holm's
    correction, if it and its spread stay the same; None if that is not known, or if more than
    `MOST_SEEDS` would be needed."""
    if n < FEWEST_SEEDS:
        return None
    spread = half_width * math.sqrt(n) / t_quantile(n - 1)
    for seeds in range(n, MOST_SEEDS + 1):
        errors = stdtrit(seeds - 1, 1 - SIGNIFICANCE / (2 * tests))
        if errors * spread < abs(mean) * math.sqrt(seeds):
            return seeds
    return None


def mark(mean: float, half_width: float, p: float) -> str:
    """Returns the mark of a difference, which is empty if it is significant.

    Args:
        p: the corrected p; NaN if not tested.
    """
    if math.isnan(mean):
        return ""
    if math.isnan(p):
        return UNTESTED
    if p < SIGNIFICANCE:
        return ""
    return ONLY_ALONE if abs(mean) > half_width else NOT_SIGNIFICANT


def correction(tests: int, untested: bool) -> list[str]:
    """Explains in lines how the differences of a table were tested, and what their marks mean.

    Args:
        tests: number of differences that were tested.
        untested: whether there is a difference that was not.
    """
    alone = f"{NOT_SIGNIFICANT}: not significant at {SIGNIFICANCE:.2g} (paired t-test)"
    many = f"{ONLY_ALONE}: significant, but not after Holm's correction for {tests} tests"
    return [alone] * (tests > 0) + [many] * (tests > 1) + [MARKS[-1]] * untested
