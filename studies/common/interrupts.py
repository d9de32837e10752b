"""Handles signals that end a command, by a flag if a loop checks it, else by an exception.

Ctrl-C, SIGTERM and SIGHUP (which clusters send before they kill) have the same effect. While a loop
hands out trials, the first signal only sets a flag, so that no exception occurs in a lock, in
compiled code or in the middle of a hand-over. In a command, a later signal ends the process at any
moment.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

EXIT_CODE = 130

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_SHOW_CURSOR = b"\x1b[?25h"
"""This sequence shows the cursor again, which a progress bar hides."""


SECONDS_OF_ONE = 1.0
"""Signals within this time are one, since `timeout` sends it to the process and to its group, and
users press Ctrl-C twice; a command needs less to end in good order."""


class _Signals:
    """Counts the signals that this process has received."""

    times = 0
    last_at = 0.0
    is_command = False
    before_deferred: int | None = None

    def heard(self) -> bool:
        """Counts a signal unless it is one with the last, and says whether it was counted."""
        now = time.monotonic()
        is_new = self.times == 0 or now - self.last_at > SECONDS_OF_ONE
        if is_new:
            self.times, self.last_at = self.times + 1, now
        return is_new


_signals = _Signals()


def interrupted() -> bool:
    """Says whether a signal has asked the command to end."""
    return _signals.times > 0


@contextmanager
def ending_the_command() -> Iterator[None]:
    """Lets the first signal raise KeyboardInterrupt in a command, and a later one end the process.

    In callbacks of compilers and of the garbage collector Python cannot raise an exception, but
    would print a traceback and go on. There, the first signal ends the process with one word.
    """
    _signals.times, _signals.is_command = 0, True
    hook, sys.unraisablehook = sys.unraisablehook, _exit_or_show
    with _handled_by(_raise_or_exit, SIGNALS):
        try:
            yield
        finally:
            _signals.times, _signals.is_command = 0, False
            sys.unraisablehook = hook


@contextmanager
def deferred() -> Iterator[None]:
    """Lets signals only set a flag, for which `raise_if_interrupted` raises KeyboardInterrupt.

    Only signals with a handler in Python are deferred, and only in the main thread. Outside a
    command, a later signal raises at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before, outer = _signals.times, _signals.before_deferred

    def note(number: int, frame: FrameType | None) -> None:
        if _signals.heard() and _signals.times > before + 1:
            _exit_now() if _signals.is_command else _raise()

    try:
        _signals.before_deferred = before
        with _handled_by(note, [each for each in SIGNALS if callable(signal.getsignal(each))]):
            yield
        raise_if_interrupted()
    finally:
        _signals.before_deferred = outer
        if not _signals.is_command:
            _signals.times = before


def raise_if_interrupted() -> None:
    """Raises KeyboardInterrupt in the main thread if a signal was deferred."""
    before = _signals.before_deferred
    in_main_thread = threading.current_thread() is threading.main_thread()
    if in_main_thread and before is not None and _signals.times > before:
        _raise()


@contextmanager
def blocked() -> Iterator[None]:
    """Blocks signals while processes and threads start, which inherit the block permanently.

    A signal reaches a whole group of processes, but only this process should decide what stops. It
    receives signals that arrived during the block when the block ends.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _raise_or_exit(number: int, frame: FrameType | None) -> None:
    if _signals.heard():
        _exit_now() if _signals.times > 1 else _raise()


def _exit_or_show(lost: "sys.UnraisableHookArgs") -> None:
    """Handles an exception that nothing can catch.

    After an interrupt, half-made objects raise more exceptions when they are freed, which are
    ignored.
    """
    if not issubclass(lost.exc_type, KeyboardInterrupt):
        if not interrupted():
            sys.__unraisablehook__(lost)
        return
    with suppress(OSError, ValueError, AttributeError):
        os.write(sys.stderr.fileno(), b"interrupted\n")
    _exit_now()


def _raise() -> None:
    raise KeyboardInterrupt


def leave() -> None:
    """Ends an interrupted process after its message, without any clean-up."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(EXIT_CODE)


def _exit_now() -> None:
    """Ends the process without a message; its workers end with it."""
    with suppress(OSError, ValueError):
        if sys.stderr is not None and sys.stderr.isatty():
            os.write(sys.stderr.fileno(), _SHOW_CURSOR)
    os._exit(EXIT_CODE)


@contextmanager
def _handled_by(
    handler: Callable[[int, FrameType | None], None],
    signals: "tuple[signal.Signals, ...] | list[signal.Signals]",
) -> Iterator[None]:
    previous = {each: signal.getsignal(each) for each in signals}
    # Signals that the shell made the process ignore (nohup: SIGHUP) stay ignored.
    taken = [each for each in signals if previous[each] not in (signal.SIG_IGN, None)]
    for each in taken:
        signal.signal(each, handler)
    try:
        yield
    finally:
        for each in taken:
            signal.signal(each, previous[each])
