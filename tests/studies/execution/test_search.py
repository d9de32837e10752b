"""The search of hyperparameters: equal effort for all, on validation images, once."""

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml

from rpu_ssnn.common.errors import InputError
from studies.declaration.points import Point
from studies.declaration.result import TrialResult
from studies.declaration.search.candidates import (
    Candidate,
    best,
    by_search,
    candidates,
)
from studies.declaration.search.hyperparameters import (
    read_hyperparameters,
    search_key,
)
from studies.declaration.search.sampler import drawn
from studies.declaration.search.widening import Tried, widened
from studies.declaration.study import Study
from studies.declaration.update_rules.base import Hyperparameters
from studies.execution.study_runs import search_in_folder
from support.studies.harness import Harness, InThisProcess, small_study

SEARCHED: dict[str, Any] = {
    "cases": [
        {"update": "ann"},
        {"update": "rate"},
        {"device": "ideal"},
        {"device": "charge_trap", "hyperparameters": {"weight_range": 6, "learning_rate": 0.5}},
    ],
    "search": {
        "n_train": 60,
        "epochs": 3,
        "widen": 0,
        "weight_range": [4, 8],
        "learning_rate": [0.5, 1.0, 2.0],
        "ann_learning_rate": [0.25, 1.0],
    },
    "seeds": [7, 8],
}


class Notes:
    """A reporter that keeps what it is told."""

    def __new__(cls) -> Any:
        from studies.execution.progress import Reporter

        class Kept(Reporter):
            def __init__(self) -> None:
                self.lines: list[str] = []

            def note(self, text: str) -> None:
                self.lines.append(text)

        return Kept()


def test_a_case_without_a_drive_gets_the_best_of_the_grid(harness: Harness) -> None:
    notes = Notes()
    outcome = harness.run(small_study(**SEARCHED), reporter=notes)
    tuned = {
        trial.label: (
            trial.settings.method.learning_rate,
            getattr(getattr(trial.settings.method, "tile", None), "weight_range", None),
        )
        for trial, _ in outcome.runs
    }
    assert tuned == {
        "ann": (1.0, None),
        "rate": (1.0, None),
        "ideal": (1.0, 8.0),
        "charge_trap": (0.5, 6.0),
    }
    log = harness.take_log()
    searched = [title for title, n in log.items() if title.startswith("validation") and n == 1]
    assert "validation ideal seed 7 (learning_rate 0.5, weight_range 4)" in searched
    assert Counter(title.partition(" (")[0] for title in searched) == {
        "validation ann seed 7": 2,
        "validation rate seed 7": 3,
        "validation ideal seed 7": 6,
    }
    assert "searched first of ann, rate, ideal" in notes.lines[0]
    assert "drive of ideal: learning_rate 1, weight_range 8 (84.50 % of" in notes.lines[3]
    assert notes.lines[3].endswith("at the edge of the grid: weight_range")


def test_a_search_run_has_the_reduced_budget_and_never_reads_the_test_images(
    harness: Harness,
) -> None:
    harness.run(small_study(**SEARCHED))
    files = list((harness.out / "search").glob("*.json"))
    assert len(files) == 11
    for file in files:
        content = yaml.safe_load(file.read_text())
        assert content["settings"]["training"]["epochs"] == 3
        assert content["settings"]["dataset"]["n_train"] == 60
        assert content["settings"]["measure"] == "validation"
        assert content["row"]["test_accuracy"] is None


def test_drives_are_searched_once_and_read_back(harness: Harness) -> None:
    study = small_study(**SEARCHED)
    first = harness.run(study)
    harness.take_log()
    assert harness.run(study).runs == first.runs
    assert not harness.take_log()
    assert set(read_hyperparameters(harness.out / "hyperparameters.yaml")) == {
        "ann",
        "rate",
        "ideal",
    }


def test_a_search_may_hold_out_images_that_the_trials_train_on() -> None:
    everything = {"dataset": {"name": "digits", "n_train": 100, "validation_share": 0}}
    search = {**SEARCHED["search"], "validation_share": 0.25}
    study = small_study(**{**SEARCHED, **everything, "search": search})
    runs = candidates(study, study.points())
    assert {run.trial.settings.dataset.validation_share for run in runs} == {0.25}
    assert {point.dataset.validation_share for point in study.points()} == {0.0}


def test_a_sweep_is_searched_point_by_point(harness: Harness) -> None:
    study = small_study(
        cases=[{"update": "rate", "learning_rate": 1}, {"device": "ideal"}],
        sweep={"overrides.cycle_to_cycle": [0, 0.3]},
        search={"weight_range": [8], "learning_rate": [1.0]},
        seeds=[0],
    )
    harness.run(study)
    titles = ["ideal [overrides.cycle_to_cycle=0]", "ideal [overrides.cycle_to_cycle=0.3]"]
    assert list(read_hyperparameters(harness.out / "hyperparameters.yaml")) == titles


def test_a_search_with_a_failed_run_chooses_nothing(harness: Harness) -> None:
    points = [f"learning_rate {r}, weight_range {w}" for r in ("0.5", "1", "2") for w in (4, 8)]
    harness.order("raise", *(f"ideal seed 7 ({point})" for point in points))
    outcome = harness.run(small_study(**SEARCHED))
    assert {trial.label for trial, _ in outcome.runs} == {"ann", "rate", "charge_trap"}
    assert len(outcome.failures) == 6
    harness.take_log()
    harness.order("raise")
    assert len(harness.run(small_study(**SEARCHED)).failures) == 6
    assert not harness.take_log()
    outcome = harness.run(small_study(**SEARCHED), retry_failed=True)
    assert harness.take_log() == {
        **{f"validation ideal seed 7 ({point})": 1 for point in points},
        "test ideal seed 7": 1,
        "test ideal seed 8": 1,
    }
    assert len(outcome.runs) == 8


def test_of_equal_drives_the_gentlest_is_taken(harness: Harness) -> None:
    search = {"learning_rate": [2.0, 1.5, 0.5]}  # the fake is as good at 1.5 as at 0.5
    study = small_study(cases=[{"update": "rate"}], search=search)
    notes = Notes()
    drives, _ = search_in_folder(study, harness.out, harness.options(reporter=notes))
    assert drives["rate"].learning_rate == 0.5
    (told,) = [line for line in notes.lines if line.startswith("hyperparameters of rate")]
    assert told.endswith("; 2 of 4 candidates are level: validation images do not tell them apart")


def test_of_many_equal_drives_the_middle_one_is_taken_and_none_lies_at_an_edge() -> None:
    """On a few images most learning rates reach 100 %: the smallest of them would hardly learn."""
    study = small_study(cases=[{"update": "rate"}], search={"learning_rate": [4, 1, 0.25, 0.1]})
    (point,) = study.points()
    reached = {4.0: 100.0, 1.0: 100.0, 0.25: 100.0, 0.1: 93.0}
    results = {
        Hyperparameters(learning_rate=rate): [TrialResult({"test_accuracy": accuracy}, [])]
        for rate, accuracy in reached.items()
    }
    tried = Tried(point, results)
    assert tried.best.learning_rate == 1.0
    assert widened(tried) == []


EDGE: dict[str, Any] = {
    "cases": [{"update": "rate"}, {"device": "ideal"}],
    "search": {
        "n_train": 60,
        "widen": 0,
        "learning_rate": [0.125, 0.25],
        "weight_range": [2, 4],
    },
    "seeds": [7],
}


def widening(**search: Any) -> Study:
    return small_study(**{**EDGE, "search": {**EDGE["search"], **search}})


def test_a_grid_is_widened_until_the_best_lies_inside(harness: Harness) -> None:
    notes = Notes()
    drives, _ = search_in_folder(
        widening(widen=None), harness.out, harness.options(reporter=notes, executor=InThisProcess())
    )
    # The fake training is best at 1 and 8, which the first grid does not reach.
    assert drives["rate"].learning_rate == 1.0
    assert (drives["ideal"].learning_rate, drives["ideal"].weight_range) == (1.0, 8.0)
    assert not any("edge" in line for line in notes.lines)


def unthinned_runs(study: Study, point: Point) -> list[tuple[Candidate, TrialResult]]:
    """A search that is the better, the larger the learning rate."""
    return [
        (run, TrialResult({"test_accuracy": None, "thinning_1": 1.0, "thinning_2": 1.0,
                           "validation_accuracy": 50.0 + run.hyperparameters.learning_rate}, []))
        for run in candidates(study, [point])
    ]  # fmt: skip


@pytest.mark.parametrize("cell", ["tiki_taka_v2", "mixed_precision"])
def test_the_gain_of_a_cell_may_go_on(cell: str) -> None:
    """Its trains are never thinned, so that they say nothing of the learning rate."""
    cases = [{"update": "rate"}, {"device": f"{cell}(ideal)"}]
    study = small_study(**EDGE | {"cases": cases, "search": EDGE["search"] | {"widen": 3}})
    (tried,) = by_search(unthinned_runs(study, study.points()[-1])).values()
    assert 0.5 in {drive.learning_rate for drive in widened(tried)}


SAMPLED = {"sampler": "tpe", "trials": 14, "learning_rate": [0.05, 20], "weight_range": [1, 64]}


def test_a_sampler_gives_every_case_the_same_budget_and_comes_near_the_best(
    harness: Harness,
) -> None:
    options = harness.options(executor=InThisProcess())
    study = widening(**SAMPLED)
    drives, failures = search_in_folder(study, harness.out, options)
    tried = Counter(line.split()[1] for line in harness.take_log().elements())
    assert tried == {"rate": 14, "ideal": 14}
    assert not failures
    # The fake training is best at 1 and 8.
    assert 0.5 < drives["rate"].learning_rate < 2.0


def test_the_progress_of_a_sampling_counts_what_is_done(harness: Harness) -> None:
    from studies.execution.progress import Reporter

    seen: list[tuple[int, int]] = []

    class Looking(Reporter):
        @contextmanager
        def running(self, what: str, done: int, total: int) -> Iterator[None]:
            seen.append((done, total))
            yield

    options = harness.options(executor=InThisProcess(), reporter=Looking())
    search_in_folder(widening(**SAMPLED), harness.out, options)
    assert seen == [(0, 28), (8, 28), (16, 28), (24, 28)]


def test_a_stopped_sampling_goes_on_as_if_it_had_not_been() -> None:
    study = widening(**SAMPLED)
    point = study.points()[-1]
    reached: dict[Hyperparameters, float] = {}
    while more := drawn(point, study.search, reached):
        assert more == drawn(point, study.search, reached)
        reached |= {drive: 90 - abs(math.log(drive.learning_rate)) for drive in more}
    assert len(reached) == 14
    assert all(0.05 <= d.learning_rate <= 20 and 1 <= (d.weight_range or 0) <= 64 for d in reached)


def test_a_sampler_and_a_grid_are_not_mixed() -> None:
    with pytest.raises(InputError, match="widen goes with sampler: grid"):
        widening(**SAMPLED, widen=1)
    with pytest.raises(InputError, match="trials goes with sampler: tpe"):
        widening(trials=5)


def test_candidates_are_judged_on_the_mean_of_several_seeds() -> None:
    study = widening(seeds=[100, 101])
    point = study.points()[0]
    tried = candidates(study, [point])
    assert [run.trial.settings.seed for run in tried] == [100, 101, 100, 101]
    reached = {(0.125, 100): 90.0, (0.125, 101): 50.0, (0.25, 100): 80.0, (0.25, 101): 70.0}
    runs = [
        (run, TrialResult({"test_accuracy": None, "validation_accuracy":
                           reached[run.hyperparameters.learning_rate,
                                   run.trial.settings.seed]}, []))
        for run in tried
    ]  # fmt: skip
    found = best(runs, study.search)[search_key(point, study.search)]
    assert found.found.learning_rate == 0.25
    assert found.found.validation_accuracy == 75.0
