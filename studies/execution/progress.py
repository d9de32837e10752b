"""The progress of a study: a bar on a terminal, plain lines in a file or pipe, and a status file.

The status file tells other processes where a running study stands.
"""

from __future__ import annotations

import io
import os
import platform
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import Field
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from rpu_ssnn.common.files import read_text, write_whole
from rpu_ssnn.common.wording import printable
from rpu_ssnn.spec import Spec
from studies.declaration.trial import Failure, Trial, TrialResult
from studies.workers.workspace import TrialProgress


class Reporter:
    """Receives the events of a run; this one shows nothing, for the Python interface."""

    def note(self, text: str) -> None:
        """Shows one line."""

    @contextmanager
    def starting(self, text: str) -> Iterator[None]:
        """Shows what the run waits for, while the context is open."""
        yield

    @contextmanager
    def running(self, what: str, done: int, total: int) -> Iterator[None]:
        """Shows progress of ``total`` trials, ``done`` of them finished before."""
        yield

    def started(self, trial: Trial) -> None:
        """A worker has started the trial."""

    def reached(self, trial: Trial, progress: TrialProgress) -> None:
        """Takes the last progress of a running trial; it is called repeatedly."""

    def finished(self, trial: Trial, result: TrialResult) -> None:
        """A trial has finished, with a row."""

    def failed(self, failure: Failure) -> None:
        """A trial has failed, without a row."""


class ClosedPipeConsole(Console):
    """A console that survives a closed pipe, where rich would end the process."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


class ConsoleReporter(Reporter):
    """Prints to a rich console.

    Args:
        seconds_between_lines: at least, of the lines that say how far running trials are, where the
            console is no terminal.
    """

    def __init__(self, console: Console, seconds_between_lines: float = 60.0) -> None:
        self._console = console
        self._bar: Progress | None = None
        self._what = ""
        self._before = self._done = self._total = 0
        self._start = 0.0
        self._between = seconds_between_lines
        self._running: dict[str, tuple[str, TrialProgress]] = {}
        self._line, self._told = "", 0.0

    def note(self, text: str) -> None:
        with self._tolerated():
            self._console.print(printable(text), markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def _tolerated(self) -> Iterator[None]:
        """If the stream is full or closed, its output is lost and the trials continue."""
        try:
            yield
        except (OSError, ValueError):
            self._console = Console(file=io.StringIO())

    @contextmanager
    def starting(self, text: str) -> Iterator[None]:
        """Prints a line; on a terminal the line is removed at the end."""
        if not self._console.is_terminal:
            self.note(text)
            yield
            return
        with self._console.status(escape(text)):
            yield

    @contextmanager
    def running(self, what: str, done: int, total: int) -> Iterator[None]:
        """Shows a bar on a terminal; otherwise `finished` writes one line per trial."""
        self._what = what
        self._before, self._done, self._total = done, done, total
        self._running = {}
        self._start = self._told = time.monotonic()
        if not self._console.is_terminal:
            yield
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[last]}", markup=False),
        )
        with Progress(*columns, console=self._console, transient=True) as self._bar:
            self._bar.add_task(what, total=total, completed=done, last="")
            yield
        self._bar = None

    def reached(self, trial: Trial, progress: TrialProgress) -> None:
        """Updates the bar at once; without a terminal, prints a line now and then."""
        self._running[trial.identity] = trial.title, progress
        told = "; ".join(f"{title}: {it.words}" for title, it in self._running.values())
        left = self._left()
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], last=f"{told}, {left}")
        elif told != self._line and time.monotonic() - self._told >= self._between:
            self._line, self._told = told, time.monotonic()
            self.note(f"[{self._done}/{self._total}] running: {told}, {left}")

    def finished(self, trial: Trial, result: TrialResult) -> None:
        """Counts the trial; shows its accuracy and the time that is left."""
        self._advance(trial.identity, f"{trial.title}: {result.words}")

    def failed(self, failure: Failure) -> None:
        """Counts the trial; its message stays on the screen."""
        self.note(f"failed: {failure.title}: {failure.message}")
        self._advance(failure.trial, f"{failure.title}: failed")

    def _left(self) -> str:
        seconds = seconds_left(
            time.monotonic() - self._start,
            self._done - self._before,
            self._total - self._done,
            [progress for _, progress in self._running.values()],
        )
        return "time left not known yet" if seconds is None else f"{duration(seconds)} left"

    def _advance(self, identity: str, last: str) -> None:
        self._running.pop(identity, None)
        self._done += 1
        text = f"{last}, {self._left()}"
        if self._bar is None:
            self.note(f"[{self._done}/{self._total}] {self._what}: {text}")
        else:
            self._bar.update(self._bar.task_ids[0], completed=self._done, last=text)


def seconds_left(
    elapsed: float, completed: int, to_come: int, running: Iterable[TrialProgress]
) -> float | None:
    """Extrapolates from trials that ended and the epochs of those that run.

    Args:
        elapsed: since the first trial began, s.
        completed: trials that ended since then.
        to_come: trials that have not ended, including running ones.

    Returns:
        s; None where no epoch has ended yet.
    """
    shares = [(it.epoch - it.began, it.epoch, max(it.epochs, 1)) for it in running]
    made = completed + sum(new / epochs for new, _, epochs in shares)
    left = to_come - sum(epoch / epochs for _, epoch, epochs in shares)
    return elapsed * max(left, 0.0) / made if made > 0 else None


def duration(seconds: float) -> str:
    """Returns a time span in words, in a suitable unit."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


STATUS_FILE = "status.json"

type Ending = Literal["finished", "interrupted", "stopped"]


class RunningTrial(Spec):
    """A trial is running; `since` is in seconds of the Unix epoch."""

    title: str
    trial: str = Field("", description="identity; runs of a search share a title")
    since: float
    progress: TrialProgress | None = None


class FailedTrial(Spec):
    """A failed trial has no row."""

    title: str
    message: str


class LastTrial(Spec):
    """The status names the trial that ended last; its accuracy is in %."""

    title: str
    accuracy: float
    words: str = ""


class StatusFile(Spec):
    """The status file holds these fields; times are in seconds of the Unix epoch."""

    format: Literal[1] = 1
    pid: int
    host: str
    started: float
    state: Literal["running"] | Ending = "running"
    message: str = ""
    what: Literal["", "search", "trials"] = Field("", description="the phase it is in")
    stage_started: float = 0.0
    total: int = 0
    done_before: int = Field(0, description="of this stage, when it started")
    done: int = Field(0, description="of this stage, failed ones included")
    running: tuple[RunningTrial, ...] = ()
    failed: tuple[FailedTrial, ...] = ()
    last: LastTrial | None = None
    updated: float = 0.0
    updated_by_trial: float = Field(
        0.0, description="when a trial of this phase, or an epoch of one, last ended"
    )


class StatusReporter(Reporter):
    """Writes the status file, and passes every event to another reporter."""

    def __init__(self, root: Path, inner: Reporter, failed: Sequence[Failure] = ()) -> None:
        self._path = root / STATUS_FILE
        self._inner = inner
        self._status = StatusFile(
            pid=os.getpid(),
            host=platform.node(),
            started=time.time(),
            failed=tuple(FailedTrial(title=one.title, message=one.message) for one in failed),
        )
        self._write()

    def note(self, text: str) -> None:
        self._inner.note(text)

    @contextmanager
    def starting(self, text: str) -> Iterator[None]:
        """Writes the text to the status file until the workers have started."""
        self._write(message=text)
        with self._inner.starting(text):
            yield
        self._write(message="")

    @contextmanager
    def running(self, what: str, done: int, total: int) -> Iterator[None]:
        phase = {"what": what, "total": total, "done": done, "done_before": done}
        self._write(**phase, stage_started=time.time(), running=())
        with self._inner.running(what, done, total):
            yield

    def started(self, trial: Trial) -> None:
        new = RunningTrial(title=trial.title, trial=trial.identity, since=time.time())
        self._write(running=(*self._status.running, new))
        self._inner.started(trial)

    def reached(self, trial: Trial, progress: TrialProgress) -> None:
        told = tuple(
            one.model_copy(update={"progress": progress}) if one.trial == trial.identity else one
            for one in self._status.running
        )
        if told != self._status.running:
            self._write(running=told, updated_by_trial=time.time())
        self._inner.reached(trial, progress)

    def finished(self, trial: Trial, result: TrialResult) -> None:
        last = LastTrial(title=trial.title, accuracy=result.accuracy, words=result.words)
        self._write(last=last, **self._without(trial.identity))
        self._inner.finished(trial, result)

    def failed(self, failure: Failure) -> None:
        new = FailedTrial(title=failure.title, message=failure.message)
        self._write(failed=(*self._status.failed, new), **self._without(failure.trial))
        self._inner.failed(failure)

    def end(self, state: Ending, message: str = "") -> None:
        """The process ends its work in the folder."""
        self._write(state=state, message=message, running=())

    def _without(self, identity: str) -> dict[str, object]:
        left = tuple(trial for trial in self._status.running if trial.trial != identity)
        return {"running": left, "done": self._status.done + 1, "updated_by_trial": time.time()}

    def _write(self, **changes: object) -> None:
        self._status = self._status.model_copy(update={**changes, "updated": time.time()})
        text = self._status.model_dump_json(indent=1)
        try:
            write_whole(self._path, lambda path: path.write_text(text, encoding="utf-8"))
        except OSError:
            return  # a full disk may lose the status, but must not end the study


@contextmanager
def status_kept(
    root: Path, inner: Reporter, failed: Sequence[Failure] = ()
) -> Iterator[StatusReporter]:
    """Returns a reporter that keeps the status file of the folder, and writes how the run ended.

    Args:
        failed: trials that failed before and are not repeated.
    """
    reporter = StatusReporter(root, inner, failed)
    try:
        yield reporter
    except KeyboardInterrupt:
        reporter.end("interrupted")
        raise
    except BaseException as error:
        reporter.end("stopped", f"{type(error).__name__}: {error}")
        raise
    reporter.end("finished")


def read_status(root: Path) -> StatusFile | None:
    """Returns the status file of a folder, or None where there is none or it is damaged."""
    try:
        return StatusFile.model_validate_json(read_text(root / STATUS_FILE))
    except (OSError, ValueError):
        return None
