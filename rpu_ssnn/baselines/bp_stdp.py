"""BP-STDP (Tavanaei and Maida, Neurocomputing 2019): a phased rule with stored trains.

The forward pass of all slots is kept; then, window by window (theirs: 4 slots of 1 ms), with
s_l the spikes that a neuron sent in the window,

    xi_j = 1 where j is the correct class and silent, -1 where j spiked and is not, else 0  (output)
    xi_h = [s_h > 0] sum_j xi_j w_hj                                                       (hidden)
    dW_l = mu xi_l s_(l-1)

What it needs and SSNN-BP does not: memory for all trains of a presentation, signed numbers as
gradients, and a second phase. Neurons, encoding and data are those of `NetworkSpec`; theirs are
integrate-and-fire with `neuron.reset` zero and a kernel of one slot.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from rpu_ssnn.data import Dataset
from rpu_ssnn.inputs import input_lines
from rpu_ssnn.network import Input, Network
from rpu_ssnn.spec import NetworkSpec, TrainingSpec
from rpu_ssnn.synapses.base import Crossbar, Weights
from rpu_ssnn.synapses.ideal import RateSynapses
from rpu_ssnn.training import Trained

WINDOW = 4
"""Slots that count as simultaneous (the paper's epsilon, 4 ms at 1 ms a slot)."""


@dataclass
class _Layers:
    """Weights that the rule writes and the network reads."""

    synapses: list["_Written"]

    def make(self, crossbar: Crossbar) -> "_Written":
        self.synapses.append(_Written(crossbar))
        return self.synapses[-1]


class _Written(RateSynapses):
    """Float weights that no pulse changes."""

    def __init__(self, crossbar: Crossbar) -> None:
        super().__init__(crossbar, learning_rate=1.0, surrogate=None)

    def add(self, step: Weights) -> None:
        self._weights += step
        self.changes += 1


def train_bp_stdp(
    spec: NetworkSpec, training: TrainingSpec, learning_rate: float, data: Dataset, *, seed: int
) -> Trained:
    """Train on the training images; everything random follows from the seed.

    Args:
        training: epochs, batch and decay; dropout is not part of the rule and must be 0.
        learning_rate: mu in thresholds, summed over windows and averaged over the batch.

    Raises:
        ValueError: dropout is asked for.
        FloatingPointError: weights are no longer finite after an epoch.
    """
    if training.dropout_input or training.dropout_hidden:
        raise ValueError("BP-STDP has no dropout")
    weight_seed, order_seed, test_seed = np.random.SeedSequence(seed).spawn(3)
    inputs = input_lines(spec.encoding.contrast, data)
    sizes = (inputs.lines, *spec.hidden, data.n_classes)
    layers = _Layers([])
    network = Network(spec, training, sizes, layers.make, weight_seed)
    trained = Trained(network, inputs, test_seed)
    rng = np.random.default_rng(order_seed)
    for epoch in range(training.epochs):
        step = spec.neuron.theta * learning_rate * training.step_scale(epoch)
        order = rng.permutation(len(data.train_labels))
        for first in range(0, len(order), training.batch):
            chosen = order[first : first + training.batch]
            rates = trained.rates(data.train_images[chosen])
            windows = _windows(network, rates, rng)
            steps = weight_steps(windows, [s.linear_read() for s in layers.synapses],
                                 data.train_labels[chosen], spec.neuron.theta)  # fmt: skip
            for synapses, update in zip(layers.synapses, steps, strict=True):
                synapses.add((step / len(chosen)) * update)
        network.check_finite()
    return trained


def _windows(
    network: Network, rates: Input, rng: np.random.Generator
) -> list[Float32[np.ndarray, "batch windows n"]]:
    """Spikes of each layer by window."""
    counts = network.spike_counts(rates, rng, WINDOW)
    edges = np.cumsum(network.sizes)[:-1]
    return np.split(counts, edges, axis=2)


def weight_steps(
    windows: list[Float32[np.ndarray, "batch windows n"]],
    weights: list[Weights],
    labels: Int64[np.ndarray, " batch"],
    theta: float,
) -> list[Weights]:
    """The sum of xi_l s_(l-1) over presentations and windows, [n_in, n_out] a crossbar.

    Args:
        windows: spikes of each layer, input first.
        weights: in threshold currents; the hidden errors take them in thresholds.
    """
    flat = [w.reshape(-1, w.shape[2]) for w in windows]
    spiked = flat[-1] > 0
    wanted = np.zeros(windows[-1].shape, dtype=np.bool_)
    wanted[np.arange(len(labels)), :, labels] = True
    wanted = wanted.reshape(spiked.shape)
    error = (wanted & ~spiked).astype(np.float32) - (spiked & ~wanted).astype(np.float32)
    steps: list[Weights] = []
    for layer in range(len(weights) - 1, -1, -1):
        steps.append(flat[layer].T @ error)
        back = error @ (weights[layer].T / np.float32(theta))
        error = np.where(flat[layer] > 0, back, np.float32(0.0)).astype(np.float32)
    return steps[::-1]
