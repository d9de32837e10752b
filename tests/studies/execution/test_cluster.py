"""Runs studies on the workers of a real dask scheduler, some of which die."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from rpu_ssnn.common.errors import InputError
from studies.declaration.study import Study
from studies.declaration.trial import Trial, TrialResult
from studies.execution.api import load_results, run_study
from studies.execution.phase import Outcome
from studies.results.store import Versions
from studies.workers.cluster_worker import Task
from studies.workers.clusters import executor_of
from studies.workers.worker import Job
from studies.workers.workspace import TrialProgress, Workspace
from support.commands import refused
from support.studies.dask_processes import DaskProcesses, dask_processes
from support.studies.harness import (
    RATE,
    Harness,
    InThisProcess,
    Listening,
    accept_all,
    fake_training,
    refuse,
    small_study,
)
from support.waiting import FINISHED, wait_until

DIFFERS_BY_MACHINE_AND_TIME = ["seconds", "peak_memory_mb", "threads", "resumed"]


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskProcesses]:
    """Yields workers of one thread and of three, for tests that kill none."""
    with dask_processes(tmp_path_factory.mktemp("dask"), threads=(1, 3)) as processes:
        yield processes


def run(harness: Harness, dask: DaskProcesses, study: Study, **changes: Any) -> Outcome:
    with closing(executor_of(None, dask.address)) as executor:
        return harness.run(study, executor=executor, **changes)


def saying_training(trial: Trial, data_root: Any, threads: int, workspace: Workspace) -> Any:
    """Reports its progress, its number of threads and its folder for checkpoints."""
    workspace.write_progress(
        trial, TrialProgress(epoch=1, epochs=3, accuracy=71.5, notes=(f"{trial.title}: half way",))
    )
    time.sleep(2)
    result = fake_training(trial, data_root, threads, workspace)
    row = {**result.row, "threads": threads, "desk": str(workspace.folder)}
    return TrialResult(row, result.epochs)


def test_the_table_is_that_of_this_machine(dask: DaskProcesses, tmp_path: Path) -> None:
    """The training is real."""
    coincidence = {"update": "coincidence", "learning_rate": 1.0}
    study = small_study(cases=[RATE, coincidence], training={"epochs": 2}, seeds=[0])
    here, there = tmp_path / "here", tmp_path / "there"
    expected = run_study(study, here, executor=InThisProcess())
    with closing(executor_of(None, dask.address)) as cluster:
        rows = run_study(study, there, executor=cluster)
    pd.testing.assert_frame_equal(
        rows.drop(columns=DIFFERS_BY_MACHINE_AND_TIME),
        expected.drop(columns=DIFFERS_BY_MACHINE_AND_TIME),
    )
    expected_curves, curves = (pd.read_csv(root / "curves.csv") for root in (here, there))
    pd.testing.assert_frame_equal(*(c.drop(columns="seconds") for c in (curves, expected_curves)))


def test_a_unit_whose_worker_dies_runs_elsewhere_or_fails(tmp_path: Path, harness: Harness) -> None:
    with dask_processes(tmp_path, threads=(1, 1, 1, 1)) as dask:
        harness.order("die once", "ann seed 0")
        assert len(run(harness, dask, small_study(seeds=[0])).runs) == 3
        assert harness.take_log()["test ann seed 0"] == 2
        harness.order("die", "rate seed 1")
        outcome = run(harness, dask, small_study())
        assert len(outcome.runs) == 5
        assert [failure.title for failure in outcome.failures] == ["rate seed 1"]
        assert "2 workers died while they ran it" in outcome.failures[0].message
        assert list(pd.read_csv(harness.out / "failures.csv")["title"]) == ["rate seed 1"]
        harness.order("die")
        harness.take_log()
        assert len(run(harness, dask, small_study()).failures) == 1
        assert not harness.take_log()
        assert not run(harness, dask, small_study(), retry_failed=True).failures
        assert harness.take_log() == {"test rate seed 1": 1}


def test_a_raising_unit_has_its_traceback(dask: DaskProcesses, harness: Harness) -> None:
    harness.order("raise", "ann seed 0")
    failures = run(harness, dask, small_study()).failures
    assert [failure.message for failure in failures] == ["RuntimeError: weights exploded"]
    assert "fake_training" in failures[0].details


def test_what_units_say_reaches_progress(dask: DaskProcesses, harness: Harness) -> None:
    listening = Listening()
    job = Job(check=accept_all, execute=saying_training, data_root=harness.orders)
    outcome = run(harness, dask, small_study(seeds=[0]), job=job, reporter=listening)
    assert sorted(note for note in listening.notes if note.endswith("half way")) == [
        f"{label} seed 0: half way" for label in ("ann", "coincidence", "rate")
    ]
    assert {progress.accuracy for progress in listening.reached_by.values()} == {71.5}
    # Each worker runs one trial at a time, on the threads that it was started with.
    assert {result.row["threads"] for _, result in outcome.runs} == {1, 3}
    # The workers see the folder of this process here, and leave checkpoints in it.
    running = harness.out / "running"
    assert {result.row["desk"] for _, result in outcome.runs} == {str(running)}
    assert list(running.iterdir()) == []


def test_a_failing_check_on_a_worker_stops_it(dask: DaskProcesses, harness: Harness) -> None:
    job = Job(check=refuse, execute=fake_training, data_root=harness.orders)
    with refused("digits (worker tcp://", "): images: 'nowhere'", "must be somewhere"):
        run(harness, dask, small_study(), job=job)
    assert not harness.take_log()


def test_workers_of_other_versions_are_refused(
    dask: DaskProcesses, harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    # This changes the versions of this process only, not those of the workers.
    monkeypatch.setattr(Versions, "here", lambda: Versions(1, "1.0", "1.0"))
    with refused("worker tcp://", "versions", "(now 1.0)", "must be those of the process"):
        run(harness, dask, small_study())
    assert not harness.take_log()


def test_a_worker_leaves_checkpoints_only_in_the_very_folder_of_the_study(tmp_path: Path) -> None:
    shared, other = tmp_path / "shared", tmp_path / "other"
    for folder in (shared, other):
        folder.mkdir()
    (shared / "a.token").touch()
    for folder, expected in ((shared, shared), (other, None), (None, None)):
        task = Task(Versions.here(), folder, "a.token")
        assert task.local_workspace().folder == expected


def test_a_scheduler_without_workers_is_waited_for_and_one_that_dies_ends_the_run_in_one_line(
    tmp_path: Path, harness: Harness
) -> None:
    listening = Listening()
    harness.order("sleep", "coincidence seed 1")  # This is the last trial.
    with dask_processes(tmp_path) as dask:

        def start_a_worker_and_kill_the_scheduler() -> None:
            waiting = f"waiting for a worker of {dask.address}"
            wait_until(lambda: waiting in listening.notes, "a word of it")
            dask.start_workers(1)
            wait_until(lambda: len(list((harness.out / "trials").glob(FINISHED))) == 5, "five rows")
            dask.scheduler.kill()

        thread = threading.Thread(target=start_a_worker_and_kill_the_scheduler)
        thread.start()
        with pytest.raises(OSError, match=r"the connection to .* was lost"):
            run(harness, dask, small_study(), reporter=listening)
        thread.join()
    assert len(load_results(harness.out)) == 5


def test_tls_without_certificates_is_one_line() -> None:
    with refused("--scheduler: 'tls://127.0.0.1:9'", "distributed.comm.tls.client"):
        executor_of(None, "tls://127.0.0.1:9")


def test_an_address_without_a_port_is_refused_without_a_client(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("distributed.Client", None)
    with pytest.raises(InputError, match=r"--scheduler: 'tcp://a' .*, tcp://HOST:PORT$"):
        executor_of(None, "tcp://a")


def test_without_the_package_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with refused("needs the package", "pip install 'rpu-ssnn[cluster]'"):
        executor_of(None, "tcp://127.0.0.1:9")
