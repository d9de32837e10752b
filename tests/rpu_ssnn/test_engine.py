"""What the pass over time must not depend on, and what must reach the synapses."""

from dataclasses import replace

import numpy as np
import pytest

from rpu_ssnn.engine import encoding, neurons
from rpu_ssnn.engine.blocks import BLOCK
from rpu_ssnn.engine.parameters import make_parameters, profile
from rpu_ssnn.engine.probes.recording import NOTHING
from rpu_ssnn.engine.pulses import ROWS
from rpu_ssnn.engine.state import Presentations, make_worker_state
from rpu_ssnn.engine.strategies import batched, choose_strategy
from rpu_ssnn.engine.weight_copies import Reads, in_blocks
from rpu_ssnn.network import Network
from rpu_ssnn.spec import (
    LITERAL_GRADIENT,
    EncodingSpec,
    GradientSpec,
    InhibitionSpec,
    NetworkSpec,
    NeuronSpec,
    TrainingSpec,
)
from rpu_ssnn.synapses import (
    CoincidenceSynapses,
    Crossbar,
    PulseBlock,
    RateSynapses,
    Synapses,
    coincidence_synapses,
    rate_synapses,
)
from support.equations import SIZES, Trace, presentations
from support.networks import make_crossbar

SEED = np.random.SeedSequence(11)


def test_input_profile_keeps_its_average_and_falls_linearly() -> None:
    falling = profile(50, 1.0)
    assert falling.mean() == pytest.approx(1.0)
    assert falling[0] == pytest.approx(1.98)
    np.testing.assert_allclose(np.diff(falling), falling[1] - falling[0])
    np.testing.assert_array_equal(profile(50, 0.0), 1.0)


def input_counts(spec: NetworkSpec) -> tuple[Presentations, np.ndarray]:
    """Input spikes of each line over 200 presentations, [200, 12]."""
    net, shown = make_parameters(spec, SIZES), presentations(200)
    state, counts = make_worker_state(net), np.zeros((200, 12))
    for b in range(200):
        state.position[:] = (b, 0, 1)
        neurons.begin(net, state, shown, False)
        for t in range(spec.T):
            encoding.draw_input(net, state, shown, t)
            counts[b, state.events[: state.event_count[0]]] += 1
    return shown, counts


def test_input_spikes_have_the_pixels_rate() -> None:
    spec = NetworkSpec(hidden=(9,), T=1000, encoding=EncodingSpec(input_rate=0.5))
    shown, counts = input_counts(spec)
    p = shown.rates.astype(float)
    deviation = (counts - 1000 * p) / np.sqrt(1000 * p * (1 - p) + 1e-9)
    assert abs(deviation.mean()) < 4 / np.sqrt(deviation.size)
    # Front loading makes the counts narrower than binomial ones, never wider.
    assert 0.6 < deviation.std() < 1.05


def test_regular_input_trains_count_the_rate_to_within_a_spike() -> None:
    spec = NetworkSpec(hidden=(9,), T=200, encoding=EncodingSpec(trains="regular"))
    shown, counts = input_counts(spec)
    surplus = counts - 200 * shown.rates.astype(float)
    assert np.abs(surplus).max() < 1 + 1e-4
    # The random start makes the count unbiased: rounding up as often as the fraction asks.
    assert abs(surplus.mean()) < 4 * 0.5 / np.sqrt(surplus.size)


class ReadsSlotBySlot(CoincidenceSynapses):
    """Ideal synapses that refuse to be read as a matrix."""

    def linear_read(self) -> None:
        return None


VARIANTS = {
    "default": NetworkSpec(hidden=(9,), T=40),
    "literal": NetworkSpec(hidden=(9,), T=40, gradient=LITERAL_GRADIENT),
    "floored": NetworkSpec(hidden=(9,), T=40, gradient=GradientSpec(branches="floored")),
    "reset to zero": NetworkSpec(hidden=(9,), T=40, neuron=NeuronSpec(reset="zero")),
    "inhibition in the loop": NetworkSpec(
        hidden=(9,), T=40, inhibition=InhibitionSpec(strength=0.3)
    ),
    "Eq. 2 twice": NetworkSpec(
        hidden=(9,), T=40, inhibition=InhibitionSpec(strength=0.05, passes=2)
    ),
    "clocked": NetworkSpec(hidden=(9,), T=40, inhibition=InhibitionSpec(clocked=True)),
    "regular input": NetworkSpec(hidden=(9,), T=40, encoding=EncodingSpec(trains="regular")),
    "two hidden layers": NetworkSpec(hidden=(9, 7), T=40),
    "delayed": NetworkSpec(hidden=(9, 7), T=40, gradient=GradientSpec(delay=1.5)),
}


def make_network(spec: NetworkSpec, factory, training: TrainingSpec, threads: int = 1) -> Network:  # type: ignore[no-untyped-def]
    sizes = (12, *spec.hidden, 4)
    return Network(spec, training, sizes, factory, np.random.SeedSequence(11), threads)


def trained_weights(network: Network, n: int = 30) -> list[np.ndarray]:
    shown, rng = presentations(n), np.random.default_rng(8)
    batch = network.training.batch
    with network:
        for first in range(0, n, batch):
            part = slice(first, first + batch)
            network.train_batch(shown.rates[part], shown.labels[part], rng)
        return [
            s.linear_read() if s.linear_read() is not None else s._weights for s in network.synapses
        ]


def coarse(factory_class: type[Synapses], learning_rate: float):  # type: ignore[no-untyped-def]
    """Synapses with initial weights and steps that are multiples of 2^-8: sums are exact."""

    def make(crossbar: Crossbar) -> Synapses:
        initial = (np.rint(crossbar.initial * 256) / 256).astype(np.float32)
        exact = Crossbar(**{**vars(crossbar), "initial": initial})
        synapses = factory_class(exact, learning_rate)
        synapses._step = crossbar.T / 256  # type: ignore[attr-defined]
        return synapses

    return make


@pytest.mark.parametrize("together", [64, 3, 1])
@pytest.mark.parametrize("name", VARIANTS)
def test_reading_slot_by_slot_is_the_same_pass(
    name: str, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All presentations of a batch in one group, three, and one after the other (a long T)."""
    monkeypatch.setattr(batched, "MOST", together)
    training = TrainingSpec(batch=10)
    compiled = trained_weights(
        make_network(VARIANTS[name], coarse(CoincidenceSynapses, 1.0), training)
    )
    by_calls = trained_weights(make_network(VARIANTS[name], coarse(ReadsSlotBySlot, 1.0), training))
    start = make_network(VARIANTS[name], coarse(CoincidenceSynapses, 1.0), training).synapses
    for a, b, s in zip(compiled, by_calls, start, strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.abs(a - s.linear_read()).max() > 0


@pytest.mark.parametrize("shape", [(16, 64), (65, 130), (7, 200), (40, 9)])
def test_blocks_hold_their_columns_whatever_the_order_in_memory(shape: tuple[int, int]) -> None:
    weights = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    blocks = -(-shape[1] // BLOCK)
    expected = np.zeros((blocks, shape[0], BLOCK), dtype=np.float32)
    for j in range(shape[1]):
        expected[j // BLOCK, :, j % BLOCK] = weights[:, j]
    for held in (weights, np.asfortranarray(weights)):
        out = np.zeros(expected.size, dtype=np.float32)
        in_blocks(held, out)
        np.testing.assert_array_equal(out.reshape(expected.shape), expected)


@pytest.mark.parametrize("schedule", ["batch", "presentation"])
@pytest.mark.parametrize(("hidden", "T"), [(9, 50), (64, 250), (130, 100)])
def test_the_lookahead_changes_no_number(hidden: int, T: int, schedule) -> None:  # type: ignore[no-untyped-def]
    """Part of a block of columns, one, and two and a part; one window of slots, and several."""
    spec = NetworkSpec(hidden=(hidden,), T=T)
    training = TrainingSpec(batch=10, schedule=schedule, dropout_input=0.1, dropout_hidden=0.2)
    shown, results = presentations(10), []
    for lookahead in (True, False):
        network = make_network(spec, coincidence_synapses(1.0), training)
        assert len(network._job.reads.matrices.blocks) > 0
        if not lookahead:
            network._job = replace(network._job, reads=Reads(network.synapses, lookahead=False))
            network._strategy = choose_strategy(network._job)
        with network:
            trained = network.train_batch(shown.rates, shown.labels, np.random.default_rng(8))
            seen = network.infer(shown.rates, np.random.default_rng(9))
            results.append(
                [
                    *(s.linear_read() for s in network.synapses),
                    *(trained.spikes, trained.gradient_spikes, seen.output_counts, seen.spikes),
                ]
            )
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)
    assert results[0][-1].min() > 0


@pytest.mark.parametrize("name", ["default", "delayed"])
@pytest.mark.parametrize("schedule", ["batch", "presentation"])
@pytest.mark.parametrize("factory", [rate_synapses(1.0), coincidence_synapses(1.0)])
def test_threads_change_no_number(factory, schedule, name: str) -> None:  # type: ignore[no-untyped-def]
    training = TrainingSpec(batch=15, schedule=schedule, dropout_input=0.1, dropout_hidden=0.2)
    one, three = (
        trained_weights(make_network(VARIANTS[name], factory, training, threads))
        for threads in (1, 3)
    )
    for a, b in zip(one, three, strict=True):
        np.testing.assert_array_equal(a, b)


def test_variants_differ() -> None:
    """Every named reading of the paper changes what is learnt."""
    training = TrainingSpec(batch=10)
    results = [
        trained_weights(make_network(spec, coincidence_synapses(1.0), training))[0]
        for spec in VARIANTS.values()
    ]
    for i, a in enumerate(results):
        for b in results[i + 1 :]:
            assert not np.array_equal(a, b)


def test_schedules_see_their_own_weights() -> None:
    """slot, presentation and batch differ only in the weights that reads see."""
    weights = {
        schedule: trained_weights(
            make_network(
                VARIANTS["default"],
                coincidence_synapses(20.0),
                TrainingSpec(batch=10, schedule=schedule),
            )
        )[0]
        for schedule in ("slot", "presentation", "batch")
    }
    assert not np.array_equal(weights["slot"], weights["presentation"])
    assert not np.array_equal(weights["presentation"], weights["batch"])
    same = [
        trained_weights(
            make_network(
                VARIANTS["default"],
                coincidence_synapses(20.0),
                TrainingSpec(batch=1, schedule=schedule),
            )
        )[0]
        for schedule in ("presentation", "batch")
    ]
    np.testing.assert_array_equal(*same)


class Recorder(RateSynapses):
    """Keeps copies of the blocks it is given."""

    def __init__(self, crossbar: Crossbar, learning_rate: float) -> None:
        super().__init__(crossbar, learning_rate)
        self.rows: list[tuple[int, tuple[int, ...], tuple[int, ...]]] = []
        self.blocks = 0
        self.commits: list[range] = []

    def update(self, block: PulseBlock) -> None:
        self.blocks += 1
        for r in range(block.rows):
            pre = block.pre[block.pre_start[r] : block.pre_start[r + 1]]
            span = slice(block.post_start[r], block.post_start[r + 1])
            post = block.post[span] * 2 + (block.sign[span] > 0)
            self.rows.append((int(block.sample[r]), tuple(pre.tolist()), tuple(post.tolist())))
        super().update(block)

    def commit(self, presentations: range) -> None:
        self.commits.append(presentations)
        super().commit(presentations)


def test_pulses_come_in_bounded_blocks_and_in_physical_order() -> None:
    """Long trains are handed on in pieces; every spike that the layers fired is in them."""
    spec = NetworkSpec(hidden=(9,), T=3000)
    network = make_network(spec, lambda c: Recorder(c, 1.0), TrainingSpec(batch=3))
    shown_in = presentations(3)
    with network:
        shown = network.train_batch(shown_in.rates, shown_in.labels, np.random.default_rng(1))
    for layer, synapses in enumerate(network.synapses):
        assert synapses.blocks > 3
        samples = [row[0] for row in synapses.rows]
        assert samples == sorted(samples)
        for b in range(3):
            pre = sum(len(row[1]) for row in synapses.rows if row[0] == b)
            post = sum(len(row[2]) for row in synapses.rows if row[0] == b)
            assert pre == shown.spikes[b, layer]
            assert post == shown.gradient_spikes[b, layer + 1]


def test_a_pulse_row_is_one_slot_s_spikes() -> None:
    """Forward and gradient spikes of a row were fired together (the pass stepped by hand)."""
    spec = NetworkSpec(hidden=(9,), T=60)
    network = make_network(spec, lambda c: Recorder(c, 1.0), TrainingSpec(batch=1))
    shown = presentations(1)
    weights = tuple(s.linear_read().copy() for s in network.synapses)
    with network:
        network.train_batch(shown.rates, shown.labels, np.random.default_rng(5))
    shown.keys[:] = np.random.default_rng(5).integers(2**64, size=1, dtype=np.uint64)
    trace = Trace(spec, weights, shown)
    for layer, synapses in enumerate(network.synapses):
        expected = []
        for t in range(spec.slots):
            pre = np.flatnonzero(trace.trains[layer][t])
            up = np.flatnonzero(trace.up[layer + 1][t])
            down = np.flatnonzero(trace.down[layer + 1][t])
            if len(pre) or len(up) or len(down):
                expected.append((0, (*pre,), (*(up * 2 + 1), *(down * 2))))
        assert synapses.rows == expected
        assert len(expected) > 30


class SlotRecorder(Recorder):
    """As a device: what a slot brings matters, also where nothing coincides."""

    needs_presentations = False


def test_forward_spikes_wait_for_their_gradient() -> None:
    """By so many slots for each crossbar above; a presentation begins with empty registers."""
    spec = NetworkSpec(hidden=(70, 9), T=60, gradient=GradientSpec(delay=0.75))
    assert spec.delays == (9, 4, 0)  # round(0.75 x 6 x 2 and x 1)
    network = make_network(spec, lambda c: SlotRecorder(c, 1.0), TrainingSpec(batch=2))
    shown = presentations(2, (12, 70, 9, 4), layers=4)
    weights = tuple(s.linear_read().copy() for s in network.synapses)
    with network:
        network.train_batch(shown.rates, shown.labels, np.random.default_rng(5))
    shown.keys[:] = np.random.default_rng(5).integers(2**64, size=2, dtype=np.uint64)
    for layer, synapses in enumerate(network.synapses):
        for b in range(2):
            one = shown._replace(**{k: v[b : b + 1] for k, v in shown._asdict().items() if len(v)})
            trace = Trace(spec, weights, one)
            expected = []
            for t in range(spec.slots):
                then = t - spec.delays[layer]
                pre = np.flatnonzero(trace.trains[layer][then]) if then >= 0 else []
                up = np.flatnonzero(trace.up[layer + 1][t])
                down = np.flatnonzero(trace.down[layer + 1][t])
                if len(pre) or len(up) or len(down):
                    expected.append((b, (*pre,), (*(up * 2 + 1), *(down * 2))))
            assert [row for row in synapses.rows if row[0] == b] == expected
            assert len(expected) > 30


def test_whole_trains_need_not_wait() -> None:
    """Eq. 9 counts all spikes of a presentation, so the last ones are not lost to a delay."""
    for factory, same in ((rate_synapses(1.0), True), (coincidence_synapses(1.0), False)):
        at_once, delayed = (
            trained_weights(make_network(VARIANTS[name], factory, TrainingSpec(batch=10)))
            for name in ("two hidden layers", "delayed")
        )
        equal = [np.array_equal(a, b) for a, b in zip(at_once, delayed, strict=True)]
        assert all(equal) if same else not any(equal[:2])


def test_nothing_is_lost_when_the_buffers_fill_with_a_presentation_s_last_slot() -> None:
    spec = NetworkSpec(
        hidden=(9,),
        T=ROWS,
        encoding=EncodingSpec(front_loading=0.0, input_rate=0.95),
        gradient=GradientSpec(flush=0.0),
    )
    training = TrainingSpec(batch=2, schedule="presentation")
    network = make_network(spec, lambda c: Recorder(c, 1.0), training)
    with network:
        rates = np.full((2, 12), 0.95, np.float32)
        network.train_batch(rates, np.zeros(2, np.int64), np.random.default_rng(0))
    rows = len(network.synapses[0].rows)
    assert rows == 2 * ROWS, "each slot a row, so the buffers fill with the last"
    for synapses in network.synapses:
        assert synapses.commits == [range(0, 1), range(1, 2)]
        assert not synapses._forward.any()


@pytest.mark.parametrize(
    ("rates", "labels"),
    [
        (np.zeros((11, 12), "f4"), np.zeros(11, np.int64)),
        (np.zeros((2, 11), "f4"), np.zeros(2, np.int64)),
        (np.zeros((2, 12), "f4"), np.array([0, 4])),
        (np.zeros((2, 12), "f4"), np.array([0, -1])),
        (np.zeros((2, 12), "f4"), np.zeros(3, np.int64)),
    ],
    ids=["more than a batch", "other inputs", "label too high", "label negative", "lengths"],
)
def test_what_does_not_fit_never_reaches_the_compiled_pass(
    rates: np.ndarray, labels: np.ndarray
) -> None:
    network = make_network(VARIANTS["default"], rate_synapses(1.0), TrainingSpec(batch=10))
    with network, pytest.raises(ValueError, match=r"must|exceed"):
        network.train_batch(rates, labels, np.random.default_rng(0))


def test_dropout_silences_neurons_and_lines_in_training_only() -> None:
    training = TrainingSpec(batch=200, dropout_input=0.25, dropout_hidden=0.5)
    spec = NetworkSpec(hidden=(9,), T=60)
    network = make_network(spec, lambda c: Recorder(c, 1e-9), training)
    rates = np.full((200, 12), 0.4, np.float32)
    with network:
        network.train_batch(rates, np.zeros(200, np.int64), np.random.default_rng(1))
        first = network.synapses[0].rows
        active = np.zeros((200, 12), bool)
        for sample, pre, _ in first:
            active[sample, list(pre)] = True
        assert active.mean() == pytest.approx(0.75, abs=0.05)
        trained = network.infer(rates, np.random.default_rng(2)).spikes
    assert trained[:, 0].mean() == pytest.approx(12 * 60 * 0.4, rel=0.02)


def test_rate_learning_refuses_the_slot_schedule() -> None:
    training = TrainingSpec(batch=10, schedule="slot")
    with pytest.raises(ValueError, match="schedule: 'slot' is not allowed"):
        make_network(VARIANTS["default"], rate_synapses(1.0), training)


class OffsetReads(ReadsSlotBySlot):
    """Each read adds a current, as noise would: it must reach only what was read."""

    def forward_current(self, spikes: np.ndarray) -> np.ndarray:
        return super().forward_current(spikes) + np.float32(0.5)


def test_inference_reads_do_not_depend_on_how_many_presentations_step_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = make_network(VARIANTS["default"], coarse(OffsetReads, 1.0), TrainingSpec())
    rates = presentations(30).rates * np.linspace(0.02, 1, 30, dtype=np.float32)[:, None]
    with network:
        together = network.infer(rates, np.random.default_rng(3))
        alone = network.infer(rates, np.random.default_rng(3))
        alone.output_counts[:] = 0
        alone.spikes[:] = 0
        monkeypatch.setattr(batched, "MOST", 1)
        network._strategy.infer(alone, NOTHING)
    np.testing.assert_array_equal(together.output_counts, alone.output_counts)
    np.testing.assert_array_equal(together.spikes, alone.spikes)
    assert together.output_counts.sum() > 20


def test_crossbar_helper_makes_multiples_of_the_step() -> None:
    weights = make_crossbar(step=2.0**-6).initial
    np.testing.assert_array_equal(weights * 64, np.rint(weights * 64))
