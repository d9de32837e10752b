"""Compares statistics with textbook numbers, statsmodels and scipy's paired test."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from studies.common.statistics import correction, describe, holm, mark, paired_p, seeds_to_tell

NAN = math.nan


def test_a_sample_by_hand() -> None:
    # The deviations are -3, -1, 1, 3, their squares sum to 20, so the variance is 20 / 3;
    # t(0.975, 3) = 3.18245.
    sample = describe([1.0, 3.0, 5.0, 7.0])
    assert (sample.n, sample.mean, sample.minimum, sample.maximum) == (4, 4.0, 1.0, 7.0)
    assert sample.sd == pytest.approx(math.sqrt(20 / 3))
    assert sample.half_width == pytest.approx(3.18245 * math.sqrt(20 / 3) / 2, rel=1e-5)


def test_one_value_has_no_spread_and_none_has_nothing() -> None:
    one = describe([5.0])
    assert (one.n, one.mean, one.minimum, one.maximum) == (1, 5.0, 5.0, 5.0)
    assert math.isnan(one.sd)
    assert math.isnan(one.half_width)
    assert describe([]).n == 0
    assert math.isnan(describe([]).mean)


def test_the_paired_p_is_that_of_the_paired_t_test() -> None:
    a, b = [97.1, 96.4, 98.0, 97.7], [96.0, 96.1, 97.2, 97.9]
    differences = [x - y for x, y in zip(a, b, strict=True)]
    assert paired_p(differences) == pytest.approx(stats.ttest_rel(a, b).pvalue)


@pytest.mark.parametrize("differences", [[4.1, 4.1 + 1e-14, 4.1], [-2.0] * 3])
def test_differences_without_spread_are_not_tested(differences: list[float]) -> None:
    """Three seeds that each lose one of 36 images prove nothing."""
    assert math.isnan(paired_p(differences))
    assert paired_p([0.0, 0.0, 0.0]) == 1.0


@pytest.mark.parametrize("differences", [[], [3.0], [1.0, 3.0]])
def test_fewer_than_three_pairs_are_not_tested(differences: list[float]) -> None:
    assert math.isnan(paired_p(differences))


def test_holm_is_that_of_statsmodels() -> None:
    for raw in np.random.default_rng(0).uniform(0.0, 0.2, size=(20, 7)):
        expected = multipletests(raw, method="holm")[1]
        assert holm(raw.tolist()) == pytest.approx(expected.tolist())


def test_holm_leaves_out_what_was_not_tested_and_stays_below_one() -> None:
    corrected = holm([NAN, 0.02, NAN, 0.7])
    assert corrected[1] == pytest.approx(0.04)  # There are two tests, not four.
    assert corrected[3] == 0.7
    assert math.isnan(corrected[0])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_a_mark_never_contradicts_its_interval() -> None:
    assert mark(-3.0, 1.0, 0.01) == ""
    assert mark(-3.0, 1.0, 0.07) == "(ns)"  # The interval excludes zero, the corrected p does not.
    assert mark(-3.0, 4.0, 0.2) == "ns"
    assert mark(-3.0, NAN, NAN) == "untested"
    assert correction(0, True) == [one for one in correction(2, True) if "untested" in one]
    assert "Holm" not in correction(1, False)


def test_the_seeds_that_a_mean_needs_are_those_of_its_interval() -> None:
    values = [(3, 3.56, 9.08, 1), (3, 3.0, 2.9, 1), (3, 14.67, 8.76, 5), (2, 3.0, 30.0, 1)]
    assert [seeds_to_tell(*of) for of in [*values, (5, 1e-3, 9.0, 1)]] == [7, 3, 4, None, None]
