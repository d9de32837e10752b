"""Trains a small network in every kind of synapses, so that numba stores the compiled code."""

import numpy as np

from rpu_ssnn.network import Network
from rpu_ssnn.spec import NetworkSpec, TrainingSpec, connect
from rpu_ssnn.spec.tile import ReadSpec, TileSpec
from rpu_ssnn.synapses import coincidence_synapses, rate_synapses
from rpu_ssnn.synapses.device_synapses import device_synapses


def spikes_of_a_toy_network() -> tuple[int, ...]:
    """Returns the forward spikes of each layer, input first, in float weights and in devices."""
    total = np.zeros(3, dtype=np.int64)
    rates, labels = np.full((4, 8), 0.4, dtype=np.float32), np.arange(4, dtype=np.int64) % 2
    native = TileSpec(simulator="native")
    noisy = TileSpec(simulator="native", reads=ReadSpec(read_noise=0.1))
    for synapses, threads in (
        (rate_synapses(1.0), 1),
        (coincidence_synapses(1.0), 1),
        (device_synapses("ideal", native, 1.0), 2),
        (device_synapses("ideal", noisy, 1.0), 1),
        (device_synapses("ideal", TileSpec(), 1.0), 2),
    ):
        spec, training = NetworkSpec(hidden=(6,), T=40), TrainingSpec(batch=4)
        layers, seed = connect(spec.hidden, 8, 2), np.random.SeedSequence(0)
        with Network(spec, training, layers, synapses, seed, threads) as network:
            shown = network.train_batch(rates, labels, np.random.default_rng(0))
            network.infer(rates, np.random.default_rng(0))
        total += shown.spikes.sum(axis=0)
    return tuple(map(int, total))
