"""Runs studies in a folder, with a fake training."""

import errno
import fcntl
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.files import write_whole
from studies.execution.api import load_results, runner
from studies.execution.study_runs import look_into, refuse_empty, run_in_folder, with_own_folder
from studies.results import result_folder
from studies.results.store import Versions
from studies.workers.local_executor import LocalExecutor
from studies.workers.worker import Job
from support.commands import refused
from support.studies.harness import (
    EACH_ONCE,
    RATE,
    Harness,
    InThisProcess,
    accept_all,
    fake_training,
    refuse,
    small_study,
)
from support.studies.results_fakes import write_folder


def trial_files(harness: Harness) -> list[Path]:
    return sorted((harness.out / "trials").glob("*.json"))


def test_each_unit_runs_once_and_a_second_call_runs_nothing(harness: Harness) -> None:
    first = harness.run(small_study())
    assert harness.take_log() == EACH_ONCE
    assert not first.failures
    second = harness.run(small_study())
    assert not harness.take_log()
    assert second.runs == first.runs


def test_the_results_are_tidy_in_every_file(harness: Harness) -> None:
    harness.run(small_study())
    loaded = load_results(harness.out)
    assert list(loaded["label"]) == ["ann", "ann", "rate", "rate", "coincidence", "coincidence"]
    assert list(loaded["test_accuracy"]) == [84.1, 85.1, 80.0, 81.0, 80.0, 81.0]
    assert list(loaded["trial"]) == [run[0].identity for run in harness.run(small_study()).runs]
    from_parquet = pd.read_parquet(harness.out / "results.parquet")
    pd.testing.assert_frame_equal(from_parquet, loaded, check_dtype=False)
    from_csv = pd.read_csv(harness.out / "results.csv")
    pd.testing.assert_frame_equal(from_csv, loaded, check_dtype=False)
    curves = pd.read_csv(harness.out / "curves.csv")
    assert list(curves["trial"]) == list(loaded["trial"])
    assert list(curves["validation_accuracy"]) == [60.0] * 6


def test_a_question_takes_hyperparameters_of_the_run(harness: Harness, tmp_path: Path) -> None:
    cases = [{"update": "rate"}, {"update": "coincidence", "learning_rate": 1.0}]
    searched = {"cases": cases}
    study = small_study(**searched)
    asked = small_study(study="small_question", **searched)
    harness.run(study)
    assert any(name.startswith("search") for name in harness.take_log())
    other, none = with_own_folder(asked, harness.out)
    run_in_folder(other, tmp_path / "elsewhere", harness.options())
    assert any(name.startswith("search") for name in harness.take_log()), "another study's"
    assert not none
    given, rows = with_own_folder(study, harness.out)
    assert [point.hyperparameters is None for point in given.points()] == [False, False]
    run_in_folder(given, tmp_path / "question", replace(harness.options(), kept_rows=rows))
    # The fake's accuracies at searched rates are not whole numbers of images, so they run again.
    assert all(name.startswith("test rate") for name in harness.take_log())
    nothing, rows = with_own_folder(study, tmp_path / "nowhere")
    assert (nothing.points(), rows) == (study.points(), [])


def test_an_edited_study_runs_what_is_new_and_leaves_out_what_is_gone(harness: Harness) -> None:
    harness.run(small_study())
    harness.take_log()
    edited = small_study(seeds=[1, 2])
    outcome = harness.run(edited)
    expected = {f"test {label} seed 2": 1 for label in ("ann", "rate", "coincidence")}
    assert harness.take_log() == expected
    assert [trial.settings.seed for trial, _ in outcome.runs] == [1, 2] * 3
    assert set(pd.read_csv(harness.out / "results.csv")["seed"]) == {1, 2}
    said = "3 finished trials have other settings, devices or seeds than small has now"
    assert look_into(harness.out).not_shown[0].startswith(said)
    with pytest.warns(UserWarning, match=said):
        assert len(load_results(harness.out)) == 6
    harness.run(small_study())
    folder = look_into(harness.out)
    assert folder.not_shown[0].startswith(said), "of seed 2"
    with refused("trials: 0", "(3 finished trials have other settings, devices or seeds"):
        refuse_empty(harness.out, replace(folder, runs=[]))
    both = small_study(seeds=[0, 1, 2])
    harness.run(both)
    assert not look_into(harness.out).not_shown
    assert len(trial_files(harness)) == 9  # The hidden ones stay on disk.
    harness.run(small_study())
    assert not harness.take_log()


def test_cases_with_equal_settings_share_a_run(harness: Harness) -> None:
    study = small_study(cases=[RATE, {**RATE, "label": "again"}], reference="rate", seeds=[0])
    outcome = harness.run(study)
    assert harness.take_log().total() == 1
    assert [trial.label for trial, _ in outcome.runs] == ["rate", "again"]


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


def test_what_no_worker_could_do_is_refused_before_a_folder_is_made(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    with refused("LocalExecutor: workers: 1000000000", "1 to 10000"):
        LocalExecutor(10**9)
    with monkeypatch.context() as none:
        none.setenv("NUMBA_NUM_THREADS", "0")
        with refused("environment: NUMBA_NUM_THREADS: '0'", "must be a number from 1"):
            harness.run(small_study())
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "yes")
    with refused("environment: NUMBA_DISABLE_JIT: 'yes'", "must be unset"):
        harness.run(small_study())
    assert not harness.out.exists()


def test_a_failing_check_stops_before_anything_runs(harness: Harness) -> None:
    job = Job(check=refuse, execute=fake_training, data_root=harness.orders)
    with pytest.raises(InputError, match="digits: images: 'nowhere' is not allowed; must be some"):
        harness.run(small_study(), job=job)
    assert not harness.take_log()


def test_a_damaged_unit_is_set_aside_and_its_unit_runs_again(harness: Harness) -> None:
    harness.run(small_study())
    harness.take_log()
    path = next(path for path in trial_files(harness) if '"T": 10' in path.read_text())
    whole = path.read_text()
    damaged = whole.replace('"T": 10', '"T": 11')
    path.write_text(damaged)
    with pytest.warns(UserWarning, match="^left out: "):
        assert len(load_results(harness.out)) == 5
    harness.run(small_study())
    assert harness.take_log().total() == 1
    assert path.read_text() == whole
    assert path.with_name(f"{path.name}.damaged").read_text() == damaged


def test_another_torch_needs_a_flag(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    harness.run(small_study())
    harness.take_log()
    here = Versions.here()
    newer = Versions(here.numerics_version, "99.0", here.aihwkit_version)
    monkeypatch.setattr(Versions, "here", classmethod(lambda cls: newer))
    pattern = rf"6 of 6.*torch_version {here.torch_version} \(now 99.0\).*--other-versions"
    with pytest.raises(InputError, match=pattern):
        harness.run(small_study())
    assert len(harness.run(small_study(), other_versions="accept").runs) == 6
    assert not harness.take_log()
    harness.run(small_study(), other_versions="rerun")
    assert harness.take_log() == EACH_ONCE


def test_other_numerics_need_a_flag(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    harness.run(small_study(seeds=[0]))
    harness.take_log()
    monkeypatch.setattr("studies.declaration.trial.NUMERICS_VERSION", 1000)
    monkeypatch.setattr("studies.results.store.NUMERICS_VERSION", 1000)
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
        with pytest.raises(
            InputError, match="locked; must not be in use, but another process writes to it"
        ):
            harness.run(small_study())
        assert len(load_results(harness.out)) == 6  # Reading needs no lock.
    harness.run(small_study())


def test_the_stored_study_is_the_study(harness: Harness) -> None:
    study = small_study(
        cases=[
            {"update": "rate", "learning_rate": 1.0, "network": {"T": 5}},
            {"update": "coincidence", "learning_rate": 1.0},
        ],
        sweep={"network.T": [10, 20]},
    )
    harness.run(study)
    assert result_folder.stored_study(harness.out).points() == study.points()


def test_swept_values_of_any_kind_fit_into_the_tables(harness: Harness) -> None:
    study = small_study(
        cases=[RATE],
        sweep={"surrogate": [None, {"T_s": 50}], "network.hidden": [[8], [8, 8]]},
        seeds=[0],
    )
    harness.run(study)
    results = pd.read_parquet(harness.out / "results.parquet")
    assert list(results["sweep.surrogate"]) == ["null", "null", '{"T_s":50}', '{"T_s":50}']
    assert list(results["sweep.network.hidden"]) == ["[8]", "[8,8]"] * 2


@pytest.mark.parametrize(
    ("error", "said"),
    [(OSError("disk full"), "disk full"), (OSError(errno.ENOSPC, "disk full"), r"rows\.csv")],
)
def test_a_write_that_fails_leaves_its_file(error: OSError, said: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("old")

    def fail(temporary: Path) -> None:
        temporary.write_text("ne")
        raise error

    with pytest.raises(OSError, match=said):
        write_whole(path, fail)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("rows.csv", "old")]


def test_workers_share_the_threads(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studies.workers.local_executor.usable_cpus", lambda: 8)
    job = Job(check=accept_all, execute=_threads_as_accuracy, data_root=harness.orders)
    study = small_study(seeds=[0])
    outcome = harness.run(study, job=job, executor=LocalExecutor(2))
    assert [result.accuracy for _, result in outcome.runs] == [4.0] * 3


def _threads_as_accuracy(trial: Any, data_root: Any, threads: int, workspace: Any) -> Any:
    import os

    from studies.workers.worker import THREAD_VARIABLES

    assert {os.environ[name] for name in THREAD_VARIABLES} == {str(threads)}
    result = fake_training(trial, data_root, threads, workspace)
    result.row["test_accuracy"] = float(threads)
    return result


def test_a_runner_runs_in_its_folder(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    job = harness.options().job
    monkeypatch.setattr("studies.execution.api.training_job", lambda data: job)
    monkeypatch.setattr("studies.execution.api.LocalExecutor", lambda workers: InThisProcess())
    with runner(harness.out) as run:
        assert len(run(small_study()).runs) == 6
        with refused("runner: study: 'digits_devices'", "of type Study"):
            run("digits_devices")  # type: ignore[arg-type]
    assert len(load_results(harness.out)) == 6


def test_results_are_loaded_from_home_and_damage_is_told_at_the_callers_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_folder(tmp_path / "out", small_study(), [])
    (root / "trials" / f"{'0' * 16}.json").write_text("cut o")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.warns(UserWarning, match="^left out: ") as warned:
        assert not len(load_results("~/out"))
    assert [warning.filename for warning in warned] == [__file__]
