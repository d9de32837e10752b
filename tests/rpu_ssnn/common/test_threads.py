"""Tests parallel calls in threads, and workers whose pulses are put in order."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait

import numpy as np
import pytest

from rpu_ssnn.common import parallel as parallel_module
from rpu_ssnn.common.parallel import ForkedError, WorkerThreads, parallel
from rpu_ssnn.engine.pulses import BUFFER_ROWS
from rpu_ssnn.engine.strategies import workers
from rpu_ssnn.network import Network
from rpu_ssnn.spec import EncodingSpec, GradientSpec, NetworkSpec, TrainingSpec, connect
from rpu_ssnn.synapses import CoincidenceSynapses, Crossbar, PulseBlock
from rpu_ssnn.synapses.base import in_order
from support.rpu_ssnn.networks import rows_of

N_IN, N_OUT = 12, 3


def test_the_first_call_is_this_thread_s_own() -> None:
    threads = {}

    def call(name: str, number: int) -> None:
        threads[name, number] = threading.get_ident()

    with ThreadPoolExecutor(1) as pool:
        parallel(pool, call, "ab", (1, 2))
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
        parallel(pool, call, range(2))
    assert over == [1 - fails]


class Sorted(CoincidenceSynapses):
    """Records its pulses slot by slot, in the order in which a device gets them."""

    def __init__(self, crossbar: Crossbar) -> None:
        super().__init__(crossbar, 1.0)
        self.held: list[PulseBlock] = []
        self.met: list[tuple[int, ...]] = []

    def update(self, block: PulseBlock) -> None:
        self.held.append(block.copy())
        super().update(block)

    def settle(self) -> None:
        for block in in_order(self.held):
            for sample, slot, pre, post, sign in rows_of(block):
                self.met.append((sample, slot, *pre, *(post * sign)))
        self.held.clear()


def network(T: int, threads: int, hidden: tuple[int, ...] = (9,), dropout: float = 0.0) -> Network:
    """Returns a network whose inputs spike in nearly every slot, so that a presentation of
    BUFFER_ROWS slots or more fills its buffer."""
    spec = NetworkSpec(
        hidden=hidden,
        T=T,
        encoding=EncodingSpec(front_loading=0.0, input_rate=0.95),
        gradient=GradientSpec(flush=0.0),
    )
    training = TrainingSpec(batch=40, dropout_input=dropout, dropout_hidden=dropout)
    layers, seed = connect(hidden, N_IN, N_OUT), np.random.SeedSequence(3)
    return Network(spec, training, layers, Sorted, seed, threads)


def show(network: Network, presentations: int) -> None:
    rates = np.full((presentations, N_IN), 0.95, np.float32)
    labels = np.arange(presentations, dtype=np.int64) % N_OUT
    network.train_batch(rates, labels, np.random.default_rng(4))


@pytest.mark.parametrize(
    ("T", "presentations", "hidden", "dropout"),
    [
        (20, 40, (9,), 0.0),
        (100, 30, (130, 64, 7), 0.2),
        (5 * BUFFER_ROWS + 7, 9, (9,), 0.0),
        (20, 1, (9,), 0.0),
        (20, 0, (9,), 0.0),
    ],
    ids=[
        "many presentations", "layers of several blocks", "presentations of many rows",
        "fewer than workers", "none",
    ],
)  # fmt: skip
def test_devices_meet_the_pulses_of_one_worker_however_many_there_are(
    T: int, presentations: int, hidden: tuple[int, ...], dropout: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """One worker settles after every buffer in the last case, which changes no order either."""
    met = []
    for threads, before_settling in ((1, 1 << 14), (2, 1 << 14), (5, 1 << 14), (1, BUFFER_ROWS)):
        monkeypatch.setattr(workers, "SLOTS_BEFORE_SETTLING", before_settling)
        with network(T, threads, hidden, dropout) as each:
            for _ in range(2):  # The second call reuses the buffers.
                show(each, presentations)
        met.append([synapses.met for synapses in each.synapses])  # type: ignore[attr-defined]
    assert met[1:] == met[:-1]
    slots = [row[:2] for row in met[0][-1]]
    assert slots[: len(slots) // 2] == sorted(slots[: len(slots) // 2])
    assert bool(slots) == bool(presentations)


def test_workers_that_have_begun_end_when_the_next_cannot_begin() -> None:
    """Two calls run before the third is refused."""
    over = []

    class Refusing(ThreadPoolExecutor):
        begun = 0

        def submit(self, *given: object) -> object:  # type: ignore[override]
            self.begun += 1
            if self.begun == 3:
                raise RuntimeError("no more threads")
            return super().submit(*given)  # type: ignore[arg-type]

    def call(place: int) -> None:
        time.sleep(0.02)
        over.append(place)

    with Refusing(3) as pool, pytest.raises(RuntimeError, match="no more threads"):
        parallel(pool, call, range(4))
    assert sorted(over) == [1, 2]


def test_no_call_outlives_a_second_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second Ctrl-C comes while the calls are still ending because of the first."""
    over, interrupts = threading.Event(), 0

    def call(place: int) -> None:
        if place == 0:
            raise KeyboardInterrupt
        time.sleep(0.1)
        over.set()

    def interrupt_once(running: list[Future[object]]) -> None:
        nonlocal interrupts
        interrupts += 1
        if interrupts == 1:
            raise KeyboardInterrupt
        wait(running)

    monkeypatch.setattr(parallel_module, "wait", interrupt_once)
    with ThreadPoolExecutor(1) as pool, pytest.raises(KeyboardInterrupt):
        parallel(pool, call, range(2))
    assert over.is_set()
    assert interrupts == 2


def test_an_error_in_a_worker_reaches_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: object) -> int:
        raise MemoryError("of a worker")

    with network(20, 2) as failing:
        monkeypatch.setattr(workers.slot_loop, "advance", fail)
        with pytest.raises(MemoryError, match="of a worker"):
            show(failing, 40)


def test_threads_of_another_process_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with WorkerThreads(1) as threads:
        parallel(threads, str, [1, 2])
        monkeypatch.setattr("rpu_ssnn.common.parallel.os.getpid", lambda: 1)  # as after a fork
        with pytest.raises(ForkedError, match="start processes by `spawn`"):
            parallel(threads, str, [1, 2])
