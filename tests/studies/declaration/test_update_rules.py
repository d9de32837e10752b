"""Rules are found by their modules, and their new settings do not change old identities."""

from typing import Any

import pytest

from studies.declaration.search import candidates
from studies.declaration.trial import TrialSettings, identity_of
from studies.declaration.update_rules.analog_sgd import AnalogSgdRule
from studies.declaration.update_rules.pulses import PulseRule
from studies.execution.timing import time_steps
from studies.results.ledger import ledger_columns
from studies.sensitivity.device_question import ask
from studies.workers.run_trial import run_trial
from studies.workers.workspace import NO_WORKSPACE
from support.studies.harness import DRIVE, RATE, declared_trials, small_study, trial_of_case


def control(**case: Any) -> dict[str, Any]:
    kept = {"label": "analog_sgd", "update": "analog_sgd", "device": "capacitor"}
    return {**kept, "hyperparameters": DRIVE, **case}


def test_the_control_is_a_trial_of_its_own() -> None:
    numbers = trial_of_case(control())
    method = numbers.settings.method
    assert isinstance(method, AnalogSgdRule)
    assert not method.is_replayable(), "aihwkit's trains cannot be seeded"
    again = TrialSettings.model_validate_json(numbers.settings_json)
    assert identity_of(again, 1) == numbers.identity
    other = trial_of_case(control(trains={"train_length": 10}))
    assert other.identity != numbers.identity


def test_adam_has_rates_of_its_own_and_trains() -> None:
    study = small_study(cases=[{"update": "ann_adam"}, RATE])
    tried = candidates(study.points()[0], study.search)
    assert all(0.0003 < one.learning_rate < 0.01 for one in tried)
    row = run_trial(trial_of_case({"update": "ann_adam", "learning_rate": 0.01}), None, 1).row
    assert row["test_accuracy"] > 20  # Chance is 10.


def test_it_runs_to_a_row() -> None:
    trial = trial_of_case(control())
    result = run_trial(trial, None, 1)
    row = result.row
    assert row["update"] == "analog_sgd"
    assert (row["device"], row["weight_range"]) == ("capacitor", 8.0)
    assert row["replayable"] is False
    assert row["T"] is None
    assert row["devices_total"] == 64 * 8 + 8 * 10
    assert len(result.epochs) == 1
    ledger = ledger_columns(trial, result)
    assert ledger["energy_j"] is None
    assert "GPUs only" in str(ledger["energy_blank_because"])
    # There are 90 presentations of 31 slots and two reads, each 500 ns.
    assert ledger["training_time_s"] == pytest.approx(90 * 33 * 5e-7)


def test_native_control_is_repeatable_and_its_pulses_are_counted() -> None:
    trial = trial_of_case(control(tile={"simulator": "native", "initial": "pulsed"}))
    first, again = (run_trial(trial, None, 1) for _ in range(2))
    assert first.row["replayable"] is True
    assert first.row["test_accuracy"] == again.row["test_accuracy"]
    assert first.row["pulses_up_total"] == again.row["pulses_up_total"] > 0
    ledger = ledger_columns(trial, first)
    assert ledger["pulses_up_per_device"] > 0
    assert ledger["training_time_s"] == pytest.approx(90 * 33 * 5e-7)


def test_numbers_and_spikes_in_one_device_are_asked_about_apart() -> None:
    spikes = {"device": "capacitor", "hyperparameters": DRIVE}
    study = small_study(cases=[RATE, control(), spikes])
    assert isinstance(ask(study, "analog_sgd").case.rule, AnalogSgdRule)
    assert isinstance(ask(study, "capacitor").case.rule, PulseRule)


def test_steps_are_timed_with_the_threads_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    threads: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", threads.append)
    ann, rate = declared_trials(small_study())[:3:2]
    for trial in (ann, rate):
        time_steps(trial, None, 2, NO_WORKSPACE)
    assert threads == [1, 2]
