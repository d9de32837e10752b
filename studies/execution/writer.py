"""Writes rows, failures and tables while a study runs; keeps rows when the disk is full."""

import errno
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.files import kept_aside, read_bytes, reason, write_whole
from rpu_ssnn.common.wording import counted
from studies.declaration.result import Failure, Runs, TrialResult
from studies.declaration.trial import Trial
from studies.execution.options import Options
from studies.execution.progress import Reporter
from studies.results.result_folder import ResultFolder
from studies.results.store import TrialStore
from studies.results.tables import (
    FAILURES_CSV,
    read_failures,
    remove_tables,
    write_failures,
    write_results,
)
from studies.workers.workspace import Workspace

SECONDS_BETWEEN_REBUILDS = 5.0
"""Interval between two updates of the tables; trial files are written at once."""

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


@dataclass
class RowWriter:
    """Writes each finished run to its store.

    A run that cannot be written (the disk is full) waits in memory and is tried again as others
    end: the study goes on. Rows come first: on a full disk the tables, which can be rebuilt,
    make room for them. A folder that was deleted meanwhile is made anew, with the rows and the
    hyperparameters of this process.

    Attributes:
        folder: the output folder of the store.
        finished: each written trial is added, by identity.
        workspace: files of each written trial are removed.
        then: called after each row that is written.
    """

    folder: ResultFolder
    store: TrialStore
    finished: dict[str, TrialResult]
    workspace: Workspace
    reporter: Reporter
    then: Callable[[], None]
    _waiting: dict[str, tuple[Trial, TrialResult]] = field(default_factory=dict, init=False)
    _written: dict[str, tuple[Trial, TrialResult]] = field(default_factory=dict, init=False)
    _disk_was_full: bool = field(default=False, init=False)
    _hyperparameters: bytes | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        with suppress(OSError):  # a search has none yet
            self._hyperparameters = read_bytes(self.folder.hyperparameters)

    def keep(self, trial: Trial, result: TrialResult) -> None:
        """Writes this trial, and those that wait."""
        self._waiting[trial.identity] = trial, result
        error = self._write()
        if error is not None:
            self.reporter.note(f"{trial.title}: {error}; tried again as other trials end")

    def lost(self) -> list[Failure]:
        """The trials that cannot be written at the end either."""
        error = self._write()
        return [
            Failure(identity, trial.title, str(error), "")
            for identity, (trial, _) in self._waiting.items()
        ]

    def _write(self) -> str | None:
        self._replace_deleted_folder()
        for identity, (trial, result) in list(self._waiting.items()):
            try:
                self._write_first(trial, result)
            except OSError as error:
                return f"not kept: {reason(error)}"
            self.finished[identity] = result
            self._written[identity] = self._waiting.pop(identity)
            self.workspace.clear(identity)
            if not self._disk_was_full:  # tables would take the room of the next row
                self.then()
        return None

    def _write_first(self, trial: Trial, result: TrialResult) -> None:
        """Writes a row; on a full disk, deletes the tables first."""
        try:
            self.store.write(trial, result)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            self._disk_was_full = True
            if not remove_tables(self.folder.root):
                raise
            self.store.write(trial, result)

    def _replace_deleted_folder(self) -> None:
        if self.store.folder.is_dir():
            return
        try:
            self.folder.make()
            if (known := self._hyperparameters) is not None:
                write_whole(self.folder.hyperparameters, lambda path: path.write_bytes(known))
        except OSError:
            return  # reported with the row that cannot be written
        self._waiting |= self._written
        kept = counted(len(self._written), "row")
        self.reporter.note(f"{self.folder.root} was deleted; made anew with {kept} of this run")
        self._written = {}


class FailureList:
    """The folder's `failures.csv`, kept up to date.

    Args:
        folder: the output folder.
    """

    def __init__(self, folder: ResultFolder, options: Options) -> None:
        self._folder, self._root, self._reporter = folder, folder.root, options.reporter
        self._is_part = options.is_part
        before = read_failures(self._root, on_damage=self._set_aside)
        if options.retry_failed:
            before = []
        self._left = {failure.trial: failure for failure in before}
        self._now: dict[str, Failure] = {}

    @property
    def not_repeated(self) -> list[Failure]:
        """Trials that failed before and are not repeated."""
        return list(self._left.values())

    @property
    def now(self) -> list[Failure]:
        """All failed trials, of this run and earlier ones."""
        return list(self._now.values())

    def to_run(self, missing: Sequence[Trial]) -> list[Trial]:
        """The missing trials without those that failed before."""
        self._now |= {
            trial.identity: self._left[trial.identity]
            for trial in missing
            if trial.identity in self._left
        }
        return [trial for trial in missing if trial.identity not in self._left]

    def add(self, failure: Failure) -> None:
        """Adds a failure and writes the list at once, if the disk has room."""
        self._now[failure.trial] = failure
        try:
            write_failures(self._root, list((self._left | self._now).values()))
        except OSError as error:
            self._reporter.note(f"{failure.title}: failure not listed: {reason(error)}")

    def _set_aside(self, error: InputError) -> None:
        kept = kept_aside(self._root / FAILURES_CSV, "damaged")
        self._reporter.note(f"{error}; damaged, {kept}")

    def write(self) -> None:
        """Writes the final list: of this study, and of the others where it is a part.

        Raises:
            OSError: the disk is full or the folder is gone.
        """
        others = {
            identity: failure
            for identity, failure in self._left.items()
            if self._is_part and not self._folder.has_row(identity)
        }
        write_failures(self._root, list((others | self._now).values()))


@dataclass
class Tables:
    """The result tables of a folder, rebuilt at intervals while trials end."""

    root: Path
    trials: Sequence[Trial]
    finished: dict[str, TrialResult]
    _written: float = field(default=-SECONDS_BETWEEN_REBUILDS, init=False)

    def runs(self) -> Runs:
        """Finished trials in the study's order."""
        done = self.finished
        return [(trial, done[trial.identity]) for trial in self.trials if trial.identity in done]

    def refresh(self) -> None:
        """Rebuilds the tables if the interval is over."""
        if time.monotonic() - self._written >= SECONDS_BETWEEN_REBUILDS:
            with suppress(OSError):  # a full disk is reported when they are rebuilt at the end
                self.rebuild()

    def rebuild(self) -> None:
        """Rebuilds the tables."""
        write_results(self.root, self.runs())
        self._written = time.monotonic()
