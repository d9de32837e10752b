"""How a study shows where it is: a bar on a terminal, plain lines in a file or pipe."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from studies.result import Failure, UnitResult
from studies.unit import Unit


class Reporter(Protocol):
    """What the runner tells, and to whom."""

    def note(self, text: str) -> None:
        """One line."""

    def starting(self, text: str) -> AbstractContextManager[None]:
        """Says what is being waited for, while it is open."""

    def running(self, what: str, done: int, total: int) -> AbstractContextManager[None]:
        """Shows progress of ``total`` units, ``done`` of them there before, while it is open."""

    def started(self, unit: Unit) -> None:
        """A worker has the unit."""

    def finished(self, unit: Unit, result: UnitResult) -> None:
        """A unit has its row."""

    def failed(self, failure: Failure) -> None:
        """A unit has none."""


class Silent:
    """Tells nothing; for the Python interface."""

    def note(self, text: str) -> None:
        """Nothing."""

    @contextmanager
    def starting(self, text: str) -> Iterator[None]:
        """Nothing to say."""
        yield

    @contextmanager
    def running(self, what: str, done: int, total: int) -> Iterator[None]:
        """Nothing to show."""
        yield

    def started(self, unit: Unit) -> None:
        """Nothing."""

    def finished(self, unit: Unit, result: UnitResult) -> None:
        """Nothing."""

    def failed(self, failure: Failure) -> None:
        """Nothing."""


class ConsoleReporter:
    """Tells a rich console."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Progress | None = None
        self._clock = _Clock(0, 0)
        self._what = ""

    def note(self, text: str) -> None:
        """One line, above a bar where there is one."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def starting(self, text: str) -> Iterator[None]:
        """A line that goes away, where the console is a terminal."""
        if not self._console.is_terminal:
            yield
            return
        with self._console.status(text):
            yield

    @contextmanager
    def running(self, what: str, done: int, total: int) -> Iterator[None]:
        """A bar where the console is a terminal; else `finished` writes a line a unit."""
        self._what = what
        self._clock = _Clock(done, total)
        if not self._console.is_terminal:
            yield
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[last]}"),
        )
        with Progress(*columns, console=self._console, transient=True) as self._bar:
            self._bar.add_task(what, total=total, completed=done, last="")
            yield
        self._bar = None

    def started(self, unit: Unit) -> None:
        """Not shown."""

    def finished(self, unit: Unit, result: UnitResult) -> None:
        """Counts the unit; shows its accuracy and the time that is left."""
        self._advance(f"{unit.title}: {result.accuracy:.2f} %")

    def failed(self, failure: Failure) -> None:
        """Counts the unit; its message stays on the screen."""
        self.note(f"failed: {failure.title}: {failure.message}")
        self._advance(f"{failure.title}: failed")

    def _advance(self, last: str) -> None:
        self._clock.tick()
        text = f"{last}, {self._clock.left}"
        if self._bar is None:
            self.note(f"[{self._clock.done}/{self._clock.total}] {self._what}: {text}")
        else:
            self._bar.update(self._bar.task_ids[0], completed=self._clock.done, last=text)


class _Clock:
    """Counts units and extrapolates."""

    def __init__(self, done: int, total: int) -> None:
        self.done = done
        self.total = total
        self._before = done
        self._start = time.monotonic()

    def tick(self) -> None:
        self.done += 1

    @property
    def left(self) -> str:
        per_unit = (time.monotonic() - self._start) / (self.done - self._before)
        return f"{duration(per_unit * (self.total - self.done))} left"


def duration(seconds: float) -> str:
    """A time span in words, as fine as it is useful."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
