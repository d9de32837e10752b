"""Runs units in a pool of processes; what fails is a value, and nothing outlives the study."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager

from rpu_ssnn.errors import InputError
from rpu_ssnn.wording import counted
from studies import worker
from studies.progress import Reporter
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
) -> list[Failure]:
    """Runs units, in the order given as far as workers are free.

    Args:
        what: name of the whole that the units belong to, for the progress.
        total: units of that whole, those included that need not run.
        workers: processes; None: one a CPU. They share the CPUs' threads evenly.
        on_result: called in this process as each unit ends; what it raises ends everything.

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
    waiting = deque(units)
    failures: list[Failure] = []

    def settle(unit: Unit, outcome: UnitResult | Failure) -> None:
        if isinstance(outcome, Failure):
            failures.append(outcome)
            reporter.failed(outcome)
        else:
            on_result(unit, outcome)
            reporter.finished(unit, outcome)

    plan = f"{what}: {len(units)} of {total} to run, starting {counted(n_workers, 'worker')}"
    with ExitStack() as stack:
        pool = stack.enter_context(_pool(n_workers, threads))
        with reporter.starting(plan):
            _check(pool, n_workers, job, units)
        # Shown only now, so that starting up does not count into the time a unit takes.
        stack.enter_context(reporter.running(what, done=total - len(units), total=total))
        _drain(pool, waiting, n_workers, job, threads, reporter.started, settle)
        while waiting:  # the pool lost a process
            with _pool(n_workers, threads) as fresh:
                _drain(fresh, waiting, n_workers, job, threads, reporter.started, settle)
    return failures


def _check(pool: ProcessPoolExecutor, n_workers: int, job: Job, units: Sequence[Unit]) -> None:
    # By every worker, since a check loads what the units need anyway.
    checks = [_submit(pool, worker.check, job, list(units)) for _ in range(n_workers)]
    for fault in [check.result() for check in checks]:
        if isinstance(fault, Refusal):
            raise InputError(fault.where, fault.field, fault.value, fault.allowed)
        if isinstance(fault, BrokenPair):
            from rpu_ssnn.doctor import BrokenPairError  # slow to import, and seldom needed

            raise BrokenPairError(fault.found, fault.advice)


def _drain(
    pool: ProcessPoolExecutor,
    waiting: deque[Unit],
    n_workers: int,
    job: Job,
    threads: int,
    started: Callable[[Unit], None],
    settle: Callable[[Unit, UnitResult | Failure], None],
) -> None:
    """Until nothing is waiting, or the pool lost a process: all it was running then fail."""
    running: dict[Future[UnitResult | Failure], Unit] = {}
    broken = False
    while running or (waiting and not broken):
        # No more than the workers can take, so that a dead process takes few units with it.
        while waiting and len(running) < n_workers and not broken:
            try:
                future = _submit(pool, worker.execute, job, waiting[0], threads)
            except BrokenProcessPool:
                broken = True
            else:
                running[future] = waiting.popleft()
                started(running[future])
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            unit = running.pop(future)
            try:
                outcome = future.result()
            except BrokenProcessPool:
                broken = True
                outcome = Failure(unit.identity, unit.title, DIED, "")
            settle(unit, outcome)


def _submit[**P, R](
    pool: ProcessPoolExecutor, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
) -> Future[R]:
    # The pool starts its processes here, and they inherit the block for good: Ctrl-C reaches the
    # whole terminal group, but this process alone (which gets it after) decides what stops.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.submit(function, *args, **kwargs)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _pool(n_workers: int, threads: int) -> Iterator[ProcessPoolExecutor]:
    """A pool whose processes are gone when the context ends, at once where it ends by an error."""
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        n_workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=worker.set_up,
        initargs=(threads,),
    )
    try:
        yield pool
    except BaseException:
        for process in set(multiprocessing.active_children()) - others:
            process.kill()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
