"""The control: the same layers in the same devices, trained with numbers as aihwkit trains them.

Exact backpropagation of softmax cross-entropy gives each layer its inputs x and errors d as
numbers. Stochastic pulse trains of a stated length stand for both, and each coincidence of the two
is one pulse on a device (Gokmen and Vlasov, Front. Neurosci. 2016). The difference to the float
network is the device; the difference to the spiking network is spikes. In aihwkit's tiles the
trains are aihwkit's own; in native devices they are ours, by the same law and seeded.

The drawn devices, the initial weights (He, up to the factor theta), the weight range, the reference
and the reads are those of the spiking network with the same seed. The order of the images is
different, and so is the learning rate, which is that of plain gradient descent here.
"""

from collections.abc import Sequence

import numpy as np

from rpu_ssnn.baselines.control_settings import AnalogSgdSpec
from rpu_ssnn.baselines.number_layers import NumberLayer, number_layer
from rpu_ssnn.baselines.number_trains import Numbers
from rpu_ssnn.common.training_state import EpochRow, State, TrainingState, joined, part_of
from rpu_ssnn.data import Dataset
from rpu_ssnn.data.rows import Labels, Rows
from rpu_ssnn.devices.device_source import DeviceSource
from rpu_ssnn.network.inputs import InputLines, input_lines
from rpu_ssnn.spec import ConvLayer, connect, slot_cycles
from rpu_ssnn.training.loop import Learner, OnEpoch, check_finite, merge_statistics, train_epochs


class AnalogNetwork(Learner):
    """Trains the layers of a network with numbers."""

    def __init__(self, spec: AnalogSgdSpec, inputs: InputLines, layers: list[NumberLayer]) -> None:
        self._spec, self.inputs, self.layers = spec, inputs, layers
        self._dropout = (spec.dropout_input, *(spec.dropout_hidden,) * (len(layers) - 1))
        self.epochs: list[EpochRow] = []

    def classes(self, images: Rows) -> Labels:
        x = self.inputs.shares(images)
        for number, layer in enumerate(self.layers):
            x = layer.outputs(self._activated(x) if number else x)
        return x.argmax(axis=1)

    def rest(self, seconds: float) -> None:
        """Lets time (s) pass, in which devices lose charge."""
        for layer in self.layers:
            layer.rest(seconds)

    def statistics(self) -> dict[str, float]:
        """Returns the numbers of the result row, over all crossbars."""
        return merge_statistics([layer.statistics() for layer in self.layers])

    def train_epoch(
        self, images: Rows, labels: Labels, rng: np.random.Generator, epoch: int
    ) -> EpochRow:
        n, batch = len(labels), self._spec.batch
        an_epoch = -(-n // batch)
        falls = self._spec.trains.schedule == "linear"
        last = max(self._spec.epochs, 1) * an_epoch if falls else np.inf
        order, right = rng.permutation(n), 0
        for step, first in enumerate(range(0, n, batch), start=epoch * an_epoch):
            for layer in self.layers:
                layer.set_step_scale(1.0 - step / last)
            chosen = order[first : first + batch]
            right += self.train_batch(self.inputs.shares(images[chosen]), labels[chosen], rng)
        check_finite((layer.weights() for layer in self.layers), epoch)
        return EpochRow(epoch, right / max(n, 1))

    def state(self) -> State:
        parts = {f"layer_{n}": layer.state() for n, layer in enumerate(self.layers, start=1)}
        return joined(parts)

    def restore(self, state: State) -> None:
        for n, layer in enumerate(self.layers, start=1):
            layer.restore(part_of(state, f"layer_{n}"))

    def train_batch(self, x: Numbers, labels: Labels, rng: np.random.Generator) -> int:
        """Takes one step, and returns how many of the batch were right before it."""
        inputs, masks = [], []
        for layer, share in zip(self.layers, self._dropout, strict=True):
            mask = None
            if share:
                kept = rng.random(x.shape, dtype=np.float32) >= share
                mask = kept / np.float32(1.0 - share)
                x = x * mask
            inputs.append(x)
            masks.append(mask)
            x = layer.outputs(x)
            if layer is not self.layers[-1]:
                x = self._activated(x)
        right = int((x.argmax(axis=1) == labels).sum())
        d = _softmax_error(x, labels)
        for number in range(len(self.layers) - 1, -1, -1):
            layer, lines = self.layers[number], inputs[number]
            below = layer.errors_below(d) if number else None  # the weights that the reads saw
            layer.learn(lines, d)
            if below is not None:
                mask = masks[number]
                active = lines if mask is None else lines / np.where(mask > 0, mask, 1.0)
                d = below * self._slope(active)
                d = (d if mask is None else d * mask).astype(np.float32)
        for layer in self.layers:
            layer.end_batch()
        return right

    def _activated(self, x: Numbers) -> Numbers:
        activated: Numbers = np.maximum(x, np.float32(0.0))
        if self._spec.trains.activation == "sigmoid":
            with np.errstate(over="ignore"):  # far below zero: 1 / (1 + infinity) is the right 0
                activated = 1.0 / (1.0 + np.exp(-x))
        return activated

    def _slope(self, y: Numbers) -> Numbers:
        """Returns the slope of the activation where the activation is y."""
        if self._spec.trains.activation == "relu":
            return (y > 0).astype(np.float32)
        return y * (1.0 - y)


def train_analog_sgd(
    spec: AnalogSgdSpec,
    hidden: Sequence[int | ConvLayer],
    device: DeviceSource,
    data: Dataset,
    *,
    seed: int,
    start: TrainingState | None = None,
    on_epoch: OnEpoch | None = None,
) -> AnalogNetwork:
    """Trains in devices; validation images are only measured.

    Args:
        hidden: the hidden layers.
        seed: the seed of initial weights, devices, order and dropout, and in native devices of
            everything else. aihwkit's own draws cannot be seeded: no run in its tiles repeats bit
            for bit.
        start, on_epoch: as in `rpu_ssnn.training.train`.

    Raises:
        StateError: `start` belongs to another network, or to a cell that aihwkit cannot restore.
        InputError: the simulator does not have the device, or convolutions do not fit the
            images.
        FloatingPointError: weights are no longer finite after an epoch.
    """
    weight_seed, order_seed, _ = np.random.SeedSequence(seed).spawn(3)
    inputs = input_lines(spec.contrast, data, hidden)
    layers, connections = [], connect(hidden, inputs.lines, data.n_classes, inputs.image)
    cycles = slot_cycles(connections, spec.at_once)
    for connection in connections:
        initial_seed, device_seed = weight_seed.spawn(2)
        layers.append(number_layer(connection, device, spec, cycles, (initial_seed, device_seed)))
    network = AnalogNetwork(spec, inputs, layers)
    rng = np.random.default_rng(order_seed)
    return train_epochs(network, spec.epochs, data, rng, start, on_epoch)


def _softmax_error(outputs: Numbers, labels: Labels) -> Numbers:
    """Returns the gradient of the mean cross-entropy with respect to the outputs."""
    shifted = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    error: Numbers = shifted / shifted.sum(axis=1, keepdims=True)
    error[np.arange(len(labels)), labels] -= 1.0
    error /= np.float32(len(labels))
    return error
