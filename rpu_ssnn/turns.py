"""Threads that work at once and act in order."""

from threading import Condition


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
