"""Converts a trained float network by balancing its weights on data (Diehl et al., IJCNN 2015).

The spiking network does not learn. A ReLU network without biases is trained by backpropagation.
Then the weights of each layer are divided by its largest activation on the training images, and
multiplied by that of the layer before, so that no integrate-and-fire neuron has to spike more than
once per slot. The converted network classifies the test images with spikes.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from rpu_ssnn.baselines.ann import AnnSpec, FloatNetwork, train_ann
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.training_state import EpochRow, TrainingState
from rpu_ssnn.data import Dataset
from rpu_ssnn.data.rows import Rows
from rpu_ssnn.data.spike_trains import SpikeTrains
from rpu_ssnn.network import Network
from rpu_ssnn.network.inputs import input_lines
from rpu_ssnn.spec import NetworkSpec, TrainingSpec, connect
from rpu_ssnn.synapses.base import Weights
from rpu_ssnn.synapses.float_weights import rate_synapses
from rpu_ssnn.training import Trained
from rpu_ssnn.training.loop import OnEpoch

IMAGES = 10_000
"""The largest activations are taken from this many training images."""


@dataclass
class Converted(Trained):
    """Spikes with the weights of a float network, and learns only as that network."""

    float_network: FloatNetwork | None = None

    def train_epoch(
        self, images: Rows, labels: Int64[np.ndarray, " n"], rng: np.random.Generator, epoch: int
    ) -> EpochRow:
        """Trains the float network, so that a plan can measure its time."""
        assert self.float_network is not None
        return self.float_network.train_epoch(images, labels, rng, epoch)


def train_and_convert(
    spec: NetworkSpec,
    ann: AnnSpec,
    data: Dataset,
    *,
    seed: int,
    percentile: float = 100.0,
    start: TrainingState | None = None,
    on_epoch: OnEpoch | None = None,
) -> Trained:
    """Trains the float network, balances its weights, and puts them into a spiking one.

    Args:
        percentile: percentile of the activations that becomes one spike per slot; 100 is the
            maximum, as in the paper.
        start, on_epoch: as in `rpu_ssnn.training.train`, for the float network.

    Raises:
        InputError: the data are recorded spikes, or the percentile of a layer's activations is 0.
    """
    if isinstance(data.train_images, SpikeTrains):
        allowed = "must be rates: a converted network's input is a share of full rate"
        raise InputError("conversion", "dataset", data.name, allowed)
    weight_seed, _, test_seed = np.random.SeedSequence(seed).spawn(3)
    trained = train_ann(ann, spec.hidden, data, seed=seed, start=start, on_epoch=on_epoch)
    inputs = input_lines(spec.encoding.contrast, data)
    shares = inputs.shares(data.train_images[:IMAGES])
    weights = balanced(trained.weights, shares, spec, percentile)
    layers = connect(spec.hidden, inputs.lines, data.n_classes)
    network = Network(
        spec, TrainingSpec(epochs=0), layers, rate_synapses(1.0), weight_seed, initial=weights
    )
    converted = Converted(network, inputs, test_seed, float_network=trained)
    converted.epochs = trained.epochs
    return converted


def balanced(
    weights: list[Weights],
    shares: Float32[np.ndarray, "n n_in"],
    spec: NetworkSpec,
    percentile: float,
) -> list[Weights]:
    """Returns weights in threshold currents that give rates of activations over the largest one.

    Args:
        weights: weights of the float network, [n_in, n_out] per layer, for pixel shares in [0, 1].
        shares: images from which the activations are computed.

    Raises:
        InputError: the percentile of a layer is 0, but not its largest activation.
    """
    activity, before = shares, np.float32(1.0 / spec.encoding.input_rate)
    result = []
    for layer, w in enumerate(weights, start=1):
        activity = np.maximum(activity @ w, 0.0)
        largest = np.float32(np.percentile(activity, percentile))
        if largest <= 0.0 < activity.max(initial=0.0):
            allowed = f"must be larger: of layer {layer}, so many activations are 0"
            raise InputError("conversion", "percentile", percentile, allowed)
        # A layer that no image activates needs no balancing.
        scale = largest if largest > 0.0 else np.float32(1.0)
        result.append(np.float32(spec.neuron.theta) * w * before / scale)
        before = scale
    return result
