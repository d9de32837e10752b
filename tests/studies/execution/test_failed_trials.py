"""Tests how failed trials and rows that did not fit on the disk are listed and run again."""

import errno
import os
from typing import Any

import pandas as pd
import pytest

from studies.declaration.trial import Failure, Trial, TrialResult
from studies.execution.api import load_results
from studies.execution.progress import Reporter
from studies.execution.study_runs import runner_of
from studies.results import store
from studies.workers.local_executor import LocalExecutor
from support.studies.harness import (
    EACH_ONCE,
    RATE,
    Harness,
    InThisProcess,
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
    assert harness.take_log() == EACH_ONCE


def test_failures_are_on_disk_before_the_study_ends(harness: Harness) -> None:
    """A later kill must not lose them."""
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


def test_the_studies_of_one_question_repeat_no_failure_of_each_other(harness: Harness) -> None:
    """`require` first runs the device alone, then more and more changes of it."""
    studies = small_study(cases=[RATE], seeds=[0]), small_study(seeds=[0])
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
        harness.run(small_study(), executor=LocalExecutor(1))
    assert len(load_results(harness.out)) == 4
    monkeypatch.undo()
    harness.take_log()
    assert len(harness.run(small_study()).runs) == 6
    assert harness.take_log().total() == 2
