"""Tests the lines of progress about running trials and the time that is left."""

import io

import pytest
from rich.console import Console

from studies.execution import progress
from studies.execution.progress import Reporter, seconds_left
from studies.workers.workspace import TrialProgress
from support.studies.harness import declared_trials, small_study
from support.studies.results_fakes import result_of


def test_the_time_left_is_extrapolated() -> None:
    """Four trials took 40 s, so four more take as long."""
    assert seconds_left(40.0, 4, 4, []) == 40.0
    assert seconds_left(40.0, 0, 8, []) is None


def test_epochs_of_running_units_count_into_the_time_left() -> None:
    half, resumed = TrialProgress(epoch=5, epochs=10), TrialProgress(epoch=9, epochs=10, began=7)
    # In 40 s half of one trial and two tenths of another were done; 8 - 0.5 - 0.9 are left.
    assert seconds_left(40.0, 0, 8, [half, resumed]) == pytest.approx(40.0 * 6.6 / 0.7)


def test_plain_lines_tell_epochs_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    stream = io.StringIO()
    reporter = Reporter(Console(file=stream))
    first, second = declared_trials(small_study())[:2]
    with reporter.running("trials", done=0, total=6):
        reporter.reached(first, TrialProgress(epoch=0, epochs=4))
        for _ in range(3):  # Only the first is shown.
            reporter.reached(first, TrialProgress(epoch=1, epochs=4, accuracy=50.0))
        reporter.reached(second, TrialProgress(epoch=2, epochs=4))
        reporter.finished(first, result_of(first, lambda trial: 90.0))
        reporter.reached(second, TrialProgress(epoch=3, epochs=4))
    printed = stream.getvalue().splitlines()
    assert [line.rpartition(", ")[0] for line in printed] == [
        "[0/6] running: ann seed 0: epoch 0 of 4",
        "[0/6] running: ann seed 0: epoch 1 of 4, 50.00 % (validation)",
        "[0/6] running: ann seed 0: epoch 1 of 4, 50.00 % (validation); ann seed 1: epoch 2 of 4",
        "[1/6] trials: ann seed 0: 90.00 % (test)",
        "[1/6] running: ann seed 1: epoch 3 of 4",
    ]
    assert printed[0].endswith(", time left not known yet")
    assert all(line.endswith(" left") for line in printed[1:])


def test_plain_lines_are_not_more_than_asked() -> None:
    stream = io.StringIO()
    reporter = Reporter(Console(file=stream))
    trial = declared_trials(small_study())[0]
    with reporter.running("trials", done=0, total=6):
        for epoch in range(4):
            reporter.reached(trial, TrialProgress(epoch=epoch, epochs=4))
    assert not stream.getvalue()
