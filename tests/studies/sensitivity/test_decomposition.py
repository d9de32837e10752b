"""The losses of a decomposition are paired differences, and its states are those of the study."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from rpu_ssnn.common.errors import InputError
from studies.common.statistics import holm
from studies.declaration.points import Point
from studies.declaration.study import Study
from studies.declaration.trial import TrialResult
from studies.execution.phase import Outcome
from studies.report import decomposition_view
from studies.report.decomposition_view import draw, lines
from studies.sensitivity.decomposition import (
    BETWEEN,
    BY_NUMBERS,
    BY_SPIKES,
    COINCIDENCES,
    FLOAT,
    NEURONS,
    NUMBERS,
    NUMBERS_IDEAL,
    RATES,
    SPIKES,
    WITH_NEURONS,
    all_trainings,
    decompose,
)
from support.studies.harness import DRIVE, RATE, SMALL, declared_trials
from support.studies.question_fakes import device_study

REACHED = {
    FLOAT: 98.0,
    NUMBERS_IDEAL: 97.5,
    NUMBERS: 95.0,
    RATES: 97.0,
    COINCIDENCES: 96.5,
    SPIKES: 92.0,
    NEURONS: 90.5,
}

GIVEN: list[dict[str, Any]] = [
    {"update": "ann", "learning_rate": 0.1},
    RATE,
    {"update": "coincidence", "learning_rate": 1.0},
    {"update": "analog_sgd", "device": "ideal", "hyperparameters": DRIVE},
    {"update": "analog_sgd", "device": "capacitor", "hyperparameters": DRIVE},
    {"device": "capacitor", "hyperparameters": DRIVE},
]


class Known:
    """Runs a study whose states reach known accuracies, with noise that all states of a seed
    share."""

    def __init__(self, noise: float = 0.0) -> None:
        self.noise, self.studies = noise, list[Study]()

    def __call__(self, study: Study) -> Outcome:
        self.studies.append(study)
        runs = []
        for trial in declared_trials(study):
            seed = trial.settings.seed
            shared = 3.0 * np.random.default_rng(seed).standard_normal()
            own = np.random.default_rng([seed, len(trial.label)]).standard_normal()
            accuracy = REACHED[trial.label] + shared + self.noise * own
            runs.append((trial, TrialResult({"seed": seed, "test_accuracy": accuracy}, [])))
        return Outcome(runs, [])


def states_of(study: Study, device: str = "capacitor") -> dict[str, Point]:
    """Returns the states that are trained, which are those of a run."""
    return {point.label: point for point in all_trainings(study, device).points()}


def test_a_float_network_below_the_spikes_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    study = device_study(cases=GIVEN, reference="ann")
    assert not decompose(study, "capacitor", Known(noise=0.01)).notes
    monkeypatch.setitem(REACHED, RATES, 99.0)
    (note,) = decompose(study, "capacitor", Known(noise=0.01)).notes
    assert note.startswith("the float network is 1.0")
    assert f"points below {RATES}" in note


def test_a_device_that_learned_badly_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REACHED, SPIKES, 50.0)
    (note,) = decompose(device_study(cases=GIVEN, reference="ann"), "capacitor", Known()).notes
    assert "The device learned badly: it ends 48.0 points below float network" in note


def test_each_step_is_the_paired_difference_of_its_states() -> None:
    parts = decompose(device_study(cases=GIVEN, reference="ann"), "capacitor", Known())
    by = {(row["way"], row["after"]): row for _, row in parts.table.iterrows()}
    assert by[BY_NUMBERS, NUMBERS_IDEAL]["loss"] == pytest.approx(0.5)
    assert by[BY_SPIKES, RATES]["loss"] == pytest.approx(1.0)
    assert by[BY_SPIKES, COINCIDENCES]["loss"] == pytest.approx(0.5)
    assert by[BETWEEN, SPIKES]["loss"] == pytest.approx(3.0)
    # A shift that a seed adds to all states does not widen an interval.
    assert (parts.table["loss_ci"] < 1e-9).all()
    assert (parts.table["n"] == 5).all()
    steps = parts.table[parts.table["step"] != "all"]
    for way in (BY_NUMBERS, BY_SPIKES):
        whole = parts.table[(parts.table["way"] == way) & (parts.table["step"] == "all")]
        assert steps[steps["way"] == way]["loss"].sum() == pytest.approx(whole["loss"].iloc[0])
    assert "Spikes and numbers are not compared in this device" in parts.sentence
    told = decompose(device_study(cases=GIVEN, reference="ann"), "capacitor", Known(noise=0.01))
    assert re.search(r"spikes lose [23]\.\d\d ± 0.0\d points more than", told.sentence)


def test_an_order_is_claimed_only_where_it_can_be_told() -> None:
    parts = decompose(device_study(cases=GIVEN, reference="ann"), "capacitor", Known(noise=8.0))
    assert re.search(r"spikes lose .* ns points .* than numbers\.", parts.sentence)
    by = {(row["way"], row["after"]): row for _, row in parts.table.iterrows()}
    row = by[BY_SPIKES, COINCIDENCES]
    assert row["loss_p_holm"] >= 0.05
    assert f"{row['loss']:.2f} ± {row['loss_ci']:.2f} ns in the coincidences" in parts.sentence
    one = device_study(cases=GIVEN, reference="ann", seeds=[0])
    assert "fewer than 3 seeds" in decompose(one, "capacitor", Known()).sentence


def test_what_is_significant_by_itself_only_is_said_so() -> None:
    parts = decompose(device_study(cases=GIVEN, reference="ann"), "capacitor", Known(noise=0.5))
    by = {(row["way"], row["after"]): row for _, row in parts.table.iterrows()}
    row = by[BY_SPIKES, COINCIDENCES]
    assert row["loss_p_holm"] >= 0.05
    assert row["loss"] > row["loss_ci"]
    assert f"{row['loss']:.2f} ± {row['loss_ci']:.2f} (ns) in the coincidences" in parts.sentence


def test_the_studys_own_cases_are_taken_and_the_rest_is_made_up() -> None:
    own = states_of(device_study(cases=GIVEN, reference="ann"))
    assert all(state.hyperparameters is not None for state in own.values())
    few = Known()
    case = {"device": "capacitor", "hyperparameters": DRIVE, "overrides": {"asymmetry": 0.1}}
    cases = [GIVEN[1], case]
    parts = decompose(device_study(cases=cases), "capacitor", few)
    made = {point.label: point for point in few.studies[0].points()}
    assert list(made) == [FLOAT, NUMBERS_IDEAL, NUMBERS, RATES, COINCIDENCES, SPIKES]
    assert made[NUMBERS].rule.overrides == {"asymmetry": 0.1}
    assert made[NUMBERS].hyperparameters is None, "searched"
    lost = parts.levels[RATES] - parts.levels[SPIKES]
    assert lost == pytest.approx(REACHED[RATES] - REACHED[SPIKES])


@pytest.mark.parametrize(
    ("changed", "case", "taken"),
    [
        (range(3), {"network": {"hidden": [9]}}, False),
        (range(3), {"training": {"epochs": 2}}, False),
        (range(1, 3), {"network": {"T": 12}}, False),
        (range(1, 3), {"network": {"T": SMALL["network"]["T"]}}, True),
    ],
)
def test_cases_with_another_network_or_training_are_not_taken(
    changed: range, case: dict[str, Any], taken: bool
) -> None:
    cases = [{**one, **(case if n in changed else {})} for n, one in enumerate(GIVEN)]
    points = states_of(device_study(cases=cases, reference="ann"))
    searched = [label for label, one in points.items() if one.hyperparameters is None]
    assert searched == ([] if taken else [(FLOAT, RATES, COINCIDENCES)[n] for n in changed])
    made = {label: (one.network, one.training) for label, one in points.items()}
    assert made[RATES] == made[COINCIDENCES] == made[SPIKES]


def test_the_control_has_the_overrides_of_the_device() -> None:
    made = states_of(device_study(case={"overrides": {"levels": 200}}))
    ideal, numbers, spikes = (
        made[state].rule.parameters["levels"] for state in (NUMBERS_IDEAL, NUMBERS, SPIKES)
    )
    assert numbers == spikes < ideal


def test_spikes_may_be_in_native_devices_though_the_control_is_on_aihwkits_tiles() -> None:
    run = Known()
    spikes = {"device": "capacitor", "hyperparameters": DRIVE, "tile": {"simulator": "native"}}
    parts = decompose(device_study(cases=[*GIVEN[:-1], spikes], reference="ann"), "capacitor", run)
    made = {point.label: point for point in run.studies[0].points()}
    assert made[SPIKES].rule.tile.simulator == "native"
    assert made[NUMBERS].rule.tile.simulator == "aihwkit"
    assert made[NUMBERS].hyperparameters is not None, "the study's own control"
    assert any(
        "with spikes the device is simulated by native, with numbers by aihwkit" in note
        for note in parts.notes
    )


def test_a_made_up_control_is_in_the_simulator_of_the_device() -> None:
    """It includes all effects on native devices, such as their pulse memory."""
    run, tile = Known(), {"simulator": "native", "half_select": {"forward_up": 0.001}}
    parts = decompose(device_study(case={"tile": tile}), "capacitor", run)
    made = {point.label: getattr(point.rule, "tile", None) for point in run.studies[0].points()}
    assert made[NUMBERS_IDEAL].simulator == "native"
    assert not made[NUMBERS_IDEAL].half_select.forward_up
    assert made[NUMBERS] == made[SPIKES]
    assert not any("simulates" in note for note in parts.notes)
    study = device_study("charge_trap_pulsed", case={"tile": {"simulator": "native"}})
    assert list(states_of(study, "charge_trap_pulsed"))[2] == NUMBERS


@pytest.mark.parametrize("of_study", [True, False])
def test_faults_of_neurons_are_a_step_of_their_own(of_study: bool, tmp_path: Path) -> None:
    """The other states have perfect neurons, wherever the circuit is set, but keep their resets."""
    run, faulty = Known(noise=0.01), {"reset": "zero", "circuit": {"threshold_spread": 0.1}}
    network = {**SMALL["network"], "neuron": faulty if of_study else {"reset": "zero"}}
    own = {} if of_study else {"network": {"neuron": faulty}}
    cases = [*GIVEN[:-1], {**GIVEN[-1], **own}]
    study = device_study(cases=cases, reference="ann", network=network)
    parts = decompose(study, "capacitor", run)
    made = {point.label: point.network.neuron for point in run.studies[0].points()}
    assert made[NEURONS].circuit.threshold_spread == 0.1
    assert made[NEURONS].reset == made[SPIKES].reset == "zero"
    assert not any(made[state].circuit.acts for state in made if state != NEURONS)
    by = {(row["way"], row["step"]): row for _, row in parts.table.iterrows()}
    faults, whole = by[BY_SPIKES, WITH_NEURONS], by[BY_SPIKES, "all"]
    assert faults["loss"] == pytest.approx(1.5, abs=0.03)
    assert 0 < faults["loss_ci"] < 0.05
    assert whole["loss"] == pytest.approx(7.5, abs=0.03)
    assert by[BETWEEN, "spikes instead of numbers"]["after"] == SPIKES
    assert re.search(r"in the device, 1\.\d+ ± 0\.\d+ in its neurons\. The", parts.sentence)
    assert WITH_NEURONS in "\n".join(lines(parts))
    assert draw(parts, "capacitor", tmp_path).stat().st_size > 10_000


def test_a_line_is_as_long_as_the_paired_loss_it_shows_and_a_loss_by_chance_is_hollow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two seeds of one state failed, which moves its mean but not the loss of the others."""
    known, figures = Known(noise=0.5), list[Figure]()

    def run(study: Study) -> Outcome:
        lost = [(RATES, 0), (RATES, 1)]
        runs = known(study).runs
        return Outcome([r for r in runs if (r[0].label, r[0].settings.seed) not in lost], [])

    parts = decompose(device_study(cases=GIVEN, reference="ann"), "capacitor", run)
    monkeypatch.setattr(decomposition_view, "save", lambda figure, path: figures.append(figure))
    draw(parts, "capacitor", tmp_path)
    axes = figures[0].axes[1]
    drawn = [line.get_ydata() for line in axes.lines if len(line.get_xdata()) == 3]
    steps = parts.table[2:5]
    assert [top - end for _, top, end in drawn] == pytest.approx(steps["loss"].tolist())
    hollow = [bars.lines[0].get_markerfacecolor() == "white" for bars in axes.containers[:3]]
    assert hollow == steps["loss_p_holm"].ge(0.05).tolist()
    assert set(hollow) == {True, False}


def test_each_step_has_its_p_alone_and_after_the_correction() -> None:
    parts = decompose(device_study(cases=GIVEN, reference="ann"), "capacitor", Known(noise=0.5))
    table, text = parts.table, lines(parts)
    (block,) = [line for line in text if line.startswith("| way")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()]
    head, shown = rows[0], [row for row in rows[3:] if len(row) == len(rows[0])]
    assert head[3:] == ["loss", "p", "p Holm", "n"]
    assert len(shown) == len(table) == 8
    alone = table["loss_p_alone"].tolist()
    families = [alone[:2], alone[2:5], *([p] for p in alone[5:])]
    corrected = [p for family in families for p in holm(family)]
    np.testing.assert_allclose(table["loss_p_holm"], corrected)
    for row, (_, exact) in zip(shown, table.iterrows(), strict=True):
        alone, corrected = exact["loss_p_alone"], exact["loss_p_holm"]
        assert alone <= corrected
        assert row[4] == ("<0.001" if alone < 0.001 else f"{alone:.{3 if alone < 0.05 else 2}f}")
        assert row[5].endswith("ns)" if alone < 0.05 <= corrected else "ns") == (corrected >= 0.05)
    assert any(row[5].endswith("(ns)") for row in shown)
    assert text[-1] == parts.sentence
    few = device_study(cases=GIVEN, reference="ann", seeds=[0])
    assert "untested" in "\n".join(lines(decompose(few, "capacitor", Known())))


@pytest.mark.parametrize(
    ("front_end", "inside", "told"),
    [
        (0.0, 4.0, "The only significant loss is in the device."),
        (2.0, 4.0, "The significant losses, largest first, are in the device, the front end."),
        (-2.0, 0.0, "None is significant."),
    ],
)
def test_the_sentence_names_the_steps_with_a_significant_loss(
    front_end: float, inside: float, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(REACHED, RATES, 98.0 - front_end)
    monkeypatch.setitem(REACHED, COINCIDENCES, 98.0 - front_end)
    monkeypatch.setitem(REACHED, SPIKES, 98.0 - front_end - inside)
    study = device_study(cases=GIVEN, reference="ann")
    assert told in decompose(study, "capacitor", Known(noise=0.2)).sentence


def test_a_float_network_that_failed_has_a_dash() -> None:
    known = Known()

    def run(study: Study) -> Outcome:
        outcome = known(study)
        return Outcome([run for run in outcome.runs if run[0].label != FLOAT], [])

    text = lines(decompose(device_study(cases=GIVEN, reference="ann"), "capacitor", run))
    assert not any("nan" in line for line in text)


def test_a_tile_that_the_control_cannot_have_is_one_line() -> None:
    tile = {"simulator": "native", "read_disturb": {"forward_up": 0.001}}
    with pytest.raises(InputError, match="whose reads are of numbers"):
        decompose(device_study(case={"tile": tile}), "capacitor", Known())


def test_a_made_up_float_network_has_the_layers_and_epochs_of_the_device() -> None:
    own = {"network": {"hidden": [5], "T": 12}, "training": {"epochs": 3}}
    made = states_of(device_study(case=own))
    assert made[FLOAT].network.hidden == made[SPIKES].network.hidden == (5,)
    assert made[FLOAT].training.epochs == made[SPIKES].training.epochs == 3


def test_the_control_itself_is_refused() -> None:
    with pytest.raises(InputError, match="must be a device that is trained by spikes"):
        decompose(device_study(cases=GIVEN, reference="ann"), "analog_sgd capacitor", Known())
