"""Settings that have no effect under a rule cannot be set by its cases and sweeps."""

from typing import Any

import numpy as np
import pytest

from rpu_ssnn.common.errors import InputError
from studies.common.settings import with_value
from studies.declaration.update_rules.loading import rule_class
from support.studies.harness import RATE, small_study, trial_of_case

OTHER_VALUES: dict[str, Any] = {
    "network.neuron.theta_b": 3.0,
    "network.neuron.theta_n": 0.5,
    "network.neuron.circuit.polarity_spread": 0.5,
    "network.neuron.circuit.threshold_drift": 0.5,
    "network.gradient.switch": "first_spike",
    "network.gradient.branches": "unbounded",
    "network.gradient.delay": 1.0,
    "network.gradient.halving": 1.0,
    "training.schedule": "presentation",
    "training.output_step": 2.0,
    "training.decay": 0.5,
    "training.decay_shape": "linear",
}
RULES = ("bp_stdp", "conversion")


def weights_of(rule: str, path: str | None = None) -> list[np.ndarray]:
    """Returns the weights that the rule trains, under one changed setting of the study."""
    changed: dict[str, Any] = {"network": {"hidden": [8], "T": 10}, "training": {"epochs": 2}}
    if path is not None:
        changed = with_value(changed, path, OTHER_VALUES[path])
    trial = trial_of_case({"update": rule, "learning_rate": 0.1}, **changed)
    training = trial.settings.method.training(trial.settings, 1)
    with training(trial.images(None)) as trained:
        return [synapses.linear_read() for synapses in trained.network.synapses]


@pytest.mark.parametrize("rule", RULES)
def test_they_change_nothing(rule: str) -> None:
    plain = weights_of(rule)
    for path in rule_class(rule).without_effect:
        for ours, same in zip(weights_of(rule, path), plain, strict=True):
            np.testing.assert_array_equal(ours, same, err_msg=path)


@pytest.mark.parametrize("rule", RULES)
def test_a_case_cannot_set_them(rule: str) -> None:
    for path in rule_class(rule).without_effect:
        case = with_value({"update": rule, "learning_rate": 0.1}, path, OTHER_VALUES[path])
        with pytest.raises(InputError, match=f"has no effect on the rule {rule}") as caught:
            small_study(cases=[case], reference=rule).points()
        assert caught.value.field == f"case 1.{path}"


@pytest.mark.parametrize("rule", RULES)
def test_a_sweep_of_them_makes_no_further_trials(rule: str) -> None:
    cases = [RATE, {"update": rule, "learning_rate": 0.1}]
    study = small_study(cases=cases, reference="rate", sweep={"network.gradient.halving": [0.5, 1]})
    assert [point.label for point in study.points()] == ["rate", "rate", rule]
