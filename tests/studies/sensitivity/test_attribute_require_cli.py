"""Tests what the commands `attribute` and `require` print, write and refuse."""

import math
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

from device_presets.library.entry_writing import entries_text
from device_presets.library.preset_file import shipped_entries
from studies.declaration.search import candidates
from studies.declaration.study import Study
from studies.declaration.trial import Row, Runs, Trial, TrialResult
from studies.report import attribution_view, ledger_view, requirement_view
from studies.results import caveats
from studies.results.ledger import COLUMNS
from studies.results.tables import write_csv
from studies.sensitivity.attribution import TOTALS, attribute
from studies.sensitivity.requirement import require
from studies.workers.worker import Job
from support.commands import Command
from support.studies.harness import (
    DRIVE,
    RATE,
    SMALL,
    Harness,
    InThisProcess,
    accept_all,
    declared_trials,
    fake_training,
    small_study,
    study_file,
)
from support.studies.question_fakes import FakeRun, device_study


def leaky(parameters: dict[str, Any], method: Any) -> float:
    """Returns a loss of 2 points for the leak, and for noise 1 point at 2 and more beyond."""
    leaks = parameters["leak_time_constant_s"] != "inf"
    return 2.0 * leaks + (parameters["cycle_to_cycle"] / 2.0) ** 2


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Returns the figures that the test draws, which are not saved."""
    figures: list[Figure] = []
    for view in (attribution_view, requirement_view):
        monkeypatch.setattr(view, "save", lambda figure, _: figures.append(figure))
    return figures


def runs_at(study: Study, reached: Callable[[Trial], float], *epochs: Row) -> Runs:
    """Returns runs of ten classes whose devices are at 10 % on validation images."""
    row: Row = {"network": "64-8-10", "n_test": 1000, "n_validation": 1000, "n_train": 1000}
    row |= {"validation_accuracy": 10.0, "devices_total": 600}
    return [
        (trial, TrialResult({**row, "test_accuracy": reached(trial)}, list(epochs)))
        for trial in declared_trials(study)
    ]


def test_the_attribution_is_printed_written_and_drawn(tmp_path: Path) -> None:
    attribution = attribute(device_study(), "capacitor", FakeRun(leaky, noise=0.02))
    text = "\n".join(attribution_view.lines(attribution))
    rows = [line for line in text.splitlines() if line.startswith("|")]
    first = [cell.strip() for cell in rows[2].strip("|").split("|")]
    assert first[0] == "leak"
    assert "these significantly recover points: leak " in text
    assert first[2].startswith(("+2.0", "+1.9"))
    assert "ns" not in first[2]
    assert sum(" ns " in row for row in rows) >= 4  # The spreads cost nothing.
    assert rows[-2].split("|")[1].strip() == "together minus sum"
    last = [cell.strip() for cell in rows[-1].strip("|").split("|")]
    assert (last[0], last[2], last[4]) == ("remaining with all off", "-", "5")
    assert last[3].startswith(("+0.0", "-0.0"))
    written = pd.read_csv(write_csv(attribution.table, tmp_path / attribution_view.FILE))
    pd.testing.assert_frame_equal(written, attribution.table, check_dtype=False)
    figure = attribution_view.draw(attribution, "capacitor", tmp_path)
    assert figure.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_an_attribution_of_one_seed_is_drawn_without_intervals(tmp_path: Path) -> None:
    attribution = attribute(device_study(seeds=[0]), "capacitor", FakeRun(leaky))
    text = "\n".join(attribution_view.lines(attribution))
    assert "±" not in text
    assert re.search(r"Nothing is tested \(fewer than 3 seeds.*\); switched off alone, leak ", text)
    assert attribution_view.draw(attribution, "capacitor", tmp_path).exists()


def test_what_failed_has_no_number() -> None:
    run = FakeRun(leaky, noise=0.02, fails=lambda trial: trial.label == "only leak")
    attribution = attribute(device_study(), "capacitor", run)
    assert not any("nan" in line for line in attribution_view.lines(attribution))


def test_bars_beyond_100_points_are_whole_beside_a_failure(drawn: list[Figure]) -> None:
    fails = "only cycle_to_cycle"
    run = FakeRun(lambda p, m: 100 * leaky(p, m), fails=lambda trial: trial.label == fails)
    attribution_view.draw(attribute(device_study(), "capacitor", run), "capacitor", Path())
    assert drawn[0].axes[0].get_xlim()[1] > 200.0


def test_bars_that_are_not_significant_are_hollow(drawn: list[Figure]) -> None:
    attribution = attribute(device_study(), "capacitor", FakeRun(leaky, noise=0.02))
    attribution_view.draw(attribution, "capacitor", Path())
    axes = drawn[0].axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    bars = zip(names, axes.containers[1], strict=True)
    filled = [name for name, bar in bars if bar.get_facecolor() != (1, 1, 1, 1)]
    assert [name for name in filled if name not in TOTALS] == ["leak"]


def test_a_negative_parameter_is_drawn_by_logarithm_and_ringed(drawn: list[Figure]) -> None:
    run, device = FakeRun(lambda p, m: 50.0 * p["asymmetry"] ** 2), "neurosim_pcmo"
    requirement = require(device_study(device), device, 1.0, run, parameters=["asymmetry"])
    requirement_view.draw(requirement, device, Path())
    axes = drawn[0].axes[0]
    assert axes.get_xscale() == "symlog"
    ring = next(line for line in axes.lines if line.get_markersize() == 10)
    assert list(ring.get_xdata()) == [-0.6176903]
    low, high = axes.get_xlim()
    values = requirement.curves["value"]
    assert low < values.min()
    assert values.max() < high
    assert set(axes.get_xticks()) <= set(values)
    assert values.min() in axes.get_xticks()


def test_the_requirement_is_printed_and_written(tmp_path: Path) -> None:
    run = FakeRun(leaky, noise=0.02)
    requirement = require(
        device_study(), "capacitor", 3.0, run, parameters=["cycle_to_cycle", "stuck_share"]
    )
    text = "\n".join(requirement_view.lines(requirement))
    assert "capacitor as it is loses 2.0" in text
    assert "every change keeps the hyperparameters of the device as it is (" in text
    assert f"{len(run.done)} runs" in text
    rows = [line for line in text.splitlines() if line.startswith("| cycle_to_cycle")]
    cells = [cell.strip() for cell in rows[0].strip("|").split("|")]
    assert cells[2] == "0.3"
    assert cells[4].startswith(("at most 1.9", "at most 2"))
    assert cells[6] == "met"
    assert "\nstuck_share, loss: no limit up to 0.5 (loss 2.0" in text
    written = pd.read_csv(write_csv(requirement.table, tmp_path / requirement_view.FILE))
    assert written["required"][0] == pytest.approx(requirement.table["required"][0])
    assert written["wanted"].tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    ("bound", "easy", "hard", "said"),
    [
        ("at most", math.nan, 40.7, "40.7 or less"),
        ("at most", 3.0, math.nan, "3 or more"),
        ("at least", math.nan, 40.7, "40.7 or more"),
        ("at least", 300.0, math.nan, "300 or less"),
        ("at least", 300.0, 200.0, "300 to 200"),
        ("at least", math.nan, math.nan, "open"),
    ],
)
def test_an_open_interval_is_in_words(bound: str, easy: float, hard: float, said: str) -> None:
    row = {"bound": bound, "easy": easy, "hard": hard, "why_none": "", "n": 3}
    assert requirement_view.interval_in_words(pd.Series(row)) == said
    assert requirement_view.interval_in_words(pd.Series(row | {"n": 2})) == "not known"


def test_the_ledger_says_why_a_cell_is_blank() -> None:
    numbers: dict[str, Any] = dict.fromkeys(COLUMNS, 1.5)
    blank = {"energy_j": float("nan"), "energy_blank_because": "energy_per_pulse_j: secret"}
    row = {"case": "trap", "n": 5, **numbers, **blank}
    row |= {"endurance_blank_because": ""}
    table = pd.DataFrame([row])
    text = ledger_view.readable(table).markdown
    assert "trap: energy_per_pulse_j: secret" in text
    cells = [cell.strip() for cell in text.splitlines()[2].strip("|").split("|")]
    assert cells == ["trap", "5", "1.5", "1.5", "1.5", "1.5", "-", "1.5", "1.5"]
    assert text.splitlines()[0].split("|")[5].strip() == "99th pct."
    assert "99th pct., max: 99th percentile and maximum over devices, up plus down" in text


@pytest.mark.parametrize(
    "question", [attribute, partial(require, loss=1.0, parameters=["asymmetry"])]
)
def test_a_device_far_below_the_reference_is_named(question: Any) -> None:
    def notes(loss: float) -> list[str]:
        run = FakeRun(lambda parameters, method: loss)
        return question(device_study(), "capacitor", run=run).notes

    (line,) = [note for note in notes(30.0) if "learned badly" in note]
    assert "30.0 points below rate" in line
    assert not any("learned badly" in note for note in notes(5.0))


@pytest.mark.parametrize(("accuracy", "learned"), [(11.0, False), (20.0, True)])
def test_a_device_near_chance_is_named_beside_any_reference(accuracy: float, learned: bool) -> None:
    runs = runs_at(small_study(), lambda trial: accuracy)
    told = caveats.of_device(runs, "coincidence", "rate").values()
    assert [
        f"{accuracy} %, where naming the largest class alone gives 10.0 %" in line for line in told
    ] == ([] if learned else [True])
    named = caveats.sentences(caveats.of_chance(small_study(), runs))
    assert [line.endswith(": ann, coincidence.") for line in named] == ([] if learned else [True])


def test_what_a_device_lost_in_storage_was_learned() -> None:
    study = device_study(case={"tile": {"storage_seconds": 86400}})
    runs = runs_at(study, lambda trial: 11.0, {"validation_accuracy": 50.0})
    kept = "before storage it had 50.0 % on validation samples."
    (line,) = caveats.sentences(caveats.of_chance(study, runs))
    assert line.startswith("capacitor lost in storage what it had learned: ")
    assert line.endswith(kept)
    (line,) = caveats.of_device(runs, "capacitor", "rate").values()
    assert line.endswith(f"say little; {kept}")
    assert "learned badly" in "".join(caveats.of_device(runs, "rate", "capacitor").values())


POWER_LAW = {"tile": {"simulator": "native", "retention": {"exponent": 0.1, "from_s": 1e-6}}}


@pytest.mark.parametrize(
    ("leak_s", "case", "told"),
    [(1e-2, {}, "lose 48 % of"), (1.0, {}, "nothing was"), (math.inf, POWER_LAW, "lose 58 % of")],
)
def test_a_device_that_forgets_in_an_epoch_is_named(leak_s: float, case: Any, told: str) -> None:
    study = device_study(case={"overrides": {"leak_time_constant_s": leak_s}, **case})
    (line,) = caveats.of_chance(study, runs_at(study, lambda trial: 11.0)).values()
    assert told in line


@pytest.mark.parametrize(("wait", "beyond"), [(3600.0, True), (9e4, False)])
def test_a_loss_over_longer_than_measured_is_named(wait: float, beyond: bool) -> None:
    case = {"overrides": {"longest_wait_s": wait}, "tile": {"storage_seconds": 86400}}
    told = list(caveats.of_runs(small_study(), runs_at(device_study(case=case), lambda t: 90.0)))
    assert (
        "The loss of capacitor was measured over 3600 s at most, and is extrapolated to the "
        "8.6e+04 s of training and storage." in told
    ) == beyond


def test_a_device_whose_fit_failed_checks_is_named(tmp_path: Path) -> None:
    entries = {f"draw_{k}": shipped_entries()["capacitor"] for k in (1, 2)}
    (tmp_path / "mine.yaml").write_text(entries_text(entries, (), ("Is the mean step right?",)))
    for device in ("mine.yaml:draw_2", "two_device_pair(mine.yaml:draw_1)"):
        study = device_study(device.replace("mine", str(tmp_path / "mine")))
        told = list(caveats.of_runs(study, runs_at(study, lambda t: 90.0)))
        assert told[-1] == (
            "The fit of mine.yaml failed checks, so that the measured device may reach another "
            "accuracy: Is the mean step right?"
        )


def test_a_searched_value_at_an_end_of_those_tried_is_named() -> None:
    study = small_study(cases=[RATE, {"update": "coincidence"}])
    point = study.points()[1]
    tried = sorted(candidates(point, study.search), key=lambda one: one.learning_rate)
    told = []
    for chosen in (tried[1], tried[-1]):
        trial = point.trial(study.study, chosen, 0, study.measure)
        told += caveats.of_ends_of_ranges(study, [(trial, TrialResult({}, []))])
    named = f"coincidence with learning_rate {tried[-1].learning_rate:g} (the largest tried)"
    assert told == [named]


def test_a_point_of_a_sweep_at_chance_is_named_beside_one_that_learned() -> None:
    study = small_study(sweep={"network.T": [10, 20]})
    runs = runs_at(study, lambda t: 90.0 if t.settings.network.T == 20 or t.label == "ann" else 11)
    assert list(caveats.of_chance(study, runs)) == ["coincidence [T = 10]"]
    no_table = pd.DataFrame({"case": []})
    (line,) = caveats.of_reference(study, no_table, runs).values()
    assert "rate [T = 10] ends at 11.0 %" in line


@pytest.mark.parametrize(("accuracies", "warned"), [((100.0, 98.0), True), ((100.0, 96.0), False)])
def test_images_too_easy_to_tell_are_named(accuracies: tuple[float, float], warned: bool) -> None:
    rows = [{"test_accuracy": accuracy, "n_test": 50} for accuracy in accuracies]
    trials = declared_trials(small_study())
    runs = [(trial, TrialResult(row, [])) for trial, row in zip(trials, rows, strict=False)]
    assert bool(caveats.of_ceiling(runs)) == warned


@pytest.mark.parametrize(
    ("question", "last", "whole"),
    [
        ("attribute", "without leak seed 3", "3"),
        ("decompose", "numbers in the device seed 1", "1"),
        ("attribute", "as it is seed 3", "0"),
        ("require", "as it is seed 3", ""),
    ],
)
def test_an_interrupted_question_is_answered_from_whole_seeds(
    question: str,
    last: str,
    whole: str,
    command: Command,
    harness: Harness,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(trial: Trial, *more: Any) -> TrialResult:
        if trial.title == last:
            raise KeyboardInterrupt
        return fake_training(trial, *more)

    job = Job(accept_all, interrupt, harness.orders)
    monkeypatch.setattr("studies.execution.phase.training_job", lambda data: job)
    monkeypatch.setattr("studies.workers.clusters.executor_of", lambda *_: InThisProcess())
    cases = [*SMALL["cases"], {"device": "capacitor", "hyperparameters": DRIVE}]
    study = study_file(harness.orders, cases=cases, reference="rate", seeds={"count": 5})
    code, output, errors = command(question, study, "--device", "capacitor", "--out", harness.out)
    assert code == 130
    assert "continue with: rpu-ssnn" in errors
    told = f"complete in every case: {whole} of 5 seeds; the others may change the answer"
    assert output.startswith(told if whole else "")
    assert ("figure" in output) == (whole in ("1", "3"))
