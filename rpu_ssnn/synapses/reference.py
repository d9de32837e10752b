"""Synapses in devices that remember their pulses exactly: not aihwkit, for small arrays.

What `TileSynapses` can only approximate (aihwkit's devices remember no gap and lose no charge in
log-time) is computed here device by device and pulse by pulse, for the very devices of the tile:
bounds, steps and slopes are drawn by aihwkit with the same seed, and thinning draws the same
numbers. Noise from pulse to pulse follows the seed here.
"""

import math

import numpy as np
from jaxtyping import Float32, Int8, UInt8

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.synapses.array import SATURATION_MARGIN, DeviceSource, fix_stuck, make_tile
from rpu_ssnn.synapses.base import Crossbar, PulseBlock, Synapses, SynapsesFactory, Weights
from rpu_ssnn.synapses.pulse_history import PulseHistory
from rpu_ssnn.synapses.reference_device import Population, ReferenceDevices
from rpu_ssnn.tile_spec import NEEDS_MEMORY, TileSpec
from rpu_ssnn.training_state import (
    State,
    checked,
    generator_state,
    joined,
    part_of,
    restore_generator,
)


class ReferenceSynapses(Synapses):
    """Weights of one crossbar in devices that each know when they were last pulsed.

    Args:
        crossbar: what the layer asks for.
        device: a device with `pulse_physics`, whose spread aihwkit draws.
        spec: as for a tile, `simulator` being `reference`.
        learning_rate: as for a tile; thinning realises it.

    Raises:
        InputError: the device does not remember its pulses.
    """

    ordered = True
    needs_all_spikes = False

    def __init__(
        self, crossbar: Crossbar, device: DeviceSource, spec: TileSpec, learning_rate: float
    ) -> None:
        physics = device.pulse_physics
        if physics is None:
            raise InputError("tile", "simulator", spec.simulator, NEEDS_MEMORY)
        device_seed, stuck_seed, noise_seed, thinning_seed = np.random.SeedSequence(
            crossbar.seed
        ).spawn(4)
        self._shape = crossbar.initial.shape
        config = device.device()
        self._history = PulseHistory(crossbar, physics, spec)
        off = 1.0 / spec.reference.on_off_ratio if spec.reference.on_off_ratio else 0.0
        self._per_state = spec.weight_range * crossbar.he_std * (1.0 - off)
        state = (crossbar.initial / np.float32(self._per_state)).astype(np.float32)
        population = _population(self._shape, device, spec, device_seed, stuck_seed)
        wanted = state.ravel().astype(np.float64)
        beyond = (wanted < population.low) | (wanted > population.high)
        self._initial_clipped = int((beyond & (population.high > population.low)).sum())
        self._devices = ReferenceDevices(
            population,
            physics.rest_state,
            wanted,
            np.random.default_rng(noise_seed),
        )
        self.device_step = self._per_state * config.dw_min
        self._wanted_step = (
            crossbar.theta * learning_rate * crossbar.gain / (crossbar.batch * crossbar.T)
        )
        self._rng = np.random.default_rng(thinning_seed)
        self._up = np.zeros(math.prod(self._shape), dtype=np.int64)
        self._down = np.zeros_like(self._up)
        self.set_step_scale(1.0)

    @property
    def shape(self) -> tuple[int, int]:
        return self._shape

    @property
    def pulses_up(self) -> np.ndarray:
        """Positive-stream pulses each weight got, [n_in, n_out]."""
        return self._up.reshape(self._shape)

    @property
    def pulses_down(self) -> np.ndarray:
        """Negative-stream pulses each weight got, [n_in, n_out]."""
        return self._down.reshape(self._shape)

    def linear_read(self) -> Weights:
        states = self._devices.states(self._history.kept())
        return (self._per_state * states).astype(np.float32).reshape(self._shape)

    def forward_current(
        self, spikes: UInt8[np.ndarray, "batch n_in"]
    ) -> Float32[np.ndarray, "batch n_out"]:
        current: Float32[np.ndarray, "batch n_out"] = spikes.astype(np.float32) @ self.linear_read()
        return current

    def transposed_current(
        self, net: Int8[np.ndarray, "batch n_out"]
    ) -> Float32[np.ndarray, "batch n_in"]:
        current: Float32[np.ndarray, "batch n_in"] = net.astype(np.float32) @ self.linear_read().T
        return current

    def update(self, block: PulseBlock) -> None:
        if self.keep < 1.0:
            kept = self._rng.random(len(block.post), dtype=np.float32) < self.keep
        else:
            kept = np.ones(len(block.post), dtype=np.bool_)
        pulses = self._history.pulses(block, kept, 0, block.rows)
        self._devices.pulse(pulses)
        self._up += np.bincount(pulses.device[pulses.sign > 0], minlength=len(self._up))
        self._down += np.bincount(pulses.device[pulses.sign < 0], minlength=len(self._up))

    def commit(self, presentations: range) -> None:
        """Pulses act at once; what waits is only the next read."""
        self.changes += 1

    def end_batch(self) -> None:
        self._history.end_batch()
        self.changes += 1

    def rest(self, seconds: float) -> None:
        self._history.rest(seconds)
        self.changes += 1

    def set_step_scale(self, scale: float) -> None:
        """Thin the trains to the wanted step; above one step a coincidence there is no more."""
        self.keep = min(1.0, self._wanted_step * scale / self.device_step)

    def state(self) -> State:
        return {
            **joined({"devices": self._devices.state(), "history": self._history.state()}),
            "pulses_up": self._up.copy(),
            "pulses_down": self._down.copy(),
            "keep": np.array(self.keep),
            "thinning": generator_state(self._rng),
        }

    def restore(self, state: State) -> None:
        checked(state, self.state())
        self._devices.restore(part_of(state, "devices"))
        self._history.restore(part_of(state, "history"))
        self._up[:], self._down[:] = state["pulses_up"], state["pulses_down"]
        self.keep = float(state["keep"])
        restore_generator(self._rng, state["thinning"])
        self.changes += 1

    def statistics(self) -> dict[str, float]:
        """As `TileSynapses.statistics` of a device that remembers its pulses."""
        pulses = self._up + self._down
        states = self._devices.states(self._history.kept())
        return {
            "devices_total": float(math.prod(self._shape)),
            "pulses_up_total": float(self._up.sum()),
            "pulses_down_total": float(self._down.sum()),
            "pulses_p99": float(np.percentile(pulses, 99)),
            "pulses_max": float(pulses.max()),
            "saturated_total": float(self._devices.saturated(states, SATURATION_MARGIN)),
            "initial_pulses_total": 0.0,
            "initial_clipped_total": float(self._initial_clipped),
            "leak_steps": 0.0,
            "step_wanted": self._wanted_step,
            "device_step": self.device_step,
            "thinning": min(1.0, self._wanted_step / self.device_step),
            "thinning_last": self.keep,
            **self._history.statistics(),
            "step_rewrites": 0.0,
            "charge_writes": 0.0,
        }


def _population(
    shape: tuple[int, int],
    device: DeviceSource,
    spec: TileSpec,
    device_seed: np.random.SeedSequence,
    stuck_seed: np.random.SeedSequence,
) -> Population:
    """The devices that the tile of these seeds has (`TileSynapses`)."""
    config = device.device()
    tile = make_tile(shape, config, None, device_seed.spawn(1)[0])
    fix_stuck(tile, spec, np.random.default_rng(stuck_seed.spawn(1)[0]))
    hidden = {
        name: values.numpy().T.ravel().astype(np.float64)
        for name, values in tile.get_hidden_parameters().items()
    }
    return Population(
        low=hidden["min_bound"],
        high=hidden["max_bound"],
        up=hidden["dwmin_up"],
        down=hidden["dwmin_down"],
        slope_up=hidden["slope_up"],
        slope_down=hidden["slope_down"],
        noise=config.dw_min_std,
        noise_follows_step=config.mult_noise,
    )


def reference_synapses(
    device: DeviceSource, spec: TileSpec, learning_rate: float
) -> SynapsesFactory:
    """Synapses in exact reference devices for every crossbar of a network."""
    return lambda crossbar: ReferenceSynapses(crossbar, device, spec, learning_rate)
