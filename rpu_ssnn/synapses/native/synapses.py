"""Synapses in devices that this package simulates itself: seeded, and not in a tile of aihwkit.

What a coincidence, a thinned train, a reference and a pair are is as in `TileSynapses`, and the
devices are those that aihwkit draws for the same seed. Pulses wait until all presentations before
a commit are over. Then each thread owns a slice of the devices and applies all pulses to it, in
physical order: devices are independent, so nothing waits for anything. Noise follows from the seed,
the device and the number of its pulse (`random_numbers`), so that threads change no number.
"""

from functools import partial

import numpy as np
from jaxtyping import Float32, Int8, UInt8, UInt32

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.synapses.array import DeviceSource
from rpu_ssnn.synapses.base import Crossbar, PulseBlock, Synapses, SynapsesFactory, Weights
from rpu_ssnn.synapses.native.apply import (
    copy_changes,
    decay_lines,
    pulse_lines,
    show_lines,
)
from rpu_ssnn.synapses.native.cells import Cells, Pulses, Room
from rpu_ssnn.synapses.native.clock import Clock
from rpu_ssnn.synapses.native.effects.half_select import disturb_lines, disturb_of, mean_steps
from rpu_ssnn.synapses.native.effects.leak import NativeLeak
from rpu_ssnn.synapses.native.effects.line_spread import spread_steps
from rpu_ssnn.synapses.native.effects.memory import faded_lines
from rpu_ssnn.synapses.native.effects.reads import NativeReads
from rpu_ssnn.synapses.native.initial import saturated, write_initial
from rpu_ssnn.synapses.native.population import OfDevices, draw_population, with_array_physics
from rpu_ssnn.synapses.native.pulse_store import PulseStore
from rpu_ssnn.synapses.native.threads import Slices
from rpu_ssnn.tile_spec import NO_HALF_SELECT, TileSpec
from rpu_ssnn.training_state import (
    State,
    StateError,
    checked,
    generator_state,
    joined,
    part_of,
    restore_generator,
)

MOST_SPIKES = 1 << 22
"""Spikes that wait at most where one thread hands them on in order (32 MB, whatever T is)."""


FEW_CHANGES = 8
"""Where not even one weight in so many has got a pulse, reads are told which have."""

MOST_RECENT = 8
"""Commits that reads may miss and still be told."""


class NativeSynapses(Synapses):
    """Weights of one crossbar in our own devices.

    Args:
        crossbar: what the layer asks for, and the threads that it lends.
        device: of the library; any but cells with transfers or digital sums.
        spec: as for a tile, `simulator` being `native`.
        learning_rate: as for a tile; thinning realises it.

    Raises:
        InputError: no pulse of ours reaches the weights of such a device.
    """

    ordered = False

    def __init__(
        self, crossbar: Crossbar, device: DeviceSource, spec: TileSpec, learning_rate: float
    ) -> None:
        seeds = np.random.SeedSequence(crossbar.seed).spawn(6)
        device_seed, stuck_seed, reference_seed, thinning_seed, noise_seed, spread_seed = seeds
        self._spec, self._shape = spec, crossbar.initial.shape
        pair = device.pair or spec.reference.scheme == "differential_pair"
        drawn = draw_population(
            self._shape, device, spec, device_seed, stuck_seed, 2 if pair else 1
        )
        self._digest, self._resets = drawn.digest, drawn.reset
        spread = np.random.default_rng(spread_seed)
        spread_steps(drawn.records, drawn.model, self._shape, spec.line_spread, spread)
        if spec.half_select.acts and device.pulse_physics is not None:
            raise InputError("tile", "half_select", spec.half_select, NO_HALF_SELECT)
        self.needs_all_spikes = spec.half_select.acts
        self._disturbed = 0.0
        off = 1.0 / spec.reference.on_off_ratio if spec.reference.on_off_ratio else 0.0
        scale = spec.weight_range * crossbar.he_std
        per_state = np.float32(scale * (1.0 - off))
        offset = np.zeros(0, dtype=np.float32)
        if spec.reference.scheme == "reference_device":
            error = np.random.default_rng(reference_seed).standard_normal(self._shape)
            shift = (scale * (1.0 + off) * spec.reference.spread * error).astype(np.float32)
            offset = np.ascontiguousarray(shift.T).ravel()
        pulse_key, read_key, start_key, line_key = noise_seed.generate_state(4, np.uint64)
        self._read_keys, self._writes = np.random.SeedSequence(int(read_key)), 0
        self._clock = Clock(crossbar, device, spec)
        self._cells = Cells(
            model=drawn.model,
            rules=with_array_physics(drawn, spec)._replace(rest=np.float32(self._clock.rest_state)),
            records=drawn.records,
            signs=np.array([1.0, -1.0][: 2 if pair else 1], dtype=np.float32),
            weights=np.zeros(crossbar.initial.size, dtype=np.float32),
            per_state=per_state,
            offset=offset,
            pulse_key=pulse_key,
            read_key=self._read_key(),
        )
        self._memory = self._clock.memory
        presentation_seconds = crossbar.slots * spec.slot_seconds + spec.idle_seconds
        self._leak = NativeLeak(device, drawn.decay, crossbar.batch * presentation_seconds)
        self._leak_steps = 0
        self._slices = Slices(self._shape, crossbar.pool, crossbar.threads)
        self._in_order = crossbar.threads == 1
        self._store = PulseStore(self._shape[1])
        self.device_step = float(per_state) * drawn.step
        self._wanted_step = (
            crossbar.theta * learning_rate * crossbar.gain / (crossbar.batch * crossbar.T)
        )
        self._rng = np.random.default_rng(thinning_seed)
        self._up = self._down = 0
        self.set_step_scale(1.0)
        self._first_keep = self.keep
        written = write_initial(
            self._cells, crossbar.initial, spec, drawn.step, start_key, self._slices
        )
        self._initial_clipped, self._initial_pulses = written
        self._reads = None
        if spec.reads is not None:
            self._reads = NativeReads(spec.reads, np.random.default_rng(int(line_key)))
        self._stale = True
        self._recent: list[tuple[int, Pulses]] = []
        self._shown = self._cells.weights
        if self._fades_alike():
            self._shown = np.empty_like(self._cells.weights)

    @property
    def shape(self) -> tuple[int, int]:
        return self._shape

    @property
    def pulses(self) -> UInt32[np.ndarray, "n_in n_out"]:
        """Pulses, up plus down, that each device of each cell got in training."""
        return self._as_crossbar(self._cells.records["pulses"][0])

    @property
    def spec(self) -> TileSpec:
        """How the devices hold the weights."""
        return self._spec

    @property
    def records(self) -> list[np.ndarray]:
        """All there is of each device (`device_record.RECORD`), [n_in, n_out]; one or two a cell.

        Not a copy; states are those of the last write.
        """
        return [self._as_crossbar(part) for part in self._cells.records]

    def linear_read(self) -> Weights | None:
        return None if self._reads is not None else self.weights()

    def weights(self) -> Weights:
        """The signed weights that the devices stood for at the last commit; not a copy."""
        if self._stale:
            self._show()
        return self._as_crossbar(self._shown)

    def write_changes(self, since: int, flat: Weights, transposed: Weights) -> bool:
        """True where nothing but the pulses of the last few commits has changed a weight."""
        if self._stale:
            return False
        recent = [pulses for change, pulses in self._recent if change > since]
        if len(recent) != self.changes - since:
            return False
        for pulses in recent:
            copy_changes(pulses, self._cells.weights, flat, transposed)
        return True

    def forward_current(
        self, spikes: UInt8[np.ndarray, "batch n_in"]
    ) -> Float32[np.ndarray, "batch n_out"]:
        lines = spikes.astype(np.float32)
        if self._reads is None:
            exact: Float32[np.ndarray, "batch n_out"] = lines @ self.weights()
            return exact
        return self._reads.currents(
            lines, self._seen(), self._cells.per_state, self._offset(), False
        )

    def transposed_current(
        self, net: Int8[np.ndarray, "batch n_out"]
    ) -> Float32[np.ndarray, "batch n_in"]:
        lines = net.astype(np.float32)
        if self._reads is None:
            exact: Float32[np.ndarray, "batch n_in"] = lines @ self.weights().T
            return exact
        seen = [part.T for part in self._seen()]
        offset = self._offset()
        turned = None if offset is None else offset.T
        return self._reads.currents(lines, seen, self._cells.per_state, turned, True)

    def update(self, block: PulseBlock) -> None:
        """Keep the pulses for the next commit; several threads may do so at once."""
        self._store.add(block)
        if self._in_order and self._store.spikes > MOST_SPIKES:
            self.settle()

    def settle(self) -> None:
        """Apply what waits; no thread may hand on more of earlier presentations after this."""
        taken = self._store.take(self._clock.batch_began, self._clock.slots, self.keep, self._rng)
        if taken is None:
            return
        self._clock.pass_to(taken.pulses.at)
        self._slices.call(partial(pulse_lines, self._cells, self._memory, taken.pulses), taken.work)
        self._up += taken.up
        self._down += taken.down
        self.changes += 1
        if self._spec.half_select.acts:
            self._disturb(taken.pulses)
        few = FEW_CHANGES * (taken.up + taken.down) < self._cells.weights.size
        self._recent = (
            [*self._recent[1 - MOST_RECENT :], (self.changes, taken.pulses)] if few else []
        )

    def commit(self, presentations: range) -> None:
        self.settle()
        self._pass_time(self._clock.loses)

    def end_batch(self) -> None:
        self._clock.end_batch()
        self._pass_time(self._decay(self._leak.end_batch()) or self._clock.loses)

    def rest(self, seconds: float) -> None:
        self._clock.rest(seconds)
        self._pass_time(self._decay(self._leak.wait(seconds)) or self._clock.loses)

    def set_step_scale(self, scale: float) -> None:
        """Thin the trains to the wanted step; above one step a coincidence there is no more."""
        self.keep = min(1.0, self._wanted_step * scale / self.device_step)

    def state(self) -> State:
        """Devices, pulses that each got, the thinning, the clock and how far the leak is."""
        reads = {} if self._reads is None else {"reads": generator_state(self._reads.rng)}
        return {
            **joined({"clock": self._clock.state()}),
            **reads,
            "states": self._cells.records["state"].copy(),
            "pulses": self._cells.records["pulses"][0].copy(),
            "devices": np.frombuffer(self._digest, dtype=np.uint8),
            "totals": np.array([self._up, self._down, self._leak_steps, self._writes]),
            "factors": np.array(self._slices.step_factors()),
            "disturbed": np.array(self._disturbed),
            "keep": np.array(self.keep),
            "thinning": generator_state(self._rng),
            "batches": np.array(self._leak.batches),
        }

    def restore(self, state: State) -> None:
        checked(state, self.state())
        if not np.array_equal(state["devices"], np.frombuffer(self._digest, dtype=np.uint8)):
            raise StateError("its devices were drawn otherwise")
        self._cells.records["state"][:] = state["states"]
        self._cells.records["pulses"][0] = state["pulses"]
        self._clock.restore(part_of(state, "clock"))
        self._slices.restore_step_factors(float(state["factors"]))
        self._disturbed = float(state["disturbed"])
        self._up, self._down, self._leak_steps, self._writes = map(int, state["totals"])
        self.keep = float(state["keep"])
        restore_generator(self._rng, state["thinning"])
        if self._reads is not None:
            restore_generator(self._reads.rng, state["reads"])
        self._leak.batches = int(state["batches"])
        self._cells = self._cells._replace(read_key=self._read_key())
        if self._shown is not self._cells.weights:
            none = self._memory._replace(cells=self._memory.cells[:0])
            self._slices.call(partial(show_lines, self._cells, none, 0, self._shape[0]))
        self._pass_time(True)

    def statistics(self) -> dict[str, float]:
        """As `TileSynapses.statistics`: what else than pulses may have changed a weight, too."""
        records = self._cells.records
        up, down = self._up, self._down
        if len(records) == 2:
            up = down = up + down
        pulses = records["pulses"][0].astype(np.int64)
        return {
            "devices_total": float(records.size),
            "pulses_up_total": float(up),
            "pulses_down_total": float(down),
            "pulses_p99": float(np.percentile(pulses, 99)),
            "pulses_max": float(pulses.max()),
            "saturated_total": float(saturated(records, self._cells.rules)),
            "initial_pulses_total": float(self._initial_pulses),
            "initial_clipped_total": float(self._initial_clipped),
            "leak_steps": float(self._leak_steps),
            "step_wanted": self._wanted_step,
            "device_step": self.device_step,
            "thinning": self._first_keep,
            "thinning_last": self.keep,
            **({"disturb_steps": self._disturbed} if self._spec.half_select.acts else {}),
            **self._clock.statistics(self._slices.step_factors(), self._up + self._down),
        }

    def _disturb(self, pulses: Pulses) -> None:
        """Move the devices that the spikes have half selected."""
        n_in = self._shape[0]
        disturb = disturb_of(self._spec.half_select, pulses, n_in)
        self._disturbed += mean_steps(disturb)

        def move(first: int, stop: int, _: Room) -> None:
            disturb_lines(self._cells, disturb, n_in, first, stop)

        self._slices.call(move)
        self._pass_time(True)

    def _pass_time(self, changed: bool) -> None:
        """What reads see now is no longer what they saw, where `changed`."""
        if changed:
            self._stale = True
            self.changes += 1

    def _decay(self, shares: OfDevices | None) -> bool:
        """Leak, where it is due: a write, which draws write noise anew. Whether it was."""
        if shares is None:
            return False
        self._leak_steps += 1
        n_in = self._shape[0]

        def decay(first: int, stop: int, _: Room) -> None:
            decay_lines(self._cells, shares, self._resets, n_in, first, stop)

        self._slices.call(decay)
        self._writes += 1
        self._cells = self._cells._replace(read_key=self._read_key())
        return True

    def _show(self) -> None:
        """Put all weights where reads find them."""
        cells, now, n_in = self._cells, self._clock.now, self._shape[0]
        if self._shown is cells.weights:
            self._slices.call(partial(show_lines, cells, self._memory, now, n_in))
        else:
            rest = float(cells.per_state * cells.rules.rest) if len(cells.signs) == 1 else 0.0
            run = partial(faded_lines, self._memory, cells.weights, self._shown, rest, now, n_in)
            self._slices.call(run)
        self._stale = False

    def _fades_alike(self) -> bool:
        """Whether charge loss moves all devices the same share of their way, so that it can be
        taken off weights: no device's bound, write noise or reference comes in between."""
        cells, rest = self._cells, self._cells.rules.rest
        low, high = cells.records["low"], cells.records["high"]
        inside = bool(((low == high) | ((low <= rest) & (rest <= high))).all())
        stuck = bool((low == high).any())
        plain = not len(cells.offset) and cells.rules.write_noise == 0.0
        if not (self._clock.loses and inside and plain and not stuck):
            return False
        none = self._memory._replace(cells=self._memory.cells[:0])
        self._slices.call(partial(show_lines, cells, none, 0, self._shape[0]))
        return True

    def _read_key(self) -> np.uint64:
        """Of the write noise since the last write of all devices."""
        words = np.random.SeedSequence([*self._read_keys.generate_state(4), self._writes])
        return np.uint64(words.generate_state(1, np.uint64)[0])

    def _seen(self) -> list[Weights]:
        """What is read of the devices [n_in, n_out], one array a device of a cell."""
        parts = []
        for d in range(len(self._cells.signs)):
            devices = len(self._cells.signs)
            alone = self._cells._replace(
                signs=np.eye(devices, dtype=np.float32)[d],
                weights=np.empty_like(self._cells.weights),
                per_state=np.float32(devices),
                offset=np.zeros(0, dtype=np.float32),
            )
            self._slices.call(
                partial(show_lines, alone, self._memory, self._clock.now, self._shape[0])
            )
            parts.append(self._as_crossbar(alone.weights))
        return parts

    def _offset(self) -> Float32[np.ndarray, "n_in n_out"] | None:
        offset = self._cells.offset
        return self._as_crossbar(offset) if len(offset) else None

    def _as_crossbar[T: np.ndarray](self, flat: T) -> T:
        return flat.reshape(self._shape[1], self._shape[0]).T  # type: ignore[return-value]


def native_synapses(device: DeviceSource, spec: TileSpec, learning_rate: float) -> SynapsesFactory:
    """Synapses in our own devices for every crossbar of a network."""
    return lambda crossbar: NativeSynapses(crossbar, device, spec, learning_rate)
