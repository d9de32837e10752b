"""Running a study in its folder, with a fake training in real worker processes."""

import errno
import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.files import write_whole
from studies.declaration.result import Failure, TrialResult
from studies.declaration.trial import Trial
from studies.execution.api import load_results, run_study, runner
from studies.execution.progress import Reporter
from studies.execution.study_runs import look_into, run_in_folder, runner_of, search_in_folder
from studies.results import result_folder, store
from studies.results.tables import Versions
from studies.workers.local_executor import LocalExecutor
from studies.workers.worker import Job
from studies.workers.workspace import Workspace
from support.commands import refused
from support.studies.harness import (
    Harness,
    InThisProcess,
    accept_all,
    fake_training,
    refuse,
    small_study,
)
from support.studies.results_fakes import write_folder

ALL = {
    f"test {label} seed {seed}": 1 for label in ("ann", "rate", "coincidence") for seed in (0, 1)
}


def trial_files(harness: Harness) -> list[Path]:
    return sorted((harness.out / "units").glob("*.json"))


def test_each_unit_runs_once_and_a_second_call_runs_nothing(harness: Harness) -> None:
    first = harness.run(small_study())
    assert harness.take_log() == ALL
    assert not first.failures
    second = harness.run(small_study())
    assert not harness.take_log()
    assert second.runs == first.runs


def test_the_results_are_tidy_in_every_file(harness: Harness) -> None:
    harness.run(small_study())
    loaded = load_results(harness.out)
    assert list(loaded["label"]) == ["ann", "ann", "rate", "rate", "coincidence", "coincidence"]
    assert list(loaded["test_accuracy"]) == [84.1, 85.1, 80.0, 81.0, 80.0, 81.0]
    assert list(loaded["unit"]) == [run[0].identity for run in harness.run(small_study()).runs]
    from_parquet = pd.read_parquet(harness.out / "results.parquet")
    pd.testing.assert_frame_equal(from_parquet, loaded, check_dtype=False)
    from_csv = pd.read_csv(harness.out / "results.csv")
    pd.testing.assert_frame_equal(from_csv, loaded, check_dtype=False)
    curves = pd.read_csv(harness.out / "curves.csv")
    assert list(curves["unit"]) == list(loaded["unit"])
    assert list(curves["validation_accuracy"]) == [60.0] * 6


def test_an_edited_study_runs_what_is_new_and_leaves_out_what_is_gone(harness: Harness) -> None:
    harness.run(small_study())
    harness.take_log()
    edited = small_study(seeds=[1, 2])
    outcome = harness.run(edited)
    expected = {f"test {label} seed 2": 1 for label in ("ann", "rate", "coincidence")}
    assert harness.take_log() == expected
    assert [trial.settings.seed for trial, _ in outcome.runs] == [1, 2] * 3
    assert set(pd.read_csv(harness.out / "results.csv")["seed"]) == {1, 2}
    assert len(trial_files(harness)) == 9  # kept on disk
    harness.run(small_study())
    assert not harness.take_log()


def test_cases_with_equal_settings_share_a_run(harness: Harness) -> None:
    rate = {"update": "rate", "learning_rate": 1.0}
    study = small_study(cases=[rate, {**rate, "label": "again"}], reference="rate", seeds=[0])
    outcome = harness.run(study)
    assert harness.take_log().total() == 1
    assert [trial.label for trial, _ in outcome.runs] == ["rate", "again"]


def test_a_failing_unit_is_listed_and_runs_again_only_when_asked(harness: Harness) -> None:
    harness.order("raise", "rate seed 0")
    outcome = harness.run(small_study())
    assert len(outcome.runs) == 5
    (failure,) = outcome.failures
    assert (failure.title, failure.message) == ("rate seed 0", "RuntimeError: weights exploded")
    assert "fake_training" in failure.details
    listed = pd.read_csv(harness.out / "failures.csv")
    assert list(listed["title"]) == ["rate seed 0"]
    harness.take_log()
    harness.order("raise")
    again = harness.run(small_study())
    assert not harness.take_log()
    assert again.failures == [failure]
    assert list(pd.read_csv(harness.out / "failures.csv")["title"]) == ["rate seed 0"]
    assert not harness.run(small_study(), retry_failed=True).failures
    assert harness.take_log() == {"test rate seed 0": 1}
    assert not (harness.out / "failures.csv").exists()


def test_a_killed_worker_costs_its_own_units_and_no_others(harness: Harness) -> None:
    harness.order("die", "coincidence seed 0")
    outcome = harness.run(small_study(), executor=LocalExecutor(1))
    assert [failure.title for failure in outcome.failures] == ["coincidence seed 0"]
    assert "worker process died" in outcome.failures[0].message
    assert len(outcome.runs) == 5


def test_a_killed_worker_does_not_take_its_neighbours_unit_with_it(harness: Harness) -> None:
    harness.order("die", "ann seed 0", "ann seed 1")
    harness.order("slow", "rate seed 0", "rate seed 1")
    outcome = harness.run(small_study(), executor=LocalExecutor(2))
    assert [failure.title for failure in outcome.failures] == ["ann seed 0", "ann seed 1"]
    assert harness.take_log() == ALL


def test_failures_are_on_disk_before_the_study_ends(harness: Harness) -> None:
    """So that a kill later on does not forget them."""
    seen: list[list[str]] = []

    class Looking(Reporter):
        def failed(self, failure: Failure) -> None:
            seen.append(list(pd.read_csv(harness.out / "failures.csv")["title"]))

    harness.order("raise", "ann seed 0", "rate seed 1")
    harness.run(small_study(), executor=LocalExecutor(1), reporter=Looking())
    assert seen == [["ann seed 0"], ["ann seed 0", "rate seed 1"]]


def test_a_failure_left_alone_stays_on_the_list_while_others_fail(harness: Harness) -> None:
    harness.order("raise", "ann seed 0")
    harness.run(small_study(seeds=[0]))
    harness.order("raise", "ann seed 1")
    seen: list[set[str]] = []

    class Looking(Reporter):
        def failed(self, failure: Failure) -> None:
            seen.append(set(pd.read_csv(harness.out / "failures.csv")["title"]))

    outcome = harness.run(small_study(), reporter=Looking())
    assert seen == [{"ann seed 0", "ann seed 1"}]
    assert {failure.title for failure in outcome.failures} == seen[0]


def titles_listed(harness: Harness) -> list[str]:
    return list(pd.read_csv(harness.out / "failures.csv")["title"])


def test_a_search_leaves_failed_trials_on_the_list(harness: Harness) -> None:
    cases = [{"update": "rate"}, {"update": "coincidence", "learning_rate": 1.0}]
    study = small_study(cases=cases, search={"n_train": 60, "learning_rate": [1.0]})
    options = harness.options(executor=InThisProcess())
    harness.order("raise", "coincidence seed 0")
    run_in_folder(study, harness.out, options)
    search_in_folder(study, harness.out, options)
    assert titles_listed(harness) == ["coincidence seed 0"]
    harness.take_log()
    run_in_folder(study, harness.out, options)
    assert not harness.take_log()


def test_the_studies_of_one_question_repeat_no_failure_of_each_other(harness: Harness) -> None:
    """`require` runs the device alone first, then more and more of its changes."""
    rate = {"update": "rate", "learning_rate": 1.0}
    studies = small_study(cases=[rate], seeds=[0]), small_study(seeds=[0])
    harness.order("raise", "rate seed 0", "coincidence seed 0")

    def ask(**changes: Any) -> list[str]:
        run = runner_of(harness.out, harness.options(executor=InThisProcess(), **changes))
        failures = [run(study).failures for study in studies]
        assert [len(of) for of in failures] == [1, 2]
        assert sorted(titles_listed(harness)) == ["coincidence seed 0", "rate seed 0"]
        return sorted(harness.take_log().elements())

    assert ask() == ["test ann seed 0", "test coincidence seed 0", "test rate seed 0"]
    assert ask() == []
    assert ask(retry_failed=True) == ["test coincidence seed 0", "test rate seed 0"]


class Disk:
    """A disk that is full for some writes of rows, by their number."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, full: Callable[[int], bool]) -> None:
        self.writes = 0
        whole = store.TrialStore.write

        def write(trial_store: store.TrialStore, trial: Trial, result: TrialResult) -> None:
            self.writes += 1
            if full(self.writes):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            whole(trial_store, trial, result)

        monkeypatch.setattr(store.TrialStore, "write", write)


class Notes(Reporter):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_rows_wait_for_room_on_a_full_disk(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    Disk(monkeypatch, full=lambda write: write <= 3)
    told = Notes()
    outcome = harness.run(small_study(), executor=LocalExecutor(1), reporter=told)
    assert not outcome.failures
    assert len(load_results(harness.out)) == 6
    assert told.notes[0] == (
        "ann seed 0: not kept: No space left on device; tried again as other trials end"
    )
    harness.take_log()
    harness.run(small_study())
    assert not harness.take_log()


def test_a_disk_that_stays_full_costs_rows_and_says_which(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    Disk(monkeypatch, full=lambda write: write > 4)
    outcome = harness.run(small_study(), executor=LocalExecutor(1))
    assert len(outcome.runs) == 4
    assert [failure.message for failure in outcome.failures] == [
        "not kept: No space left on device"
    ] * 2
    assert len(pd.read_csv(harness.out / "failures.csv")) == 2
    monkeypatch.undo()
    harness.take_log()
    assert len(harness.run(small_study(), retry_failed=True).runs) == 6
    assert harness.take_log().total() == 2


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_folder_that_cannot_be_written_to_is_refused_in_one_line(
    code: int, harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse_it(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "mkdir", refuse_it)
    with refused("output folder", os.strerror(code), "must be writable"):
        harness.run(small_study())
    assert not harness.take_log()


def test_a_failing_check_stops_before_anything_runs(harness: Harness) -> None:
    job = Job(check=refuse, execute=fake_training, data_root=harness.orders)
    with pytest.raises(InputError, match="digits: images: 'nowhere' is not allowed; must be some"):
        harness.run(small_study(), job=job)
    assert not harness.take_log()


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: text.replace('"test_accuracy": 8', '"test_accuracy": 9'),
        lambda text: text.replace('"T": 10', '"T": 11'),
    ],
    ids=["cut", "empty", "row edited", "settings edited"],
)
def test_a_damaged_unit_file_is_set_aside_and_its_unit_runs_again(
    harness: Harness, damage: Any
) -> None:
    harness.run(small_study())
    harness.take_log()
    path = next(path for path in trial_files(harness) if '"T": 10' in path.read_text())
    whole = path.read_text()
    path.write_text(damage(whole))
    assert path.read_text() != whole
    with pytest.warns(UserWarning, match="damaged"):
        assert len(load_results(harness.out)) == 5
    harness.run(small_study())
    assert harness.take_log().total() == 1
    assert path.read_text() == whole
    assert path.with_name(f"{path.name}.damaged").read_text() == damage(whole)


def test_a_unit_file_under_another_name_is_not_believed(harness: Harness) -> None:
    harness.run(small_study())
    first, second = trial_files(harness)[:2]
    first.write_text(second.read_text())
    damaged: list[InputError] = []
    look_into(harness.out, on_damage=damaged.append)
    assert [error.where for error in damaged] == [str(first)]


def test_rows_of_another_torch_need_a_flag(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.run(small_study())
    harness.take_log()
    here = Versions.here()
    newer = Versions(here.numerics_version, "99.0", here.aihwkit_version)
    monkeypatch.setattr(Versions, "here", classmethod(lambda cls: newer))
    pattern = rf"6 of 6.*torch_version {here.torch_version} \(now 99.0\).*--rerun"
    with pytest.raises(InputError, match=pattern):
        harness.run(small_study())
    assert len(harness.run(small_study(), other_versions="accept").runs) == 6
    assert not harness.take_log()
    harness.run(small_study(), other_versions="rerun")
    assert harness.take_log() == ALL


def test_rows_of_other_numerics_need_a_flag(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.run(small_study(seeds=[0]))
    harness.take_log()
    monkeypatch.setattr("studies.declaration.trial.NUMERICS_VERSION", 1000)
    monkeypatch.setattr("studies.results.tables.NUMERICS_VERSION", 1000)
    with pytest.raises(InputError, match=r"3 of 6.*numerics_version \d+ \(now 1000\)"):
        harness.run(small_study())
    assert len(harness.run(small_study(seeds=[0]), other_versions="accept").runs) == 3
    assert not harness.take_log()
    harness.run(small_study(seeds=[0]), other_versions="rerun")
    assert harness.take_log().total() == 3


def test_a_second_process_on_the_folder_is_refused(harness: Harness) -> None:
    harness.run(small_study())
    with (harness.out / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="another process is writing to it"):
            harness.run(small_study())
        assert len(load_results(harness.out)) == 6  # reading needs no lock
    harness.run(small_study())


def test_the_stored_study_is_the_study(harness: Harness) -> None:
    study = small_study(
        cases=[
            {"update": "rate", "learning_rate": 1.0, "network": {"T": 5}},
            {"update": "coincidence", "learning_rate": 1.0},
        ],
        sweep={"network.T": [10, 20]},
    )
    outcome = harness.run(study)
    assert result_folder.stored_study(harness.out).points() == study.points()
    assert [trial.title for trial, _ in outcome.runs] == [
        "rate seed 0",
        "rate seed 1",
        "coincidence [network.T=10] seed 0",
        "coincidence [network.T=10] seed 1",
        "coincidence [network.T=20] seed 0",
        "coincidence [network.T=20] seed 1",
    ]


def test_swept_values_of_any_kind_fit_into_the_tables(harness: Harness) -> None:
    study = small_study(
        cases=[{"update": "rate", "learning_rate": 1.0}],
        sweep={"surrogate": [None, {"T_s": 50}], "network.hidden": [[8], [8, 8]]},
        seeds=[0],
    )
    harness.run(study)
    results = pd.read_parquet(harness.out / "results.parquet")
    assert list(results["sweep.surrogate"]) == ["null", "null", '{"T_s":50}', '{"T_s":50}']
    assert list(results["sweep.network.hidden"]) == ["[8]", "[8,8]"] * 2


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("old")

    def fail(temporary: Path) -> None:
        temporary.write_text("ne")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_whole(path, fail)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("rows.csv", "old")]


def test_unit_files_are_plain_json_with_the_settings(harness: Harness) -> None:
    harness.run(small_study())
    content = json.loads(trial_files(harness)[0].read_text())
    assert content["format"] == 1
    assert content["settings"]["network"]["T"] in (10, 50)
    assert content["row"]["test_accuracy"] >= 80


def test_workers_share_the_threads(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studies.workers.local_executor.usable_cpus", lambda: 8)
    job = Job(check=accept_all, execute=_threads_as_accuracy, data_root=harness.orders)
    study = small_study(seeds=[0])
    outcome = harness.run(study, job=job, executor=LocalExecutor(2))
    assert [result.accuracy for _, result in outcome.runs] == [4.0] * 3


def _threads_as_accuracy(
    trial: Any, data_root: Path | None, threads: int, workspace: Workspace
) -> Any:
    import os

    from studies.workers.worker import THREAD_VARIABLES

    assert {os.environ[name] for name in THREAD_VARIABLES} == {str(threads)}
    result = fake_training(trial, data_root, threads, workspace)
    result.row["test_accuracy"] = float(threads)
    return result


@pytest.mark.parametrize("workers", [0, -1])
def test_fewer_workers_than_one_are_refused(workers: int, tmp_path: Path) -> None:
    with refused("workers", str(workers), "must be at least 1"):
        run_study(small_study(), tmp_path / "out", workers=workers)
    assert list(tmp_path.iterdir()) == []


def test_a_runner_runs_studies_in_its_folder(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = harness.options().job
    monkeypatch.setattr("studies.execution.api.training_job", lambda data: job)
    with runner(harness.out, workers=1) as run:
        assert len(run(small_study()).runs) == 6
    assert len(load_results(harness.out)) == 6


def test_results_are_loaded_from_home_and_damage_is_told_at_the_callers_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_folder(tmp_path / "out", small_study(), [])
    (root / "units" / f"{'0' * 16}.json").write_text("cut o")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.warns(UserWarning, match="damaged") as told:
        assert not len(load_results("~/out"))
    assert [warning.filename for warning in told] == [__file__]
