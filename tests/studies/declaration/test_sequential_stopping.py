"""Seeds that are added until gaps are narrow: which, when it stops, and what is said of it."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from studies.common.statistics import describe
from studies.declaration.result import TrialResult
from studies.declaration.sequential_stopping import Seeded, sentences
from studies.declaration.study import Study
from studies.declaration.trial import Trial
from studies.declaration.trials import seeded_points, trials_at
from studies.execution.imported_results import read_imported_rows
from studies.execution.plan import make_plan
from studies.execution.study_runs import look_into
from studies.report.page.build import write_report
from studies.report.plan_view import plan_text
from studies.report.status_view import study_status
from studies.results.summary import summary
from studies.results.tables import results_frame
from studies.workers.worker import Job
from studies.workers.workspace import Workspace
from support.commands import Command
from support.studies.harness import Harness, InThisProcess, accept_all, fake_training, small_study
from support.studies.results_fakes import result_of, runs_of

UNTIL = {"gap_ci": 0.5, "max_seeds": 12}
SPREADS = {"ann": 0.0, "rate": 0.0, "coincidence": 0.5}
"""Standard deviations, percentage points; a spread of the gap alone."""


def growing(**changes: Any) -> Study:
    return small_study(**{"seeds": [0, 1, 2], "until": UNTIL, **changes})


def accuracy(trial: Trial) -> float:
    """Known from trial to unit, the same in every call."""
    shared = np.random.default_rng(trial.settings.seed).standard_normal()
    own = np.random.default_rng(int(trial.identity, 16)).standard_normal()
    return 80.0 + float(shared + SPREADS.get(trial.label, 9.0) * own)


def noisy_training(
    trial: Trial, data_root: Path | None, threads: int, workspace: Workspace
) -> TrialResult:
    result = fake_training(trial, data_root, threads, workspace)
    return TrialResult({**result.row, "test_accuracy": accuracy(trial)}, result.epochs)


class Noisy(Harness):
    """Runs studies whose accuracies spread."""

    def options(self, **changes: Any) -> Any:
        job = Job(check=accept_all, execute=noisy_training, data_root=self.orders)
        return super().options(**{"job": job, "executor": InThisProcess(), **changes})


@pytest.fixture
def harness(tmp_path: Path) -> Noisy:
    return Noisy(tmp_path)


def seeds_of(study: Study, done: dict[str, TrialResult]) -> list[Seeded]:
    return seeded_points(study, {}, lambda trial: done.get(trial.identity))


def run_to_the_end(study: Study, order: random.Random | None = None) -> list[Seeded]:
    """What a run comes to that does one missing trial at a time, in any order."""
    done: dict[str, TrialResult] = {}
    while True:
        points = seeds_of(study, done)
        missing = [u for u in trials_at(study, {}, points) if u.identity not in done]
        if not missing:
            return points
        trial = order.choice(missing) if order else missing[0]
        done[trial.identity] = result_of(trial, accuracy)


def test_only_what_is_still_wide_gets_seeds_and_the_reference_with_it(harness: Noisy) -> None:
    outcome = harness.run(growing())
    seeds = {point.title: point.seeds for point in outcome.points}
    assert seeds["ann"] == (0, 1, 2)
    assert len(seeds["coincidence"]) > 3
    assert seeds["coincidence"] == tuple(range(len(seeds["coincidence"])))
    assert seeds["rate"] == seeds["coincidence"]
    ran = {(trial.label, trial.settings.seed) for trial, _ in outcome.runs}
    assert ran == {(title, seed) for title, those in seeds.items() for seed in those}
    assert sum(harness.take_log().values()) == len(ran)
    table = summary(results_frame(outcome.runs), "rate").set_index("case")
    assert table.loc["coincidence", "gap_ci"] <= 0.5
    grown = next(point for point in outcome.points if point.title == "coincidence")
    assert grown.half_width == pytest.approx(table.loc["coincidence", "gap_ci"])
    assert grown.verdict == "narrow"


def test_every_look_is_at_the_seeds_before_it_alone() -> None:
    # The interval that stopped it is narrow, and every one that it looked at before was not.
    study = growing(until={"gap_ci": 0.4, "max_seeds": 40})
    [grown] = [point for point in run_to_the_end(study) if point.title == "coincidence"]
    gaps = {}
    for label in ("coincidence", "rate"):
        point = next(point for point in study.points() if point.label == label)
        assert point.hyperparameters is not None
        gaps[label] = [
            accuracy(point.trial("s", point.hyperparameters, seed)) for seed in grown.seeds
        ]
    differences = [a - b for a, b in zip(gaps["coincidence"], gaps["rate"], strict=True)]
    looks, n = [], 3
    while n < len(grown.seeds):
        looks.append(describe(differences[:n]).half_width)
        n = min(40, max(n + 1, min(2 * n, int(np.ceil(n * (looks[-1] / 0.4) ** 2)))))
    assert n == len(grown.seeds)
    assert looks
    assert all(look > 0.4 for look in looks)
    assert describe(differences).half_width <= 0.4


def test_the_units_do_not_depend_on_the_order_in_which_they_end() -> None:
    study = growing(sweep={"network.T": [10, 20]})
    expected = [(point.title, point.seeds) for point in run_to_the_end(study)]
    for salt in range(3):
        found = run_to_the_end(study, random.Random(salt))
        assert [(point.title, point.seeds) for point in found] == expected


def test_rows_that_are_there_by_chance_change_nothing(harness: Noisy, tmp_path: Path) -> None:
    expected = {trial.identity for trial, _ in harness.run(growing()).runs}
    (tmp_path / "more").mkdir()
    more = Noisy(tmp_path / "more")
    more.run(small_study(seeds=list(range(12))))
    more.take_log()
    assert {trial.identity for trial, _ in more.run(growing()).runs} == expected
    assert not more.take_log()


def test_a_run_that_was_cut_off_comes_to_the_same_units(harness: Noisy, tmp_path: Path) -> None:
    expected = {trial.identity for trial, _ in harness.run(growing()).runs}
    harness.take_log()
    files = sorted((harness.out / "units").glob("*.json"))
    random.Random(0).shuffle(files)
    for path in files[:5]:
        path.unlink()
    again = harness.run(growing())
    assert {trial.identity for trial, _ in again.runs} == expected
    assert sum(harness.take_log().values()) == 5
    harness.run(growing())
    assert not harness.take_log()


def test_what_stays_wide_is_said_in_the_end(harness: Noisy) -> None:
    study = growing(until={"gap_ci": 0.01, "max_seeds": 5})
    outcome = harness.run(study)
    assert [point.verdict for point in outcome.points] == ["narrow", "fixed", "wide"]
    lines = sentences(study.until, outcome.points)
    assert lines[0] == "until: 1 gap is known to ±0.01 or better"
    assert lines[1].startswith("until: coincidence stayed at ±")
    assert lines[1].endswith("above 0.01, with all 5 seeds")
    assert len(outcome.runs) == 3 + 5 + 5
    assert "coincidence stayed at ±" in write_report(harness.out).read_text()


def test_a_point_with_a_failed_run_gets_no_more_seeds(harness: Noisy) -> None:
    harness.order("raise", "coincidence seed 1")
    study = growing(until={"gap_ci": 0.01, "max_seeds": 5})
    outcome = harness.run(study)
    assert [point.seeds for point in outcome.points] == [(0, 1, 2)] * 3
    assert outcome.points[2].verdict == "stuck"
    assert "coincidence gets no more seeds" in "".join(sentences(study.until, outcome.points))
    harness.order("raise")
    assert harness.run(study).points[2].verdict == "stuck"  # left alone, still
    assert len(harness.run(study, retry_failed=True).points[2].seeds) == 5


def test_one_declared_seed_is_grown_too(harness: Noisy) -> None:
    outcome = harness.run(growing(seeds=[7]))
    assert [point.seeds[:2] for point in outcome.points] == [(7, 8)] * 3


def test_a_case_with_seeds_of_its_own_takes_the_reference_along() -> None:
    cases = [
        {"update": "rate", "learning_rate": 1.0},
        {"update": "ann", "learning_rate": 0.1, "seeds": [10, 11]},
    ]
    points = run_to_the_end(growing(cases=cases))
    assert [point.seeds for point in points] == [(0, 1, 2, 10, 11, 12), (10, 11, 12)]


def test_a_sweep_grows_each_point_and_the_reference_at_the_same_value() -> None:
    points = run_to_the_end(growing(sweep={"network.T": [10, 20]}))
    seeds = {point.title: point.seeds for point in points}
    for value in (10, 20):
        at = f"[network.T={value}]"
        assert seeds[f"rate {at}"] == seeds[f"coincidence {at}"]
    assert seeds["coincidence [network.T=10]"] != seeds["coincidence [network.T=20]"]


def test_identities_and_runs_without_it_are_as_before(harness: Noisy) -> None:
    plain = harness.run(small_study(seeds=[0, 1, 2]))
    harness.take_log()
    grown = harness.run(growing())
    assert {trial.identity for trial, _ in plain.runs} < {trial.identity for trial, _ in grown.runs}
    log = harness.take_log()
    assert all(int(title.split()[-1]) >= 3 for title in log)


def test_plan_status_and_table_know_the_seeds(
    harness: Noisy, tmp_path: Path, command: Command
) -> None:
    study = growing()
    before = make_plan(study, harness.out)
    assert "9 trials, 0 done, 9 to run" in plan_text(before, None)
    assert "`until` may add seeds, up to 36 trials in all" in plan_text(before, None)
    outcome = harness.run(study)
    after = make_plan(study, harness.out)
    assert after.missing == []
    assert f"{len(outcome.runs)} trials, {len(outcome.runs)} done" in plan_text(after, None)
    assert study_status(harness.out).total == study_status(harness.out).done == len(outcome.runs)
    assert look_into(harness.out, on_damage=lambda _: None).complete == outcome.runs
    assert look_into(harness.out, on_damage=lambda _: None).points == outcome.points
    code, _, errors = command("table", harness.out)
    assert code == 0
    assert errors == "until: 2 gaps are known to ±0.5 or better\n"


def test_kept_rows_of_added_seeds_are_taken_up(harness: Noisy, tmp_path: Path) -> None:
    outcome = harness.run(growing())
    harness.take_log()
    rows = tmp_path / "rows.csv"
    rows.write_text((harness.out / "results.csv").read_text())
    assert len(read_imported_rows([rows])) == len(outcome.runs)
    (tmp_path / "elsewhere").mkdir()
    elsewhere = Noisy(tmp_path / "elsewhere")
    again = elsewhere.run(growing(), kept_rows=[rows])
    assert not elsewhere.take_log()
    assert [trial for trial, _ in again.runs] == [trial for trial, _ in outcome.runs]


def test_the_stored_study_keeps_it(harness: Noisy) -> None:
    harness.run(growing())
    assert yaml.safe_load((harness.out / "study.yaml").read_text())["until"] == UNTIL


def test_without_it_nothing_is_said() -> None:
    study = small_study()
    done = {trial.identity: result for trial, result in runs_of(study)}
    points = seeds_of(study, done)
    assert [point.verdict for point in points] == ["fixed"] * 3
    assert sentences(study.until, points) == []
