"""Runs trials in processes of this machine."""

import multiprocessing
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any

from rpu_ssnn.common.errors import RpuSsnnError, require
from rpu_ssnn.common.parallel import usable_cpus
from rpu_ssnn.common.wording import counted
from studies.common import interrupts
from studies.common.choices import MOST_WORKERS
from studies.declaration.trial import Trial
from studies.workers import worker
from studies.workers.executor import Running, WorkerPool
from studies.workers.worker import Job
from studies.workers.workspace import TrialProgress, Workspace

SECONDS_BETWEEN_SIGNALS = 0.2
"""While waiting, signals are checked at this interval."""

DIED = "the worker process died (killed, or out of memory?)"


class WorkerDiedError(RpuSsnnError):
    """Reports that a worker process died before its first trial."""


def worker_count(workers: int | None, n_trials: int) -> int:
    """Returns the number of processes for this number of trials.

    Args:
        workers: requested number of processes; None means one per CPU.
    """
    return min(usable_cpus() if workers is None else workers, n_trials)


@dataclass
class LocalExecutor:
    """Starts processes on this machine, each with an equal share of the CPUs as threads.

    The processes of one pool are used again by the next, because starting them takes time for
    imports and compiled code.

    >>> from studies import LocalExecutor
    >>> LocalExecutor(workers=1).plan(n_trials=10)
    'starting 1 worker, compiling'

    Attributes:
        workers: number of processes; None means one per CPU.

    Raises:
        InputError: the number is not a whole one, 1 to `MOST_WORKERS`.
    """

    workers: int | None = None
    _idle: "list[_Worker]" = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        whole = isinstance(self.workers, int) and not isinstance(self.workers, bool)
        fits = self.workers is None or (whole and 1 <= self.workers <= MOST_WORKERS)
        allowed = f"must be a whole number, 1 to {MOST_WORKERS}, or None for one per CPU"
        require(fits, "LocalExecutor", "workers", self.workers, allowed)

    def plan(self, n_trials: int) -> str:
        """Says how many workers run the trials, and whether they still have to start."""
        n_workers, threads = self._shares(n_trials)
        ready = [each for each in self._idle if each.threads == threads]
        workers = counted(n_workers, "worker")
        return f"on {workers}" if len(ready) >= n_workers else f"starting {workers}, compiling"

    def _shares(self, n_trials: int) -> tuple[int, int]:
        """Returns the number of workers, and the number of threads of each."""
        n_workers = worker_count(self.workers, n_trials)
        return n_workers, max(1, usable_cpus() // n_workers)

    @contextmanager
    def start_pool(
        self, n_trials: int, workspace: Workspace, note: Callable[[str], None]
    ) -> Iterator["_LocalPool"]:
        """Starts the missing processes; they end at `close`, or are killed after an error."""
        n_workers, threads = self._shares(n_trials)
        if any(each.threads != threads for each in self._idle):
            self.close()
        missing = n_workers - len(self._idle)
        self._idle += [_Worker(threads, _pool_of_one(threads)) for _ in range(missing)]
        try:
            yield _LocalPool(self._idle[:n_workers], workspace)
        except BaseException:
            for each in self._idle:
                each.kill()
            self.close()
            raise

    def close(self) -> None:
        """Ends the processes."""
        for each in self._idle:
            each.pool.shutdown(wait=True, cancel_futures=True)
        self._idle.clear()


class _LocalPool(WorkerPool):
    def __init__(self, workers: "list[_Worker]", workspace: Workspace) -> None:
        super().__init__()
        self._all, self._workspace = workers, workspace

    @property
    def free(self) -> int:
        return sum(each.is_free for each in self._all)

    def check(self, job: Job, trials: Sequence[Trial]) -> list[RpuSsnnError | None]:
        checks = [each.submit(worker.check, job, list(trials)) for each in self._all]
        waiting = set(checks)
        while waiting:  # each wait has a limit, so that signals are handled
            _, waiting = wait(waiting, timeout=SECONDS_BETWEEN_SIGNALS)
            interrupts.raise_if_interrupted()
        try:
            return [check.result() for check in checks]
        except BrokenProcessPool:
            raise WorkerDiedError(f"{DIED} before it had a trial") from None

    def progress_of(self, trial: Trial) -> TrialProgress | None:
        return self._workspace.progress_of(trial)

    def _started(self, job: Job, trial: Trial) -> Running:
        free = next(each for each in self._all if each.is_free)
        return free.submit(worker.execute, job, trial, free.threads, self._workspace)

    def _why(self, error: Exception) -> str:
        return DIED if isinstance(error, BrokenProcessPool) else super()._why(error)


@dataclass
class _Worker:
    """Keeps a pool of one process, so that a process that dies fails only its own trial."""

    threads: int
    pool: ProcessPoolExecutor
    processes: set[BaseProcess] = field(default_factory=set)
    last: Future[Any] | None = None

    @property
    def is_free(self) -> bool:
        """Says whether the process has ended its last call."""
        return self.last is None or self.last.done()

    def submit[*P, R](self, function: Callable[[*P], R], *args: *P) -> Future[R]:
        """Submits a call to the process, and starts a new process if it has died."""
        before = set(multiprocessing.active_children())
        with interrupts.blocked(), _script_hidden(args):  # the pool starts its process here
            try:
                future = self.pool.submit(function, *args)
            except BrokenProcessPool:
                self.pool.shutdown(wait=True)
                self.pool = _pool_of_one(self.threads)
                future = self.pool.submit(function, *args)
        self.processes |= set(multiprocessing.active_children()) - before
        self.last = future
        return future

    def kill(self) -> None:
        """Ends the process without waiting for its call to finish."""
        for process in self.processes:
            process.kill()


@contextmanager
def _script_hidden(arguments: Sequence[object]) -> Iterator[None]:
    """Keeps processes that start inside this context from importing the calling script.

    A script without `if __name__ == "__main__":` would otherwise run again in each process. It is
    imported only if the job was defined in it.
    """
    jobs = [argument for argument in arguments if isinstance(argument, Job)]
    if any("__main__" in (job.check.__module__, job.execute.__module__) for job in jobs):
        yield
        return
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


def _pool_of_one(threads: int) -> ProcessPoolExecutor:
    with interrupts.blocked():  # the first pool also starts multiprocessing's resource tracker
        return ProcessPoolExecutor(
            1,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=worker.set_up,
            initargs=(threads,),
        )
