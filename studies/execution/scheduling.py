"""Submits trials to workers and collects results; a failure is a value."""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from studies.common import interrupts
from studies.declaration.result import Failure, TrialResult
from studies.declaration.trial import Trial
from studies.execution.progress import Reporter
from studies.workers.executor import Executor, WorkerPool
from studies.workers.worker import Job
from studies.workers.workspace import NO_WORKSPACE, Workspace

SECONDS_BETWEEN_LOOKS = 1.0
"""Interval between two reads of the progress of running trials."""


def in_balanced_order(trials: Sequence[Trial]) -> list[Trial]:
    """First seeds of all cases before all second seeds, so that a partial table compares."""
    rank: dict[tuple[object, ...], int] = {}
    ranked = []
    for trial in trials:
        case = (trial.label, str(trial.sweep))
        rank[case] = rank.get(case, -1) + 1
        ranked.append((rank[case], trial))
    return [trial for _, trial in sorted(ranked, key=lambda pair: pair[0])]  # sorted() is stable


def run_trials(
    trials: Sequence[Trial],
    job: Job,
    *,
    executor: Executor,
    on_result: Callable[[Trial, TrialResult], None],
    on_failure: Callable[[Failure], None],
    reporter: Reporter,
    what: str,
    total: int,
    workspace: Workspace = NO_WORKSPACE,
) -> None:
    """Runs trials in the given order, as workers become free.

    Args:
        what: name of the phase, for the progress.
        total: trials of the phase, including finished ones.
        executor: starts the workers.
        on_result: called in this process for each finished trial; an exception ends the run.
        on_failure: called in this process for each trial that raised an error or whose process
            died; the others continue.
        workspace: for progress and checkpoints of the trials.

    Raises:
        RpuSsnnError: before any trial ran, from the job's check, or as the very first process died.
        OSError: a cluster is out of reach.
        KeyboardInterrupt: after all workers of this machine are gone.
    """
    if not trials:
        return

    def settle(trial: Trial, outcome: TrialResult | Failure) -> None:
        workspace.remove_progress(trial)
        if isinstance(outcome, Failure):
            on_failure(outcome)
            reporter.failed(outcome)
        else:
            on_result(trial, outcome)
            reporter.finished(trial, outcome)

    plan = f"{what}: {len(trials)} of {total} to run, {executor.plan(len(trials))}"
    with ExitStack() as stack:
        stack.enter_context(interrupts.deferred())
        with reporter.starting(plan):
            pool = stack.enter_context(executor.start_pool(len(trials), workspace, reporter.note))
            # Every worker checks, since the check loads what the trials need anyway.
            for fault in pool.check(job, trials):
                if fault is not None:
                    raise fault
        # Opened after the start of the workers, which must not count as time of a trial.
        with reporter.running(what, done=total - len(trials), total=total):
            _drain(deque(trials), pool, job, reporter, settle)


def _drain(
    waiting: deque[Trial],
    pool: WorkerPool,
    job: Job,
    reporter: Reporter,
    settle: Callable[[Trial, TrialResult | Failure], None],
) -> None:
    """Submits and settles trials until none is waiting or running."""
    told: dict[str, int] = {}  # notes of each trial
    while pool.running or waiting:
        while waiting and pool.free > 0:
            trial = waiting.popleft()
            reporter.started(trial)
            pool.submit_trial(job, trial)
        interrupts.raise_if_interrupted()
        completed = pool.completed(SECONDS_BETWEEN_LOOKS)
        for trial in (*(trial for trial, _ in completed), *pool.running):
            progress = pool.progress_of(trial)
            if progress is None:
                continue
            for note in progress.notes[told.get(trial.identity, 0) :]:
                reporter.note(note)
            told[trial.identity] = len(progress.notes)
            reporter.reached(trial, progress)
        for trial, outcome in completed:
            settle(trial, outcome)
