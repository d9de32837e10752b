"""Threads that work at once and act in order."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Condition
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


class Turns:
    """Lets whoever has the next number act, and the others wait.

    Numbers are 0, 1, 2, ...; each is waited for by one thread and ended by it.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._next = 0
        self._failed = False

    def wait(self, number: int) -> bool:
        """Returns at the number's turn, or with False once a thread before it has failed."""
        with self._changed:
            self._changed.wait_for(lambda: self._failed or self._next == number)
            return not self._failed

    def end(self, number: int) -> None:
        """The number's turn is over."""
        with self._changed:
            self._next = number + 1
            self._changed.notify_all()

    def fail(self) -> None:
        """No turn will come any more."""
        with self._changed:
            self._failed = True
            self._changed.notify_all()
