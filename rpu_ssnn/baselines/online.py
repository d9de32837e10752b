"""The delta rule from image to image, in whole pulses on native devices or on float weights.

For each image: y = f(x W) layer by layer, the error back by exact backpropagation, then
dW = rate x error. On devices dW is rounded to a whole number of pulses of the size that a
controller takes for all of them (range / pulses), and the device makes of these what its own step,
noise and bounds are. This is how NeuroSim's perceptron learns (Chen, Peng and Yu, IEEE TCAD
37(12), 2018). Everything random follows from the seed: rows repeat bit for bit.
"""

import math
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from jaxtyping import Float32

from rpu_ssnn.baselines.online_spec import OnlineSpec, WholePulseSpec
from rpu_ssnn.data import Dataset
from rpu_ssnn.data.rows import Rows
from rpu_ssnn.inputs import InputLines, input_lines
from rpu_ssnn.spec import Contrast
from rpu_ssnn.synapses.array import DeviceSource
from rpu_ssnn.synapses.base import Crossbar, Weights
from rpu_ssnn.synapses.native.cells import Cells, Memory
from rpu_ssnn.synapses.native.device_record import MEMORY, empty_records
from rpu_ssnn.synapses.native.online import Layer, Rule, classify, make_layer, train_online
from rpu_ssnn.synapses.native.step_models.rules import plain_rules
from rpu_ssnn.synapses.native.synapses import NativeSynapses
from rpu_ssnn.tile_spec import TileSpec
from rpu_ssnn.training import merge_statistics
from rpu_ssnn.training_state import (
    EpochRow,
    State,
    StateError,
    TrainingState,
    checked,
    generator_state,
    joined,
    part_of,
    restore_generator,
)

READS_A_PRESENTATION = 2
"""Slots of a presentation beside its pulses: the forward and the transposed read."""

Seeds = tuple[np.random.SeedSequence, np.random.SeedSequence]
"""Of the initial weights and of the devices of one crossbar."""


class FloatLayer:
    """One crossbar of float weights, which change exactly.

    Args:
        n_in, n_out: lines.
        spec: its unit and start.
        bound: largest weight, in that unit; None: none.
    """

    def __init__(
        self, n_in: int, n_out: int, spec: OnlineSpec, bound: float | None, seeds: Seeds
    ) -> None:
        unit = _unit(spec, n_in)
        most = 0.0 if bound is None else bound * unit
        start = _initial((n_in, n_out), spec, most or unit, seeds[0])
        self._shape, self._weights = (n_in, n_out), np.ascontiguousarray(start.T).ravel()
        if most:
            np.clip(self._weights, -most, most, out=self._weights)
        self._bound = most

    def compiled(self, rate: float) -> Layer:
        """As compiled code sees it; not a copy."""
        none = empty_records(self._weights.size).reshape(1, -1)
        cells = Cells(
            model=0,
            rules=plain_rules(np.float32(0.0), np.float32(0.0)),
            records=none,
            signs=np.ones(1, dtype=np.float32),
            weights=self._weights,
            per_state=np.float32(1.0),
            offset=np.zeros(0, dtype=np.float32),
            pulse_key=np.uint64(0),
            read_key=np.uint64(0),
        )
        memory = Memory(empty_records(0, MEMORY), 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
        return make_layer(self._shape, cells, memory, rate, self._bound, (0.0, 0.0))

    def weights(self) -> Weights:
        """[n_in, n_out]; not a copy."""
        return self._weights.reshape(self._shape[::-1]).T

    def pulsed(self, up: int, down: int) -> None:
        """There are no pulses."""

    def state(self) -> State:
        """A copy of the weights."""
        return {"weights": self._weights.copy()}

    def restore(self, state: State) -> None:
        """Go on from those weights."""
        self._weights[:] = checked(state, self.state())["weights"]

    def statistics(self) -> dict[str, float]:
        """None."""
        return {}


class WholePulseLayer(NativeSynapses):
    """One crossbar of native devices that gets counted pulses instead of spikes.

    Args:
        n_in, n_out: lines.
        device: of the library; it must not remember its pulses, nor lose charge.
        tile: as for `NativeSynapses`, without converters and without effects of time and lines.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        spec: WholePulseSpec,
        device: DeviceSource,
        tile: TileSpec,
        seeds: Seeds,
    ) -> None:
        unit = _unit(spec, n_in)
        off = 1.0 / tile.reference.on_off_ratio if tile.reference.on_off_ratio else 0.0
        bound = tile.weight_range * unit * (1.0 - off)
        initial = _initial((n_in, n_out), spec, bound, seeds[0])
        crossbar = Crossbar(
            initial=initial + np.float32(2.0 * bound * spec.initial_offset),
            theta=1.0,
            he_std=unit,
            gain=1.0,
            T=1,
            slots=1 + READS_A_PRESENTATION,
            batch=1,
            seed=int(seeds[1].generate_state(1, np.uint64)[0]),
        )
        super().__init__(crossbar, device, tile, learning_rate=1.0)
        self._bound = bound
        mean = 2.0 * bound / self.device_step
        up = mean if spec.pulses_up is None else spec.pulses_up
        down = up if spec.pulses_down is None else spec.pulses_down
        self._per_weight = up / (2.0 * bound), down / (2.0 * bound)

    def compiled(self, rate: float) -> Layer:
        """As compiled code sees it; not a copy."""
        self.weights()  # puts them where the compiled code reads them
        cells, memory = self._array.cells, self._clock.memory
        return make_layer(self._shape, cells, memory, rate, self._bound, self._per_weight)

    def pulsed(self, up: int, down: int) -> None:
        """Compiled code has sent so many pulses: what is seen of the devices has changed."""
        self._up += up
        self._down += down
        self.changes += 1

    def statistics(self) -> dict[str, float]:
        """As `NativeSynapses.statistics`, without what concerns thinned trains and slots."""
        without = ("step_wanted", "thinning", "thinning_last")
        return {n: value for n, value in super().statistics().items() if n not in without}


class OnlineNetwork:
    """The layers, and how to ask and teach them.

    Attributes:
        epochs: one row each; rates and spikes are empty, since there are none.
    """

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

    def train(
        self, x: Float32[np.ndarray, "n lines"], labels: np.ndarray, order: np.ndarray
    ) -> int:
        """Show images in this order and learn from each; how many were right before it."""
        right = train_online(self._compiled, self._rule, x, labels, order, self.presentations)
        self.presentations += len(order)
        for layer, compiled in zip(self.layers, self._compiled, strict=True):
            layer.pulsed(int(compiled.sizes[1]), int(compiled.sizes[2]))
            compiled.sizes[1:] = 0
        return int(right)

    def accuracy(self, images: Rows, labels: np.ndarray) -> float:
        """Share of images whose largest output is their label."""
        if not len(labels):
            return float("nan")
        found = np.empty(len(labels), dtype=np.int64)
        classify(self._compiled, self._rule, self.inputs.shares(images), found)
        return float((found == labels).mean())

    def statistics(self) -> dict[str, float]:
        """Numbers for the result row, over all crossbars."""
        return merge_statistics([layer.statistics() for layer in self.layers])

    def state(self, rng: np.random.Generator) -> TrainingState:
        """Everything that training has changed; rng: of the order of the images."""
        parts = {f"layer_{n}": layer.state() for n, layer in enumerate(self.layers, start=1)}
        own = {"generator": generator_state(rng), "shown": np.array(self.presentations)}
        parts["order"] = own
        return TrainingState(len(self.epochs), joined(parts), tuple(self.epochs))

    def restore(self, start: TrainingState, rng: np.random.Generator) -> None:
        """Go on from a state of a network built just as this."""
        if len(start.curve) != start.epochs:
            raise StateError(f"has {len(start.curve)} rows for {start.epochs} epochs")
        for n, layer in enumerate(self.layers, start=1):
            layer.restore(part_of(start.arrays, f"layer_{n}"))
        mine = {"generator": generator_state(rng), "shown": np.array(self.presentations)}
        order = checked(part_of(start.arrays, "order"), mine)
        restore_generator(rng, order["generator"])
        self.presentations = int(order["shown"])
        self._compiled = self._as_compiled()
        self.epochs[:] = start.curve

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
    on_epoch: Callable[[EpochRow, Callable[[], TrainingState]], bool | None] | None = None,
) -> OnlineNetwork:
    """Train on all training images, an epoch in one compiled call; validation images only watch.

    Args:
        spec: a `WholePulseSpec` where there is a device.
        seed: of initial weights, devices, their noise, and the order.
        learning_rate: constant.
        device, tile: what holds the weights; None: float weights, within `weight_bound`.
        start: what an earlier call with the same arguments had reached; the result is then, bit
            for bit, that of a run that never stopped.
        on_epoch: as `rpu_ssnn.training.train`.

    Raises:
        StateError: `start` is of another network.
        FloatingPointError: weights are no longer finite after an epoch.
    """
    weight_seed, order_seed, rounding_seed = np.random.SeedSequence(seed).spawn(3)
    inputs = input_lines(contrast, data)
    layers: list[FloatLayer | WholePulseLayer] = []
    for n_in, n_out in pairwise((inputs.lines, *hidden, data.n_classes)):
        first, second = weight_seed.spawn(2)
        if device is None or tile is None or not isinstance(spec, WholePulseSpec):
            layers.append(FloatLayer(n_in, n_out, spec, weight_bound, (first, second)))
        else:
            layers.append(WholePulseLayer(n_in, n_out, spec, device, tile, (first, second)))
    key = int(rounding_seed.generate_state(1, np.uint64)[0])
    network = OnlineNetwork(spec, inputs, layers, learning_rate, key)
    rng = np.random.default_rng(order_seed)
    if start is not None:
        network.restore(start, rng)
    shares, n = inputs.shares(data.train_images), len(data.train_labels)
    for epoch in range(len(network.epochs), epochs):
        started = time.perf_counter()
        right = network.train(shares, data.train_labels, rng.permutation(n))
        if not all(np.isfinite(layer.weights()).all() for layer in layers):
            raise FloatingPointError(f"weights are no longer finite after epoch {epoch + 1}")
        network.epochs.append(
            EpochRow(
                epoch=epoch,
                train_accuracy=right / max(n, 1),
                validation_accuracy=network.accuracy(
                    data.validation_images, data.validation_labels
                ),
                seconds=time.perf_counter() - started,
                rates=(),
                forward_spikes=(),
                gradient_spikes=(),
            )
        )
        if on_epoch is not None and on_epoch(network.epochs[-1], lambda: network.state(rng)):
            break
    return network


def _unit(spec: OnlineSpec, n_in: int) -> float:
    return 1.0 if spec.weight_unit == "one" else math.sqrt(2.0 / n_in)


def _levels(bits: int | None) -> np.float32:
    return np.float32(0.0 if bits is None else 2.0**bits - 1.0)


def _initial(
    shape: tuple[int, int], spec: OnlineSpec, bound: float, seed: np.random.SeedSequence
) -> Weights:
    """Start weights before the range cuts them."""
    rng = np.random.default_rng(seed)
    if spec.initial_levels is None:
        normal: Weights = (math.sqrt(2.0 / shape[0]) * rng.standard_normal(shape)).astype(
            np.float32
        )
        return normal
    levels = spec.initial_levels - 1
    even: Weights = (bound * (2.0 * rng.integers(levels + 1, size=shape) / levels - 1.0)).astype(
        np.float32
    )
    return even
