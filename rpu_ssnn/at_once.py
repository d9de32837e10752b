"""Calls in several threads at once."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any


def at_once(
    pool: ThreadPoolExecutor, call: Callable[..., object], *arguments: Iterable[Any]
) -> None:
    """Call with the first of each of the arguments, with the second, and so on, all at once.

    The first call is made in this thread: one thread fewer for the system to wake and to place.
    Returns, or raises what a call raised, when all are over.
    """
    first, *others = zip(*arguments, strict=True)
    running = [pool.submit(call, *each) for each in others]
    try:
        call(*first)
    finally:
        wait(running)
    for each in running:
        each.result()
