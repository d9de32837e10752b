"""Threads that work at once and act in order."""

import time
from concurrent.futures import ThreadPoolExecutor

from rpu_ssnn.turns import Turns


def test_turns_come_in_order_whoever_asks_first() -> None:
    turns, acted = Turns(), []

    def act(number: int) -> None:
        time.sleep(0.002 * (5 - number))  # the last asks first
        assert turns.wait(number)
        acted.append(number)
        turns.end(number)

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(act, range(5)))
    assert acted == [0, 1, 2, 3, 4]


def test_nobody_waits_for_a_thread_that_failed() -> None:
    turns = Turns()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(turns.wait, 1)
        turns.fail()
        assert waiting.result(timeout=5) is False
