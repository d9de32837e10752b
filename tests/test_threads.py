"""Threads that work at once and act in order."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from rpu_ssnn.turns import Turns, at_once


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


def test_the_first_call_is_this_thread_s_own() -> None:
    threads = {}

    def call(name: str, number: int) -> None:
        threads[name, number] = threading.get_ident()

    with ThreadPoolExecutor(1) as pool:
        at_once(pool, call, "ab", (1, 2))
    assert set(threads) == {("a", 1), ("b", 2)}
    assert threads["a", 1] == threading.get_ident() != threads["b", 2]


@pytest.mark.parametrize("fails", [0, 1])
def test_an_error_is_raised_when_all_calls_are_over(fails: int) -> None:
    over = []

    def call(place: int) -> None:
        if place == fails:
            raise ValueError(f"call {place}")
        time.sleep(0.02)
        over.append(place)

    with ThreadPoolExecutor(1) as pool, pytest.raises(ValueError, match=f"call {fails}"):
        at_once(pool, call, range(2))
    assert over == [1 - fails]
