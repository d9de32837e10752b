"""Rows, failures and tables as a study runs: written at once; nothing is lost on a full disk."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from studies.declaration.result import Failure, Runs, TrialResult
from studies.declaration.trial import Trial
from studies.execution.progress import Reporter
from studies.results.store import TrialStore
from studies.results.tables import read_failures, write_failures, write_results
from studies.workers.workspace import Workspace

SECONDS_BETWEEN_REBUILDS = 5.0
"""Of the result tables while trials end; the trial files themselves are written at once."""


class RowWriter:
    """Writes each finished run to its store.

    A run that cannot be written (the disk is full) waits in memory and is tried again as others
    end: the study goes on.

    Args:
        finished: gets what is written, by identity.
        workspace: is cleared of what is written.
        then: called after each row that is written.
    """

    def __init__(
        self,
        store: TrialStore,
        finished: dict[str, TrialResult],
        workspace: Workspace,
        reporter: Reporter,
        then: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._finished, self._workspace = store, finished, workspace
        self._reporter, self._then = reporter, then
        self._waiting: dict[str, tuple[Trial, TrialResult]] = {}

    def keep(self, trial: Trial, result: TrialResult) -> None:
        """Writes the run, and those that wait."""
        self._waiting[trial.identity] = trial, result
        error = self._write()
        if error is not None:
            self._reporter.note(f"{trial.title}: {error}; tried again as other trials end")

    def lost(self) -> list[Failure]:
        """The runs that could not be written even now, at the end."""
        error = self._write()
        return [
            Failure(identity, trial.title, str(error), "")
            for identity, (trial, _) in self._waiting.items()
        ]

    def _write(self) -> str | None:
        for identity, (trial, result) in list(self._waiting.items()):
            try:
                self._store.write(trial, result)
                self._finished[identity] = result
                del self._waiting[identity]
                self._workspace.clear(identity)
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
        self._left = {failure.trial: failure for failure in before}
        self._now: dict[str, Failure] = {}

    @property
    def left_alone(self) -> list[Failure]:
        """What failed before and is not to be run again."""
        return list(self._left.values())

    @property
    def now(self) -> list[Failure]:
        """What has no row for having failed, now or before."""
        return list(self._now.values())

    def to_run(self, missing: Sequence[Trial]) -> list[Trial]:
        """The missing trials but those that failed before."""
        self._now |= {
            trial.identity: self._left[trial.identity]
            for trial in missing
            if trial.identity in self._left
        }
        return [trial for trial in missing if trial.identity not in self._left]

    def add(self, failure: Failure) -> None:
        """One more, on disk at once where there is room, beside all that failed before."""
        self._now[failure.trial] = failure
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
    """The result tables of a folder, rebuilt now and then while trials end."""

    def __init__(
        self, root: Path, trials: Sequence[Trial], finished: dict[str, TrialResult]
    ) -> None:
        self._root = root
        self._trials = trials
        self._finished = finished
        self._written = -SECONDS_BETWEEN_REBUILDS

    def runs(self) -> Runs:
        """Finished trials in the study's order."""
        done = self._finished
        return [(trial, done[trial.identity]) for trial in self._trials if trial.identity in done]

    def refresh(self) -> None:
        """Rebuilds the tables where that is due."""
        if time.monotonic() - self._written >= SECONDS_BETWEEN_REBUILDS:
            with suppress(OSError):  # a full disk shows when they are rebuilt at the end
                self.rebuild()

    def rebuild(self) -> None:
        """Rebuilds the tables."""
        write_results(self._root, self.runs())
        self._written = time.monotonic()
