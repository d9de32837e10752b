"""Trains crossbars image by image, as float weights or as native devices with counted pulses."""

import math

import numpy as np

from rpu_ssnn.baselines.control_settings import READS_A_PRESENTATION
from rpu_ssnn.common.training_state import State, checked
from rpu_ssnn.devices.device_record import empty_records
from rpu_ssnn.devices.device_source import DeviceSource
from rpu_ssnn.devices.shared import Shared
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses.base import Crossbar, Weights
from rpu_ssnn.synapses.native.cells import Cells, Memory
from rpu_ssnn.synapses.native.synapses import NativeSynapses
from studies.reproductions.training.one_by_one_compiled import Layer, make_layer
from studies.reproductions.training.one_by_one_spec import OnlineSpec, WholePulseSpec

SeedPair = tuple[np.random.SeedSequence, np.random.SeedSequence]
"""The first seed is for the initial weights of one crossbar, the second for its devices."""


class FloatLayer:
    """Holds the float weights of one crossbar, which change exactly.

    Args:
        n_in, n_out: numbers of lines.
        spec: settings with the unit of weights and their start.
        bound: largest weight in that unit, or None for no bound.
    """

    def __init__(
        self, n_in: int, n_out: int, spec: OnlineSpec, bound: float | None, seeds: SeedPair
    ) -> None:
        unit = _unit(spec, n_in)
        most = 0.0 if bound is None else bound * unit
        start = _initial((n_in, n_out), spec, most or unit, seeds[0])
        self._shape, self._weights = (n_in, n_out), np.ascontiguousarray(start.T).ravel()
        if most:
            np.clip(self._weights, -most, most, out=self._weights)
        self._bound = most

    def compiled(self, rate: float) -> Layer:
        """Returns the layer for compiled code, which shares its arrays."""
        none = empty_records(self._weights.size).reshape(1, -1)
        cells = Cells(
            law=0,
            shared=Shared(),
            records=none,
            signs=np.ones(1, dtype=np.float32),
            weights=self._weights,
            per_state=np.float32(1.0),
            offset=np.zeros(0, dtype=np.float32),
            pulse_key=np.uint64(0),
            read_key=np.uint64(0),
        )
        return make_layer(self._shape, cells, Memory(), rate, self._bound, (0.0, 0.0))

    def weights(self) -> Weights:
        """Returns the weights themselves, not a copy, [n_in, n_out]."""
        return self._weights.reshape(self._shape[::-1]).T

    def pulsed(self, up: int, down: int) -> None:
        """Does nothing, since float weights do not get pulses."""

    def state(self) -> State:
        """Returns a copy of the weights."""
        return {"weights": self._weights.copy()}

    def restore(self, state: State) -> None:
        """Sets the weights to those of a state."""
        self._weights[:] = checked(state, self.state())["weights"]

    def statistics(self) -> dict[str, float]:
        """Returns nothing, since float weights have no statistics."""
        return {}


class WholePulseLayer(NativeSynapses):
    """Holds the native devices of one crossbar, which get counted pulses instead of spikes.

    Args:
        n_in, n_out: numbers of lines.
        device: a device of the library that neither remembers its pulses nor loses charge.
        tile: as for `NativeSynapses`, without converters and without effects of time and lines,
            which `rules.whole_pulse_sgd` refuses.

    Raises:
        InputError: see `NativeSynapses`.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        spec: WholePulseSpec,
        device: DeviceSource,
        tile: TileSpec,
        seeds: SeedPair,
    ) -> None:
        unit = _unit(spec, n_in)
        bound = tile.weight_range * unit * (1.0 - tile.reference.off)
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
        """Returns the layer for compiled code, which shares its arrays."""
        self.weights()  # this call puts the weights where compiled code reads them
        cells, memory = self._array.cells, self._clock.memory
        return make_layer(self.shape, cells, memory, rate, self._bound, self._per_weight)

    def pulsed(self, up: int, down: int) -> None:
        """Counts the pulses that compiled code has sent, and marks the weights as changed."""
        self._up += up
        self._down += down
        self.changes += 1

    def statistics(self) -> dict[str, float]:
        """Returns `NativeSynapses.statistics` without the wanted step and the thinning."""
        without = ("step_wanted", "thinning", "thinning_last")
        return {n: value for n, value in super().statistics().items() if n not in without}


def _unit(spec: OnlineSpec, n_in: int) -> float:
    return 1.0 if spec.weight_unit == "one" else math.sqrt(2.0 / n_in)


def _initial(
    shape: tuple[int, int], spec: OnlineSpec, bound: float, seed: np.random.SeedSequence
) -> Weights:
    """Returns the initial weights before they are clipped to the range."""
    rng = np.random.default_rng(seed)
    if spec.initial_levels is None:
        start = math.sqrt(2.0 / shape[0]) * rng.standard_normal(shape)
    else:
        levels = spec.initial_levels - 1
        start = bound * (2.0 * rng.integers(levels + 1, size=shape) / levels - 1.0)
    return start.astype(np.float32)
