"""Tests how studies declare charge traps with pulse memory, and how rows report them."""

from typing import Any

import pytest

from rpu_ssnn.common.errors import InputError
from studies.declaration.trial import Trial, TrialResult
from studies.workers.run_trial import run_trial
from support.studies.harness import trial_of_case

DRIVE = {"weight_range": 2.0, "learning_rate": 8.0}
NATIVE = {"simulator": "native"}


def trial_of(device: str = "charge_trap_pulsed", **case: Any) -> Trial:
    return trial_of_case(
        {"device": device, "hyperparameters": DRIVE, **case},
        dataset={"name": "digits", "n_train": 600, "n_test": 100},
        network={"hidden": [16], "T": 20},
        training={"epochs": 6, "batch": 20},
    )


def run(trial: Trial) -> TrialResult:
    return run_trial(trial, None, 1)


def test_a_row_says_that_native_devices_are_not_aihwkit() -> None:
    exact = trial_of(tile=NATIVE)
    row = run(exact).row
    assert row["simulator"] == "native"
    assert row["replayable"]
    assert row["pulses_per_device_mean"] > 1
    assert row["slot_s_1"] == 3e-6
    on_aihwkit, ours = (trial_of("charge_trap", tile=tile) for tile in ({}, NATIVE))
    assert on_aihwkit.identity != ours.identity
    assert not on_aihwkit.settings.method.is_replayable(), "aihwkit's noise cannot be seeded"


@pytest.mark.parametrize(
    ("device", "tile", "message"),
    [
        (
            "agad(reram_sb)",
            {"simulator": "native"},
            "tile.simulator: 'native'.*the native simulator has only devices alone",
        ),
        ("one_sided_pair(pcm)", {"simulator": "native"}, "simulator: 'native'.*refreshes"),
        ("ideal", {"storage_seconds": 1.0}, "tile.storage_seconds: 1.0.*loses charge"),
        ("charge_trap_pulsed", {}, "tile.simulator: 'aihwkit'.*do not remember their pulses"),
        ("charge_trap_pulsed", {"storage_seconds": -1.0}, "tile.storage_seconds: -1.0"),
        (
            "ideal",
            {
                "simulator": "native",
                "device_read_noise": {"slow_of_range": 0.01, "slow_time_s": 1e-6},
            },
            "tile.device_read_noise.slow_time_s: 1e-06.*time of a batch",
        ),
    ],
)
def test_what_a_device_cannot_be_asked_for_is_one_line(
    device: str, tile: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        trial_of(device, tile=tile)
    assert "\n" not in str(caught.value)


def test_read_disturb_goes_with_pulses_that_come_with_their_reads() -> None:
    disturbed = {"simulator": "native", "read_disturb": {"forward_up": 0.1}}
    with pytest.raises(InputError, match=r"gradient.delay: 1.0.*not when they are read") as caught:
        trial_of("charge_trap", tile=disturbed, network={"gradient": {"delay": 1}})
    assert "\n" not in str(caught.value)


def test_storage_acts_between_training_and_inference() -> None:
    """If all charge is lost in storage, answers are at chance, but training is not affected."""
    overrides = {"loss_per_decade": 0.2}
    fresh, stored = (
        run(trial_of(tile={"simulator": "native", "storage_seconds": time}, overrides=overrides))
        for time in (0.0, 1e6)
    )
    assert [e["validation_accuracy"] for e in fresh.epochs] == [
        e["validation_accuracy"] for e in stored.epochs
    ]
    assert fresh.row["test_accuracy"] > 40
    assert stored.row["test_accuracy"] < 20
    assert fresh.row["charge_kept_1"] > 0.95
    assert stored.row["charge_kept_1"] < 1e-6
