"""Measures how one batch changes the weights of a network that starts from given ones."""

import math

import numpy as np

from rpu_ssnn.network import Network
from rpu_ssnn.spec import Grid, NetworkSpec, TrainingSpec, connect
from rpu_ssnn.synapses import SynapsesFactory


def weight_changes(
    spec: NetworkSpec,
    weights: list[np.ndarray],
    factory: SynapsesFactory,
    rates: np.ndarray,
    labels: np.ndarray,
    seed: list[int],
    image: Grid | None = None,
) -> list[np.ndarray]:
    """Returns the changes of float weights, [n_in, n_out] per crossbar, in threshold currents.

    Args:
        weights: the weights at the start.
        rates: average spikes per slot of each input line, [batch, n_in].
        labels: class of each presentation.
        image: rows, columns and channels of the input, which convolutions need.
    """
    lines = weights[0].shape[0] if image is None else math.prod(image)
    layers = connect(spec.hidden_layers, lines, weights[-1].shape[1], image)
    own_seed = np.random.SeedSequence(seed)
    training = TrainingSpec(batch=len(labels))
    with Network(spec, training, layers, factory, own_seed, initial=weights) as network:
        network.train_batch(rates, labels, np.random.default_rng(seed))
        reads = [synapses.linear_read() for synapses in network.synapses]
    changes = zip(reads, weights, strict=True)
    return [read.astype(np.float64) - w for read, w in changes if read is not None]
