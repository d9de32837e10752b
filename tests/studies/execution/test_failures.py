"""Failed trials are listed and run again when asked; if a write fails or a file is incomplete, rows
are complete or absent and the next run continues."""

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import pandas as pd
import pytest

from rpu_ssnn.common.errors import InputError
from studies.declaration.trial import Failure, Trial, TrialResult
from studies.execution.api import load_results
from studies.execution.phase import Tables
from studies.execution.progress import Reporter
from studies.execution.study_runs import runner_of
from studies.results import store
from studies.results.tables import RESULTS_CSV
from studies.workers.local_executor import LocalExecutor
from support.studies.harness import (
    EACH_ONCE,
    RATE,
    Harness,
    Listening,
    declared_trials,
    small_study,
)


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


def test_a_killed_worker_costs_its_own_unit_and_no_neighbour_s(harness: Harness) -> None:
    harness.order("die", "ann seed 0")
    harness.order("slow", "rate seed 0")
    with closing(LocalExecutor(2)) as executor:
        outcome = harness.run(small_study(), executor=executor)
    (failure,) = outcome.failures
    assert failure.title == "ann seed 0"
    assert "worker process died" in failure.message
    assert harness.take_log() == EACH_ONCE


def titles_listed(harness: Harness) -> list[str]:
    return list(pd.read_csv(harness.out / "failures.csv")["title"])


class Looking(Reporter):
    """Reads the list of failures at each failure."""

    def __init__(self, harness: Harness) -> None:
        super().__init__()
        self.harness = harness
        self.seen: list[list[str]] = []

    def failed(self, failure: Failure) -> None:
        self.seen.append(titles_listed(self.harness))


def test_failures_are_on_disk_before_the_study_ends(harness: Harness) -> None:
    """A later kill must not lose them."""
    harness.order("raise", "ann seed 0", "rate seed 1")
    looking = Looking(harness)
    harness.run(small_study(), reporter=looking)
    assert looking.seen == [["ann seed 0"], ["ann seed 0", "rate seed 1"]]


def test_a_failure_left_alone_stays_on_the_list_while_others_fail(harness: Harness) -> None:
    harness.order("raise", "ann seed 0")
    harness.run(small_study(seeds=[0]))
    harness.order("raise", "ann seed 1")
    looking = Looking(harness)
    outcome = harness.run(small_study(), reporter=looking)
    assert [sorted(titles) for titles in looking.seen] == [["ann seed 0", "ann seed 1"]]
    assert sorted(failure.title for failure in outcome.failures) == ["ann seed 0", "ann seed 1"]


def test_the_studies_of_one_question_repeat_no_failure_of_each_other(harness: Harness) -> None:
    """`require` first runs the device alone, then more and more changes of it."""
    studies = small_study(cases=[RATE], seeds=[0]), small_study(seeds=[0])
    harness.order("raise", "rate seed 0", "coincidence seed 0")

    def ask(**changes: Any) -> list[str]:
        run = runner_of(harness.out, harness.options(**changes))
        failures = [run(study).failures for study in studies]
        assert [len(of) for of in failures] == [1, 2]
        assert sorted(titles_listed(harness)) == ["coincidence seed 0", "rate seed 0"]
        return sorted(harness.take_log().elements())

    assert ask() == ["test ann seed 0", "test coincidence seed 0", "test rate seed 0"]
    assert ask() == []
    assert ask(retry_failed=True) == ["test coincidence seed 0", "test rate seed 0"]


def test_a_full_disk_ends_the_study_and_costs_no_row_that_was_written(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, writes = store.TrialStore.write, []

    def write(trial_store: store.TrialStore, trial: Trial, result: TrialResult) -> None:
        writes.append(trial)
        if len(writes) > 4:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        whole(trial_store, trial, result)

    monkeypatch.setattr(store.TrialStore, "write", write)
    with pytest.raises(OSError, match="No space left on device"):
        harness.run(small_study())
    assert len(load_results(harness.out)) == 4
    monkeypatch.undo()
    harness.take_log()
    assert len(harness.run(small_study()).runs) == 6
    assert harness.take_log().total() == 2


def run(harness: Harness, reporter: Reporter | None = None, **changes: Any) -> Any:
    return harness.run(small_study(), reporter=reporter or Reporter(), **changes)


class FailsOnce:
    """Makes a system call fail the n-th time."""

    def __init__(self, real: Any, number: int, code: int) -> None:
        self._real, self._left, self._code = real, number, code
        self.failed = False

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self._left -= 1
        if self._left == 0:
            self.failed = True
            raise OSError(self._code, os.strerror(self._code))
        return self._real(*arguments, **options)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES])
@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_each_write_may_fail_once(
    call: str, code: int, harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: dict[str, str] = {}
    for number in range(1, 40, 2):
        shutil.rmtree(harness.out, ignore_errors=True)
        with monkeypatch.context() as patched:
            failing = FailsOnce(getattr(os, call), number, code)
            patched.setattr(f"rpu_ssnn.common.files.os.{call}", failing)
            # Only the tables at the end or the very first files may raise an error.
            with suppress(OSError, InputError):
                run(harness)
        rows = {path.name: path.read_text() for path in (harness.out / "trials").glob("*.json")}
        for name, text in rows.items():
            assert json.loads(text)["digest"]
            assert whole.setdefault(name, text) == text
        assert not list(harness.out.rglob(".*.tmp.*")), "a temporary file is left"
        if not failing.failed:
            break
    assert number > 12, "one write of each of six trials failed, and more"
    assert len(whole) == 6
    shutil.rmtree(harness.out)
    assert len(run(harness).runs) == 6


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a,b\n1,2\n", b"trial\n" + b'"' * 100])
def test_a_list_of_failures_that_is_none_is_set_aside(content: bytes, harness: Harness) -> None:
    run(harness)
    (harness.out / "failures.csv").write_bytes(content)
    received = Listening()
    run(harness, received)
    assert (harness.out / "failures.csv.damaged").read_bytes() == content
    assert [note for note in received.notes if "failures.csv" in note and "kept as" in note]


def test_a_progress_file_that_is_no_text_stops_nothing(harness: Harness) -> None:
    class Scribbling(Reporter):
        @contextmanager
        def running(self, what: str, done: int, total: int) -> Iterator[None]:
            for trial in declared_trials(small_study()):
                (harness.out / "running" / f"{trial.identity}.json").write_bytes(b"\xff\xfe\x00")
            yield

    assert len(run(harness, Scribbling()).runs) == 6


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_in_place_of_a_trial_is_set_aside_or_left(kind: str, harness: Harness) -> None:
    run(harness)
    path = next((harness.out / "trials").glob("*.json"))
    path.unlink()
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    received = Listening()
    if kind == "folder":
        with pytest.raises(IsADirectoryError, match=path.name):
            run(harness, received)
    else:
        assert len(run(harness, received).runs) == 6
    assert any(str(path) in note for note in received.notes)


def test_tables_that_cannot_be_rebuilt_meanwhile_stop_nothing(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tries = Tables.rebuild, []

    def rebuild(tables: Tables) -> None:
        tries.append(1)
        if len(tries) < 4:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(tables)

    monkeypatch.setattr(Tables, "rebuild", rebuild)
    assert len(run(harness).runs) == 6
    assert len(pd.read_csv(harness.out / RESULTS_CSV)) == 6
