"""Compares the pulse ledger with numbers computed by hand."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from device_presets import get_preset
from studies.declaration.trial import Row, Trial, TrialResult
from studies.results.ledger import COLUMNS, ledger_columns, ledger_table
from studies.results.summary import summary
from studies.results.tables import results_frame, write_results
from support.device_presets.tile_steps import steps_at_zero
from support.studies.harness import DRIVE, RATE, declared_trials, trial_of_case
from support.studies.results_fakes import nasty_study, runs_of

KNOWN = {"energy_per_pulse_j": 2e-15, "endurance_cycles": 1e6, "levels": 500}

# This is the row of a network with two crossbars and 100 devices.
ROW: Row = {
    "n_train": 90,
    "test_accuracy": 90.0,
    "seed": 0,
    "devices_total": 100.0,
    "pulses_up_total": 3000.0,
    "pulses_down_total": 1000.0,
    "initial_pulses_total": 500.0,
    "pulses_p99_1": 150.0,
    "pulses_p99_2": 120.0,
    "pulses_max_1": 160.0,
    "pulses_max_2": 400.0,
}

NATIVE = {"simulator": "native"}


def trial_of(device: str = "ideal", **case: Any) -> Trial:
    """Returns a trial whose presentations have 10 slots and 3 of flush."""
    given = {"device": device, "hyperparameters": DRIVE, **case}
    return trial_of_case(given, training={"epochs": 4})


def ledger(trial: Trial, **changes: Any) -> Row:
    return ledger_columns(trial, TrialResult({**ROW, **changes}, []))


def test_pulses_energy_time_and_wear_by_hand() -> None:
    spent = ledger(trial_of(overrides=KNOWN, tile={"slot_seconds": 1e-6}))
    assert list(spent) == list(COLUMNS)
    assert spent["pulses_up_per_device"] == 30.0
    assert spent["pulses_down_per_device"] == 10.0
    assert spent["pulses_per_device_p99"] == 150.0
    assert spent["pulses_per_device_max"] == 400.0
    assert spent["energy_j"] == pytest.approx(4500 * 2e-15)
    assert spent["energy_blank_because"] is None
    assert spent["training_time_s"] == pytest.approx(13 * 1e-6 * 90 * 4)
    # A full cycle up and down takes 1000 pulses in a device with 500 levels.
    assert spent["endurance_used"] == pytest.approx(0.4 / 1e6)
    assert spent["endurance_blank_because"] is None


def test_wear_of_another_pulse_width_is_in_steps_of_that_width() -> None:
    wide, half = (
        ledger(trial_of("charge_trap_2019_pulsed", tile=NATIVE, overrides={"pulse_width_s": width}))
        for width in (3e-6, 1.5e-6)
    )
    assert wide["endurance_used"] == pytest.approx(400.0 / (2 * 10_000 * 1e6))
    up, _ = steps_at_zero(get_preset("charge_trap_2019_pulsed", {"pulse_width_s": 1.5e-6}))
    share = up / get_preset("charge_trap_2019_pulsed").step
    assert share < 0.2
    assert half["endurance_used"] == pytest.approx(share * wide["endurance_used"], rel=0.02)
    assert half["energy_j"] is None
    assert "but not for one of 1.5e-06 s" in str(half["energy_blank_because"])
    both = {"pulse_width_s": 1.5e-6, "energy_per_pulse_j": 2e-15}
    given = ledger(trial_of("charge_trap_2019_pulsed", tile=NATIVE, overrides=both))
    assert given["energy_j"] == pytest.approx(4500 * 2e-15)


def test_idle_time_between_presentations_is_training_time() -> None:
    spent = ledger(trial_of(overrides=KNOWN, tile={"slot_seconds": 1e-6, "idle_seconds": 2e-3}))
    assert spent["training_time_s"] == pytest.approx((13 * 1e-6 + 2e-3) * 90 * 4)


def test_a_slot_is_no_shorter_than_the_device_s_own_pulse() -> None:
    slow = ledger(trial_of(overrides={**KNOWN, "pulse_width_s": 2e-6}))
    slower = ledger(trial_of(overrides={**KNOWN, "pulse_width_s": 2e-6, "pulse_period_s": 5e-6}))
    assert slow["training_time_s"] == pytest.approx(13 * 2e-6 * 90 * 4)
    assert slower["training_time_s"] == pytest.approx(13 * 5e-6 * 90 * 4)


def test_what_the_preset_does_not_know_is_blank_with_the_presets_reason() -> None:
    spent = ledger(trial_of("charge_trap"))
    assert spent["energy_j"] is None
    reason = "energy_per_pulse_j: not in the abstract; see charge_trap_2019"
    assert spent["energy_blank_because"] == reason
    assert spent["endurance_used"] is None
    assert "not in the abstract" in str(spent["endurance_blank_because"])


def test_rows_from_before_the_count_have_no_wear() -> None:
    old = {name: value for name, value in ROW.items() if not name.startswith("pulses_max")}
    columns = ledger_columns(trial_of(overrides=KNOWN), TrialResult(old, []))
    assert columns["pulses_per_device_max"] is None
    assert columns["endurance_used"] is None
    assert columns["endurance_blank_because"] == "the run did not count its busiest device"
    assert columns["energy_j"] is not None


def test_ideal_weights_have_no_ledger() -> None:
    assert set(ledger(trial_of_case(RATE)).values()) == {None}


def test_the_ledger_stands_in_the_results_and_their_files(tmp_path: Path) -> None:
    runs = [
        (trial_of_case(RATE), TrialResult({"seed": 0, "test_accuracy": 95.0}, [])),
        (trial_of("charge_trap"), TrialResult(ROW, [])),
    ]
    frame = results_frame(runs)
    assert frame["pulses_per_device_max"].tolist()[1] == 400.0
    assert pd.isna(frame["pulses_per_device_max"][0])
    write_results(tmp_path, runs)
    read = pd.read_parquet(tmp_path / "results.parquet")
    assert read["energy_blank_because"][1] == frame["energy_blank_because"][1]
    assert pd.read_csv(tmp_path / "results.csv")["training_time_s"][1] > 0


def test_the_table_takes_means_over_seeds_and_the_largest_maximum() -> None:
    trial = trial_of(overrides=KNOWN)
    more = {**ROW, "pulses_up_total": 5000.0, "pulses_max_1": 800.0}
    runs = [(trial, TrialResult(row, [])) for row in (ROW, more)]
    table = ledger_table(results_frame(runs))
    assert table["case"].tolist() == ["it"]
    assert table["n"].tolist() == [2]
    assert table["pulses_up_per_device"].tolist() == [40.0]
    assert table["pulses_per_device_max"].tolist() == [800.0]
    assert table["energy_blank_because"].tolist() == [""]


def test_the_table_keeps_devices_without_counted_pulses() -> None:
    pulsed = trial_of(overrides=KNOWN)
    by_numbers = trial_of(update="analog_sgd", label="by numbers")
    uncounted = {name: ROW[name] for name in ("n_train", "test_accuracy", "seed", "devices_total")}
    of = [(pulsed, ROW), (by_numbers, uncounted)]
    table = ledger_table(results_frame([(trial, TrialResult(row, [])) for trial, row in of]))
    assert table["n"].tolist() == [1, 1]
    assert table["pulses_up_per_device"].tolist()[0] == 30.0
    assert table["training_time_s"].tolist()[1] > 0
    assert "on GPUs only" in table["energy_blank_because"].tolist()[1]


def test_points_that_share_a_run_keep_their_own_settings() -> None:
    """Energy is not part of an identity, so both points have the same stored run."""
    path = "overrides.energy_per_pulse_j"
    study = nasty_study(
        cases=[RATE, {"device": "charge_trap_2019", "hyperparameters": DRIVE}],
        sweep={path: [3e-15, 3e-14]},
    )
    stored = {trial.identity: result for trial, result in reversed(runs_of(study))}
    results = results_frame([(trial, stored[trial.identity]) for trial in declared_trials(study)])
    table = summary(results, "rate")
    assert table[f"sweep.{path}"].tolist() == ["", 3e-15, 3e-14]
