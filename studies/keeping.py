"""Rows, failures and tables as a study runs: written at once; nothing is lost on a full disk."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from studies.desk import Desk
from studies.progress import Reporter
from studies.result import Failure, Runs, UnitResult
from studies.results import read_failures, write_failures, write_results
from studies.store import UnitStore
from studies.unit import Unit

SECONDS_BETWEEN_REBUILDS = 5.0
"""Of the result tables while units end; the unit files themselves are written at once."""


class RowKeeper:
    """Writes each finished run to its store.

    A run that cannot be written (the disk is full) waits in memory and is tried again as others
    end: the study goes on.

    Args:
        finished: gets what is written, by identity.
        desk: is cleared of what is written.
        then: called after each row that is written.
    """

    def __init__(
        self,
        store: UnitStore,
        finished: dict[str, UnitResult],
        desk: Desk,
        reporter: Reporter,
        then: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._finished, self._desk = store, finished, desk
        self._reporter, self._then = reporter, then
        self._waiting: dict[str, tuple[Unit, UnitResult]] = {}

    def keep(self, unit: Unit, result: UnitResult) -> None:
        """Writes the run, and those that wait."""
        self._waiting[unit.identity] = unit, result
        error = self._write()
        if error is not None:
            self._reporter.note(f"{unit.title}: {error}; tried again as other units end")

    def lost(self) -> list[Failure]:
        """The runs that could not be written even now, at the end."""
        error = self._write()
        return [
            Failure(identity, unit.title, str(error), "")
            for identity, (unit, _) in self._waiting.items()
        ]

    def _write(self) -> str | None:
        for identity, (unit, result) in list(self._waiting.items()):
            try:
                self._store.write(unit, result)
                self._finished[identity] = result
                del self._waiting[identity]
                self._desk.clear(identity)
                self._then()
            except OSError as error:
                return f"not kept: {error.strerror}"
        return None


class FailureList:
    """The folder's `failures.csv`, kept up to date.

    Args:
        retry: run again what failed before.
    """

    def __init__(self, root: Path, reporter: Reporter, *, retry: bool) -> None:
        self._root, self._reporter = root, reporter
        before = [] if retry else read_failures(root)
        self._left = {failure.unit: failure for failure in before}
        self._now: dict[str, Failure] = {}

    @property
    def left_alone(self) -> list[Failure]:
        """What failed before and is not to be run again."""
        return list(self._left.values())

    @property
    def now(self) -> list[Failure]:
        """What has no row for having failed, now or before."""
        return list(self._now.values())

    def to_run(self, missing: Sequence[Unit]) -> list[Unit]:
        """The missing units but those that failed before."""
        self._now |= {
            unit.identity: self._left[unit.identity]
            for unit in missing
            if unit.identity in self._left
        }
        return [unit for unit in missing if unit.identity not in self._left]

    def add(self, failure: Failure) -> None:
        """One more, on disk at once where there is room, beside all that failed before."""
        self._now[failure.unit] = failure
        try:
            write_failures(self._root, list((self._left | self._now).values()))
        except OSError as error:
            self._reporter.note(f"{failure.title}: failure not listed: {error.strerror}")

    def write(self) -> None:
        """The list at the end, without what is no longer missing.

        Raises:
            OSError: the disk is full or the folder is gone.
        """
        write_failures(self._root, self.now)


class Tables:
    """The result tables of a folder, rebuilt now and then while units end."""

    def __init__(self, root: Path, units: Sequence[Unit], finished: dict[str, UnitResult]) -> None:
        self._root = root
        self._units = units
        self._finished = finished
        self._written = -SECONDS_BETWEEN_REBUILDS

    def runs(self) -> Runs:
        """Finished units in the study's order."""
        done = self._finished
        return [(unit, done[unit.identity]) for unit in self._units if unit.identity in done]

    def refresh(self) -> None:
        """Rebuilds the tables where that is due."""
        if time.monotonic() - self._written >= SECONDS_BETWEEN_REBUILDS:
            with suppress(OSError):  # a full disk shows when they are rebuilt at the end
                self.rebuild()

    def rebuild(self) -> None:
        """Rebuilds the tables."""
        write_results(self._root, self.runs())
        self._written = time.monotonic()
