"""Synapses in seeded devices that this package simulates itself, without tiles of aihwkit.

Coincidences, thinned trains, references and pairs mean the same as in `TileSynapses`, and the
devices are those that aihwkit draws for the same seed. Pulses wait until all presentations before a
commit are over. Each thread then applies all pulses to its own slice of the devices, in physical
order; devices are independent, so no thread waits for another. Noise depends on the seed, the
device and the number of its pulse (`random_numbers`), so the number of threads changes no weight.
"""

from functools import partial

import numpy as np
from jaxtyping import Float32, UInt32

from rpu_ssnn.common.training_state import (
    State,
    StateError,
    checked,
    generator_state,
    joined,
    part_of,
    restore_generator,
)
from rpu_ssnn.devices.device_source import DeviceSource
from rpu_ssnn.spec.tile import TileSpec, check_device
from rpu_ssnn.synapses.base import Crossbar, PulseBlock, Synapses, Weights, check_from_zero
from rpu_ssnn.synapses.native.cells import Pulses
from rpu_ssnn.synapses.native.device_array import DeviceArray
from rpu_ssnn.synapses.native.effects.registry import effects_of
from rpu_ssnn.synapses.native.initial import count_saturated, write_initial
from rpu_ssnn.synapses.native.pulse_store import PulseStore
from rpu_ssnn.synapses.native.pulses import pulse_lines
from rpu_ssnn.synapses.native.reads import NativeReads
from rpu_ssnn.synapses.native.setup import Setup
from rpu_ssnn.synapses.native.shown_weights import copy_changes
from rpu_ssnn.synapses.weights_of_states import with_conductances
from rpu_ssnn.synapses.writes import write_statistics

FEW_CHANGES = 8
"""Where fewer than one weight in this many got a pulse, only these weights are copied."""

MOST_RECENT = 8
"""Copies of the weights that are at most this many commits behind receive only the changes."""


class NativeSynapses(Synapses):
    """Holds the weights of one crossbar in devices that this package simulates.

    Args:
        crossbar: the crossbar that the layer needs, and the threads that it lends.
        device: any device of the library except cells with transfers or digital sums.
        spec: as for a tile, with the simulator `native`.
        learning_rate: as for a tile; thinning realises it.

    Raises:
        InputError: this simulator cannot change the weights of such a device by pulses, or
            `rpu_ssnn.spec.tile.check_device` refuses it.

    Attributes:
        spec: the settings that were given.
    """

    def __init__(
        self, crossbar: Crossbar, device: DeviceSource, spec: TileSpec, learning_rate: float
    ) -> None:
        check_device(device, spec, crossbar.batch, crossbar.slots)
        setup = Setup(crossbar, device, spec)
        if spec.line_spread.acts:
            setup.refuse_several_arrays("line_spread")
        self.spec, self.shape = spec, setup.shape
        self._array = DeviceArray(setup)
        self._clock, drawn = self._array.clock, self._array.drawn
        self._digest, self._hidden = drawn.digest, tuple(drawn.law.hidden_fields)
        self._effects = effects_of(setup, self._array)
        self._reads = NativeReads(setup, self._array, self._effects)
        self.needs_all_spikes = any(effect.needs_all_spikes for effect in self._effects)
        self._store = PulseStore(self.shape[1])
        self.device_step = float(self._array.cells.per_state) * drawn.step
        self._wanted_step = crossbar.wanted_step(learning_rate)
        self._rng = np.random.default_rng(setup.seeds.thinning)
        self._up = self._down = 0
        self.set_step_scale(1.0)
        self._first_keep = self.keep
        self._begin_effects()
        self._initial_clipped, self._initial_pulses = write_initial(setup, self._array)
        self._array.begin()
        for effect in self._effects:
            effect.written()
        self._begin_effects()
        self._recent: list[tuple[int, Pulses]] = []

    @property
    def pulses(self) -> UInt32[np.ndarray, "n_in n_out"]:
        """Returns the number of pulses, up plus down, that each cell's devices got in training, and
        for a user's law also in a pulsed start."""
        return self._array.as_crossbar(self._array.cells.records["pulses"][0])

    @property
    def records(self) -> list[np.ndarray]:
        """Returns the records (`device_record.RECORD`) as [n_in, n_out], one array per device of a
        cell.

        The arrays are not copies; their states are those of the last write.
        """
        return [self._array.as_crossbar(part) for part in self._array.cells.records]

    def states(self) -> list[Weights]:
        """Returns the states that reads find now, [n_in, n_out], one array for each device of a
        cell.

        They include what devices have lost since their last pulse, and write noise.
        """
        return self._array.states()

    def linear_read(self) -> Weights | None:
        return self._reads.weights() if self._reads.linear else None

    def weights(self) -> Weights:
        """Returns the signed weights that the devices stood for at the last commit, without copying
        them."""
        return self._array.weights()

    def write_changes(self, since: int, flat: Weights, transposed: Weights) -> bool:
        """Brings the copies up to date where nothing but the pulses of the last few commits has
        changed a weight."""
        if self._array.stale or self._reads.errors():
            return False
        recent = [pulses for change, pulses in self._recent if change > since]
        if len(recent) != self.changes - since:
            return False
        for pulses in recent:
            copy_changes(pulses, self._array.cells.weights, flat, transposed)
        return True

    def currents(
        self, lines: Float32[np.ndarray, "batch lines"], transposed: bool = False
    ) -> Float32[np.ndarray, "batch others"]:
        if self._reads.linear:
            return super().currents(lines, transposed)
        return self._reads.currents(lines, transposed)

    def update(self, block: PulseBlock) -> None:
        """Keeps the pulses for the next commit; several threads may do so at once."""
        self._store.add(block)

    def settle(self) -> None:
        """Applies the waiting pulses; no thread may deliver more of earlier presentations after
        this."""
        taken = self._store.take(self._clock.batch_began, self._clock.slots, self.keep, self._rng)
        if taken is None:
            return
        pulses, array = taken.pulses, self._array
        self._clock.pass_to(pulses.at)
        array.slices.call(partial(pulse_lines, array.cells, self._clock.memory, pulses), taken.work)
        self._up += taken.up
        self._down += taken.down
        self.changes += 1
        for effect in self._effects:
            array.stale |= effect.after_pulses(pulses)
        few = FEW_CHANGES * (taken.up + taken.down) < array.cells.weights.size
        self._recent = [*self._recent[1 - MOST_RECENT :], (self.changes, pulses)] if few else []

    def drop_pulses(self) -> None:
        self._store.clear()

    def commit(self, presentations: range) -> None:
        self.settle()
        self._pass_time([effect.after_commit() for effect in self._effects])

    def end_batch(self) -> None:
        self._clock.end_batch()
        self._pass_time([effect.after_batch() for effect in self._effects])

    def rest(self, seconds: float) -> None:
        check_from_zero("seconds", seconds)
        self._clock.rest(seconds)
        self._pass_time([effect.after_rest(seconds) for effect in self._effects])

    def set_step_scale(self, scale: float) -> None:
        """Thins the trains to the wanted step; a coincidence cannot make more than one step."""
        self.keep = min(1.0, self._wanted_step * scale / self.device_step)

    def state(self) -> State:
        """Returns the devices, their pulse counts, the thinning, the clock and the state of
        effects."""
        reads = {} if self._reads.linear else {"reads": generator_state(self._reads.rng)}
        records = self._array.cells.records
        return {
            **joined({"clock": self._clock.state()}),
            **joined({effect.name: effect.state() for effect in self._effects}),
            **reads,
            "states": records["state"].copy(),
            **{f"hidden_{name}": records[name].copy() for name in self._hidden},
            "pulses": records["pulses"][0].copy(),
            "devices": np.frombuffer(self._digest, dtype=np.uint8),
            "totals": np.array([self._up, self._down, self._array.writes]),
            "writes": self._store.writes.copy(),
            "factors": np.array(self._array.slices.step_factors()),
            "keep": np.array(self.keep),
            "thinning": generator_state(self._rng),
        }

    def restore(self, state: State) -> None:
        checked(state, self.state())
        if not np.array_equal(state["devices"], np.frombuffer(self._digest, dtype=np.uint8)):
            raise StateError("its devices are other ones")
        self.drop_pulses()
        records = self._array.cells.records
        records["state"][:] = state["states"]
        for name in self._hidden:
            records[name][:] = state[f"hidden_{name}"]
        records["pulses"][0] = state["pulses"]
        self._clock.restore(part_of(state, "clock"))
        for effect in self._effects:
            effect.restore(part_of(state, effect.name))
        self._array.slices.restore_step_factors(float(state["factors"]))
        self._up, self._down, writes = map(int, state["totals"])
        self._store.writes[:] = state["writes"]
        self.keep = float(state["keep"])
        restore_generator(self._rng, state["thinning"])
        if not self._reads.linear:
            restore_generator(self._reads.rng, state["reads"])
        self._array.restored(writes)
        self._begin_effects()
        self._pass_time([True])

    def statistics(self) -> dict[str, float]:
        """Returns numbers for the result row, named as in `TileSynapses`, including those of
        effects."""
        records, factors = self._array.cells.records, self._array.slices.step_factors()
        rising = int((self._array.cells.signs > 0).sum())
        falling = len(records) - rising
        up = rising * self._up + falling * self._down
        down = rising * self._down + falling * self._up
        pulses = records["pulses"][0].astype(np.int64)
        effects = [effect.statistics().items() for effect in self._effects]
        return {
            "devices_total": float(records.size),
            "pulses_up_total": float(up),
            "pulses_down_total": float(down),
            "pulses_p99": float(np.percentile(pulses, 99)),
            "pulses_max": float(pulses.max()),
            "saturated_total": float(count_saturated(records, self._array.cells.shared)),
            "initial_pulses_total": float(self._initial_pulses),
            "initial_clipped_total": float(self._initial_clipped),
            **write_statistics(self._store.writes),
            **dict(item for items in effects for item in items),
            "step_wanted": self._wanted_step,
            "device_step": self.device_step,
            "thinning": self._first_keep,
            "thinning_last": self.keep,
            **self._clock.statistics(factors, self._up + self._down),
        }

    def device_maps(self) -> list[dict[str, np.ndarray]]:
        """Returns the map of each device of a cell; the first one of a pair counts the pulses of
        both."""
        array, counts = self._array, {"pulses": self.pulses}
        offset, maps = array.cells.offset, array.device_maps()
        reference = array.as_crossbar(offset / array.cells.per_state) if len(offset) else None
        return [with_conductances(device | counts, self.spec, reference) for device in maps]

    def _begin_effects(self) -> None:
        for effect in self._effects:
            effect.begin()

    def _pass_time(self, changed: list[bool]) -> None:
        """Makes changes visible to reads, and marks weights as stale if any of `changed` is true,
        or charge is lost in time."""
        if self._clock.loses or any(changed):
            self._array.stale = True
            self.changes += 1
        self._reads.forget()
