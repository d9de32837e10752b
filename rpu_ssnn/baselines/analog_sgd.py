"""The control: the same layers in the same devices, trained with numbers as aihwkit trains them.

Exact backpropagation of softmax cross-entropy gives each layer its inputs x and errors d as
numbers; aihwkit turns both into stochastic pulse trains of a stated length, and each coincidence
of the two is one pulse on a device (Gokmen and Vlasov, Front. Neurosci. 2016). Between this and
the float network lies the device; between this and spikes lies the spiking network.

Shared with the spiking network of the same seed: the devices as drawn, the initial weights (He, up
to the threshold), the weight range, the reference, the reads. Not shared: the order of the images,
and the meaning of the learning rate, which is that of plain gradient descent here.
"""

import math
from typing import Annotated

import numpy as np
import torch
from aihwkit.simulator.configs import UpdateParameters
from aihwkit.simulator.parameters.enums import PulseType
from jaxtyping import Float32, Int64
from pydantic import Field

from rpu_ssnn.baselines.pulse_trains import READS_A_PRESENTATION, PulseTrainSpec
from rpu_ssnn.data import Dataset
from rpu_ssnn.data.rows import Rows
from rpu_ssnn.device_source import DeviceSource
from rpu_ssnn.inputs import InputLines, input_lines
from rpu_ssnn.spec import Contrast, Positive, Share, Spec
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses.base import Crossbar, Weights
from rpu_ssnn.synapses.tile import TileSynapses
from rpu_ssnn.training_loop import (
    Learner,
    OnEpoch,
    check_finite,
    merge_statistics,
    train_epochs,
)
from rpu_ssnn.training_state import EpochRow, State, TrainingState, joined, part_of

Numbers = Float32[np.ndarray, "batch lines"]


class AnalogSgdSpec(Spec):
    """Plain SGD in devices; the step falls linearly from `learning_rate` to zero over the epochs.

    The learning rate is that of gradient descent on the weights: it does not depend on the weight
    range. Momentum has no place in a device, which holds the weight and nothing else.
    """

    trains: PulseTrainSpec = PulseTrainSpec()
    tile: TileSpec = TileSpec()
    learning_rate: Positive = 0.5
    epochs: Annotated[int, Field(ge=0)] = 10
    batch: Annotated[int, Field(ge=1)] = 50
    dropout_input: Share = 0.0
    dropout_hidden: Share = 0.0
    contrast: Contrast = "none"


class AnalogLayer(TileSynapses):
    """One crossbar that reads and updates numbers instead of spikes.

    Args:
        n_in, n_out: lines.
        device: must hold no memory of its pulses: trains of numbers have no place in time.
        initial_seed, device_seed: of the weights and of the devices.

    Raises:
        ValueError: the device remembers its pulses.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        device: DeviceSource,
        spec: AnalogSgdSpec,
        initial_seed: np.random.SeedSequence,
        device_seed: np.random.SeedSequence,
    ) -> None:
        if device.pulse_physics is not None:
            raise ValueError("a device that remembers its pulses needs them in time, one by one")
        he_std = math.sqrt(2.0 / n_in)
        normal = np.random.default_rng(initial_seed).standard_normal((n_in, n_out))
        trains = spec.trains
        super().__init__(
            Crossbar(
                initial=(he_std * normal).astype(np.float32),
                theta=1.0,
                he_std=he_std,
                gain=float(spec.batch),  # the errors are means over the batch already
                T=1,
                slots=trains.train_length + READS_A_PRESENTATION,
                batch=spec.batch,
                seed=int(device_seed.generate_state(1, np.uint64)[0]),
            ),
            device,
            spec.tile,
            spec.learning_rate,
            UpdateParameters(
                desired_bl=trains.train_length,
                fixed_bl=True,
                update_management=trains.update_management,
                update_bl_management=trains.length_management,
                pulse_type=PulseType.STOCHASTIC_COMPRESSED,
            ),
        )

    def set_step_scale(self, scale: float) -> None:
        """Scale the learning rate, relative to the first; numbers need no thinning."""
        self.keep = 1.0
        for tile in self.tiles:
            tile.set_learning_rate(float(self._wanted_step * scale / self._per_state))

    def outputs(self, x: Numbers) -> Numbers:
        """x W, through the converters where the reads have any."""
        weights = self.linear_read()
        if weights is not None:
            return _product(x, weights)
        return self.forward_current(x)

    def errors_below(self, d: Numbers) -> Numbers:
        """d W^T, likewise."""
        weights = self.linear_read()
        if weights is not None:
            return _product(d, weights.T)
        return self.transposed_current(d)

    def learn(self, x: Numbers, d: Numbers) -> None:
        """Send the trains of W - learning_rate x^T d, row by row.

        The second device of a pair gets the opposite sign.
        """
        lines, errors = torch.from_numpy(x), torch.from_numpy(d)
        for sign, tile in zip((1.0, -1.0), self.tiles, strict=False):
            tile.update(lines, sign * errors)
        self._rows_sent += len(x)
        self._stale = True

    def statistics(self) -> dict[str, float]:
        """Devices, saturation and leak; aihwkit counts the pulses of trains on GPUs only (NaN)."""
        told = super().statistics()
        kept = ("devices_total", "saturated_total", "initial_clipped_total", "leak_steps")
        blank = dict.fromkeys(("pulses_up_total", "pulses_down_total"), math.nan)
        return {name: told[name] for name in kept} | blank | {"device_step": self.device_step}


class AnalogNetwork(Learner):
    """The layers; classifies and trains."""

    def __init__(self, spec: AnalogSgdSpec, inputs: InputLines, layers: list[AnalogLayer]) -> None:
        self._spec, self.inputs, self.layers = spec, inputs, layers
        self._dropout = (spec.dropout_input, *(spec.dropout_hidden,) * (len(layers) - 1))
        self.epochs: list[EpochRow] = []

    def classes(self, images: Rows) -> Int64[np.ndarray, " n"]:
        x = self.inputs.shares(images)
        for number, layer in enumerate(self.layers):
            x = layer.outputs(self._activated(x) if number else x)
        return x.argmax(axis=1)

    def rest(self, seconds: float) -> None:
        """Let time (s) pass, in which devices lose charge."""
        for layer in self.layers:
            layer.rest(seconds)

    def statistics(self) -> dict[str, float]:
        """Numbers for the result row, over all crossbars."""
        return merge_statistics([layer.statistics() for layer in self.layers])

    def train_epoch(
        self, images: Rows, labels: Int64[np.ndarray, " n"], rng: np.random.Generator, epoch: int
    ) -> EpochRow:
        n, batch = len(labels), self._spec.batch
        an_epoch = -(-n // batch)
        last = max(self._spec.epochs, 1) * an_epoch
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

    def train_batch(
        self, x: Numbers, labels: Int64[np.ndarray, " batch"], rng: np.random.Generator
    ) -> int:
        """One step; how many of the batch were right before it."""
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
        """Of the activation, by its value."""
        if self._spec.trains.activation == "relu":
            return (y > 0).astype(np.float32)
        return y * (1.0 - y)


def train_analog_sgd(
    spec: AnalogSgdSpec,
    hidden: tuple[int, ...],
    device: DeviceSource,
    data: Dataset,
    *,
    seed: int,
    start: TrainingState | None = None,
    on_epoch: OnEpoch | None = None,
) -> AnalogNetwork:
    """Train in devices; the validation images only watch.

    Args:
        seed: of initial weights, devices, order and dropout. The trains are aihwkit's own draws,
            which cannot be seeded: no run repeats bit for bit.
        start, on_epoch: as `rpu_ssnn.training.train`.

    Raises:
        StateError: `start` is of another network, or of a cell that aihwkit cannot put back.
        ValueError: the device remembers its pulses.
        FloatingPointError: weights are no longer finite after an epoch.
    """
    weight_seed, order_seed, _ = np.random.SeedSequence(seed).spawn(3)
    inputs = input_lines(spec.contrast, data)
    sizes = (inputs.lines, *hidden, data.n_classes)
    layers = [
        AnalogLayer(sizes[n], sizes[n + 1], device, spec, *weight_seed.spawn(2))
        for n in range(len(sizes) - 1)
    ]
    network = AnalogNetwork(spec, inputs, layers)
    rng = np.random.default_rng(order_seed)
    return train_epochs(network, spec.epochs, data, rng, start, on_epoch)


def _softmax_error(outputs: Numbers, labels: Int64[np.ndarray, " batch"]) -> Numbers:
    """Gradient of the mean cross-entropy to the outputs."""
    shifted = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    error: Numbers = shifted / shifted.sum(axis=1, keepdims=True)
    error[np.arange(len(labels)), labels] -= 1.0
    error /= np.float32(len(labels))
    return error


def _product(x: Numbers, weights: Weights) -> Numbers:
    """In torch, whose threads the caller has set."""
    return (torch.from_numpy(x) @ torch.from_numpy(weights)).numpy()
