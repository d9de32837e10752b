"""One call in each of several threads."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any


def parallel(
    pool: ThreadPoolExecutor, call: Callable[..., object], *arguments: Iterable[Any]
) -> None:
    """Call with the first of each of the arguments, with the second, and so on, in parallel.

    This thread makes the first call: one thread fewer for the system to wake and to place.
    Returns, or raises what a call raised, when all are over, however often it is interrupted.
    """
    first, *others = zip(*arguments, strict=True)
    running = list[Future[object]]()
    try:
        for each in others:
            running.append(pool.submit(call, *each))
        call(*first)
    finally:
        while not all(each.done() for each in running):
            with suppress(KeyboardInterrupt):  # the first one is on its way already
                wait(running)
    for done in running:
        done.result()
