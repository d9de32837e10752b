"""Tests rules that learn image by image: their identity, and their row."""

from typing import Any

import pytest

from studies.declaration.trial import TrialSettings, identity_of
from studies.results.ledger import ledger_columns
from studies.workers.run_trial import run_trial
from support.studies.harness import declared_trials, small_study, trial_of_case

TWIN: dict[str, Any] = {"update": "online_sgd", "learning_rate": 0.4}


def pulsed(**case: Any) -> dict[str, Any]:
    return {
        "label": "pulsed",
        "update": "whole_pulse_sgd",
        "device": "gokmen_vlasov",
        "hyperparameters": {"learning_rate": 0.4, "weight_range": 4},
        "tile": {"simulator": "native"},
        **case,
    }


def test_they_run_to_a_row_that_repeats_and_names_their_settings() -> None:
    changed = {"layer_rates": [1, 0.5], "pulses_up": 40}
    study = small_study(cases=[TWIN, pulsed(online=changed)], reference="pulsed")
    twin, trial = declared_trials(study)[:: len(study.seeds)]
    first, second = (run_trial(trial, None, threads).row for threads in (1, 2))
    assert first["online"] == '{"layer_rates":[1.0,0.5],"pulses_up":40.0}'
    assert (first["batch"], first["replayable"], first["simulator"]) == (None, True, "native")
    assert first["pulses_up_total"] == second["pulses_up_total"] > 0
    assert first["test_accuracy"] == second["test_accuracy"]
    result = run_trial(twin, None, 1)
    assert result.row["online"] == "{}"
    ledger = ledger_columns(trial, run_trial(trial, None, 1))
    # There are 90 presentations of two reads and one slot of pulses, each 500 ns.
    assert ledger["training_time_s"] == pytest.approx(90 * 3 * 5e-7)


def test_a_setting_changes_the_identity_and_a_default_does_not() -> None:
    def identity(case: dict[str, Any]) -> str:
        trial = trial_of_case(case)
        again = TrialSettings.model_validate_json(trial.settings_json)
        assert identity_of(again, 1) == trial.identity
        return trial.identity

    plain = identity(pulsed())
    assert identity(pulsed(online={"rounding": "nearest"})) == plain
    assert identity(pulsed(online={"pulses_up": 40})) != plain
    assert identity(TWIN) == identity({**TWIN, "online": {"loss": "mse"}})
    assert identity({**TWIN, "weight_bound": 1}) != identity(TWIN)
