"""Waits for other processes."""

import time
from collections.abc import Callable

PATIENCE = 240.0
"""Time limit in seconds, generous enough for a busy machine."""

FINISHED = "[!.]*.json"
"""Matches complete files of trials; a file that is still being written begins with a dot."""


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Waits for the condition, and fails the test if it does not come true in time."""
    limit = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < limit, f"timed out: {what}"
        time.sleep(0.02)
