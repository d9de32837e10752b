"""The search of hyperparameters has equal effort for all cases, uses held-out images, and runs
once."""

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from rpu_ssnn.common.errors import InputError
from studies.declaration.hyperparameters import (
    known_hyperparameters,
    read_hyperparameters,
    write_hyperparameters,
)
from studies.declaration.search import Race, SearchSettings, candidates, choose, rungs
from studies.declaration.study import Study, load_study
from studies.declaration.trial import TrialResult
from studies.declaration.update_rules.base import Hyperparameters
from studies.execution.hyperparameter_search import find_hyperparameters
from studies.execution.phase import FolderRun, Options, training_job
from studies.execution.study_runs import run_in_folder
from studies.results.result_folder import open_folder
from studies.workers.checkpoint import read_checkpoint
from support.studies.harness import (
    RATE,
    Harness,
    InThisProcess,
    accuracy_of,
    small_study,
    study_file,
)

SEARCHED: dict[str, Any] = {
    "cases": [
        {"update": "ann"},
        {"update": "rate"},
        {"device": "ideal"},
        {"device": "capacitor"},
        {"device": "charge_trap", "hyperparameters": {"weight_range": 6, "learning_rate": 0.5}},
    ],
    "training": {"epochs": 20},
    "seeds": [7, 8, 9],
}


def races(study: Study) -> list[Race]:
    return [
        Race.of(point, study.study, study.search, study.measure)
        for point in study.points()
        if point.hyperparameters is None
    ]


def done_by(race: Race, accuracy: Callable[[Hyperparameters], float], n: int = 1000) -> Any:
    """Returns finished runs of a race, with the same accuracy in all epochs."""
    return {
        trial.identity: TrialResult(
            {"n_validation": n, "validation_accuracy": accuracy(one)},
            [{"epoch": k, "validation_accuracy": accuracy(one)} for k in range(100)],
        )
        for runs, _ in race.comparisons
        for one, trial in runs.items()
    }


def test_every_spiking_case_tries_the_same_points_and_none_lies_at_an_end() -> None:
    study = small_study(**SEARCHED)
    ann, rate, ideal, capacitor, _ = (candidates(p, study.search) for p in study.points())
    assert ideal == capacitor
    assert [one.learning_rate for one in rate] == [one.learning_rate for one in ideal]
    assert all(one.weight_range is None for one in (*ann, *rate))
    assert len(set(ideal)) == study.search.points == 6
    assert all(0.5 < one.learning_rate < 32 and 1 < (one.weight_range or 0) < 16 for one in ideal)
    # Each quarter of the range, on a logarithmic scale, has one point or two.
    places = [int(4 * math.log(one.learning_rate / 0.5) / math.log(64)) for one in ideal]
    assert sorted(Counter(places).values()) == [1, 1, 2, 2]


def test_the_range_may_be_given() -> None:
    search = {"points": 5, "learning_rate": [1, 2], "weight_range": [3, 4]}
    (point,) = [p for p in small_study(**SEARCHED).points() if p.label == "ideal"]
    tried = candidates(point, SearchSettings.model_validate(search))
    assert len(tried) == 5
    assert all(1 < one.learning_rate < 2 and 3 < (one.weight_range or 0) < 4 for one in tried)


@pytest.mark.parametrize("epochs", [1, 3, 10, 14, 30, 100])
@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_a_search_costs_at_most_about_a_fifth_of_the_study(epochs: int, seeds: int) -> None:
    steps, left, before, spent = rungs(epochs, seeds, 6), 6, 0, 0
    for step in steps:
        spent += left * (step - before)
        left, before = (left + 1) // 2, step
    wasted = spent - steps[-1]
    assert steps[0] == max(1, epochs // 10)
    assert len(steps) == 1 or wasted <= seeds * epochs / 4 + 1e-9


def test_the_search_finds_the_best_and_its_runs_go_on(harness: Harness) -> None:
    lines: list[str] = []
    options = harness.options()
    options.reporter.note = lines.append  # type: ignore[method-assign]
    outcome = run_in_folder(small_study(**SEARCHED), harness.out, options)
    assert len(outcome.runs) == 15
    log = harness.take_log()
    searched = Counter(title.split(" (")[0] for title in log.elements() if "search" in title)
    # There are 6 candidates, of which 3 continue.
    assert searched == {f"search {case} seed 7": 9 for case in ("ann", "rate", "ideal")} | {
        "search capacitor seed 7": 9
    }
    assert all(title.startswith(("search", "test")) for title in log)
    best: dict[str, float] = {}
    for race in races(small_study(**SEARCHED)):
        best[race.point.label] = max(accuracy_of(trial) for trial in race.trials.values())
    reached = {trial.label: accuracy_of(trial) for trial, _ in outcome.runs}
    for label, accuracy in best.items():
        assert reached[label] - 2 == pytest.approx(accuracy), label  # The last seed is 9, not 7.
    chosen = [line for line in lines if line.startswith("hyperparameters of ideal")]
    assert "shared with 1 other, since no candidate is clearly better" in chosen[0]
    assert "learning_rate 1.18, weight_range 9.25 (the largest tried); 83.07 % of" in chosen[0]


def test_hyperparameters_are_read_back_and_searched_without_their_file(harness: Harness) -> None:
    study = small_study(**SEARCHED)
    first = harness.run(study)
    harness.take_log()
    assert harness.run(study).runs == first.runs
    assert not harness.take_log()
    file = harness.out / "hyperparameters.yaml"
    hyperparameters = read_hyperparameters(file)
    assert set(hyperparameters) == {"ann", "rate", "ideal", "capacitor"}
    file.unlink()
    harness.run(study)
    assert not harness.take_log(), "the runs of the search are still there"
    assert read_hyperparameters(file) == hyperparameters
    as_of_older_version = {
        name: one.model_copy(update={"settings": None}) for name, one in hyperparameters.items()
    }
    write_hyperparameters(file, as_of_older_version)
    harness.run(small_study(**SEARCHED | {"training": {"epochs": 21}}))
    assert sum(harness.take_log().values()) == 5 * 3


@pytest.mark.parametrize(
    ("change", "searched"),
    [
        ({"network": {"hidden": [9], "T": 10}}, 4),
        ({"network": {"hidden": [8], "T": 11}}, 3),  # The float network has no slots.
        ({"seeds": [8, 9]}, 0),
        ({"dataset": {"name": "digits", "n_train": 90, "n_test": 50}}, 4),
    ],
)
def test_hyperparameters_are_searched_again_after_a_change_that_their_case_reads(
    change: dict[str, Any], searched: int, harness: Harness
) -> None:
    harness.run(small_study(**SEARCHED))
    harness.take_log()
    harness.run(small_study(**SEARCHED | change))
    log = harness.take_log().elements()
    again = {title.split()[1] for title in log if title.startswith("search")}
    assert len(again) == searched
    harness.run(small_study(**SEARCHED))
    assert not harness.take_log()


def test_hyperparameters_beside_the_study_are_used_by_every_run(harness: Harness) -> None:
    study = load_study(study_file(harness.out.parent, "study.yaml", **SEARCHED))
    harness.run(study)
    hyperparameters = read_hyperparameters(harness.out / "hyperparameters.yaml")
    given = hyperparameters["rate"].model_copy(update={"learning_rate": 3.0, "settings": None})
    write_hyperparameters(study.hyperparameters_file, {"rate": given})
    assert known_hyperparameters(study, harness.out / "hyperparameters.yaml") == hyperparameters | {
        "rate": given
    }


def test_a_stopped_search_goes_on_as_if_it_had_not_been(harness: Harness) -> None:
    study = small_study(**SEARCHED)
    harness.run(study)
    harness.take_log()
    hyperparameters = harness.out / "hyperparameters.yaml"
    text = hyperparameters.read_text()
    hyperparameters.unlink()
    for file in list((harness.out / "search").glob("*.json"))[::2]:
        file.unlink()
    harness.run(study)
    assert hyperparameters.read_text() == text
    assert 0 < sum(harness.take_log().values()) < 4 * 9


def test_a_search_with_a_failed_run_chooses_nothing_for_its_case(harness: Harness) -> None:
    study = small_study(**SEARCHED)
    (race,) = [race for race in races(study) if race.point.label == "rate"]
    harness.order("raise", next(iter(race.runs(0))).title)
    outcome = harness.run(study)
    assert len(outcome.failures) == 1
    assert {t.label for t, _ in outcome.runs} == {"ann", "ideal", "capacitor", "charge_trap"}
    harness.order("raise")
    assert len(harness.run(study, retry_failed=True).runs) == 15


def test_a_sweep_is_searched_point_by_point(harness: Harness) -> None:
    study = small_study(
        cases=[RATE, {"device": "ideal"}], sweep={"overrides.cycle_to_cycle": [0, 0.3]}, seeds=[0]
    )
    harness.run(study)
    titles = ["ideal [overrides.cycle_to_cycle=0]", "ideal [overrides.cycle_to_cycle=0.3]"]
    assert list(read_hyperparameters(harness.out / "hyperparameters.yaml")) == titles


def test_a_search_may_hold_out_images_that_the_trials_train_on() -> None:
    dataset = {"name": "digits", "n_train": 100, "validation_share": 0}
    study = small_study(**SEARCHED | {"dataset": dataset, "search": {"validation_share": 0.25}})
    for race in races(study):
        shares = {trial.settings.dataset.validation_share for trial in race.runs(0)}
        assert shares == {0.25}
    with pytest.raises(InputError, match="validation_share"):
        small_study(**SEARCHED | {"dataset": dataset})


def test_a_first_comparison_may_train_on_a_part_of_the_images(harness: Harness) -> None:
    study = small_study(**SEARCHED | {"search": {"n_train": 60}})
    harness.run(study)
    searched = Counter(title.split(" (")[0] for title in harness.take_log().elements())
    assert searched["search rate seed 7"] == 9
    (race,) = [race for race in races(study) if race.point.label == "rate"]
    done = done_by(race, lambda one: -one.learning_rate)
    few = race.runs(0)
    assert {(run.settings.dataset.n_train, run.stop_after) for run in few} == {(60, 1)}
    assert {run.settings.dataset.validation_share for run in few} == {0.25}
    assert [run.identity for run in race.halve(0, done)] == [run.identity for run in few]
    whole = {(run.settings.dataset.n_train, run.stop_after) for run in race.runs(1)}
    assert whole == {(100, 2)}
    rates = sorted(one.learning_rate for one in race.trials)
    assert sorted(one.learning_rate for one in race.left) == rates[:3]
    assert not race.runs(2)
    assert len(races(small_study(**SEARCHED))[0].all_runs()) == 6
    assert len(races(study)[0].all_runs()) == 9


def test_cases_whose_best_candidates_are_level_take_the_same_one() -> None:
    """On one thousand held-out images, two points are within the noise, twenty are not."""
    study = small_study(**SEARCHED)
    _, _, ideal, capacitor = races(study)
    first, second, *_ = ideal.trials

    def chosen(gap: float) -> set[Hyperparameters]:
        done = done_by(ideal, lambda one: 90 + gap * (one == first)) | done_by(
            capacitor, lambda one: 90 + gap * (one == second)
        )
        return {choice.chosen for choice in choose([ideal, capacitor], done)}

    assert len(chosen(0.2)) == 1
    assert chosen(20 / 3) == {first, second}


@pytest.mark.parametrize("first", [{}, {"n_train": 60}])
def test_the_winner_s_run_goes_on_from_its_checkpoint_and_its_row_is_that_of_a_whole_one(
    harness: Harness, first: dict[str, int]
) -> None:
    """The training is real, and its numbers do not depend on the pause during the search."""
    content = {
        "cases": [{"update": "rate"}],
        "training": {"epochs": 4},
        "search": {"points": 4, **first},
        "seeds": [3],
    }
    study = small_study(**content)
    options = Options(job=training_job(None), executor=InThisProcess())
    with open_folder(harness.out, study) as folder:
        run = FolderRun(folder, options)
        hyperparameters = find_hyperparameters(study, run)
    assert not run.failures
    (trial,) = run_in_folder(study, harness.out.with_name("whole"), options).runs[:1]
    kept = list((harness.out / "running").glob("*.npz"))
    assert [path.stem for path in kept] == [trial[0].identity]
    state = read_checkpoint(kept[0], trial[0], str(trial[1].row["data_digest"]))
    assert state.state.epochs == 1
    (resumed,) = run_in_folder(study, harness.out, options).runs
    given = small_study(
        **content
        | {"cases": [{"update": "rate", "learning_rate": hyperparameters["rate"].learning_rate}]}
    )
    (whole,) = run_in_folder(given, harness.out.with_name("given"), options).runs
    assert resumed[1].row["resumed"] == 1
    for name in ("test_accuracy", "validation_accuracy", "settings"):
        assert resumed[1].row[name] == whole[1].row[name]
    results = resumed[1], whole[1]
    curves = [[row["validation_accuracy"] for row in result.epochs] for result in results]
    assert curves[0] == curves[1]
