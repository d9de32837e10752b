"""Where a study stands, as another process learns it: while it runs, after it ended or died."""

import fcntl
import io
import json
import signal
import subprocess
import threading
from pathlib import Path

import pytest
from rich.console import Console

from studies.declaration.trial import Trial
from studies.execution.progress import (
    STATUS_FILE,
    ConsoleReporter,
    LastTrial,
    Reporter,
    RunningTrial,
    StatusFile,
    StatusReporter,
    read_status,
)
from studies.report.status_view import StudyStatus, lines, study_status
from studies.results.result_folder import is_in_use, open_folder
from studies.workers.local_executor import LocalExecutor
from studies.workers.workspace import TrialProgress
from support.commands import refused
from support.studies.harness import Harness, small_study
from support.studies.results_fakes import result_of, trials
from support.studies.study_process import small_study_as_process
from support.waiting import wait_until


def test_after_a_run_all_is_done(harness: Harness) -> None:
    harness.run(small_study())
    first, *rest = lines(study_status(harness.out))
    assert first.startswith("small: not running: finished 20")
    assert rest[0] == "trials: 6 of 6 done, 0 running, 0 failed"
    assert rest[1].startswith("last: ")
    assert rest[1].endswith(" % (test)")


def test_failed_units_are_listed_with_their_message(harness: Harness) -> None:
    harness.order("raise", "rate seed 0")
    harness.run(small_study())
    text = lines(study_status(harness.out))
    assert text[1] == "trials: 5 of 6 done, 0 running, 1 failed"
    assert text[-1] == "failed: rate seed 0: RuntimeError: weights exploded"
    harness.order("raise")
    harness.run(small_study())
    assert lines(study_status(harness.out))[1:] == [
        *text[1:2],
        *text[-1:],
    ]  # left alone, still told
    harness.run(small_study(), retry_failed=True)
    assert lines(study_status(harness.out))[1] == "trials: 6 of 6 done, 0 running, 0 failed"


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT])
def test_another_process_sees_it_run_and_end(
    kind: signal.Signals, harness: Harness, tmp_path: Path
) -> None:
    harness.order("sleep", "coincidence seed 0")
    with subprocess.Popen(
        **small_study_as_process(tmp_path),
        stderr=subprocess.DEVNULL,
    ) as process:

        def hangs_alone() -> bool:
            file = read_status(harness.out)
            return file is not None and file.done == 5 and len(file.running) == 1

        wait_until(hangs_alone, "all but the hanging trial")
        text = lines(study_status(harness.out))
        assert text[0].startswith("small: running since ")
        assert f"process {process.pid} on" in text[0]
        assert text[1] == "trials: 5 of 6 done, 1 running, 0 failed"
        assert text[2].startswith("trials: 5 of 6, about ")
        assert text[3].startswith("running: coincidence seed 0, for ")
        process.send_signal(kind)
        process.wait(timeout=30)
    text = lines(study_status(harness.out))
    told = "interrupted" if kind is signal.SIGINT else "its process was killed"
    assert text[0].startswith(f"small: not running: {told}")
    assert text[1] == "trials: 5 of 6 done, 0 running, 0 failed"


def test_the_start_of_workers_is_printed_and_in_the_status_file(tmp_path: Path) -> None:
    printed, text = io.StringIO(), "trials: 6 of 6 to run, starting 2 workers, compiling"
    reporter = StatusReporter(tmp_path, ConsoleReporter(Console(file=printed, width=200)))
    with reporter.starting(text):
        assert read_status(tmp_path).message == text
    assert printed.getvalue() == f"{text}\n"
    assert read_status(tmp_path).message == ""


def at(now: float, **changes: object) -> StudyStatus:
    """A stage that began at 1000 with 2 of 10 trials done, the last of 6 having ended at 1040."""
    file = StatusFile(pid=1, host="here", started=900.0, what="trials", total=10)
    phase = {"stage_started": 1000.0, "done_before": 2, "done": 6, "updated_by_trial": 1040.0}
    return StudyStatus("small", 6, 10, (), True, file.model_copy(update={**phase, **changes}))


@pytest.mark.parametrize(
    ("now", "changes", "expected"),
    [
        (1040.0, {}, 40.0),  # four trials in 40 s: four more
        (1045.0, {}, 35.0),
        (2000.0, {}, 0.0),  # one takes long; not less than nothing
        (1040.0, {"done": 2}, None),
        (1040.0, {"state": "finished"}, None),
    ],
)
def test_the_time_left_is_extrapolated(
    now: float, changes: dict[str, object], expected: float | None
) -> None:
    assert at(now, **changes).seconds_left(now) == expected


def test_epochs_of_running_units_count_into_the_time_left() -> None:
    half, resumed = TrialProgress(epoch=5, epochs=10), TrialProgress(epoch=9, epochs=10, began=7)
    running = tuple(RunningTrial(title="x", since=1000.0, progress=one) for one in (half, resumed))
    # In 40 s: no trial, half of one and two tenths of another; to come: 8 - 0.5 - 0.9.
    left = at(1040.0, done=2, running=running).seconds_left(1040.0)
    assert left == pytest.approx(40.0 * 6.6 / 0.7)


def test_another_process_sees_the_epoch_and_the_accuracy(harness: Harness) -> None:
    """Real workers leave word; the running study reads it, and `status` what that wrote."""
    harness.order("epochs", "rate seed 0")
    seen: list[list[str]] = []

    class Looking(Reporter):
        def reached(self, trial: Trial, progress: TrialProgress) -> None:
            seen.append(lines(study_status(harness.out)))

    harness.run(small_study(), executor=LocalExecutor(1), reporter=Looking())
    told = [line for text in seen for line in text if line.startswith("running: ")]
    assert any(
        line.startswith("running: rate seed 0: epoch 3 of 5, 71.50 % (validation), for ")
        for line in told
    )
    assert not any("71.50" in line for line in lines(study_status(harness.out)))


def test_plain_lines_tell_epochs_now_and_then() -> None:
    stream = io.StringIO()
    reporter = ConsoleReporter(Console(file=stream), seconds_between_lines=0.0)
    first, second = trials(small_study())[:2]
    with reporter.running("trials", done=0, total=6):
        reporter.reached(first, TrialProgress(epoch=0, epochs=4))
        for _ in range(3):  # told once
            reporter.reached(first, TrialProgress(epoch=1, epochs=4, accuracy=50.0))
        reporter.reached(second, TrialProgress(epoch=2, epochs=4))
        reporter.finished(first, result_of(first, lambda trial: 90.0))
        reporter.reached(second, TrialProgress(epoch=3, epochs=4))
    told = stream.getvalue().splitlines()
    assert [line.rpartition(", ")[0] for line in told] == [
        "[0/6] running: ann seed 0: epoch 0 of 4",
        "[0/6] running: ann seed 0: epoch 1 of 4, 50.00 % (validation)",
        "[0/6] running: ann seed 0: epoch 1 of 4, 50.00 % (validation); ann seed 1: epoch 2 of 4",
        "[1/6] trials: ann seed 0: 90.00 % (test)",
        "[1/6] running: ann seed 1: epoch 3 of 4",
    ]
    assert told[0].endswith(", time left not known yet")
    assert all(line.endswith(" left") for line in told[1:])


def test_plain_lines_are_not_more_than_asked() -> None:
    stream = io.StringIO()
    reporter = ConsoleReporter(Console(file=stream))
    trial = trials(small_study())[0]
    with reporter.running("trials", done=0, total=6):
        for epoch in range(4):
            reporter.reached(trial, TrialProgress(epoch=epoch, epochs=4))
    assert not stream.getvalue()


def test_running_units_and_the_last_one_are_told() -> None:
    running = (RunningTrial(title="x seed 0", since=1000.0),)
    last = LastTrial(title="y seed 1", accuracy=97.123)
    text = lines(at(1040.0, running=running, last=last), now=1040.0)
    assert text[1:] == [
        "trials: 6 of 10 done, 1 running, 0 failed",
        "trials: 6 of 10, about 40 s left",
        "running: x seed 0, for 40 s",
        "last: y seed 1: 97.12 %",
    ]


def test_a_run_that_stops_by_an_error_says_by_which(harness: Harness) -> None:
    with refused("other versions"):
        _run_with_other_versions(harness)
    text = lines(study_status(harness.out))
    assert "not running: stopped by InputError: " in text[0]


def _run_with_other_versions(harness: Harness) -> None:
    study = small_study()
    with open_folder(harness.out, study) as folder:
        for trial in trials(study):
            result = result_of(trial, lambda trial: 90.0)
            result.row["torch_version"] = "99.0"
            folder.trials.write(trial, result)
    harness.run(study)


@pytest.mark.parametrize("content", ["", "{", "[]", json.dumps({"format": 2}), None])
def test_without_a_whole_status_file_the_rows_still_count(
    content: str | None, harness: Harness
) -> None:
    harness.run(small_study())
    path = harness.out / STATUS_FILE
    path.unlink() if content is None else path.write_text(content)
    assert lines(study_status(harness.out)) == [
        "small: not running",
        "trials: 6 of 6 done, 0 running, 0 failed",
    ]


def test_damaged_rows_are_counted_and_nothing_is_written(harness: Harness) -> None:
    harness.run(small_study())
    next((harness.out / "trials").glob("*.json")).write_text("{}")
    before = {path: path.stat().st_mtime_ns for path in harness.out.rglob("*")}
    text = lines(study_status(harness.out))
    assert text[1] == "trials: 5 of 6 done, 0 running, 0 failed, 1 damaged"
    assert {path: path.stat().st_mtime_ns for path in harness.out.rglob("*")} == before


def test_looking_does_not_lock_out_a_run(harness: Harness) -> None:
    study = small_study()
    assert not is_in_use(harness.out)
    with open_folder(harness.out, study):
        assert is_in_use(harness.out)
    assert not is_in_use(harness.out)
    with (harness.out / ".lock").open("rb") as lock:  # as `is_in_use` holds it, but for longer
        fcntl.flock(lock, fcntl.LOCK_SH)
        release = threading.Timer(0.08, lambda: fcntl.flock(lock, fcntl.LOCK_UN))
        release.start()
        with open_folder(harness.out, study):
            pass
        release.join()


def test_a_full_disk_for_the_status_does_not_end_the_study(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, write: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("studies.execution.progress.write_whole", fail)
    assert len(harness.run(small_study()).runs) == 6
