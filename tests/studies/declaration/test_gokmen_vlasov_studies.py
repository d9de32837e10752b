"""The threshold study varies each property alone, and compares it with the same device."""

from studies.declaration.shipped import find_study
from studies.declaration.update_rules.pulses import PulseRule
from studies.sensitivity.axes import RequirementAxis, axis
from studies.sensitivity.device_question import TunedDevice, ask
from studies.sensitivity.imperfections import imperfections

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
