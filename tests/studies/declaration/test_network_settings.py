"""Tests settings of the network that all rules share: input lines and initial weights."""

from typing import Any

import numpy as np
import pytest

from rpu_ssnn.common.errors import InputError
from studies.declaration.study import Study
from studies.declaration.update_rules.loading import rule_names
from studies.workers.run_trial import run_trial
from support.studies.harness import DRIVE, RATE, declared_trials, small_study, trial_of_case

NATIVE = {"device": "ideal", "tile": {"simulator": "native"}, "hyperparameters": DRIVE}
STARTS: dict[str, dict[str, Any]] = {
    **{rule: {"update": rule, "learning_rate": 0.1} for rule in ("rate", "coincidence", "bp_stdp")},
    **{rule: {"update": rule, "learning_rate": 0.1} for rule in ("ann", "ann_adam", "conversion")},
    "pulses": NATIVE,
    "analog_sgd": {"update": "analog_sgd", **NATIVE},
}
"""A case of each rule that starts from He initialisation, at any scale."""

OWN_START: dict[str, dict[str, Any]] = {
    "online_sgd": {"update": "online_sgd", "learning_rate": 0.1},
    "whole_pulse_sgd": {"update": "whole_pulse_sgd", **NATIVE},
}
"""A case of each rule that has its own settings for initial weights."""


def declared(encoding: dict[str, object]) -> Study:
    cases = [{"update": "ann", "learning_rate": 0.1}, RATE, NATIVE]
    return small_study(network={"hidden": [8], "encoding": encoding}, cases=cases, seeds=1)


def identities(encoding: dict[str, object]) -> list[str]:
    return [trial.identity for trial in declared_trials(declared(encoding))]


def test_only_on_off_makes_other_trials_of_every_case() -> None:
    before, named, on_off = (
        identities(encoding) for encoding in ({}, {"contrast": "none"}, {"contrast": "on_off"})
    )
    assert before == named
    assert len(before) == 3
    assert not set(before) & set(on_off)


def test_rows_say_how_many_input_lines_there_are() -> None:
    for trial in declared_trials(declared({"contrast": "on_off"})):
        assert run_trial(trial, None, 1).row["network"] == "128-8-10"


def start_of(case: dict[str, Any], scale: float) -> list[np.ndarray]:
    """Returns the weights of the network before the first epoch."""
    network = {"hidden": [8], "T": 10, "initial_scale": scale}
    trial = trial_of_case(case, network=network, training={"epochs": 0})
    with trial.settings.method.training(trial.settings, 1)(trial.images(None)) as trained:
        if hasattr(trained, "weights"):
            return list(trained.weights)
        layers = trained.layers if hasattr(trained, "layers") else trained.network.synapses
        return [np.array(synapses.linear_read()) for synapses in layers]


def test_every_rule_has_its_place_in_these_tables() -> None:
    assert set(STARTS) | set(OWN_START) == set(rule_names())


@pytest.mark.parametrize("rule", STARTS)
def test_every_rule_starts_from_weights_of_that_size(rule: str) -> None:
    whole, tenth = start_of(STARTS[rule], 1.0), start_of(STARTS[rule], 0.1)
    for layer, (large, small) in enumerate(zip(whole, tenth, strict=True)):
        assert np.std(large) > 0, layer
        if rule == "conversion":  # Conversion balances the weights of each layer.
            assert not np.array_equal(small, large)
        else:
            np.testing.assert_allclose(small, 0.1 * large, rtol=1e-4, atol=2e-7)


@pytest.mark.parametrize("rule", OWN_START)
def test_a_rule_with_a_start_of_its_own_refuses_it(rule: str) -> None:
    case = {"label": "it", **OWN_START[rule], "network": {"initial_scale": 0.1}}
    with pytest.raises(InputError, match="has no effect") as caught:
        small_study(cases=[case], reference="it").points()
    assert caught.value.field == "case 1.network.initial_scale"
