"""Runs one phase of a study, the search or the trials, and keeps its rows, failures and tables."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.files import kept_aside, reason
from studies.common import interrupts
from studies.common.choices import OtherVersions
from studies.declaration.trial import Failure, Runs, Trial, TrialResult
from studies.execution.progress import Reporter
from studies.results.result_folder import ResultFolder
from studies.results.store import StoredRuns, TrialStore, is_trial_file
from studies.results.tables import FAILURES_CSV, read_failures, write_failures, write_results
from studies.workers import run_trial
from studies.workers.executor import Executor, WorkerPool
from studies.workers.local_executor import LocalExecutor
from studies.workers.worker import Job
from studies.workers.workspace import NO_WORKSPACE, Workspace


def training_job(data_root: Path | None) -> Job:
    """Returns the job that trains with `rpu_ssnn`, with an absolute data folder, since the workers
    of a cluster start in another folder."""
    there = None if data_root is None else data_root.absolute()
    return Job(check=run_trial.check_inputs, execute=run_trial.run_trial, data_root=there)


@dataclass(frozen=True)
class Options:
    """Says how a study is run; none of these options changes a result.

    Attributes:
        executor: starts the workers; the caller closes it.
        kept_rows: results files whose rows count as finished (`imported_results`).
        retry_failed: whether to repeat trials that failed in an earlier call; otherwise they stay
            listed as failed.
        is_part: whether other studies run in the same folder, whose failures then stay listed too.
        told: a line to show once the folder can be used; empty shows none.
    """

    job: Job = field(default_factory=lambda: training_job(None))
    executor: Executor = field(default_factory=LocalExecutor)
    other_versions: OtherVersions = "refuse"
    reporter: Reporter = field(default_factory=Reporter)
    kept_rows: Sequence[Path] = ()
    retry_failed: bool = False
    is_part: bool = False
    told: str = ""


@dataclass(frozen=True)
class Outcome:
    """Collects the finished and the failed trials of a run."""

    runs: Runs
    failures: list[Failure]


SECONDS_BETWEEN_LOOKS = 1.0
"""The progress of running trials is read at this interval."""

SECONDS_BETWEEN_REBUILDS = 5.0
"""The tables are updated at most at this interval; trial files are written at once."""


class FolderRun:
    """Runs the phases of a study in its folder, whose `failures.csv` it keeps up to date."""

    def __init__(self, folder: ResultFolder, options: Options) -> None:
        self.folder, self.options, self.note = folder, options, options.reporter.note
        known = read_failures(folder.root, on_damage=self._set_aside)
        self._known = {} if options.retry_failed else {failure.trial: failure for failure in known}
        self._own: set[str] = set()

    @property
    def failures(self) -> list[Failure]:
        """Returns the trials of this study that failed, in this run or earlier ones."""
        return [failure for trial, failure in self._known.items() if trial in self._own]

    def stored(self, store: TrialStore) -> StoredRuns:
        """Returns the stored trials, and sets damaged files aside, whose trials then run again."""
        stored = store.read_all()
        for error in stored.faults:
            path = Path(error.where)
            if is_trial_file(path):
                kept = kept_aside(path, "damaged")
                self.note(f"{error}; the file is damaged and {kept}, and the trial runs again")
            else:  # The file was not written by this package.
                self.note(f"{error}; the file is left where it is")
        return stored

    def phase(
        self,
        what: Literal["search", "trials"],
        missing: Sequence[Trial],
        total: int,
        finished: dict[str, TrialResult],
        then: Callable[[], None] = lambda: None,
    ) -> None:
        """Runs the missing trials of a phase, except those that failed before.

        Each finished run is written to the store at once, and added to ``finished`` by its
        identity.

        Args:
            total: number of trials of the phase, including finished ones.
            then: called after each row has been written.

        Raises:
            OSError: a row could not be written; all earlier ones are kept.
        """
        workspace = Workspace(self.folder.running)
        searching = what == "search"  # the next round of the search continues from the checkpoints
        store = self.folder.search if searching else self.folder.trials
        workspace.remove_leftovers(lambda identity: identity in finished and not searching)
        # Cases with equal settings share a trial.
        once = {trial.identity: trial for trial in missing}
        self._own |= once.keys()
        to_run = [trial for identity, trial in once.items() if identity not in self._known]
        if left := len(once) - len(to_run):
            again = "will not run again, unless you give --retry-failed"
            self.note(f"{what}: {left} failed before and {again}")

        def keep(trial: Trial, result: TrialResult) -> None:
            store.write(trial, result)
            finished[trial.identity] = result
            if not searching:
                workspace.remove(trial.identity, "npz")
            then()

        run_trials(what, to_run, total - left, self.options, keep, self._failed, workspace)

    def _failed(self, failure: Failure) -> None:
        """Adds a failure and writes the list at once, if the disk has room."""
        self._known[failure.trial] = failure
        try:
            write_failures(self.folder.root, list(self._known.values()))
        except OSError as error:
            fault = f"its failure could not be written to {FAILURES_CSV}: {reason(error)}"
            self.note(f"{failure.title}: {fault}")

    def _set_aside(self, error: InputError) -> None:
        kept = kept_aside(self.folder.root / FAILURES_CSV, "damaged")
        self.note(f"{error}; the file is damaged and {kept}")

    def write_failures(self) -> None:
        """Writes the failures of this study and, if it is a part, of the others in the folder.

        Raises:
            OSError: the disk is full or the folder is gone.
        """
        of_others = self.options.is_part
        kept = [
            failure
            for trial, failure in self._known.items()
            if trial in self._own or (of_others and not self.folder.has_row(trial))
        ]
        write_failures(self.folder.root, kept)


@dataclass
class Tables:
    """Rebuilds the result tables of a folder from time to time while trials finish."""

    root: Path
    trials: Sequence[Trial]
    finished: dict[str, TrialResult]
    _written: float = field(default=-SECONDS_BETWEEN_REBUILDS, init=False)

    def runs(self) -> Runs:
        """Returns the finished trials in the study's order."""
        done = self.finished
        return [(trial, done[trial.identity]) for trial in self.trials if trial.identity in done]

    def refresh(self) -> None:
        """Rebuilds the tables unless they were rebuilt a moment ago."""
        if time.monotonic() - self._written >= SECONDS_BETWEEN_REBUILDS:
            with suppress(OSError):  # a full disk is reported when they are rebuilt at the end
                self.rebuild()

    def rebuild(self) -> None:
        """Rebuilds the tables."""
        write_results(self.root, self.runs())
        self._written = time.monotonic()


def in_balanced_order(trials: Sequence[Trial]) -> list[Trial]:
    """Puts the first seeds of all cases before the second seeds, so that even a partial table
    compares all cases."""
    rank: dict[tuple[object, ...], int] = {}
    ranked = []
    for trial in trials:
        case = (trial.label, str(trial.sweep))
        rank[case] = rank.get(case, -1) + 1
        ranked.append((rank[case], trial))
    return [trial for _, trial in sorted(ranked, key=lambda pair: pair[0])]  # sorted() is stable


def run_trials(
    what: str,
    trials: Sequence[Trial],
    total: int,
    options: Options,
    on_result: Callable[[Trial, TrialResult], None],
    on_failure: Callable[[Failure], None],
    workspace: Workspace = NO_WORKSPACE,
) -> None:
    """Runs trials in the given order, as workers become free.

    Args:
        what: name of the phase, for the progress.
        total: trials of the phase, including finished ones.
        options: the job, the workers and the reporter are taken from these.
        on_result: called in this process for each finished trial; an exception ends the run.
        on_failure: called in this process for each trial that raised an error or whose process
            died; the others continue.
        workspace: holds progress and checkpoints of the trials.

    Raises:
        RpuSsnnError: the job's check failed before any trial ran, or the very first process died.
        OSError: a cluster cannot be reached.
        KeyboardInterrupt: the user interrupts; all workers on this machine have then ended.
    """
    if not trials:
        return
    reporter = options.reporter

    def settle(trial: Trial, outcome: TrialResult | Failure) -> None:
        workspace.remove(trial.identity, "json")
        if isinstance(outcome, Failure):
            on_failure(outcome)
            reporter.failed(outcome)
        else:
            on_result(trial, outcome)
            reporter.finished(trial, outcome)

    n, executor = len(trials), options.executor
    plan = f"{what}: {n} of {total} to run, {executor.plan(n)}"
    with ExitStack() as stack:
        stack.enter_context(interrupts.deferred())
        with reporter.starting(plan):
            pool = stack.enter_context(executor.start_pool(n, workspace, reporter.note))
            # Every worker runs the check, since it loads modules that the trials need anyway.
            for fault in pool.check(options.job, trials):
                if fault is not None:
                    raise fault
        # The progress starts only now, so that the workers' start does not count as trial time.
        with reporter.running(what, done=total - n, total=total):
            _drain(deque(trials), pool, options, settle)


def _drain(
    waiting: deque[Trial],
    pool: WorkerPool,
    options: Options,
    settle: Callable[[Trial, TrialResult | Failure], None],
) -> None:
    """Submits trials and settles their outcomes until none is waiting or running."""
    job, reporter = options.job, options.reporter
    shown: dict[str, int] = {}  # how many notes of each trial have been shown
    while pool.running or waiting:
        while waiting and pool.free > 0:
            pool.submit_trial(job, waiting.popleft())
        interrupts.raise_if_interrupted()
        completed = pool.completed(SECONDS_BETWEEN_LOOKS)
        for trial in (*(trial for trial, _ in completed), *pool.running):
            progress = pool.progress_of(trial)
            if progress is None:
                continue
            for note in progress.notes[shown.get(trial.identity, 0) :]:
                reporter.note(note)
            shown[trial.identity] = len(progress.notes)
            reporter.reached(trial, progress)
        for trial, outcome in completed:
            settle(trial, outcome)
