"""Tests plans, made before anything is started, from folders and from fake and real timings."""

from pathlib import Path
from typing import Any

import pytest

from studies.cli.running import print_plan
from studies.declaration.hyperparameters import FoundHyperparameters, write_hyperparameters
from studies.declaration.study import Study
from studies.declaration.trial import Failure, TrialResult
from studies.declaration.update_rules.loading import rule_names
from studies.execution import timing
from studies.execution.plan import Plan, estimate, make_plan
from studies.execution.timing import Cost, time_steps
from studies.report.plan_view import plan_text
from studies.results.result_folder import HYPERPARAMETERS_FILE, open_folder
from studies.results.tables import write_failures
from studies.workers.run_trial import check_inputs, run_trial
from studies.workers.worker import Job
from studies.workers.workspace import NO_WORKSPACE
from support.studies.fake_timing import fake_steps
from support.studies.harness import (
    DRIVE,
    RATE,
    InThisProcess,
    accept_all,
    declared_trials,
    small_study,
)
from support.studies.results_fakes import result_of, runs_of, write_folder

SEARCHED: dict[str, Any] = {
    "cases": [{"update": "ann", "learning_rate": 0.1}, RATE, {"device": "reram_es"}],
    "search": {"points": 6},
}


def fail_steps(*_: Any) -> TrialResult:
    raise RuntimeError("tile broke")


def timed(plan: Plan, data_root: Any = None, workers: int = 2, steps: Any = fake_steps) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("studies.execution.plan.LocalExecutor", lambda _: InThisProcess())
        return estimate(plan, Job(accept_all, steps, data_root), workers)


def test_a_plan_of_nothing_yet_writes_nothing(tmp_path: Path) -> None:
    plan = make_plan(small_study(), tmp_path / "out")
    assert [row.title for row in plan.rows] == ["ann", "rate", "coincidence"]
    titles = ["ann seed 0", "rate seed 0", "coincidence seed 0", "ann seed 1"]
    assert [trial.title for trial in plan.missing[:4]] == titles
    assert plan.search == []
    assert list(tmp_path.iterdir()) == []


def test_what_is_done_is_not_planned_again(tmp_path: Path) -> None:
    study = small_study()
    done = runs_of(study)[:3]
    done[0][1].row["torch_version"] = "99.0"
    plan = make_plan(study, write_folder(tmp_path / "out", study, done))
    titles = ["coincidence seed 0", "rate seed 1", "coincidence seed 1"]
    assert [trial.title for trial in plan.missing] == titles
    text = plan_text(plan, None)
    assert "6 trials, 3 done, 3 to run" in text
    assert "1 row was made under other versions" in text
    assert "| rate        |      2 |    1 |      - |" in text


def test_what_failed_before_is_not_planned(tmp_path: Path) -> None:
    study = small_study()
    done = runs_of(study)[:3]
    root = write_folder(tmp_path / "out", study, done)
    last = declared_trials(study)[-1]
    write_failures(root, [Failure(last.identity, last.title, "RuntimeError: tile broke", "")])
    plan = make_plan(study, root)
    assert last.title not in [trial.title for trial in plan.missing]
    text = plan_text(plan, None)
    assert "6 trials, 3 done, 2 to run; 1 failed before, which --retry-failed runs" in text
    assert "| coincidence |      2 |    0 |" in text


def searched(tmp_path: Path, done: int = 0) -> tuple[Study, Path]:
    """Returns a study with a case to search, and its folder with some runs of the search."""
    study, root = small_study(**SEARCHED), tmp_path / "out"
    with open_folder(root, study) as folder:
        for trial in make_plan(study, root).search[:done]:
            folder.search.write(trial, result_of(trial, lambda trial: 90.0))
    return study, root


def test_the_search_that_is_missing_comes_first(tmp_path: Path) -> None:
    study, root = searched(tmp_path)
    plan = make_plan(study, root)
    assert len(plan.search) == 6
    assert len(plan.missing) == 6
    assert "6 trials, 0 done, 6 to run after 6 runs of the search" in plan_text(plan, None)
    assert len(make_plan(*searched(tmp_path, done=4)).search) == 2


def test_a_search_of_which_a_run_failed_is_not_planned(tmp_path: Path) -> None:
    study, root = searched(tmp_path)
    failed = make_plan(study, root).search[0]
    write_failures(root, [Failure(failed.identity, failed.title, "RuntimeError: burnt", "")])
    plan = make_plan(study, root)
    assert failed.identity not in {trial.identity for trial in plan.search}
    # The device has no trials until its hyperparameters are found.
    assert {trial.label for trial in plan.missing} == {"ann", "rate"}
    text = plan_text(plan, None)
    assert "6 trials, 0 done, 4 to run after 5 runs of the search" in text
    assert "; 1 failed before, which --retry-failed runs; 2 trials wait for a search that" in text
    assert "| reram_es |      2 |    0 |      5 |" in text


def test_found_hyperparameters_need_no_search(tmp_path: Path) -> None:
    study, root = searched(tmp_path)
    drive = FoundHyperparameters(learning_rate=2, weight_range=4, validation_accuracy=90)
    write_hyperparameters(root / HYPERPARAMETERS_FILE, {"reram_es": drive})
    plan = make_plan(study, root)
    assert plan.search == []
    assert plan.rows[2].trials[0].settings.method.learning_rate == 2


def test_the_estimate_is_steps_times_their_number(tmp_path: Path) -> None:
    study, root = searched(tmp_path)
    plan = make_plan(study, root)
    guess = timed(plan)
    by_title = {trial.title: guess.seconds[trial.identity] for trial in plan.missing}
    # There are 100 images of digits for training, 10 of them held out, 50 for the test; one epoch.
    assert by_title["ann seed 0"] == pytest.approx(1 + 90 * 0.001 + (2 * 10 + 50) * 0.01)
    assert by_title["rate seed 0"] == pytest.approx(1 + 90 * 0.01 + (2 * 10 + 50) * 0.01)
    assert by_title["reram_es seed 1"] == pytest.approx(1 + 90 * 0.1 + (2 * 10 + 50) * 0.01)
    # Runs of the search have one epoch and no test.
    of_search = [guess.seconds[trial.identity] for trial in plan.search]
    assert of_search == pytest.approx([1 + 90 * 0.1 + 10 * 0.01] * 6)
    # Two workers do the search in three rounds; then one has ann and the device, the other rate,
    # ann, rate and finally the device.
    rate, ann, device = 2.6, 1.79, 10.7
    working = guess.wall_seconds(plan) - guess.startup_seconds
    assert working == pytest.approx(3 * 10.1 + rate + ann + rate + device)
    # Three kinds of trial take 2 s each at their first run on two workers, which have to start.
    assert guess.startup_seconds > 3.0
    assert guess.peak_memory_mb == 1024.0
    text = plan_text(plan, guess)
    assert "with 2 workers, of which their start takes " in text
    assert "; 1.0 GiB of memory; measured" in text
    assert "| reram_es |      2 |    0 |      6 |" in text


def test_each_distinct_case_is_timed_once_real_units_first(tmp_path: Path) -> None:
    study, root = searched(tmp_path)
    timed(make_plan(study, root), tmp_path)
    log = sorted((tmp_path / "log").read_text().splitlines())
    assert log == ["test ann seed 0", "test rate seed 0", "test reram_es seed 0"]


def test_a_single_case_is_timed_as_crowded_as_it_will_run(tmp_path: Path) -> None:
    study = small_study(cases=[RATE])
    timed(make_plan(study, tmp_path / "out"), tmp_path)
    assert (tmp_path / "log").read_text().splitlines() == ["test rate seed 0"] * 2


def test_a_case_that_cannot_be_timed_is_said(tmp_path: Path) -> None:
    plan = make_plan(small_study(seeds=[0]), tmp_path / "out")
    guess = timed(plan, workers=1, steps=fail_steps)
    text = plan_text(plan, guess)
    assert "could not be timed: rate seed 0: RuntimeError: tile broke" in text
    assert "| rate        |      1 |    0 |      - |       - |   - |   - |" in text


def test_a_done_study_starts_no_timing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = small_study()
    root = write_folder(tmp_path / "out", study)
    print_plan(study, root, workers=1, data=tmp_path, rows=None, estimate=True)
    printed, told = capsys.readouterr()
    assert printed.splitlines()[-1] == "6 trials, 6 done, 0 to run"
    assert not told


def test_real_steps_come_near_a_real_run() -> None:
    study = small_study(
        dataset={"name": "digits", "n_train": 600, "n_test": 300},
        training={"epochs": 3},
        seeds=[0],
        cases=[RATE, {"device": "reram_es", "hyperparameters": DRIVE}],
    )
    check_inputs(declared_trials(study), None)
    for trial in declared_trials(study):
        run_trial(trial, None, 1)  # The first run compiles.
        cost = Cost.of(time_steps(trial, None, 1, NO_WORKSPACE))
        ran = run_trial(trial, None, 1).row["seconds"]
        assert cost.peak_memory_mb > 50
        # The limits are wide, since other processes share the machine while tests run.
        assert ran / 5 < cost.seconds(trial, 540, 60, 300) < ran * 5


def test_the_steps_of_every_rule_can_be_timed() -> None:
    native = {"device": "ideal", "tile": {"simulator": "native"}, "hyperparameters": DRIVE}
    on_device = ("pulses", "analog_sgd", "whole_pulse_sgd")
    cases = [
        ({} if rule == "pulses" else {"update": rule})
        | (native if rule in on_device else {"learning_rate": 0.1})
        for rule in rule_names()
    ]
    study = small_study(
        dataset={"name": "digits", "n_train": 40, "n_test": 10},
        training={"epochs": 2, "dropout_hidden": 0.0},
        seeds=[0],
        cases=cases,
    )
    for trial in declared_trials(study):
        cost = Cost.of(time_steps(trial, None, 1, NO_WORKSPACE))
        assert min(cost.train, cost.show) > 0.0


@pytest.mark.parametrize(
    ("seconds_each", "expected"), [(0.1, [10, 10]), (0.01, [10, 10, 100]), (0.0, [10, 10, 100])]
)
def test_steps_are_timed_until_they_took_long_enough(
    seconds_each: float, expected: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(timing.time, "process_time", lambda: clock[0])
    monkeypatch.setattr(timing.time, "perf_counter", lambda: 5 * clock[0])  # others use the cores
    asked: list[int] = []

    def step(n: int) -> None:
        asked.append(n)
        clock[0] += n * seconds_each

    assert timing._seconds_each(step, 10, 100) == pytest.approx(seconds_each)
    assert asked == expected


def test_a_long_search_of_few_trials_is_timed_with_workers_of_the_search(tmp_path: Path) -> None:
    only = {"cases": [{"device": "reram_es"}], "seeds": [0], "reference": "reram_es"}
    study = small_study(**{**SEARCHED, **only})
    plan = make_plan(study, tmp_path / "out")
    assert (len(plan.missing), len(plan.search)) == (1, 6)
    assert timed(plan).workers == 2
