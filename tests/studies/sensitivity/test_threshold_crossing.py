"""Tests where a measured loss crosses the target, and the interval of that value."""

import pytest

from studies.sensitivity.threshold_crossing import (
    ThresholdCrossing,
    bracket,
    side,
    threshold_crossing,
)


def test_crossing_and_interval_by_hand() -> None:
    measured = ((0.0, 0.0), (1.0, 2.0), (2.0, 6.0))
    # The means are 0, 2, 6 at harm 0, 1, 2, and seeds spread by 1 around them, so the half width is
    # t(2) / sqrt(3) = 2.484.
    losses = {at: dict(enumerate([mean - 1, mean, mean + 1])) for at, mean in measured}
    found = threshold_crossing(losses, 1.0)
    assert found is not None
    assert found.harm == pytest.approx(0.5)
    assert found.low is None  # At the harmless end the interval already reaches 2.48.
    assert found.high == pytest.approx(1 + (1.0 + 2.48414 - 2.0) / 4.0, abs=0.01)
    exact = {at: dict.fromkeys(range(3), mean) for at, mean in measured}
    between = threshold_crossing(exact, 3.0)
    assert between is not None
    assert (between.harm, between.low, between.high) == (1.25, 1.0, 2.0)
    assert bracket(losses, 1.0) == (0, 1)
    assert bracket(losses, 6.5) is None
    assert threshold_crossing(losses, -1.0) is None


def test_a_crossing_through_a_dent_is_that_of_the_monotone_curve() -> None:
    # In 0, 3, 1, 8 the dent is pooled to 2, 2.
    losses = {float(at): {0: mean, 1: mean} for at, mean in enumerate((0.0, 3.0, 1.0, 8.0))}
    found = threshold_crossing(losses, 1.0)
    assert found is not None
    assert found.harm == pytest.approx(0.5)


def test_sides_need_an_interval() -> None:
    assert side({0: 5.0}, 1.0) == 0
    assert side({0: 5.0, 1: 5.0}, 1.0) == 0  # Two seeds are not tested, nor are equal losses.
    assert side({0: 5.0, 1: 5.1, 2: 5.0}, 1.0) == 1
    assert side({0: 0.1, 1: 0.2, 2: 0.1}, 1.0) == -1
    assert side({0: 0.1, 1: 2.2, 2: 0.1}, 1.0) == 0
    two = {0.0: {0: 0.0, 1: 0.0}, 1.0: {0: 2.0, 1: 2.0}}
    assert threshold_crossing(two, 1.0) == ThresholdCrossing(0.5, None, None)
