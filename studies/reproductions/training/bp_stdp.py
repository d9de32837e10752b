"""Trains by BP-STDP (Tavanaei and Maida, Neurocomputing 2019), in phases and with stored trains.

The forward pass of all slots is stored. Then, window by window (in the paper 4 slots of 1 ms), with
s_l the spikes that a neuron sent in the window,

    xi_j = 1 where j is the correct class and silent, -1 where j spiked and is not, else 0  (output)
    xi_h = [s_h > 0] sum_j xi_j w_hj                                                       (hidden)
    dW_l = mu xi_l s_(l-1)

Unlike SSNN-BP, it needs memory for all trains of a presentation, signed numbers as gradients, and a
second phase. Neurons, encoding and data are those of `NetworkSpec`. The neurons of the paper are
integrate-and-fire with `neuron.reset` zero and a kernel of one slot.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from rpu_ssnn.common.training_state import EpochRow, TrainingState
from rpu_ssnn.data import Dataset
from rpu_ssnn.data.rows import Rows
from rpu_ssnn.network import Network
from rpu_ssnn.network.inputs import input_lines
from rpu_ssnn.spec import NetworkSpec, TrainingSpec, connect
from rpu_ssnn.synapses.base import Crossbar, Weights
from rpu_ssnn.synapses.float_weights import RateSynapses
from rpu_ssnn.training import Trained
from rpu_ssnn.training.loop import OnEpoch, check_finite, train_epochs

WINDOW = 4
"""This many slots count as simultaneous (the paper's epsilon, 4 ms with slots of 1 ms)."""


class _Written(RateSynapses):
    """Holds float weights that are changed by steps and not by pulses."""

    def __init__(self, crossbar: Crossbar) -> None:
        super().__init__(crossbar, learning_rate=1.0, surrogate=None)

    def add(self, step: Weights) -> None:
        self._weights += step
        self.changes += 1


@dataclass
class _Phased(Trained):
    """Learns by the rule, with the learning rate mu of `train_bp_stdp`."""

    learning_rate: float = 1.0

    def train_epoch(
        self, images: Rows, labels: Int64[np.ndarray, " n"], rng: np.random.Generator, epoch: int
    ) -> EpochRow:
        network, batch = self.network, self.network.training.batch
        theta = network.spec.neuron.theta
        step = theta * self.learning_rate * network.training.step_scale(epoch)
        layers = [s for s in network.synapses if isinstance(s, _Written)]
        order, right = rng.permutation(len(labels)), 0
        for first in range(0, len(order), batch):
            chosen = order[first : first + batch]
            counts = network.spike_counts(self.rates(images[chosen]), rng, WINDOW)
            windows = np.split(counts, np.cumsum(network.sizes)[:-1], axis=2)
            right += int((windows[-1].sum(axis=1).argmax(axis=1) == labels[chosen]).sum())
            weights = [s.linear_read() for s in layers]
            steps = weight_steps(windows, weights, labels[chosen], theta)
            for synapses, update in zip(layers, steps, strict=True):
                synapses.add((step / len(chosen)) * update)
        check_finite((s.linear_read() for s in layers), epoch)
        return EpochRow(epoch, right / max(len(order), 1))


def train_bp_stdp(
    spec: NetworkSpec,
    training: TrainingSpec,
    learning_rate: float,
    data: Dataset,
    *,
    seed: int,
    start: TrainingState | None = None,
    on_epoch: OnEpoch | None = None,
) -> Trained:
    """Trains on the training images; all random numbers follow from the seed.

    Args:
        spec: the network, without passes of inhibition and `inference_T` (`BpStdpRule.prepared`).
        training: epochs, batch and decay; dropout is not part of the rule and must be 0.
        learning_rate: mu in thresholds, for steps summed over windows and averaged over the batch.
        start, on_epoch: as in `rpu_ssnn.training.train`.

    Raises:
        FloatingPointError: weights are no longer finite after an epoch.
    """
    weight_seed, order_seed, test_seed = np.random.SeedSequence(seed).spawn(3)
    inputs = input_lines(spec.encoding.contrast, data)
    connections = connect(spec.hidden, inputs.lines, data.n_classes)
    network = Network(spec, training, connections, _Written, weight_seed)
    trained = _Phased(network, inputs, test_seed, learning_rate=learning_rate)
    rng = np.random.default_rng(order_seed)
    return train_epochs(trained, training.epochs, data, rng, start, on_epoch)


def weight_steps(
    windows: list[Float32[np.ndarray, "batch windows n"]],
    weights: list[Weights],
    labels: Int64[np.ndarray, " batch"],
    theta: float,
) -> list[Weights]:
    """Returns the sum of xi_l s_(l-1) over presentations and windows, [n_in, n_out] per crossbar.

    Args:
        windows: spikes of each layer, starting with the input.
        weights: weights in threshold currents, which hidden errors use in thresholds.
    """
    flat = [w.reshape(-1, w.shape[2]) for w in windows]
    spiked = flat[-1] > 0
    is_label = np.zeros(windows[-1].shape, dtype=np.bool_)
    is_label[np.arange(len(labels)), :, labels] = True
    is_label = is_label.reshape(spiked.shape)
    error = (is_label & ~spiked).astype(np.float32) - (spiked & ~is_label).astype(np.float32)
    steps: list[Weights] = []
    for layer in range(len(weights) - 1, -1, -1):
        steps.append(flat[layer].T @ error)
        back = error @ (weights[layer].T / np.float32(theta))
        error = np.where(flat[layer] > 0, back, np.float32(0.0)).astype(np.float32)
    return steps[::-1]
