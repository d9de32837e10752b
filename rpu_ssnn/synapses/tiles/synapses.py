"""Synapses in the devices of an aihwkit tile: one coincidence, one device pulse, and nothing else.

A forward spike that meets a positive-stream spike moves its device up by the device's own step,
and a negative-stream spike moves it down. What stands in for the learning rate is physical: the
device's step, the weight range that its conductance range stands for, and thinning of the
gradient trains (each gradient spike reaches the array with a probability, drawn here, since
aihwkit's own generator cannot be seeded).

A device state w (nominally in [-1, 1]) is a conductance

    g = 1/R + (1 - 1/R) (w + 1)/2     (units of G_max; R the on/off ratio)

and the signed weight is `scale` times twice its distance from a reference, or, for a differential
pair, `scale` times the difference of its two devices.
"""

import math

import numpy as np
import torch
from aihwkit.simulator.configs import UpdateParameters
from jaxtyping import Float32

from rpu_ssnn.common.errors import require
from rpu_ssnn.common.parallel import one_blas_thread
from rpu_ssnn.common.training_state import (
    State,
    StateError,
    checked,
    generator_state,
    joined,
    part_of,
    restore_generator,
)
from rpu_ssnn.devices.cell import Rounds
from rpu_ssnn.devices.device_source import DeviceSource
from rpu_ssnn.spec.tile import TileSpec, check_device
from rpu_ssnn.synapses.base import (
    Crossbar,
    PulseBlock,
    Synapses,
    Weights,
    check_from_zero,
    in_order,
    thinned,
)
from rpu_ssnn.synapses.tiles.initial import count_clipped, program, pulse_open_loop
from rpu_ssnn.synapses.tiles.leak import Leak
from rpu_ssnn.synapses.tiles.pulse_rows import RowWriter
from rpu_ssnn.synapses.tiles.tile import (
    built_seconds,
    count_saturated,
    device_map,
    fix_stuck,
    make_tile,
    restore_tile,
    tile_state,
)
from rpu_ssnn.synapses.weights_of_states import (
    cell_mean,
    reference_error,
    state_weight,
    with_conductances,
)
from rpu_ssnn.synapses.writes import count_writes, no_writes, write_statistics


class TileSynapses(Synapses):
    """Holds the weights of one crossbar in one aihwkit tile, or in two for differential pairs.

    Args:
        crossbar: the crossbar that the layer needs.
        device: makes the device configuration, whose `dw_min` is the step of one pulse. Its leak
            acts after each batch or, where one batch is too short for aihwkit's single precision to
            show it, after the smallest number of batches that is long enough (`tiles.leak`).
        spec: weight range, reference, reads, initial writing, stuck devices.
        learning_rate: the equivalent of the ideal synapses' rate; thinning realises it as far as
            the device's step allows (it can only be lowered from one step per coincidence).
        trains: how numbers become pulse trains, in a subclass that updates with numbers; otherwise
            None.

    Attributes:
        spec: the settings that were given.
        tiles: one, or two where a weight is a differential pair.

    Raises:
        InputError: the settings ask for the native simulator, or
            `rpu_ssnn.spec.tile.check_device` refuses them.
    """

    needs_all_spikes = False

    def __init__(
        self,
        crossbar: Crossbar,
        device: DeviceSource,
        spec: TileSpec,
        learning_rate: float,
        trains: UpdateParameters | None = None,
    ) -> None:
        allowed = "must be aihwkit, as these are its tiles"
        require(spec.simulator == "aihwkit", "tile", "simulator", spec.simulator, allowed)
        check_device(device, spec, crossbar.batch, crossbar.slots)
        device_seed, stuck_seed, reference_seed, thinning_seed = np.random.SeedSequence(
            crossbar.seed
        ).spawn(4)
        self.spec, self.shape = spec, crossbar.initial.shape
        self._cell, self._config = device.cell, device.device(built_seconds(device))
        pair = self._cell.pair or spec.reference.scheme == "differential_pair"
        self.tiles = [
            make_tile(self.shape, device, spec.reads, part, trains)
            for part in device_seed.spawn(2 if pair else 1)
        ]
        for tile, part in zip(self.tiles, stuck_seed.spawn(len(self.tiles)), strict=True):
            fix_stuck(tile, spec, np.random.default_rng(part))
        batch_seconds = spec.batch_seconds(crossbar.batch, crossbar.slots)
        self._leak = Leak(device, self.tiles, batch_seconds)

        self._per_state = state_weight(spec, crossbar.he_std)
        self._offset = reference_error(self.shape, spec, crossbar.he_std, reference_seed)

        spikes = trains is None
        self._rounds = self._cell.rounds(self._config, self.tiles[0]) if spikes else Rounds()
        self._state_step = self._cell.step(self._config)
        self.device_step = float(self._per_state) * self._state_step
        self._wanted_step = crossbar.wanted_step(learning_rate)
        self._rng = np.random.default_rng(thinning_seed)
        self._rows = RowWriter(*self.shape)
        self._rows_sent, self._writes = 0, no_writes()
        self._held: list[PulseBlock] = []
        self._initial_pulses = self._initial_clipped = self._leak_steps = 0
        self.set_step_scale(1.0)
        self._first_keep = self.keep
        self._write_initial(crossbar.initial)
        self._stale = True
        self._weights = crossbar.initial

    def linear_read(self) -> Weights | None:
        return self.weights() if self.spec.reads is None else None

    def weights(self) -> Weights:
        """Returns the signed weights that the devices stand for now, read without error."""
        if self._stale:
            states = [tile.tile.get_weights().numpy().T for tile in self.tiles]
            weights = cell_mean(states)
            weights *= self._per_state  # aihwkit gave a copy of them
            if self._offset is not None:
                weights -= self._offset
            self._weights = weights
            self._stale = False
        return self._weights

    def currents(
        self, lines: Float32[np.ndarray, "batch lines"], transposed: bool = False
    ) -> Float32[np.ndarray, "batch others"]:
        signals = torch.from_numpy(lines)
        with torch.no_grad():
            parts = [
                (tile.backward if transposed else tile.joint_forward)(signals).numpy()
                for tile in self.tiles
            ]
        current = self._per_state * cell_mean(parts)
        if self._offset is not None:  # the reference line is read without error
            with one_blas_thread():
                current = current - lines @ (self._offset.T if transposed else self._offset)
        result: Float32[np.ndarray, "batch others"] = current.astype(np.float32)
        return result

    def update(self, block: PulseBlock) -> None:
        self._held.append(block.copy())

    def settle(self) -> None:
        """Sends the pulses to the devices, unless reads are calls to the tile, which must not see
        them before the commit."""
        if self.spec.reads is None:
            self._send_held()

    def commit(self, presentations: range) -> None:
        """Sends the pulses that are still held, and notes whether weights have changed."""
        self._send_held()
        if self._stale:
            self.changes += 1

    def drop_pulses(self) -> None:
        self._held.clear()

    def _send_held(self) -> None:
        for block in in_order(self._held):
            kept = thinned(block.post, self.keep, self._rng)
            count_writes(block, kept, self._writes)
            row = 0
            while row < block.rows:
                row, x, d = self._rows.write(block, kept, row)
                if len(x):
                    self._pulse(x, d)
        self._held.clear()

    def end_batch(self) -> None:
        self._leaked(self._leak.end_batch())

    def rest(self, seconds: float) -> None:
        check_from_zero("seconds", seconds)
        self._leaked(self._leak.wait(seconds))

    def set_step_scale(self, scale: float) -> None:
        """Thins the trains to the wanted step; a coincidence cannot make more than one step.

        Where a transfer or a digital sum realises the step instead, no train is thinned.
        """
        step = self._wanted_step * scale
        rate = self._cell.learning_rate(step, self.device_step, self._per_state)
        if rate is None:
            self.keep = min(1.0, step / self.device_step)
            return
        self.keep = 1.0
        for tile in self.tiles:
            tile.set_learning_rate(float(rate))

    def state(self) -> State:
        """Returns the devices, their pulse counts, the thinning and the batches since the last
        leak."""
        return {
            **joined({f"tile_{n}": tile_state(tile) for n, tile in enumerate(self.tiles, 1)}),
            **joined({"refresh": self._rounds.state()}),
            **{name: counts.copy() for name, counts in self.pulse_counts().items()},
            "keep": np.array(self.keep),
            "thinning": generator_state(self._rng),
            "batches": np.array(self._leak.times.batches),
            "leak_steps": np.array(self._leak_steps),
            "rows_sent": np.array(self._rows_sent),
            "writes": self._writes.copy(),
        }

    def restore(self, state: State) -> None:
        if self._cell.not_restored_because is not None:
            raise StateError(self._cell.not_restored_because)
        checked(state, self.state())
        self.drop_pulses()
        for n, tile in enumerate(self.tiles, 1):
            restore_tile(tile, part_of(state, f"tile_{n}"))
        self._rounds.restore(part_of(state, "refresh"))
        for name, counts in self.pulse_counts().items():
            counts[:] = state[name]
        self.keep = float(state["keep"])
        restore_generator(self._rng, state["thinning"])
        self._leak.times.batches = int(state["batches"])
        self._leak_steps = int(state["leak_steps"])
        self._rows_sent = int(state["rows_sent"])
        self._writes[:] = state["writes"]
        self._stale = True
        self.changes += 1

    def statistics(self) -> dict[str, float]:
        """Returns pulses, saturation, drive, and what besides pulses may have changed a weight.

        Pulses are counted by device: in a pair one goes up when the other goes down. `pulses_p99`
        and `pulses_max` are the pulses, up plus down, of one device; both devices of a pair get the
        same. `step_wanted` over `device_step` above 1 means that the device could not be driven as
        hard as wanted: its trains stay unthinned until the decay has brought the ratio below 1.
        """
        weights = math.prod(self.shape)
        tiles, rows = len(self.tiles), self._rows_sent
        saturated = sum(count_saturated(tile, self._cell) for tile in self.tiles)
        return {
            "devices_total": float(tiles * weights * self._cell.devices),
            **self._cell.statistics(self._config, self._rows.up, self._rows.down, tiles, rows),
            "saturated_total": float(saturated),
            "initial_pulses_total": float(self._initial_pulses),
            "initial_clipped_total": float(self._initial_clipped),
            **write_statistics(self._writes),
            "leak_steps": float(self._leak_steps),
            "step_wanted": self._wanted_step,
            "device_step": self.device_step,
            "thinning": self._first_keep,
            "thinning_last": self.keep,
            **self._rounds.statistics(),
        }

    def device_maps(self) -> list[dict[str, np.ndarray]]:
        reference = None if self._offset is None else self._offset / self._per_state
        return [with_conductances(device_map(tile), self.spec, reference) for tile in self.tiles]

    def pulse_counts(self) -> dict[str, np.ndarray]:
        return {"pulses_up": self._rows.up, "pulses_down": self._rows.down}

    def _leaked(self, decayed: bool) -> None:
        if decayed:
            self._leak_steps += 1
            self._stale = True
            self.changes += 1

    def _pulse(
        self, x: Float32[np.ndarray, "rows n_in"], d: Float32[np.ndarray, "rows n_out"]
    ) -> None:
        """Sends one row per slot: a pulse to each device where x and d meet (up where d < 0).

        In a differential pair the second device goes down when the first goes up.
        """
        first = 0
        while first < len(x):
            at_once = self._rounds.slots_left or len(x)
            part = slice(first, first + at_once)
            lines = torch.from_numpy(x[part])
            for sign, tile in zip((1.0, -1.0), self.tiles, strict=False):
                tile.update(lines, torch.from_numpy(d[part] if sign > 0 else -d[part]))
            self._rounds.after(len(lines))
            first += at_once
        self._rows_sent += len(x)
        self._stale = True

    def _write_initial(self, initial: Weights) -> None:
        """Writes the initial weights against the reference (programmed), or pulses them open
        loop."""
        state = (initial / self._per_state).astype(np.float32)
        programmed = self.spec.initial == "programmed"
        if programmed and self._offset is not None:
            state += self._offset / self._per_state
        self._initial_clipped = count_clipped(self.tiles, self._cell, state)
        if programmed:
            program(self.tiles, state)
            return
        sent = pulse_open_loop(self.tiles, state, self._state_step, self._pulse)
        self._initial_pulses = sent * len(self.tiles) * self._cell.in_parallel
