"""The compiled pass against the equations written out, and its invariances."""

import numpy as np
import pytest

from networks import make_crossbar
from rpu_ssnn.engine import kernel, neurons, spread
from rpu_ssnn.engine.state import Presentations, make_lane, make_plan, profile
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

SIZES = (12, 9, 4)
SEED = np.random.SeedSequence(11)


def presentations(n: int, sizes: tuple[int, ...] = SIZES, layers: int = 3) -> Presentations:
    rng = np.random.default_rng(0)
    return Presentations(
        rates=(0.4 * rng.random((n, sizes[0]))).astype(np.float32),
        labels=rng.integers(0, sizes[-1], n),
        keys=rng.integers(2**64, size=n, dtype=np.uint64),
        output_counts=np.zeros((n, sizes[-1]), np.int32),
        spikes=np.zeros((n, layers), np.int64),
        gradient_spikes=np.zeros((n, layers), np.int64),
    )


def eps_response(spikes: np.ndarray, tau: float) -> np.ndarray:
    """Eq. 3 convolved with a train [slots, n], summed up the long way."""
    slots = len(spikes)
    lag = np.arange(slots)[:, None] - np.arange(slots)[None, :]
    eps = np.where(lag > 0, 1.0 - np.exp(-np.maximum(lag, 0) / tau), 0.0)
    return eps @ spikes


def integrate_and_fire(start: np.ndarray, drive: np.ndarray, theta: float) -> np.ndarray:
    """Spikes of f_th with reset by subtraction, at most one a slot; drive [slots, n] is eps * I."""
    fired = np.zeros(drive.shape)
    for t in range(len(drive)):
        fired[t] = start + drive[t] - theta * fired[:t].sum(axis=0) >= theta
    return fired


@pytest.mark.parametrize("kernel_fraction", [0.02, 0.1, 0.4])
def test_pass_obeys_the_equations_written_as_convolutions(kernel_fraction: float) -> None:
    """Eq. 1, 3 to 7 with the kernel as an explicit convolution give the same spikes."""
    spec = NetworkSpec(hidden=(9,), T=60, neuron=NeuronSpec(kernel_fraction=kernel_fraction))
    plan, shown = make_plan(spec, SIZES), presentations(1)
    lane = make_lane(plan)
    rng = np.random.default_rng(4)
    w1, w2 = (rng.normal(0.3, 1.0, s).astype(np.float32) for s in ((12, 9), (9, 4)))
    flat = np.concatenate([w1.ravel(), w2.ravel()])
    transposed = np.concatenate([np.zeros(w1.size, np.float32), w2.T.ravel()])

    neurons.begin(plan, lane, shown, True)
    start, start_gradient = lane.membrane.copy(), lane.positive.copy()
    relay_start = lane.relay_membrane.copy()
    trains = [np.zeros((plan.slots, n)) for n in SIZES]
    net = [np.zeros((plan.slots, n)) for n in SIZES]
    relayed = np.zeros((plan.slots, 4))
    for t in range(plan.slots):
        before = lane.gradient_current.copy()
        neurons.fire(plan, lane, shown, True)
        for layer, n in enumerate(SIZES):
            first = plan.event_start[layer]
            trains[layer][t, lane.events[first : first + lane.event_count[layer]]] = 1
            span = slice(2 * first, 2 * first + lane.gradient_count[layer])
            net[layer][t, lane.gradient_events[span]] = lane.gradient_sign[span]
            assert n == plan.size[layer]
        # What the output error took in this slot, its decay undone: label minus output.
        taken = lane.gradient_current[9:] - before[9:] * plan.kernel_keep
        relayed[t] = np.rint(taken + trains[2][t])
        spread.spread_linear(plan, lane, flat, transposed, True)
        kernel.next_slot(plan, lane)

    tau, theta, theta_b = spec.tau, spec.neuron.theta, spec.neuron.theta_b
    hidden = integrate_and_fire(start[:9], eps_response(trains[0] @ w1, tau), theta)
    output = integrate_and_fire(start[9:], eps_response(trains[1] @ w2, tau), theta)
    assert trains[1].sum() > 20
    np.testing.assert_array_equal(trains[1], hidden)
    np.testing.assert_array_equal(trains[2], output)
    assert relay_start.shape == (2,)
    assert relayed[:, shown.labels[0]].sum() > 5
    assert relayed.sum() == relayed[:, shown.labels[0]].sum()

    def coupled(
        begin: np.ndarray, drive: np.ndarray, level: float, is_open: np.ndarray
    ) -> np.ndarray:
        spikes = np.zeros(drive.shape)
        for t in range(len(drive)):
            v = begin + drive[t] - level * spikes[:t].sum(axis=0)
            spikes[t] = np.where(is_open[t], (v >= level / 2) * 1.0 - (v <= -level / 2), 0.0)
        return spikes

    error = coupled(
        start_gradient[9:],
        eps_response(relayed - trains[2], tau),
        spec.neuron.theta_n,
        np.ones(relayed.shape, bool),
    )
    np.testing.assert_array_equal(net[2], error)
    opened = np.cumsum(trains[1], axis=0) > 0
    back = coupled(start_gradient[:9], eps_response(net[2] @ w2.T, tau), theta_b, opened)
    assert np.abs(net[1]).sum() > 10
    np.testing.assert_array_equal(net[1], back)


def test_input_profile_keeps_its_average_and_falls_linearly() -> None:
    falling = profile(50, 1.0)
    assert falling.mean() == pytest.approx(1.0)
    assert falling[0] == pytest.approx(1.98)
    np.testing.assert_allclose(np.diff(falling), falling[1] - falling[0])
    np.testing.assert_array_equal(profile(50, 0.0), 1.0)


def test_input_spikes_have_the_pixels_rate() -> None:
    spec = NetworkSpec(hidden=(9,), T=1000, encoding=EncodingSpec(input_rate=0.5))
    plan, shown = make_plan(spec, SIZES), presentations(200)
    lane, counts = make_lane(plan), np.zeros((200, 12))
    for b in range(200):
        lane.place[:] = (b, 0, 1)
        neurons.begin(plan, lane, shown, False)
        for t in range(spec.T):
            neurons._draw_input(plan, lane, t)
            counts[b, lane.events[: lane.event_count[0]]] += 1
    p = shown.rates.astype(float)
    deviation = (counts - 1000 * p) / np.sqrt(1000 * p * (1 - p) + 1e-9)
    assert abs(deviation.mean()) < 4 / np.sqrt(deviation.size)
    # Front loading makes the counts narrower than binomial ones, never wider.
    assert 0.6 < deviation.std() < 1.05


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
    "two hidden layers": NetworkSpec(hidden=(9, 7), T=40),
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


@pytest.mark.parametrize("name", VARIANTS)
def test_reading_slot_by_slot_is_the_same_pass(name: str) -> None:
    training = TrainingSpec(batch=10)
    compiled = trained_weights(
        make_network(VARIANTS[name], coarse(CoincidenceSynapses, 1.0), training)
    )
    stepped = trained_weights(make_network(VARIANTS[name], coarse(ReadsSlotBySlot, 1.0), training))
    start = make_network(VARIANTS[name], coarse(CoincidenceSynapses, 1.0), training).synapses
    for a, b, s in zip(compiled, stepped, start, strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.abs(a - s.linear_read()).max() > 0


@pytest.mark.parametrize("schedule", ["batch", "presentation"])
@pytest.mark.parametrize("factory", [rate_synapses(1.0), coincidence_synapses(1.0)])
def test_threads_change_no_number(factory, schedule) -> None:  # type: ignore[no-untyped-def]
    training = TrainingSpec(batch=15, schedule=schedule, dropout_input=0.1, dropout_hidden=0.2)
    one, three = (
        trained_weights(make_network(VARIANTS["default"], factory, training, threads))
        for threads in (1, 3)
    )
    for a, b in zip(one, three, strict=True):
        np.testing.assert_array_equal(a, b)


def test_variants_differ() -> None:
    """Every named reading of the paper changes what is learnt."""
    training = TrainingSpec(batch=10)
    results = [
        trained_weights(make_network(spec, rate_synapses(1.0), training))[0]
        for name, spec in VARIANTS.items()
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

    def update(self, block: PulseBlock) -> None:
        self.blocks += 1
        for r in range(block.rows):
            pre = block.pre[block.pre_start[r] : block.pre_start[r + 1]]
            span = slice(block.post_start[r], block.post_start[r + 1])
            post = block.post[span] * 2 + (block.sign[span] > 0)
            self.rows.append((int(block.sample[r]), tuple(pre.tolist()), tuple(post.tolist())))
        super().update(block)


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
    network = make_network(
        VARIANTS["default"], rate_synapses(1.0), TrainingSpec(batch=10, schedule="slot")
    )
    shown = presentations(2)
    with network, pytest.raises(ValueError, match="schedule: 'slot' is not allowed"):
        network.train_batch(shown.rates, shown.labels, np.random.default_rng(0))


def test_crossbar_helper_makes_multiples_of_the_step() -> None:
    weights = make_crossbar(step=2.0**-6).initial
    np.testing.assert_array_equal(weights * 64, np.rint(weights * 64))
