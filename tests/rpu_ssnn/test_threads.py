"""Several threads at once: calls, and lanes whose pulses are handed on in order."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rpu_ssnn import in_order
from rpu_ssnn.at_once import ForkedError, LaneThreads, at_once
from rpu_ssnn.engine.state import ROWS
from rpu_ssnn.network import Network
from rpu_ssnn.spec import EncodingSpec, GradientSpec, NetworkSpec, TrainingSpec
from rpu_ssnn.synapses import CoincidenceSynapses, Crossbar, PulseBlock

N_IN, N_OUT = 12, 3


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


class InOrderOnly(CoincidenceSynapses):
    """Keeps what it was given, slot by slot, as a device would meet it."""

    ordered = True

    def __init__(self, crossbar: Crossbar) -> None:
        super().__init__(crossbar, 1.0)
        self.met: list[tuple[int, ...]] = []
        self.callers = set[int]()
        self.before: Callable[[], None] = lambda: None

    def update(self, block: PulseBlock) -> None:
        self.before()
        self.callers.add(threading.get_ident())
        for r in range(block.rows):
            pre = block.pre[block.pre_start[r] : block.pre_start[r + 1]]
            post = slice(block.post_start[r], block.post_start[r + 1])
            signed = block.post[post] * block.sign[post]
            self.met.append((block.sample[r], block.slot[r], *pre, *signed))
        super().update(block)


def network(T: int, threads: int, hidden: tuple[int, ...] = (9,), dropout: float = 0.0) -> Network:
    """Inputs that nearly always spike: with T = ROWS and more, a presentation fills its buffer."""
    spec = NetworkSpec(
        hidden=hidden,
        T=T,
        encoding=EncodingSpec(front_loading=0.0, input_rate=0.95),
        gradient=GradientSpec(flush=0.0),
    )
    training = TrainingSpec(batch=40, dropout_input=dropout, dropout_hidden=dropout)
    sizes, seed = (N_IN, *hidden, N_OUT), np.random.SeedSequence(3)
    return Network(spec, training, sizes, InOrderOnly, seed, threads)


def show(network: Network, presentations: int) -> None:
    rates = np.full((presentations, N_IN), 0.95, np.float32)
    labels = np.arange(presentations, dtype=np.int64) % N_OUT
    network.train_batch(rates, labels, np.random.default_rng(4))


@pytest.mark.parametrize(
    ("T", "presentations", "hidden", "dropout"),
    [
        (20, 40, (9,), 0.0),
        (100, 30, (130, 64, 7), 0.2),
        (5 * ROWS + 7, 9, (9,), 0.0),
        (20, 1, (9,), 0.0),
        (20, 0, (9,), 0.0),
    ],
    ids=[
        "many groups", "layers of several blocks", "groups longer than a buffer",
        "fewer than lanes", "none",
    ],
)  # fmt: skip
def test_devices_meet_the_pulses_of_one_lane_however_many_there_are(
    T: int, presentations: int, hidden: tuple[int, ...], dropout: float
) -> None:
    met = []
    for threads in (1, 2, 3, 5):
        with network(T, threads, hidden, dropout) as each:
            for _ in range(2):  # buffers are used again
                show(each, presentations)
        for synapses in each.synapses:
            assert isinstance(synapses, InOrderOnly)
            assert synapses.callers <= {threading.get_ident()}
        met.append([synapses.met for synapses in each.synapses])  # type: ignore[attr-defined]
    assert met[1:] == met[:-1]
    slots = [row[:2] for row in met[0][-1]]
    assert slots[: len(slots) // 2] == sorted(slots[: len(slots) // 2])
    assert bool(slots) == bool(presentations)


def test_slow_devices_lose_no_pulse() -> None:
    """All buffers are full and all lanes wait, most of the time."""
    fast, slow = network(20, 1), network(20, 3)
    slow.synapses[0].before = lambda: time.sleep(0.003)  # type: ignore[attr-defined]
    for each in (fast, slow):
        with each:
            show(each, 40)
    for one, other in zip(fast.synapses, slow.synapses, strict=True):
        assert one.met == other.met  # type: ignore[attr-defined]
        np.testing.assert_array_equal(one.linear_read(), other.linear_read())


@pytest.mark.parametrize("T", [20, 2 * ROWS])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_no_lane_goes_on_once_handing_on_has_failed(error: type[BaseException], T: int) -> None:
    calls = 0

    def fail_at_the_third() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise error("no more")

    with network(T, 3) as failing:
        failing.synapses[0].before = fail_at_the_third  # type: ignore[attr-defined]
        with pytest.raises(error, match="no more"):
            show(failing, 40)
        done = len(failing.synapses[0].met)  # type: ignore[attr-defined]
        assert failing._pool.submit(lambda: True).result(timeout=5), "its threads are free again"
    assert calls == 3
    assert done == len(failing.synapses[0].met)  # type: ignore[attr-defined]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_lanes_that_have_begun_return_when_the_next_cannot(
    error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two lanes run before the third is refused; what waits for a buffer would wait for ever."""
    with network(20, 4) as failing:
        submit, begun = failing._pool.submit, 0

        def refuse_the_third(*given: object) -> object:
            nonlocal begun
            begun += 1
            if begun == 3:
                time.sleep(0.2)  # by now all buffers are full
                raise error("no more threads")
            return submit(*given)  # type: ignore[arg-type]

        monkeypatch.setattr(failing._pool, "submit", refuse_the_third)
        with pytest.raises(error, match="no more threads"):
            show(failing, 40)
        assert all(other.done() for other in failing._in_order._others)  # type: ignore[union-attr]


def test_the_next_batch_waits_for_lanes_that_an_interrupted_one_has_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A second Ctrl-C, while the lanes of the first come to their end."""
    again = network(20, 2)
    run_groups, over = in_order.queues.run_groups, threading.Event()

    def run_and_dawdle(*given: object) -> None:
        run_groups(*given)
        time.sleep(0.2)
        over.set()

    def interrupt(others: list[object]) -> None:
        if others:
            raise KeyboardInterrupt

    with again:
        monkeypatch.setattr(in_order.queues, "run_groups", run_and_dawdle)
        monkeypatch.setattr(in_order, "wait", interrupt)
        with pytest.raises(KeyboardInterrupt):
            show(again, 40)
        assert not over.is_set()
        monkeypatch.undo()
        show(again, 40)
        assert over.is_set()


def test_an_error_in_another_lane_reaches_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def take_and_fail(*given: object) -> None:
        in_order.queues.take(given[-2])
        raise MemoryError("of a lane")

    with network(20, 2) as failing:
        monkeypatch.setattr(in_order.queues, "run_groups", take_and_fail)
        with pytest.raises(MemoryError, match="of a lane"):
            show(failing, 40)


def test_threads_of_another_process_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with LaneThreads(1) as threads:
        at_once(threads, str, [1, 2])
        monkeypatch.setattr("rpu_ssnn.at_once.os.getpid", lambda: 1)  # as after a fork
        with pytest.raises(ForkedError, match="start processes by `spawn`"):
            at_once(threads, str, [1, 2])
