"""Waiting for what other processes do."""

import time
from collections.abc import Callable

PATIENCE = 240.0
"""Seconds, of a machine that does much else."""

FINISHED = "[!.]*.json"
"""Files of trials that are whole: the name of one that is still written begins with a dot."""


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Fails the test where it does not come true in time."""
    limit = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < limit, f"timed out: {what}"
        time.sleep(0.02)
