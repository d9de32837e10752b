"""Runs units in a pool of processes; what fails is a value, and nothing outlives the study."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass

from rpu_ssnn.errors import InputError
from rpu_ssnn.wording import counted
from studies import worker
from studies.desk import NO_DESK, Desk
from studies.progress import Reporter
from studies.result import Failure, UnitResult
from studies.unit import Unit
from studies.worker import BrokenPair, Job, Refusal

DIED = "the worker process died (killed, or out of memory?)"

SECONDS_BETWEEN_LOOKS = 1.0
"""At what the running units have said."""


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


def in_balanced_order(units: Sequence[Unit]) -> list[Unit]:
    """First seeds of all cases before all second seeds, so that a partial table compares."""
    rank: dict[tuple[object, ...], int] = {}
    ranked = []
    for unit in units:
        case = (unit.label, str(unit.sweep))
        rank[case] = rank.get(case, -1) + 1
        ranked.append((rank[case], unit))
    return [unit for _, unit in sorted(ranked, key=lambda pair: pair[0])]  # sorted() is stable


def run_units(
    units: Sequence[Unit],
    job: Job,
    *,
    workers: int | None,
    on_result: Callable[[Unit, UnitResult], None],
    reporter: Reporter,
    what: str,
    total: int,
    desk: Desk = NO_DESK,
    on_failure: Callable[[Failure], None] | None = None,
) -> list[Failure]:
    """Runs units, in the order given as far as workers are free.

    Args:
        what: name of the whole that the units belong to, for the progress.
        total: units of that whole, those included that need not run.
        workers: processes; None: one a CPU. They share the CPUs' threads evenly.
        on_result: called in this process as each unit ends; what it raises ends everything.
        desk: where units say how far they are, and leave checkpoints.
        on_failure: called in this process as each unit fails.

    Returns:
        The units that raised or whose process died; the others went on.

    Raises:
        InputError: before any unit ran, from the job's check.
        BrokenPairError: likewise.
        BrokenProcessPool: likewise, where the very first process died.
        KeyboardInterrupt: after all workers are gone.
    """
    if not units:
        return []
    n_workers = worker_count(workers, len(units))
    threads = max(1, cpu_count() // n_workers)
    failures: list[Failure] = []

    def settle(unit: Unit, outcome: UnitResult | Failure) -> None:
        desk.forget_words(unit)
        if isinstance(outcome, Failure):
            failures.append(outcome)
            if on_failure is not None:
                on_failure(outcome)
            reporter.failed(outcome)
        else:
            on_result(unit, outcome)
            reporter.finished(unit, outcome)

    plan = f"{what}: {len(units)} of {total} to run, starting {counted(n_workers, 'worker')}"
    with _workers(n_workers, threads) as pools:
        with reporter.starting(plan):
            _check(pools, job, units)
        # Shown only now, so that starting up does not count into the time a unit takes.
        with reporter.running(what, done=total - len(units), total=total):
            _drain(deque(units), pools, job, desk, reporter, settle)
    return failures


def _check(pools: "list[_Worker]", job: Job, units: Sequence[Unit]) -> None:
    # By every worker, since a check loads what the units need anyway.
    checks = [one.submit(worker.check, job, list(units)) for one in pools]
    for fault in [check.result() for check in checks]:
        if isinstance(fault, Refusal):
            raise InputError(fault.where, fault.field, fault.value, fault.allowed)
        if isinstance(fault, BrokenPair):
            from rpu_ssnn.doctor import BrokenPairError  # slow to import, and seldom needed

            raise BrokenPairError(fault.found, fault.advice)


def _drain(
    waiting: deque[Unit],
    pools: "list[_Worker]",
    job: Job,
    desk: Desk,
    reporter: Reporter,
    settle: Callable[[Unit, UnitResult | Failure], None],
) -> None:
    """Until nothing is waiting or running."""
    running: dict[Future[UnitResult | Failure], tuple[Unit, _Worker]] = {}
    free = deque(pools)
    told = _Told(desk, reporter)
    while running or waiting:
        while waiting and free:
            one, unit = free.popleft(), waiting.popleft()
            reporter.started(unit)
            running[one.submit(worker.execute, job, unit, one.threads, desk)] = unit, one
        done, _ = wait(running, timeout=SECONDS_BETWEEN_LOOKS, return_when=FIRST_COMPLETED)
        told.look(unit for unit, _ in running.values())
        for future in done:
            unit, one = running.pop(future)
            free.append(one)
            try:
                outcome = future.result()
            except BrokenProcessPool:
                outcome = Failure(unit.identity, unit.title, DIED, "")
            settle(unit, outcome)


class _Told:
    """Passes on what running units say, each note once."""

    def __init__(self, desk: Desk, reporter: Reporter) -> None:
        self._desk, self._reporter = desk, reporter
        self._notes: dict[str, int] = {}

    def look(self, units: Iterable[Unit]) -> None:
        """Reads the last word of each."""
        for unit in units:
            how_far = self._desk.how_far(unit)
            if how_far is None:
                continue
            for note in how_far.notes[self._notes.get(unit.identity, 0) :]:
                self._reporter.note(note)
            self._notes[unit.identity] = len(how_far.notes)
            self._reporter.reached(unit, how_far)


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


@contextmanager
def _workers(n_workers: int, threads: int) -> Iterator[list[_Worker]]:
    """Processes that are gone when the context ends, at once where it ends by an error."""
    others = set(multiprocessing.active_children())
    workers = [_Worker.hired(threads) for _ in range(n_workers)]
    try:
        yield workers
    except BaseException:
        for process in set(multiprocessing.active_children()) - others:
            process.kill()
        raise
    finally:
        for one in workers:
            one.pool.shutdown(wait=True, cancel_futures=True)
