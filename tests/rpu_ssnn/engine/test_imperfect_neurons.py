"""Compares imperfect neurons with plain numpy, neuron by neuron and slot by slot."""

import numpy as np
import pytest

from rpu_ssnn import NetworkSpec, TrainingSpec, coincidence_synapses
from rpu_ssnn.engine import encoding
from rpu_ssnn.engine.circuit import Circuit, draw_circuit
from rpu_ssnn.engine.parameters import draw_neurons, make_parameters
from rpu_ssnn.engine.state import WorkerState
from rpu_ssnn.network import Network
from rpu_ssnn.spec import (
    LITERAL_GRADIENT,
    CircuitSpec,
    GradientSpec,
    InhibitionSpec,
    NeuronSpec,
    connect,
)
from support.rpu_ssnn import compiled_parts
from support.rpu_ssnn.equations import SlotBySlot, presentations, some_weights
from support.rpu_ssnn.passes import EVERYTHING_WRONG, VARIANTS, make_network, trained_weights

F = np.float32
SETTINGS = [
    *({name: value} for name, value in EVERYTHING_WRONG.items()),
    EVERYTHING_WRONG,
    EVERYTHING_WRONG | {"neurons": "forward"},
    EVERYTHING_WRONG | {"neurons": "gradient"},
]
NO_RELAY = GradientSpec(relay=False)
READINGS = {
    "coupled": {"gradient": NO_RELAY},
    "floored": {"gradient": GradientSpec(relay=False, branches="floored")},
    "literal": {"gradient": LITERAL_GRADIENT},
    "clocked": {"gradient": NO_RELAY, "inhibition": InhibitionSpec(clocked=True)},
}


class Plain:
    """Simulates the neurons of one bank (0 forward, 1 and 2 gradient), each with its memory."""

    def __init__(
        self, spec: CircuitSpec, circuit: Circuit, bank: int, paired: bool, key: int
    ) -> None:
        self.spec, self.circuit, self.bank = spec, circuit, bank
        n = circuit.gain.shape[1]
        self.key = compiled_parts.random_word(np.uint64(key ^ 0x5DEECE66D1CE4E5B), np.uint64(0))
        self.last, self.jitter = np.full(n, -(10**6)), [self.drawn(j, -1) for j in range(n)]
        self.late: dict[tuple[int, int, int], bool] = {}
        self.paired = paired and bank == 1

    def word(self, j: int, t: int, purpose: int) -> int:
        place = (j * 3 + self.bank) * 2 + purpose
        at = np.uint64((place << 21) + t + 1)
        return int(compiled_parts.random_word(np.uint64(self.key), at))

    def drawn(self, j: int, t: int) -> np.float32:
        if self.spec.threshold_noise == 0:
            return F(1)
        z = compiled_parts.normal(np.uint64(self.word(j, t, 1)))
        return max(F(0.1), F(1) + F(self.spec.threshold_noise) * F(z))

    def has(self, fate: np.ndarray, direction: int, j: int) -> bool:
        return bool(int(fate[self.bank, direction, j // 64]) >> (j % 64) & 1)

    def thresholds(self, j: int) -> tuple[np.float32, np.float32]:
        up, down = self.circuit.threshold[self.bank, :, j]
        return F(up * self.jitter[j]), F(down * self.jitter[j])

    def integrated(self, j: int, t: int, v: np.float32, push: np.float32, floored: bool = False):  # type: ignore[no-untyped-def]
        """Returns the membrane of neuron j, and whether it may fire."""
        if t - self.last[j] <= self.spec.refractory_slots:
            return v, False
        gain, offset, limit = (
            held[self.bank, j]
            for held in (self.circuit.gain, self.circuit.offset, self.circuit.limit)
        )
        v = F(v * self.circuit.leak) + F(F(gain * push) + offset)
        v = max(F(0), v) if floored else v
        return min(max(v, -limit), limit), True

    def crossing(self, j: int, t: int) -> None:
        self.last[j], self.jitter[j] = t, self.drawn(j, t)

    def sent(self, j: int, t: int, direction: int, crossed: bool, ready: bool) -> bool:
        """Returns whether neuron j now sends a spike in one direction."""
        word = self.word(j, t, 0)
        lost = word % 2**32 < self.spec.missed * 2**32
        high = word >> 32 if direction == 0 else 2**32 - 1 - (word >> 32)
        spike = (crossed and not lost) or (ready and high < self.spec.spurious * 2**32)
        spike = spike and not self.has(self.circuit.dead, direction, j)
        spike = spike or (ready and self.has(self.circuit.always, direction, j))
        if self.spec.delay_slots == 0:
            return spike
        self.late[direction, j, t] = spike
        return self.late.get((direction, j, t - self.spec.delay_slots), False)

    def fire(  # type: ignore[no-untyped-def]
        self, j: int, t: int, v, push, ready: bool, *, hold=True, floored=False, to_zero=False
    ) -> tuple[np.float32, bool, bool]:
        """Returns the membrane of neuron j after slot t, and whether it spikes up or down."""
        half = F(0.5) if self.paired else F(1)
        v, wakes = self.integrated(j, t, v, push, floored)
        up, down = self.thresholds(j)
        is_up = wakes and v >= half * up and not self.has(self.circuit.dead, 0, j)
        is_down = wakes and self.paired and v <= -half * down
        is_down = is_down and not self.has(self.circuit.dead, 1, j)
        if (is_up or is_down) and (ready or not hold):
            threshold = up if is_up else -down
            rest = F(1 - self.spec.reset_rest)
            v = F((F(1) - rest) * half * threshold) if to_zero else F(v - F(rest * threshold))
            self.crossing(j, t)
        return (
            v,
            self.sent(j, t, 0, bool(is_up and ready), ready),
            self.paired and self.sent(j, t, 1, bool(is_down and ready), ready),
        )

    def win(self, first: int, n: int, t: int, v, push, label: bool):  # type: ignore[no-untyped-def]
        """Returns the membranes of the winner-take-all output after slot t, and which neurons
        spike."""
        fired = [self.integrated(first + k, t, v[k], push[k]) for k in range(n)]
        v = [membrane for membrane, _ in fired]
        level = [self.thresholds(first + k)[0] for k in range(n)]
        best = -1
        for k, (_, wakes) in enumerate(fired):
            alive = wakes and not self.has(self.circuit.dead, 0, first + k)
            if label and alive and (best < 0 or v[k] - v[best] > level[k] - level[best]):
                best = k
        if best >= 0:
            shift = v[best] - level[best]
            v = [F(membrane - shift) for membrane in v]
            v[best] = F(v[best] - F(F(1 - self.spec.reset_rest) * level[best]))
            self.crossing(first + best, t)
        return v, [self.sent(first + k, t, 0, k == best, True) for k in range(n)]


def listed(state: WorkerState, first: int, count: int, sign: int = 0) -> list[int]:
    if not sign:
        return state.events[first : first + count].tolist()  # type: ignore[no-any-return]
    chosen = state.gradient_sign[first : first + count] == sign
    return state.gradient_events[first : first + count][chosen].tolist()  # type: ignore[no-any-return]


def holds(flags: np.ndarray, j: int) -> bool:
    return bool(int(flags[j // 64]) >> (j % 64) & 1)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: ",".join(s) if len(s) == 1 else "all")
def test_a_circuit_is_its_plain_reference(settings: dict[str, float], reading: str) -> None:
    wrong = CircuitSpec(**settings)  # type: ignore[arg-type]
    neuron = NeuronSpec(circuit=wrong, reset="zero" if reading == "literal" else "subtract")
    spec = NetworkSpec(hidden=(9,), T=60, neuron=neuron, **READINGS[reading])  # type: ignore[arg-type]
    net = make_parameters(spec, connect((9,), 12, 4))
    drawn = draw_neurons(spec, net, np.random.SeedSequence(5))
    drawn.age(40_000)
    net = net._replace(circuit=drawn.circuit)
    shown = presentations(1)
    presentation = SlotBySlot(net, shown, some_weights())
    state = presentation.state
    forward, positive, negative = (
        Plain(wrong, net.circuit, bank, net.coupled, int(shown.keys[0])) for bank in range(3)
    )
    move, floored, to_zero = F(1) - net.kernel_keep, net.floored, net.reset_to_zero
    gate = {"hold": net.hold, "floored": floored, "to_zero": to_zero}
    total = 0
    for t in range(net.slots):
        held = {name: array.copy() for name, array in zip(state._fields, state[:-1], strict=False)}
        with np.errstate(over="ignore"):  # Python itself runs this, with numbers that wrap around.
            encoding.draw_input(net, state, shown, t)
            label = encoding.draw_label(net.label_profile, state.random, t)
        state.random[:] = held["random"]  # The slot then draws the same numbers again.
        presentation.step()
        for layer in (1, 2):
            start, n = int(net.neuron_start[layer]), int(net.size[layer])
            places = range(start, start + n)
            at, pushes = int(net.event_start[layer]), move * held["current"]
            spikes = listed(state, at, int(state.event_count[layer]))
            if net.circuit.forward and net.clocked and layer == 2:
                v, sent = forward.win(start, n, t, held["membrane"][start:], pushes[start:], label)
            elif net.circuit.forward:
                fired = [
                    forward.fire(j, t, held["membrane"][j], pushes[j], True, to_zero=to_zero)
                    for j in places
                ]
                v, sent = [each[0] for each in fired], [each[1] for each in fired]
            if net.circuit.forward:
                np.testing.assert_array_equal(state.membrane[start : start + n], v)
                assert spikes == np.flatnonzero(sent).tolist()
            if not net.circuit.gradient:
                continue
            up, down = (listed(state, 2 * at, int(state.gradient_count[layer]), s) for s in (1, -1))
            pushes = move * held["gradient_current"]
            for j in places:
                is_open = layer == 2 or holds(state.open, j)
                v, is_up, is_down = positive.fire(
                    j, t, held["positive"][j], pushes[j], is_open, **gate
                )
                assert state.positive[j] == v
                if not net.coupled:
                    v, is_down, _ = negative.fire(
                        j, t, held["negative"][j], -pushes[j], is_open, **gate
                    )
                    assert state.negative[j] == v
                assert (j - start in up, j - start in down) == (is_up, is_down)
            total += len(up) + len(down)
        total += len(spikes)
    assert total > 10


def test_each_label_relay_sends_late() -> None:
    for hidden in ((9,), (9, 9)):
        on_time, late = (
            NetworkSpec(hidden=hidden, T=20, neuron={"circuit": {"relay_delay_slots": slots}})  # type: ignore[arg-type]
            for slots in (0, 3)
        )
        connections = connect(hidden, 12, 4)
        rates = make_parameters(on_time, connections).label_profile
        slots = [0.0] * 3 * len(connections)
        assert make_parameters(late, connections).label_profile.tolist() == slots + rates.tolist()
    with pytest.raises(ValueError, match=r"relay_delay_slots: 3 .*must be 0 without gradient"):
        NetworkSpec.model_validate(late.model_dump() | {"gradient": {"relay": False}})


@pytest.mark.parametrize("name", VARIANTS)
def test_circuits_without_a_fault_are_perfect_neurons(name: str) -> None:
    """A limit far beyond every membrane uses the other code path and changes no bit."""
    if VARIANTS[name].neuron.circuit.acts:
        return
    weights = []
    for circuit in (CircuitSpec(), CircuitSpec(saturation=1e5)):
        neuron = VARIANTS[name].neuron.model_copy(update={"circuit": circuit})
        spec = VARIANTS[name].model_copy(update={"neuron": neuron})
        weights.append(
            trained_weights(make_network(spec, coincidence_synapses(1.0), TrainingSpec(batch=10)))
        )
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


def drawn_circuit(**settings: float) -> Circuit:
    level = np.full(64 * 200, 2.0)
    return draw_circuit(
        CircuitSpec(**settings),  # type: ignore[arg-type]
        level, 0.5 * level, pairs=True, cycles=2, seed=np.random.SeedSequence(1),
    ).circuit  # fmt: skip


def test_draws_have_the_deviation_that_was_asked_for() -> None:
    threshold = drawn_circuit(threshold_spread=0.1, polarity_spread=0.2).threshold
    forward, (up, down) = threshold[0, 0], threshold[1]
    assert forward.std() / 2 == pytest.approx(0.1, rel=0.05)
    assert (up + down).std() / 2 == pytest.approx(0.1, rel=0.05)
    assert (up - down).std() == pytest.approx(0.2, rel=0.05)
    assert abs(np.corrcoef(forward, up)[0, 1]) < 0.05
    assert np.isinf(threshold[0, 1]).all()
    assert drawn_circuit(gain_spread=0.1).gain[1].std() == pytest.approx(0.1, rel=0.05)
    assert drawn_circuit(input_offset=0.1).offset[0].std() == pytest.approx(0.2, rel=0.05)
    assert drawn_circuit(saturation=3.0).limit[:2, 0].tolist() == [6.0, 1.5]
    leak = drawn_circuit(leak_time_constant_s=1e-5, slot_seconds=1e-6).leak
    assert leak == F(np.exp(-0.2))  # A slot has two cycles.
    dead = np.unpackbits(drawn_circuit(dead_share=0.1).dead.view(np.uint8)[0, 0])
    assert dead.mean() == pytest.approx(0.1, abs=0.01)


def test_thresholds_drift_with_training_and_a_checkpoint_goes_on_from_there() -> None:
    neuron = NeuronSpec(circuit=CircuitSpec(threshold_drift=1.0))
    spec, shown = NetworkSpec(hidden=(9,), T=40, neuron=neuron), presentations(30)

    def network() -> Network:
        return make_network(spec, coincidence_synapses(1.0), TrainingSpec(batch=30))

    with network() as whole, network() as second:
        fresh = whole._strategy.training.circuit.threshold.copy()
        for seed in (1, 2):
            if seed == 2:
                second.restore(whole.state())
            whole.train_batch(shown.rates, shown.labels, np.random.default_rng(seed))
        second.train_batch(shown.rates, shown.labels, np.random.default_rng(2))
        now = whole._strategy.training.circuit.threshold
        np.testing.assert_array_equal(now, second._strategy.inference.circuit.threshold)
        moved = now[0, 0] / fresh[0, 0] - 1
        assert moved.std() == pytest.approx(60 / 100_000, rel=0.3)
        for a, b in zip(whole.synapses, second.synapses, strict=True):
            np.testing.assert_array_equal(a.linear_read(), b.linear_read())


def test_a_circuit_moves_no_other_draw_and_each_position_has_neurons_of_its_own() -> None:
    layers = ({"conv": {"kernel": 2, "channels": 3}},)
    shown, spikes = presentations(20), []
    for circuit in (CircuitSpec(), CircuitSpec(threshold_spread=0.3, spurious=0.1)):
        spec = NetworkSpec(layers=layers, T=40, neuron=NeuronSpec(circuit=circuit))  # type: ignore[arg-type]
        found, seed = connect(spec.hidden_layers, 12, 4, (3, 4, 1)), np.random.SeedSequence(3)
        with Network(spec, TrainingSpec(), found, coincidence_synapses(1.0), seed) as network:
            trained = network.train_batch(shown.rates, shown.labels, np.random.default_rng(1))
            spikes.append(trained.spikes)
    thresholds = network._strategy.training.circuit.threshold
    np.testing.assert_array_equal(spikes[0][:, 0], spikes[1][:, 0])
    assert (spikes[0][:, 1] != spikes[1][:, 1]).mean() > 0.5
    assert len(np.unique(thresholds[0, 0, :18])) == 18
