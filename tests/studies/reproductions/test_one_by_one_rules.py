"""Tests rules that learn image by image: refused settings, their identity, and their row."""

from typing import Any

import pytest

from rpu_ssnn.common.errors import InputError
from studies.declaration.trial import TrialSettings, identity_of
from studies.execution.timing import Cost, time_steps
from studies.results.ledger import ledger_columns
from studies.workers.run_trial import run_trial
from studies.workers.workspace import NO_WORKSPACE
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


@pytest.mark.parametrize(
    ("case", "field", "allowed"),
    [
        (pulsed(device="capacitor"), "case 1.device", "loses no charge"),
        (pulsed(device="charge_trap_pulsed"), "case 1.device", "loses no charge"),
        (pulsed(tile={}), "case 1.tile.simulator", "must be native under whole_pulse_sgd"),
        (pulsed(device="tiki_taka(ideal)"), "case 1.tile.simulator", "must be aihwkit"),
        (
            pulsed(tile={"simulator": "native", "reads": {"read_noise": 1}}),
            "case 1.tile.reads",
            r"online\.sum_bits",
        ),
        (
            pulsed(tile={"simulator": "native", "device_read_noise": {"white_of_range": 0.1}}),
            "case 1.tile.device_read_noise",
            "which has no slots",
        ),
        (
            pulsed(tile={"simulator": "native", "half_select": {"gradient": 0.1}}),
            "case 1.tile.half_select",
            "which has no slots",
        ),
        (pulsed(online={"layer_rates": [1]}), "case 1.online.layer_rates", "each of the 2 layers"),
        (pulsed(online={"rounding": "up"}), "case 1.online.rounding", "nearest"),
        (
            pulsed(online={"activation": "relu", "hidden_bits": 1}),
            "case 1.online",
            "whose values end at 1",
        ),
        (pulsed(training={"batch": 10}), "case 1.training.batch", "has no effect"),
        ({**TWIN, "online": {"sum_bits": 8}}, "case 1.online.sum_bits", "one of activation"),
        ({**TWIN, "weight_bound": -1}, "case 1.weight_bound", "greater than 0"),
    ],
)
def test_what_cannot_work_is_one_line(case: dict[str, Any], field: str, allowed: str) -> None:
    label = case.get("label", case["update"])
    with pytest.raises(InputError) as caught:
        small_study(cases=[case], reference=label)
    assert caught.value.field == field
    assert "\n" not in str(caught.value)
    assert caught.match(allowed)


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
    cost = Cost.of(time_steps(trial, None, 1, NO_WORKSPACE))
    assert cost.train > 0


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


@pytest.mark.parametrize(
    ("case", "path", "value", "allowed"),
    [
        (TWIN, "weight_bound", -1, "greater than 0"),
        (TWIN, "online.layer_rates", [1], "each of the 2 layers"),
        (pulsed(), "online.layer_rates", [1, 1, 1], "each of the 2 layers"),
        ({"update": "conversion", "learning_rate": 0.1}, "percentile", 101, "equal to 100"),
    ],
)
def test_swept_values_are_checked_as_written_ones(
    case: dict[str, Any], path: str, value: object, allowed: str
) -> None:
    with pytest.raises(InputError, match=allowed) as caught:
        small_study(cases=[{**case, "label": "x"}], reference="x", sweep={path: [value]})
    assert caught.value.field == f"sweep.{path}"
