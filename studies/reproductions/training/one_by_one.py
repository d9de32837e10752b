"""Trains by the delta rule, image by image, in whole pulses on native devices or on float weights.

For each image, y = f(x W) is computed layer by layer, the error goes back by backpropagation
(without the read gain), and then dW = rate x error. On devices, dW is rounded to a whole number of
pulses of the size that a controller assumes for all devices (range / pulses); their real effect
depends on the device's step, noise and bounds. This is how NeuroSim's perceptron learns (Chen, Peng
and Yu, IEEE TCAD 37(12), 2018). All random numbers follow from the seed, so that rows repeat bit
for bit.
"""

from itertools import pairwise

import numpy as np
from jaxtyping import Int64

from rpu_ssnn.common.training_state import EpochRow, State, TrainingState, checked, joined, part_of
from rpu_ssnn.data import Dataset
from rpu_ssnn.data.rows import Rows
from rpu_ssnn.devices.device_source import DeviceSource
from rpu_ssnn.network.inputs import InputLines, input_lines
from rpu_ssnn.spec import Contrast
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.training.loop import Learner, OnEpoch, check_finite, merge_statistics, train_epochs
from studies.reproductions.training.one_by_one_compiled import Layer, Rule, classify, train_online
from studies.reproductions.training.one_by_one_layers import FloatLayer, WholePulseLayer
from studies.reproductions.training.one_by_one_spec import OnlineSpec, WholePulseSpec


class OnlineNetwork(Learner):
    """Learns image by image."""

    def __init__(
        self,
        spec: OnlineSpec,
        inputs: InputLines,
        layers: list[FloatLayer | WholePulseLayer],
        learning_rate: float,
        key: int,
    ) -> None:
        whole = spec if isinstance(spec, WholePulseSpec) else WholePulseSpec()
        self._rule = Rule(
            sigmoid=spec.activation == "sigmoid",
            squared_error=spec.loss == "mse",
            stochastic=whole.rounding == "stochastic",
            hidden_levels=_levels(spec.hidden_bits),
            sum_levels=_levels(whole.sum_bits),
            gain=np.float32(spec.read_gain),
            key=np.uint64(key),
        )
        self.inputs, self.layers = inputs, layers
        self._rates = [learning_rate * r for r in spec.layer_rates or (1.0,) * len(layers)]
        self._compiled = self._as_compiled()
        self.presentations = 0
        self.epochs: list[EpochRow] = []

    def train_epoch(
        self, images: Rows, labels: Int64[np.ndarray, " n"], rng: np.random.Generator, epoch: int
    ) -> EpochRow:
        """Trains for one epoch in one compiled call."""
        x, order = self.inputs.shares(images), rng.permutation(len(labels))
        right = train_online(self._compiled, self._rule, x, labels, order, self.presentations)
        self.presentations += len(order)
        for layer, compiled in zip(self.layers, self._compiled, strict=True):
            layer.pulsed(int(compiled.sizes[1]), int(compiled.sizes[2]))
            compiled.sizes[1:] = 0
        check_finite((layer.weights() for layer in self.layers), epoch)
        return EpochRow(epoch, int(right) / max(len(order), 1))

    def classes(self, images: Rows) -> Int64[np.ndarray, " n"]:
        classes = np.empty(len(images), dtype=np.int64)
        classify(self._compiled, self._rule, self.inputs.shares(images), classes)
        return classes

    def statistics(self) -> dict[str, float]:
        """Returns the statistics for the result row, over all crossbars."""
        return merge_statistics([layer.statistics() for layer in self.layers])

    def state(self) -> State:
        parts = {f"layer_{n}": layer.state() for n, layer in enumerate(self.layers, start=1)}
        return joined({**parts, "images": {"shown": np.array(self.presentations)}})

    def restore(self, state: State) -> None:
        for n, layer in enumerate(self.layers, start=1):
            layer.restore(part_of(state, f"layer_{n}"))
        mine = {"shown": np.array(self.presentations)}
        self.presentations = int(checked(part_of(state, "images"), mine)["shown"])
        self._compiled = self._as_compiled()

    def _as_compiled(self) -> tuple[Layer, ...]:
        pairs = zip(self.layers, self._rates, strict=True)
        return tuple(layer.compiled(rate) for layer, rate in pairs)


def train_image_by_image(
    spec: OnlineSpec,
    hidden: tuple[int, ...],
    data: Dataset,
    *,
    seed: int,
    learning_rate: float,
    epochs: int,
    contrast: Contrast = "none",
    device: DeviceSource | None = None,
    tile: TileSpec | None = None,
    weight_bound: float | None = None,
    start: TrainingState | None = None,
    on_epoch: OnEpoch | None = None,
) -> OnlineNetwork:
    """Trains on all training images, with one compiled call per epoch.

    Validation images are only classified.

    Args:
        spec: the settings, a `WholePulseSpec` if there is a device.
        seed: seed of initial weights, devices, their noise, and the order of images.
        learning_rate: constant learning rate.
        device, tile: the devices that hold the weights; None for float weights, within
            `weight_bound`.
        start, on_epoch: as in `rpu_ssnn.training.train`.

    Raises:
        StateError: `start` belongs to another network.
        FloatingPointError: weights are no longer finite after an epoch.
        ValueError: the device has no tile or no `WholePulseSpec`.
        InputError: see `rpu_ssnn.synapses.native.synapses.NativeSynapses`.
    """
    weight_seed, order_seed, rounding_seed = np.random.SeedSequence(seed).spawn(3)
    inputs = input_lines(contrast, data)
    layers: list[FloatLayer | WholePulseLayer] = []
    for n_in, n_out in pairwise((inputs.lines, *hidden, data.n_classes)):
        first, second = weight_seed.spawn(2)
        if device is None:
            layers.append(FloatLayer(n_in, n_out, spec, weight_bound, (first, second)))
        elif tile is None or not isinstance(spec, WholePulseSpec):
            raise ValueError("a device needs a tile and a WholePulseSpec")
        else:
            layers.append(WholePulseLayer(n_in, n_out, spec, device, tile, (first, second)))
    key = int(rounding_seed.generate_state(1, np.uint64)[0])
    network = OnlineNetwork(spec, inputs, layers, learning_rate, key)
    rng = np.random.default_rng(order_seed)
    return train_epochs(network, epochs, data, rng, start, on_epoch)


def _levels(bits: int | None) -> np.float32:
    return np.float32(0.0 if bits is None else 2.0**bits - 1.0)
