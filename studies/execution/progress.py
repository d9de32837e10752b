"""Shows the progress of a study: as a bar on a terminal, as plain lines in a file or pipe."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from rpu_ssnn.common.wording import printable
from studies.declaration.trial import Failure, Trial, TrialResult
from studies.workers.workspace import TrialProgress

SECONDS_BETWEEN_LINES = 60.0
"""At least this time passes between two lines about running trials, without a terminal."""


class ClosedPipeConsole(Console):
    """Survives a closed pipe, where the console of rich would end the process."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


class Reporter:
    """Shows the events of a run.

    Args:
        console: where they are shown; None shows nothing.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or _nowhere()
        self._bar: Progress | None = None
        self._what = ""
        self._before = self._done = self._total = 0
        self._start = 0.0
        self._running: dict[str, tuple[str, TrialProgress]] = {}
        self._line, self._printed_at = "", 0.0

    def note(self, text: str) -> None:
        """Shows one line, and drops it and all others if the stream is full or closed, so that the
        trials continue."""
        try:
            self._console.print(printable(text), markup=False, highlight=False, soft_wrap=True)
        except (OSError, ValueError):
            self._console = _nowhere()

    @contextmanager
    def starting(self, text: str) -> Iterator[None]:
        """Shows what the run is waiting for; on a terminal, the line disappears at the end."""
        if not self._console.is_terminal:
            self.note(text)
            yield
            return
        with self._console.status(escape(text)):
            yield

    @contextmanager
    def running(self, what: str, done: int, total: int) -> Iterator[None]:
        """Shows the progress of ``total`` trials, of which ``done`` were finished before.

        It is a bar on a terminal; otherwise `finished` writes one line per trial.
        """
        self._what = what
        self._before, self._done, self._total = done, done, total
        self._running = {}
        self._start = self._printed_at = time.monotonic()
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
        """Shows the latest progress of a running trial: at once in the bar or, without a terminal,
        in a line now and then."""
        self._running[trial.identity] = trial.title, progress
        running = "; ".join(f"{title}: {it.words}" for title, it in self._running.values())
        left = self._left()
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], last=f"{running}, {left}")
        elif running != self._line and time.monotonic() - self._printed_at >= SECONDS_BETWEEN_LINES:
            self._line, self._printed_at = running, time.monotonic()
            self.note(f"[{self._done}/{self._total}] running: {running}, {left}")

    def finished(self, trial: Trial, result: TrialResult) -> None:
        """Counts the trial, and shows its accuracy and the remaining time."""
        self._advance(trial.identity, f"{trial.title}: {result.words}")

    def failed(self, failure: Failure) -> None:
        """Counts the trial, and prints its message, which stays on the screen."""
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


def _nowhere() -> Console:
    return Console(quiet=True, force_terminal=False)


def seconds_left(
    elapsed: float, completed: int, to_come: int, running: Iterable[TrialProgress]
) -> float | None:
    """Estimates the remaining time from the trials that ended and the epochs of running ones.

    Args:
        elapsed: time since the first trial began, s.
        completed: number of trials that ended since then.
        to_come: number of trials that have not ended, including running ones.

    Returns:
        The remaining time (s), or None if no epoch has ended yet.
    """
    shares = [(run.epoch - run.began, run.epoch, max(run.epochs, 1)) for run in running]
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
