"""Runs units in processes of this machine; none outlives the crew."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass

from rpu_ssnn.wording import counted
from studies import worker
from studies.desk import Desk, HowFar
from studies.result import Failure, UnitResult
from studies.unit import Unit
from studies.worker import BrokenPair, Job, Refusal

DIED = "the worker process died (killed, or out of memory?)"


def cpu_count() -> int:
    """CPUs this process may use, which containers and taskset make fewer than there are."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1


def worker_count(workers: int | None, n_units: int) -> int:
    """Processes that run so many units.

    Args:
        workers: as asked for; None: one a CPU.
    """
    return min(cpu_count() if workers is None else workers, n_units)


@dataclass(frozen=True)
class LocalExecutor:
    """Processes of this machine, which share its CPUs' threads evenly.

    Attributes:
        workers: None: one a CPU.
    """

    workers: int | None = None

    def plan(self, n_units: int) -> str:
        """How many start."""
        return f"starting {counted(worker_count(self.workers, n_units), 'worker')}"

    @contextmanager
    def hired(
        self, n_units: int, desk: Desk, note: Callable[[str], None]
    ) -> Iterator["_LocalCrew"]:
        """Processes that are gone when the context ends, at once where it ends by an error."""
        n_workers = worker_count(self.workers, n_units)
        threads = max(1, cpu_count() // n_workers)
        others = set(multiprocessing.active_children())
        workers = [_Worker.hired(threads) for _ in range(n_workers)]
        try:
            yield _LocalCrew(workers, desk)
        except BaseException:
            for process in set(multiprocessing.active_children()) - others:
                process.kill()
            raise
        finally:
            for one in workers:
                one.pool.shutdown(wait=True, cancel_futures=True)

    def close(self) -> None:
        """Nothing is kept."""


class _LocalCrew:
    def __init__(self, workers: "list[_Worker]", desk: Desk) -> None:
        self._all, self._desk = workers, desk
        self._free = deque(workers)
        self._running: dict[Future[UnitResult | Failure], tuple[Unit, _Worker]] = {}

    @property
    def free(self) -> int:
        return len(self._free)

    @property
    def running(self) -> list[Unit]:
        return [unit for unit, _ in self._running.values()]

    def check(self, job: Job, units: Sequence[Unit]) -> list[Refusal | BrokenPair | None]:
        checks = [one.submit(worker.check, job, list(units)) for one in self._all]
        return [check.result() for check in checks]

    def hand_out(self, job: Job, unit: Unit) -> None:
        one = self._free.popleft()
        future = one.submit(worker.execute, job, unit, one.threads, self._desk)
        self._running[future] = unit, one

    def ended(self, seconds: float) -> list[tuple[Unit, UnitResult | Failure]]:
        done, _ = wait(self._running, timeout=seconds, return_when=FIRST_COMPLETED)
        return [self._settled(future) for future in done]

    def how_far(self, unit: Unit) -> HowFar | None:
        return self._desk.how_far(unit)

    def _settled(self, future: Future[UnitResult | Failure]) -> tuple[Unit, UnitResult | Failure]:
        unit, one = self._running.pop(future)
        self._free.append(one)
        try:
            return unit, future.result()
        except BrokenProcessPool:
            return unit, Failure(unit.identity, unit.title, DIED, "")


@dataclass
class _Worker:
    """A pool of one process, so that a process that dies takes its own unit and no other."""

    threads: int
    pool: ProcessPoolExecutor

    @classmethod
    def hired(cls, threads: int) -> "_Worker":
        return cls(threads, _pool_of_one(threads))

    def submit[**P, R](
        self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> Future[R]:
        """Gives the process work; starts another where it has died."""
        try:
            return self._submit(function, *args, **kwargs)
        except BrokenProcessPool:
            self.pool.shutdown(wait=True)
            self.pool = _pool_of_one(self.threads)
            return self._submit(function, *args, **kwargs)

    def _submit[**P, R](
        self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> Future[R]:
        # The pool starts its process here, and it inherits the block for good: Ctrl-C reaches the
        # whole terminal group, but this process alone (which gets it after) decides what stops.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return self.pool.submit(function, *args, **kwargs)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _pool_of_one(threads: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        1,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=worker.set_up,
        initargs=(threads,),
    )
