"""Counts the usable CPUs, and makes one call in each of several threads."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, suppress
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

from rpu_ssnn.common.errors import RpuSsnnError


def usable_cpus() -> int:
    """Returns the number of CPUs that this process may use; taskset and containers limit it."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux has it, macOS does not
    return len(affinity(0)) if affinity else os.cpu_count() or 1


class ForkedError(RpuSsnnError, RuntimeError):
    """Reports that a network of several threads is used in a forked process, which has no such
    threads."""


class WorkerThreads(ThreadPoolExecutor):
    """Runs threads of one process; after a fork they are missing, and a call would never return."""

    def __init__(self, n: int) -> None:
        super().__init__(n)
        self._process = os.getpid()

    def submit[**P, R](self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Starts a call in one of the threads.

        Raises:
            ForkedError: the threads belong to another process.
        """
        if os.getpid() != self._process:
            raise ForkedError(
                "a network of several threads cannot be used in a forked process: "
                "build it in that process, or start processes by `spawn`"
            )
        return super().submit(fn, *args, **kwargs)


def one_blas_thread() -> AbstractContextManager[object]:
    """Returns a context in which matrix products take one thread.

    Sums over several threads differ from those of one by rounding errors. The threads of matrix
    products also wait busily after each product, which would take the cores from the workers.
    """
    limited: AbstractContextManager[object] = _libraries().limit(limits=1, user_api="blas")
    return limited


@cache
def _libraries() -> ThreadpoolController:
    """Returns the numerical libraries that are loaded at the first product."""
    return ThreadpoolController()


def parallel(
    pool: ThreadPoolExecutor, call: Callable[..., object], *arguments: Iterable[Any]
) -> None:
    """Makes one call for each set of arguments (all first ones, all second ones, ...) in parallel.

    This thread makes the first call, which saves the start of one thread. The function returns, or
    raises the exception of a call, when all calls have ended; interrupts are delayed until then.
    """
    first, *others = zip(*arguments, strict=True)
    running = list[Future[object]]()
    try:
        for each in others:
            running.append(pool.submit(call, *each))
        call(*first)
    finally:
        while not all(each.done() for each in running):
            with suppress(KeyboardInterrupt):  # the first interrupt is already being raised
                wait(running)
    for done in running:
        done.result()
