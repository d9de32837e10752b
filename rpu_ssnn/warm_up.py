"""Runs small networks that call every compiled function once, so that numba stores them all."""

import numpy as np

from rpu_ssnn.network import Network
from rpu_ssnn.spec import NetworkSpec, TrainingSpec
from rpu_ssnn.synapses import CoincidenceSynapses, Crossbar, PulseBlock, RateSynapses
from rpu_ssnn.synapses.native.warm_up import weights_of_toy_cells
from rpu_ssnn.synapses.tiles.pulse_rows import RowWriter


class _AlsoAsRows(CoincidenceSynapses):
    """Keeps float weights that also write their pulses as the rows of a tile, in order."""

    ordered = True

    def __init__(self, crossbar: Crossbar, learning_rate: float) -> None:
        super().__init__(crossbar, learning_rate)
        self._rows = RowWriter(*self.shape)

    def update(self, block: PulseBlock) -> None:
        super().update(block)
        self._rows.write(block, np.ones(len(block.post), dtype=np.bool_), 0)


class _ReadByCalls(CoincidenceSynapses):
    """Keeps float weights that are read slot by slot, like a tile with read noise."""

    def linear_read(self) -> None:  # type: ignore[override]
        return None


def spikes_of_a_toy_network() -> tuple[int, ...]:
    """Returns the forward spikes of each layer, input first, under each strategy of the engine."""
    weights_of_toy_cells()
    total = np.zeros(3, dtype=np.int64)
    rates = np.full((4, 8), 0.4, dtype=np.float32)
    for make, threads in ((RateSynapses, 1), (_AlsoAsRows, 2), (_ReadByCalls, 1)):
        network = Network(
            NetworkSpec(hidden=(6,), T=40),
            TrainingSpec(batch=4),
            (8, 6, 2),
            lambda crossbar, make=make: make(crossbar, 1.0),  # type: ignore[misc]
            np.random.SeedSequence(0),
            threads,
        )
        with network:
            shown = network.train_batch(
                rates, np.arange(4, dtype=np.int64) % 2, np.random.default_rng(0)
            )
            network.infer(rates, np.random.default_rng(0))
        total += shown.spikes.sum(axis=0)
    return tuple(int(n) for n in total)
