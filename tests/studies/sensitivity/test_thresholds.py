"""Tests where a measured loss crosses the target, and the study of published thresholds."""

import pytest

from studies.declaration.shipped import find_study
from studies.declaration.update_rules.pulses import PulseRule
from studies.sensitivity.axes import RequirementAxis, axis
from studies.sensitivity.device_question import TunedDevice, ask
from studies.sensitivity.imperfections import imperfections
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
    crossing = threshold_crossing(losses, 1.0)
    assert crossing.harm == pytest.approx(0.5)
    assert crossing.low is None  # At the harmless end the interval already reaches 2.48.
    assert crossing.high == pytest.approx(1 + (1.0 + 2.48414 - 2.0) / 4.0, abs=0.01)
    exact = {at: dict.fromkeys(range(3), mean) for at, mean in measured}
    between = threshold_crossing(exact, 3.0)
    assert (between.harm, between.low, between.high) == (1.25, 1.0, 2.0)
    assert bracket(losses, 1.0) == (0, 1)
    assert bracket(losses, 6.5) is None
    assert threshold_crossing(losses, -1.0) is None


def test_a_crossing_through_a_dent_is_that_of_the_monotone_curve() -> None:
    # In 0, 3, 1, 8 the dent is pooled to 2, 2.
    losses = {float(at): {0: mean, 1: mean} for at, mean in enumerate((0.0, 3.0, 1.0, 8.0))}
    crossing = threshold_crossing(losses, 1.0)
    assert crossing.harm == pytest.approx(0.5)


def test_sides_need_an_interval() -> None:
    assert side({0: 5.0}, 1.0) == 0
    assert side({0: 5.0, 1: 5.0}, 1.0) == 0  # Two seeds are not tested, nor are equal losses.
    assert side({0: 5.0, 1: 5.1, 2: 5.0}, 1.0) == 1
    assert side({0: 0.1, 1: 0.2, 2: 0.1}, 1.0) == -1
    assert side({0: 0.1, 1: 2.2, 2: 0.1}, 1.0) == 0
    two = {0.0: {0: 0.0, 1: 0.0}, 1.0: {0: 2.0, 1: 2.0}}
    assert threshold_crossing(two, 1.0) == ThresholdCrossing(0.5, None, None)


NAME = "gokmen_vlasov_thresholds"
ASKED = (
    "levels",
    "cycle_to_cycle",
    "step_spread",
    "weight_range",
    "bounds_spread",
    "asymmetry",
    "asymmetry_spread",
)


def test_the_loss_is_zero_where_nothing_is_varied() -> None:
    """Reference and device are the same run, which repeats bit for bit without noise."""
    asked = ask(find_study(NAME), "ideal")
    assert isinstance(asked.reference.rule, PulseRule)
    unlabelled = asked.reference.changed(label=None), asked.case.changed(label=None)
    assert unlabelled[0] == unlabelled[1]


def test_every_property_is_varied_alone() -> None:
    """The device starts without any of the others, and every published property has an axis."""
    case = ask(find_study(NAME), "ideal").case
    tuned = TunedDevice(learning_rate=4.0, weight_range=4.0, thinning=1.0)
    assert not imperfections(case, tuned.thinning)[0]  # Even ideal devices have a finite step.
    for parameter in ASKED:
        along = axis(parameter, case, tuned)
        assert isinstance(along, RequirementAxis), along
        assert along.worst_value != along.own
