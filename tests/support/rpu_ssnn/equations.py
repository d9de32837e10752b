"""Writes the paper's equations out in full, and records the trains of a compiled presentation."""

from collections.abc import Sequence

import numpy as np

from rpu_ssnn.engine import neurons, slot_loop
from rpu_ssnn.engine.parameters import Parameters, make_parameters
from rpu_ssnn.engine.propagation import Matrices
from rpu_ssnn.engine.pulses import make_buffers
from rpu_ssnn.engine.state import NO_RECORDING, Presentations, make_worker_state
from rpu_ssnn.spec import NetworkSpec, connect

SIZES = (12, 9, 4)


def presentations(n: int, sizes: tuple[int, ...] = SIZES, layers: int = 3) -> Presentations:
    rng = np.random.default_rng(0)
    return Presentations(
        rates=(0.4 * rng.random((n, sizes[0]))).astype(np.float32),
        labels=rng.integers(0, sizes[-1], n),
        keys=rng.integers(2**64, size=n, dtype=np.uint64),
        output_counts=np.zeros((n, sizes[-1]), np.int32),
        spikes=np.zeros((n, layers), np.int64),
        gradient_spikes=np.zeros((n, layers), np.int64),
        reads=np.zeros((n, len(sizes) - 1, 3), np.int64),
    )


def eps_response(spikes: np.ndarray, tau: float) -> np.ndarray:
    """Returns Eq. 3 convolved with a train [slots, n], by an explicit sum."""
    slots = len(spikes)
    lag = np.arange(slots)[:, None] - np.arange(slots)[None, :]
    eps = np.where(lag > 0, 1.0 - np.exp(-np.maximum(lag, 0) / tau), 0.0)
    return eps @ spikes


def integrate_and_fire(
    start: np.ndarray, drive: np.ndarray, theta: float, reset: str = "subtract"
) -> np.ndarray:
    """Returns the spikes of f_th, at most one per slot; drive [slots, n] is the cumulative
    eps * I."""
    fired = np.zeros(drive.shape)
    lost = np.zeros(drive.shape[1])
    for t in range(len(drive)):
        v = start + drive[t] - lost
        fired[t] = v >= theta
        lost += fired[t] * (theta if reset == "subtract" else v)
    return fired


def inhibited(start: np.ndarray, drive: np.ndarray, theta: float, strength: float) -> np.ndarray:
    """Returns the spikes of f_th if each spike lowers every other membrane, but not below rest."""
    fired, v = np.zeros(drive.shape), start.copy()
    steps = np.diff(drive, axis=0, prepend=np.zeros((1, drive.shape[1])))
    for t in range(len(drive)):
        v += steps[t]
        fired[t] = v >= theta
        v -= theta * fired[t]
        push = strength * theta * (fired[t].sum() - fired[t])
        v = np.where(v > 0, np.maximum(v - push, 0.0), v)
    return fired


def winner_takes_all(
    start: np.ndarray, drive: np.ndarray, theta: float, clock: np.ndarray
) -> np.ndarray:
    """Returns the spikes of winner-take-all neurons: at each clock spike, the neuron spikes that
    has integrated most beyond its previous spikes."""
    fired = np.zeros(drive.shape)
    for t in np.flatnonzero(clock):
        fired[t, np.argmax(start + drive[t] - theta * fired[:t].sum(axis=0))] = 1
    return fired


def coupled(start: np.ndarray, drive: np.ndarray, theta: float, is_open: np.ndarray) -> np.ndarray:
    """Returns net spikes (+1, -1, 0) of two branches that reset each other and wait for the
    switch."""
    net = np.zeros(drive.shape)
    for t in range(len(drive)):
        v = start + drive[t] - theta * net[:t].sum(axis=0)
        net[t] = np.where(is_open[t], (v >= theta / 2) * 1.0 - (v <= -theta / 2), 0.0)
    return net


def separate(
    start: np.ndarray, drive: np.ndarray, theta: float, is_open: np.ndarray, floored: bool
) -> np.ndarray:
    """Returns one stream of Eq. 4 or 5, whose branch also fires while the switch blocks its
    spikes."""
    fired, v = np.zeros(drive.shape), start.copy()
    steps = np.diff(drive, axis=0, prepend=np.zeros((1, drive.shape[1])))
    for t in range(len(drive)):
        v += steps[t]
        if floored:
            v = np.maximum(v, 0.0)
        spikes = v >= theta
        v -= theta * spikes
        fired[t] = spikes & is_open[t]
    return fired


class SlotBySlot:
    """Runs one presentation in the compiled loop of training, which pauses after every slot."""

    def __init__(
        self, net: Parameters, shown: Presentations, weights: Sequence[np.ndarray]
    ) -> None:
        self.net, self.shown, self.state = net, shown, make_worker_state(net)
        turned = [w.T for w in weights]
        self._matrices = Matrices(
            *(np.concatenate([m.ravel() for m in matrices]) for matrices in (weights, turned))
        )
        self._out = make_buffers(net, [False] * net.crossbars)
        with np.errstate(over="ignore"):  # Python itself runs this, with numbers that wrap around.
            neurons.begin(net, self.state, shown, True)

    def step(self) -> None:
        self._out.rows[:] = 1  # The loop pauses only after slots with pulses.
        slot_loop.advance(
            self.net, self.state, self.shown, 1, self._matrices, self._out, NO_RECORDING, True,
            slot_loop.AFTER_SLOT,
        )  # fmt: skip


class Trace:
    """Records every train of one presentation, slot by slot, and the initial membranes."""

    def __init__(
        self, spec: NetworkSpec, weights: tuple[np.ndarray, ...], shown: Presentations | None = None
    ) -> None:
        net = make_parameters(spec, connect(spec.hidden, len(weights[0]), weights[-1].shape[1]))
        shown = shown or presentations(1, layers=len(net.size))
        presentation = SlotBySlot(net, shown, weights)
        state = presentation.state
        self.label = int(shown.labels[0])
        layers = [
            slice(a, a + n) for a, n in zip(net.neuron_start[1:-1], net.size[1:], strict=True)
        ]
        output = layers[len(weights) - 1]
        self.start, self.positive_start, self.negative_start = (
            np.concatenate([held[layer] for layer in layers])
            for held in (state.membrane, state.positive, state.negative)
        )
        self.relay_start = state.relay_membrane.copy()
        self.trains = [np.zeros((net.slots, n)) for n in net.size]
        sizes = net.size[: len(weights) + 1]
        self.up, self.down = ([np.zeros((net.slots, n)) for n in sizes] for _ in range(2))
        self.label_train: list[int] = []
        at_output = np.zeros((net.slots, 1))
        for t in range(net.slots):
            taken_before = state.gradient_current[output] * net.kernel_keep
            label_current = float(state.relay_current[0]) if net.relays else 0.0
            presentation.step()
            for layer in range(len(net.size)):
                first = net.event_start[layer]
                events = state.events[first : first + state.event_count[layer]]
                self.trains[layer][t, events] = 1
            for layer in range(1, len(sizes)):
                first = 2 * net.event_start[layer]
                for k in range(state.gradient_count[layer]):
                    stream = self.up if state.gradient_sign[first + k] > 0 else self.down
                    stream[layer][t, state.gradient_events[first + k]] = 1
            taken = state.gradient_current[output] - taken_before
            at_output[t] = taken[self.label] + self.trains[-1][t, self.label]
            if net.relays:
                drawn = state.relay_current[0] - label_current * net.kernel_keep
                self.label_train.append(round(float(drawn) / spec.neuron.theta))
        self.label_at_output = np.rint(at_output)


def some_weights() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    w1, w2 = (rng.normal(0.3, 1.0, s).astype(np.float32) for s in ((12, 9), (9, 4)))
    return w1, w2
