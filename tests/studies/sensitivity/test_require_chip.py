"""Tests requirements on energy and time per image in a chip, and on neurons."""

import math
import re
from pathlib import Path
from typing import Any

import pytest

from rpu_ssnn.common.errors import InputError
from studies.chip.costs import total
from studies.chip.description import load_chip
from studies.declaration.trial import Trial
from studies.declaration.update_rules.pulses import PulseRule
from studies.report import requirement_view
from studies.results.chip_ledger import costs_of
from studies.sensitivity.attribution import attribute
from studies.sensitivity.requirement import WITHIN, require
from support.studies.harness import SMALL
from support.studies.question_fakes import TRUE, FakeRun, device_study, logistic, rows, separate
from support.studies.results_fakes import events

CHIP = load_chip("crossbar_65nm")


class Counted(FakeRun):
    """Fakes events: a device sends more in proportion to its noise, and less with stuck devices.

    The energy and time of an image are proportional to its events, and the loss is that of
    `separate`.
    """

    @staticmethod
    def image(noise: float = 0.0, stuck: float = 0.0) -> float:
        """Returns the energy of a training image (nJ)."""
        runs = Counted(separate)(device_study()).runs
        trial = next(trial for trial, _ in runs if trial.label != "rate")
        costs = costs_of(trial, events((1 + noise) * (1 - stuck)), CHIP)
        return float(1e9 * total(costs.training)[0])

    def _row(self, trial: Trial) -> dict[str, Any]:
        row, method = super()._row(trial), trial.settings.method
        if isinstance(method, PulseRule):
            noise, stuck = method.parameters["cycle_to_cycle"], method.tile.stuck_share
            row |= events((1 + noise) * (1 - stuck))
        return row


def test_the_energy_of_an_image_is_a_bound_beside_the_loss() -> None:
    """Noise of at most 1 keeps the energy and at most 2 the loss; the time does not change."""
    requirement = require(
        device_study(chip="crossbar_65nm"), "capacitor", 1.0, Counted(separate),
        parameters=["cycle_to_cycle"], image_nj=Counted.image(noise=1.0), image_us=1e3,
    )  # fmt: skip
    loss, energy, time = (row for _, row in requirement.table.iterrows())
    assert (loss["of"], energy["of"], time["of"]) == ("loss", "energy", "time")
    assert loss["required"] == pytest.approx(TRUE["cycle_to_cycle"], rel=0.1)
    assert energy["required"] == pytest.approx(1.0, rel=0.1)
    assert energy["easy"] < 1.0 < energy["hard"] <= energy["easy"] * WITHIN * 1.01
    assert energy["own_cost"] == pytest.approx(Counted.image(noise=0.3))
    assert {loss["verdict"], energy["verdict"], time["verdict"]} == {"met"}
    assert time["why_none"].startswith("bound kept from 0.3 to 10: time ")
    said = r"cycle_to_cycle: all bounds are kept to (0\.9|1|1\.0)\d*"
    assert re.fullmatch(said, requirement.notes[-1])
    shown = "\n".join(requirement_view.lines(requirement))
    assert f"{energy['own_cost']:.3g} nJ" in shown
    assert re.search(r"of the components\) and .* us in crossbar_65nm, longer than", shown)


def test_an_energy_that_falls_with_harm_is_met_from_below() -> None:
    """The more devices are stuck the less is sent, but the loss allows a share of only 0.05."""
    asked = {"run": Counted(separate), "parameters": ["stuck_share"], "chip": CHIP}
    most = Counted.image(noise=0.3, stuck=0.2)
    requirement = require(device_study(), "capacitor", 1.0, image_nj=most, **asked)
    loss, energy = (row for _, row in requirement.table.iterrows())
    assert (loss["bound"], energy["bound"]) == ("at most", "at least")
    assert energy["required"] == pytest.approx(0.2, rel=0.15)
    assert energy["verdict"] == "not met"
    assert requirement.notes[-1] == "stuck_share: no measured value keeps all bounds"
    requirement = require(device_study(), "capacitor", 30.0, image_nj=most, **asked)
    assert re.fullmatch(
        r"stuck_share: all bounds are kept from (0\.19|0\.2)\d* to 0\.3\d+", requirement.notes[-1]
    )


def test_a_requirement_in_a_chip_is_drawn(tmp_path: Path) -> None:
    study = device_study(chip="crossbar_65nm")
    most = Counted.image(noise=1.0)
    run, asked = Counted(separate, noise=0.1), ["cycle_to_cycle"]
    requirement = require(study, "capacitor", 1.0, run, parameters=asked, image_nj=most)
    assert requirement_view.draw(requirement, "capacitor", tmp_path).stat().st_size > 10_000


def test_kept_rows_without_events_are_refused_before_the_rest_runs() -> None:
    run = FakeRun(separate)
    with pytest.raises(InputError, match="trials: without counted events"):
        require(device_study(), "capacitor", 1.0, run, chip=CHIP, image_nj=1.0)
    assert len(run.rounds) == 1


class FaultyNeurons(FakeRun):
    """Adds a loss of one point at a threshold spread of 0.1, and at a leak in 1e-5 s."""

    def _row(self, trial: Trial) -> dict[str, Any]:
        row, circuit = super()._row(trial), trial.settings.network.neuron.circuit
        if isinstance(trial.settings.method, PulseRule):
            leak = 1e-5 / (circuit.leak_time_constant_s or math.inf)
            row["test_accuracy"] -= logistic(circuit.threshold_spread, 0.1) + logistic(leak, 1.0)
        return row


def test_neurons_are_asked_for_as_devices_are() -> None:
    """Neuron settings of the study's network count, but are switched off only in the device."""
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
    losses = attribute(study, "capacitor", run).table.set_index("imperfection")
    assert losses.loc["neuron_threshold_spread", "recovered"] == pytest.approx(1.0)
    assert losses.loc["neuron_missed", "recovered"] == pytest.approx(0.0)
    settings = [trial.settings for trial in run.done.values()]
    kept = {each.network.neuron.circuit.missed for each in settings if each.method.update == "rate"}
    assert kept == {0.01}
