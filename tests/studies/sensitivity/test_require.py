"""Requirements against trainings whose loss crosses the wanted one at a known value."""

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rpu_ssnn.common.errors import InputError
from studies.chip.costs import total
from studies.chip.description import load_chip
from studies.declaration.trial import Trial
from studies.declaration.update_rules.pulses import PulseRule
from studies.report import requirement_view
from studies.results.chip_ledger import costs_of
from studies.sensitivity.attribution import attribute
from studies.sensitivity.axes import PARAMETERS, STANDARD, axis
from studies.sensitivity.device_question import TunedDevice, ask
from studies.sensitivity.imperfections import settings_of
from studies.sensitivity.requirement import (
    MOST_ROUNDS,
    WITHIN,
    Requirement,
    _check_worst_values,
    require,
)
from support.studies.harness import SMALL, in_device
from support.studies.question_fakes import FakeRun, device_study
from support.studies.results_fakes import events


def logistic(value: float, at: float, steepness: float = 2.0, most: float = 80.0) -> float:
    """A loss of exactly 1 point at ``at``, near nothing well below it, ``most`` far above."""
    if value <= 0:
        return 0.0
    return most / (1.0 + (most - 1.0) * (at / value) ** steepness)


def reads(method: PulseRule) -> float:
    return float(method.tile.reads.read_noise) if method.tile.reads else 0.0


TRUE = {
    "levels": 40.0,
    "asymmetry": 0.2,
    "cycle_to_cycle": 2.0,
    "step_spread": 0.45,
    "weight_range": 1.5,
    "read_noise": 0.3,
    "stuck_share": 0.05,
}
"""Where the loss of each parameter alone is 1 point, of a device that otherwise loses nothing."""


def separate(parameters: dict[str, Any], method: PulseRule) -> float:
    """The worst of all; each crosses at its true value."""
    span = method.tile.weight_range
    step = span / parameters["levels"]
    return max(
        # Levels at the device's own window: a wider one at the same step has as many a weight.
        logistic(step * TRUE["levels"] / 8.0, 1.0),
        logistic(abs(parameters["asymmetry"]), TRUE["asymmetry"]),
        logistic(parameters["cycle_to_cycle"], TRUE["cycle_to_cycle"]),
        logistic(parameters["step_spread"], TRUE["step_spread"]),
        logistic(TRUE["weight_range"] / span, 1.0),
        logistic(reads(method), TRUE["read_noise"]),
        logistic(method.tile.stuck_share, TRUE["stuck_share"]),
    )


def rows(found: Requirement) -> dict[str, dict[str, Any]]:
    return {str(row["parameter"]): dict(row) for _, row in found.table.iterrows()}


def test_every_crossing_of_a_quiet_training_is_found() -> None:
    run = FakeRun(separate)
    found = require(device_study(), "capacitor", 1.0, run)
    table = rows(found)
    assert list(table) == list(STANDARD) == list(TRUE)
    for name, true in TRUE.items():
        row = table[name]
        assert row["required"] == pytest.approx(true, rel=0.1), name
        assert row["verdict"] == "met"
        assert row["why_none"] == ""
    assert table["levels"]["bound"] == "at least"
    assert table["weight_range"]["own"] == 8.0
    assert table["cycle_to_cycle"]["bound"] == "at most"
    assert "loses 0.0" in found.notes[0]


def test_few_units_are_run_in_few_rounds() -> None:
    run = FakeRun(separate)
    found = require(device_study(), "capacitor", 1.0, run)
    values = sum(row["values"] - 1 for row in rows(found).values())
    # The device as it is is run once for all, and the reference.
    assert found.trials == len(run.done) == 5 * (2 + values)
    assert len(run.rounds) <= 2 + MOST_ROUNDS
    for row in rows(found).values():
        assert row["values"] <= 8
    require(device_study(), "capacitor", 1.0, run)
    assert sum(run.rounds) == found.trials


def noisy(parameters: dict[str, Any], method: PulseRule) -> float:
    return logistic(parameters["cycle_to_cycle"], 2.0)


def test_a_noisy_training_stops_sooner_and_has_a_wider_interval() -> None:
    def asked(noise: float, at: float) -> dict[str, Any]:
        run = FakeRun(lambda p, m: logistic(p["cycle_to_cycle"], at), noise=noise)
        study = device_study()
        (row,) = rows(require(study, "capacitor", 1.0, run, parameters=["cycle_to_cycle"])).values()
        return row

    places = np.geomspace(1.0, 4.0, 12)
    quiet = [asked(0.0, at) for at in places]
    loud = [asked(3.0, at) for at in places]
    assert sum(row["values"] for row in loud) < 0.8 * sum(row["values"] for row in quiet)
    for row in quiet:
        assert 1.0 < row["hard"] / row["easy"] <= WITHIN * 1.01
    # With a noise of 3 points, one point of loss is not told from none: the easy side stays open.
    assert sum(math.isnan(row["easy"]) or row["hard"] > 2 * row["easy"] for row in loud) >= 10


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    """100 devices with other noise each: the true value is outside about 1 time in 20.

    More than 10 of 100 would be by chance in one of a hundred tries, were it 1 in 20.
    """
    study = device_study()
    missed, closed = 0, 0
    for trial in range(100):
        true = 1.0 + 3.0 * np.random.default_rng(trial).random()

        def loss(parameters: dict[str, Any], method: PulseRule, at: float = true) -> float:
            return logistic(parameters["cycle_to_cycle"], at)

        run = FakeRun(loss, noise=0.3, salt=trial)
        found = require(study, "capacitor", 1.0, run, parameters=["cycle_to_cycle"])
        (row,) = rows(found).values()
        missed += bool(row["easy"] > true) or bool(row["hard"] < true)
        closed += not math.isnan(row["easy"]) and not math.isnan(row["hard"])
    assert missed <= 10
    assert closed > 90, "an interval without an end covers everything on that side"


def test_a_device_that_loses_too_much_is_told_what_it_needs() -> None:
    def loss(parameters: dict[str, Any], method: PulseRule) -> float:
        """Noise 0.3 costs 4 points, of which 0.1 remain without it."""
        return 0.1 + logistic(parameters["cycle_to_cycle"], 0.12)

    found = require(
        device_study(), "capacitor", 1.0, FakeRun(loss), parameters=["cycle_to_cycle", "levels"]
    )
    table = rows(found)
    noise = table["cycle_to_cycle"]
    assert (noise["own"], noise["verdict"]) == (0.3, "not met")
    assert noise["required"] == pytest.approx(0.12 * math.sqrt(0.9), rel=0.1)
    assert noise["own_cost"] == pytest.approx(0.1 + logistic(0.3, 0.12))
    levels = table["levels"]
    assert levels["verdict"] == "not met"
    assert math.isnan(levels["required"])
    # Thinned to a quarter: 400 levels may become 1600.
    assert levels["why_none"].startswith("not reached by it alone: loss")
    assert levels["why_none"].endswith("at 1600")
    assert levels["values"] == 2


def test_an_own_value_below_the_floor_is_not_called_zero() -> None:
    study = device_study(case={"overrides": {"cycle_to_cycle": 0.005}})
    run = FakeRun(lambda p, m: 2.0)
    found = require(study, "capacitor", 1.0, run, parameters=["cycle_to_cycle"])
    (row,) = rows(found).values()
    assert row["why_none"] == "not reached by it alone: loss 2.00 at 0.005"
    assert found.curves["value"].tolist() == [0.005]


def test_an_end_that_the_seeds_do_not_tell_is_no_limit() -> None:
    """Losses of 2 with noise of a point, and at most 1.5 wanted: the interval holds both."""
    run = FakeRun(lambda p, m: 2.0, noise=1.0)
    found = require(device_study(), "capacitor", 1.5, run, parameters=["stuck_share"])
    (row,) = rows(found).values()
    assert row["why_none"].startswith("these seeds cannot tell: loss ")
    assert row["why_none"].endswith("; add seeds")


def test_what_never_crosses_has_no_limit() -> None:
    found = require(
        device_study(), "capacitor", 1.0, FakeRun(lambda p, m: 0.5), parameters=["stuck_share"]
    )
    (row,) = rows(found).values()
    assert row["why_none"] == "no limit up to 0.5 (loss 0.50)"
    assert row["verdict"] == "met"
    assert row["values"] == 2


def test_a_loss_within_the_noise_of_the_wanted_one_cannot_be_told() -> None:
    found = require(
        device_study(),
        "capacitor",
        1.0,
        FakeRun(lambda p, m: 1.0, noise=0.5),
        parameters=["levels"],
    )
    assert found.table["verdict"].tolist() == ["cannot tell"]


def test_one_seed_narrows_but_gives_no_verdict() -> None:
    found = require(
        device_study(seeds=[3]), "capacitor", 1.0, FakeRun(noisy), parameters=["cycle_to_cycle"]
    )
    (row,) = rows(found).values()
    assert row["required"] == pytest.approx(2.0, rel=0.1)
    assert row["verdict"] == "cannot tell"
    assert math.isnan(row["easy"])


def test_others_off_asks_what_a_parameter_costs_by_itself() -> None:
    def loss(parameters: dict[str, Any], method: PulseRule) -> float:
        """The leak alone costs 5 points; noise crosses at 2."""
        leaks = 5.0 * (parameters["leak_time_constant_s"] != "inf")
        return leaks + logistic(parameters["cycle_to_cycle"], 2.0)

    run = FakeRun(loss)
    as_it_is = require(device_study(), "capacitor", 1.0, run, parameters=["cycle_to_cycle"])
    assert rows(as_it_is)["cycle_to_cycle"]["why_none"].startswith("not reached by it alone")
    alone = require(
        device_study(), "capacitor", 1.0, run, parameters=["cycle_to_cycle"], others="off"
    )
    row = rows(alone)["cycle_to_cycle"]
    assert row["required"] == pytest.approx(2.0, rel=0.1)
    assert row["verdict"] == "met"
    assert row["own_cost"] == pytest.approx(logistic(0.3, 2.0))
    assert "all other imperfections are switched off" in alone.notes
    with pytest.raises(InputError, match="must be one of as-is, off"):
        require(device_study(), "capacitor", 1.0, run, others="of")  # type: ignore[arg-type]


def test_asymmetry_keeps_its_sign() -> None:
    def loss(parameters: dict[str, Any], method: PulseRule) -> float:
        assert parameters["asymmetry"] <= 0
        return logistic(-parameters["asymmetry"], 0.2)

    study = device_study(case={"overrides": {"asymmetry": -0.05}})
    found = require(study, "capacitor", 1.0, FakeRun(loss), parameters=["asymmetry"])
    row = rows(found)["asymmetry"]
    assert row["required"] == pytest.approx(-0.2, rel=0.1)
    assert row["bound"] == "at least"  # -0.9 is worse than -0.2
    assert row["verdict"] == "met"


def test_the_own_value_of_many_digits_is_a_point_of_its_curve() -> None:
    found = require(
        device_study("reram_es"),
        "reram_es",
        1.0,
        FakeRun(lambda p, m: logistic(300.0 / p["levels"], 1.0)),
        parameters=["levels"],
    )
    own = rows(found)["levels"]["own"]
    assert own == pytest.approx(1481.4815)
    assert own in set(found.curves["value"])


def test_unequal_spreads_of_the_bounds_stay_in_proportion() -> None:
    seen = set()

    def loss(parameters: dict[str, Any], method: PulseRule) -> float:
        seen.add((parameters["w_max_spread"], parameters["w_min_spread"]))
        return logistic(parameters["w_min_spread"], 0.2)

    study = device_study(case={"overrides": {"w_max_spread": 0.06, "w_min_spread": 0.1}})
    found = require(study, "capacitor", 1.0, FakeRun(loss), parameters=["bounds_spread"])
    row = rows(found)["bounds_spread"]
    assert row["own"] == 0.1
    assert row["required"] == pytest.approx(0.2, rel=0.1)
    assert (0.06, 0.1) in seen
    for high, low in seen:
        assert high == pytest.approx(0.6 * low)


def test_a_wider_window_keeps_the_step_in_weight() -> None:
    run = FakeRun(separate)
    require(device_study(), "capacitor", 1.0, run, parameters=["weight_range"])
    methods = [trial.settings.method for trial in run.done.values()]
    tiles = [m for m in methods if isinstance(m, PulseRule)]
    assert len({m.tile.weight_range for m in tiles}) > 3
    for method in tiles:
        assert method.tile.weight_range / method.parameters["levels"] == pytest.approx(8 / 400)


def test_a_window_goes_with_a_device_whose_hyperparameters_are_searched() -> None:
    """Nothing is known of its learning rate before the search; it was refused for that."""
    asked = ask(device_study(case={"hyperparameters": {}}), "capacitor")
    _check_worst_values(asked, ["weight_range"], "as-is")


def test_a_parameter_that_the_model_does_not_have_is_said() -> None:
    found = require(
        device_study("ideal"),
        "ideal",
        1.0,
        FakeRun(lambda p, m: 0.5),
        parameters=["write_noise", "stuck_share"],
    )
    assert list(rows(found)) == ["stuck_share"]
    assert "write_noise: ideal is simulated by a model without it" in found.notes


def test_values_whose_runs_fail_end_their_search_only() -> None:
    run = FakeRun(separate, fails=lambda trial: trial.label.startswith("stuck_share"))
    found = require(
        device_study(), "capacitor", 1.0, run, parameters=["stuck_share", "cycle_to_cycle"]
    )
    table = rows(found)
    assert math.isnan(table["stuck_share"]["required"])
    assert table["stuck_share"]["why_none"] == "all runs at 0.5 failed"
    assert table["cycle_to_cycle"]["stopped"] == ""
    assert table["cycle_to_cycle"]["required"] == pytest.approx(2.0, rel=0.1)
    assert found.failures


def test_a_search_that_failed_runs_ended_says_so() -> None:
    run = FakeRun(noisy, fails=lambda trial: trial.label == "cycle_to_cycle 1.73")
    found = require(device_study(), "capacitor", 1.0, run, parameters=["cycle_to_cycle"])
    row = rows(found)["cycle_to_cycle"]
    assert row["values"] == 2
    assert "all runs of a value" in row["stopped"]


def test_a_law_of_loss_goes_with_a_device_whose_own_leak_is_off() -> None:
    study = device_study(case={"tile": {"simulator": "native"}})
    asked = {"run": FakeRun(lambda p, m: 0.5), "parameters": ["retention_loss"]}
    found = require(study, "capacitor", 1.0, others="off", **asked)
    assert rows(found)["retention_loss"]["verdict"] == "met"


CHIP = load_chip("crossbar_65nm")
NATIVE = device_study(case={"tile": {"simulator": "native"}})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"study": NATIVE, "parameters": ["retention_loss"]}, "--parameter: 'retention_loss'"),
        ({"parameters": ["level"]}, "--parameter: 'level' .*did you mean levels"),
        ({"loss": math.nan}, "--loss: nan"),
        ({"loss": 0.0}, "--loss: 0.0"),
        ({"loss": 1000.0}, "--loss: 1000.0"),
        ({"device": "capacitr"}, "--device: 'capacitr'"),
        ({"parameters": ["half_select"]}, "'half_select'"),
        ({"parameters": ["ohm_per_cell"]}, "'ohm_per_cell'"),
        ({"image_nj": 0.0, "chip": CHIP}, "--image-nj: 0.0 .*must be above 0"),
        ({"image_us": math.nan, "chip": CHIP}, "--image-us: nan .*must be above 0"),
        ({"image_nj": 2.0}, "--image-nj: 2.0 .*needs --chip, or a chip in the study"),
        ({"chip": CHIP}, "--chip: 'crossbar_65nm' .*goes with --image-nj or --image-us"),
        (
            {"image_nj": 2.0, "chip": CHIP, "device": "tiki_taka(reram_sb)"},
            r"--image-nj: 2.0 .*does not go with tiki_taka\(reram_sb\)",
        ),
    ],
)
def test_bad_questions_are_refused_before_anything_runs(
    changes: dict[str, Any], message: str
) -> None:
    run = FakeRun(separate)
    asked = {"study": device_study(), "device": "capacitor", "loss": 1.0, "run": run, **changes}
    with pytest.raises(InputError, match=message):
        require(**asked)
    assert not run.rounds


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_scale_of_every_parameter_goes_from_better_to_worse(name: str) -> None:
    tuned = TunedDevice(learning_rate=4.0, weight_range=2.0, thinning=None)
    device = in_device(device="capacitor", hyperparameters={"weight_range": 2.0})
    found = axis(name, device, tuned)
    if isinstance(found, str):  # in words, why this device has no such scale
        assert name in found
        return
    best, worst = found.harm(found.best_value), found.harm(found.worst_value)
    assert best < worst
    middle = (best + worst) / 2
    assert found.harm(found.value(middle)) == pytest.approx(middle, abs=0.01)


def test_the_widest_window_of_a_fine_device_has_no_more_levels_than_a_preset_may_have() -> None:
    tuned = TunedDevice(learning_rate=4.0, weight_range=3.0, thinning=None)
    device = in_device(device="capacitor", overrides={"levels": 3e6})
    found = axis("weight_range", device, tuned)
    assert not isinstance(found, str)
    assert found.best_value == 10.0
    assert settings_of(found.case(found.best_value))["overrides.levels"] == 1e7


def test_two_seeds_show_no_interval() -> None:
    study = device_study(seeds=[0, 1])
    run = FakeRun(lambda p, m: 0.0, noise=0.1)
    found = require(study, "capacitor", 50.0, run, parameters=["cycle_to_cycle"])
    shown = [found.notes[0], rows(found)["cycle_to_cycle"]["why_none"]]
    assert "no limit up to" in shown[1]
    assert not any("±" in text for text in shown)


class Counted(FakeRun):
    """A device with noise sends more, by that share, and one with stuck devices less.

    What an image takes is proportional to its events, and the loss crosses as in `separate`.
    """

    @staticmethod
    def image(noise: float = 0.0, stuck: float = 0.0) -> float:
        """The energy of an image of the training (nJ)."""
        (trial, _) = next(
            run for run in Counted(separate)(device_study()).runs if run[0].label != "rate"
        )
        costs = costs_of(trial, events((1 + noise) * (1 - stuck)), CHIP)
        assert costs is not None
        return float(1e9 * total(costs.training)[0])

    def _row(self, trial: Trial) -> dict[str, Any]:
        row, method = super()._row(trial), trial.settings.method
        if isinstance(method, PulseRule):
            noise, stuck = method.parameters["cycle_to_cycle"], method.tile.stuck_share
            row |= events((1 + noise) * (1 - stuck))
        return row


def test_the_energy_of_an_image_is_a_bound_beside_the_loss() -> None:
    """Of noise at most 1 keeps the energy and at most 2 the loss; the time does not change."""
    found = require(
        device_study(chip="crossbar_65nm"), "capacitor", 1.0, Counted(separate),
        parameters=["cycle_to_cycle"], image_nj=Counted.image(noise=1.0), image_us=1e3,
    )  # fmt: skip
    loss, energy, time = (row for _, row in found.table.iterrows())
    assert (loss["of"], energy["of"], time["of"]) == ("loss", "energy", "time")
    assert loss["required"] == pytest.approx(TRUE["cycle_to_cycle"], rel=0.1)
    assert energy["required"] == pytest.approx(1.0, rel=0.1)
    assert energy["easy"] < 1.0 < energy["hard"] <= energy["easy"] * WITHIN * 1.01
    assert energy["own_cost"] == pytest.approx(Counted.image(noise=0.3))
    assert {loss["verdict"], energy["verdict"], time["verdict"]} == {"met"}
    assert time["why_none"].startswith("kept from 0.3 to 10: time ")
    assert re.fullmatch(r"cycle_to_cycle: all bounds are kept to (0\.9|1|1\.0)\d*", found.notes[-1])
    shown = "\n".join(requirement_view.lines(found))
    assert f"{energy['own_cost']:.3g} nJ" in shown
    assert "which the intervals of the components leave open" in shown


def test_an_energy_that_falls_with_harm_is_met_from_below() -> None:
    """More devices are stuck where less is sent; the loss allows a share of 0.05 only."""
    asked = {"run": Counted(separate), "parameters": ["stuck_share"], "chip": CHIP}
    most = Counted.image(noise=0.3, stuck=0.2)
    found = require(device_study(), "capacitor", 1.0, image_nj=most, **asked)
    loss, energy = (row for _, row in found.table.iterrows())
    assert (loss["bound"], energy["bound"]) == ("at most", "at least")
    assert energy["required"] == pytest.approx(0.2, rel=0.15)
    assert energy["verdict"] == "not met"
    assert found.notes[-1] == "stuck_share: no measured value keeps all bounds"
    found = require(device_study(), "capacitor", 30.0, image_nj=most, **asked)
    assert re.fullmatch(
        r"stuck_share: all bounds are kept from (0\.19|0\.2)\d* to 0\.3\d+", found.notes[-1]
    )


def test_a_requirement_in_a_chip_is_drawn(tmp_path: Path) -> None:
    study = device_study(chip="crossbar_65nm")
    most = Counted.image(noise=1.0)
    run, asked = Counted(separate, noise=0.1), ["cycle_to_cycle"]
    found = require(study, "capacitor", 1.0, run, parameters=asked, image_nj=most)
    assert requirement_view.draw(found, "capacitor", 1.0, tmp_path).stat().st_size > 10_000


def test_kept_rows_without_events_are_refused_before_the_rest_runs() -> None:
    run = FakeRun(separate)
    with pytest.raises(InputError, match="none has events"):
        require(device_study(), "capacitor", 1.0, run, chip=CHIP, image_nj=1.0)
    assert len(run.rounds) == 1


class FaultyNeurons(FakeRun):
    """A device loses one more point at a threshold spread of 0.1, and at a leak in 1e-5 s."""

    def _row(self, trial: Trial) -> dict[str, Any]:
        row, circuit = super()._row(trial), trial.settings.network.neuron.circuit
        if isinstance(trial.settings.method, PulseRule):
            leak = 1e-5 / (circuit.leak_time_constant_s or math.inf)
            row["test_accuracy"] -= logistic(circuit.threshold_spread, 0.1) + logistic(leak, 1.0)
        return row


def test_neurons_are_asked_for_as_devices_are() -> None:
    """What the study's network says of neurons counts, and is switched off in the device alone."""
    faulty = {"neuron": {"circuit": {"threshold_spread": 0.1, "missed": 0.01}}}
    study = device_study(network={**SMALL["network"], **faulty})
    run = FaultyNeurons(lambda parameters, method: 0.0)
    asked = ["neuron_threshold_spread", "neuron_leak_time_constant_s"]
    table = rows(require(study, "capacitor", 2.0, run, parameters=asked))
    spread, leak = (table[name] for name in asked)
    assert (spread["own"], spread["own_cost"]) == (0.1, pytest.approx(1.0))
    assert spread["required"] == pytest.approx(0.14, rel=0.1)
    assert (leak["own"], leak["bound"]) == (1.0, "at least")
    assert leak["required"] == pytest.approx(1e-5, rel=0.1)
    found = attribute(study, "capacitor", run).table.set_index("imperfection")
    assert found.loc["neuron_threshold_spread", "recovered"] == pytest.approx(1.0)
    assert found.loc["neuron_missed", "recovered"] == pytest.approx(0.0)
    settings = [trial.settings for trial in run.done.values()]
    kept = {each.network.neuron.circuit.missed for each in settings if each.method.update == "rate"}
    assert kept == {0.01}
