"""Provides networks whose pass over time several test files check, and synapses for these tests."""

import numpy as np

from rpu_ssnn.network import Network
from rpu_ssnn.spec import LITERAL_GRADIENT, NetworkSpec, TrainingSpec, connect
from rpu_ssnn.synapses import CoincidenceSynapses, Crossbar, PulseBlock, RateSynapses, Synapses
from support.rpu_ssnn.equations import presentations
from support.rpu_ssnn.networks import rows_of


class ReadsSlotBySlot(CoincidenceSynapses):
    """Makes ideal synapses that are read slot by slot, like a tile with read noise."""

    def linear_read(self) -> None:
        return None

    def currents(self, lines: np.ndarray, transposed: bool = False) -> np.ndarray:
        return lines @ (self.weights().T if transposed else self.weights())


EVERYTHING_WRONG = {
    "threshold_spread": 0.2,
    "threshold_noise": 0.2,
    "threshold_drift": 0.3,
    "polarity_spread": 0.3,
    "gain_spread": 0.2,
    "input_offset": 0.02,
    "reset_rest": 0.1,
    "saturation": 1.5,
    "leak_time_constant_s": 2e-5,
    "refractory_slots": 1,
    "delay_slots": 2,
    "missed": 0.1,
    "spurious": 0.02,
    "dead_share": 0.1,
    "always_share": 0.1,
}
"""All faults of neurons at once, each strong enough to show in one presentation."""

VARIANTS = {
    name: NetworkSpec.model_validate({"hidden": (9,), "T": 40, **settings})
    for name, settings in {
        "default": {},
        "literal": {"gradient": LITERAL_GRADIENT},
        "floored": {"gradient": {"branches": "floored"}},
        "reset to zero": {"neuron": {"reset": "zero"}},
        "inhibition in the loop": {"inhibition": {"strength": 0.3}},
        "Eq. 2 twice": {"inhibition": {"strength": 0.05, "passes": 2}},
        "clocked": {"inhibition": {"clocked": True}},
        "regular input": {"encoding": {"trains": "regular"}},
        "two hidden layers": {"hidden": (9, 7)},
        "delayed": {"hidden": (9, 7), "gradient": {"delay": 1.5}},
        "neurons with every fault": {"neuron": {"circuit": EVERYTHING_WRONG}},
    }.items()
}


def make_network(  # type: ignore[no-untyped-def]
    spec: NetworkSpec, factory, training: TrainingSpec, threads: int = 1, initial=None
) -> Network:
    layers, seed = connect(spec.hidden, 12, 4), np.random.SeedSequence(11)
    return Network(spec, training, layers, factory, seed, threads, initial=initial)


def trained_weights(network: Network, n: int = 30) -> list[np.ndarray]:
    shown, rng = presentations(n), np.random.default_rng(8)
    batch = network.training.batch
    with network:
        for first in range(0, n, batch):
            part = slice(first, first + batch)
            network.train_batch(shown.rates[part], shown.labels[part], rng)
        reads = ((s, s.linear_read()) for s in network.synapses)
    return [s._weights if read is None else read for s, read in reads]


def coarse(factory_class: type[Synapses], learning_rate: float):  # type: ignore[no-untyped-def]
    """Returns synapses whose initial weights and steps are multiples of 2^-8, so that sums are
    exact."""

    def make(crossbar: Crossbar) -> Synapses:
        initial = (np.rint(crossbar.initial * 256) / 256).astype(np.float32)
        exact = Crossbar(**{**vars(crossbar), "initial": initial})
        synapses = factory_class(exact, learning_rate)
        synapses._step = crossbar.T / 256  # type: ignore[attr-defined]
        return synapses

    return make


class Recorder(RateSynapses):
    """Records the blocks that it receives."""

    def __init__(self, crossbar: Crossbar, learning_rate: float) -> None:
        super().__init__(crossbar, learning_rate)
        self.rows: list[tuple[int, tuple[int, ...], tuple[int, ...]]] = []
        self.blocks = 0
        self.commits: list[range] = []

    def update(self, block: PulseBlock) -> None:
        self.blocks += 1
        for sample, _, pre, post, sign in rows_of(block):
            self.rows.append((sample, tuple(pre.tolist()), tuple((post * 2 + (sign > 0)).tolist())))
        super().update(block)

    def commit(self, presentations: range) -> None:
        self.commits.append(presentations)
        super().commit(presentations)
