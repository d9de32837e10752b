"""A toy network that calls every compiled function once, so that numba keeps them all."""

import numpy as np

from rpu_ssnn.network import Network
from rpu_ssnn.spec import NetworkSpec, TrainingSpec
from rpu_ssnn.synapses import CoincidenceSynapses, Crossbar, PulseBlock, RateSynapses
from rpu_ssnn.synapses.drive import RowWriter


class _AlsoAsRows(CoincidenceSynapses):
    """Ideal synapses that write their pulses as a tile's rows too."""

    def __init__(self, crossbar: Crossbar, learning_rate: float) -> None:
        super().__init__(crossbar, learning_rate)
        self._rows = RowWriter(*self.shape)

    def update(self, block: PulseBlock) -> None:
        super().update(block)
        self._rows.write(block, np.ones(len(block.post), dtype=np.bool_), 0)


def spikes_of_a_toy_network() -> tuple[int, ...]:
    """Forward spikes a layer, input first, of some presentations in rate and coincidence mode."""
    total = np.zeros(3, dtype=np.int64)
    rates = np.full((4, 8), 0.4, dtype=np.float32)
    for make in (RateSynapses, _AlsoAsRows):
        network = Network(
            NetworkSpec(hidden=(6,), T=40),
            TrainingSpec(batch=4),
            (8, 6, 2),
            lambda crossbar, make=make: make(crossbar, 1.0),  # type: ignore[misc]
            np.random.SeedSequence(0),
        )
        with network:
            shown = network.train_batch(
                rates, np.arange(4, dtype=np.int64) % 2, np.random.default_rng(0)
            )
        total += shown.spikes.sum(axis=0)
    return tuple(int(n) for n in total)
