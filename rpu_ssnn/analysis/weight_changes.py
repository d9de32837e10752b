"""Measures what one batch changes in the weights of a network that starts from given ones."""

import numpy as np

from rpu_ssnn.network import Network
from rpu_ssnn.spec import NetworkSpec, TrainingSpec
from rpu_ssnn.synapses import SynapsesFactory


def weight_changes(
    spec: NetworkSpec,
    weights: list[np.ndarray],
    factory: SynapsesFactory,
    rates: np.ndarray,
    labels: np.ndarray,
    seed: list[int],
) -> list[np.ndarray]:
    """Changes of float weights, [n_in, n_out] a crossbar, in threshold currents.

    Args:
        weights: at the start.
        rates: average spikes a slot of each input line, [batch, n_in].
        labels: class of each presentation.
    """
    sizes = (weights[0].shape[0], *(w.shape[1] for w in weights))
    own_seed = np.random.SeedSequence(seed)
    training = TrainingSpec(batch=len(labels))
    with Network(spec, training, sizes, factory, own_seed, initial=weights) as network:
        network.train_batch(rates, labels, np.random.default_rng(seed))
        reads = [synapses.linear_read() for synapses in network.synapses]
    changes = zip(reads, weights, strict=True)
    return [read.astype(np.float64) - w for read, w in changes if read is not None]
