"""The devices of a crossbar, the weights that reads see, and the threads that work on them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64

from rpu_ssnn.common.parallel import parallel
from rpu_ssnn.synapses.base import Weights
from rpu_ssnn.synapses.native.cells import Cells, Scratch, make_scratch
from rpu_ssnn.synapses.native.clock import Clock
from rpu_ssnn.synapses.native.population import draw_population
from rpu_ssnn.synapses.native.setup import Setup
from rpu_ssnn.synapses.native.shown_weights import faded_lines, show_lines
from rpu_ssnn.synapses.native.symmetry import symmetry_states
from rpu_ssnn.synapses.weights_of_states import cell_mean, line_means, reference_error, state_weight

LEAST_WORK = 20_000
"""Fewer devices are not worth waking another thread for."""


class Slices:
    """Runs functions over all output lines, in one thread or in several at once.

    Args:
        shape: (n_in, n_out).
        pool: the other threads, or None if there are none.
        threads: number of threads in all.
    """

    def __init__(
        self, shape: tuple[int, int], pool: ThreadPoolExecutor | None, threads: int
    ) -> None:
        self._n_in, self._n_out = shape
        self._pool = pool
        self._scratch = [make_scratch(self._n_in) for _ in range(threads if pool else 1)]

    def call(
        self,
        run: Callable[[int, int, Scratch], None],
        work: Int64[np.ndarray, " n_out"] | None = None,
    ) -> None:
        """Calls `run` with (first line, line after the last, scratch) until all lines are done.

        Args:
            work: the work of each line; None counts devices.
        """
        done = np.cumsum(np.full(self._n_out, self._n_in) if work is None else work)
        if self._pool is None or len(self._scratch) == 1 or done[-1] < LEAST_WORK:
            run(0, self._n_out, self._scratch[0])
            return
        parts = np.arange(1, len(self._scratch)) / len(self._scratch)
        bounds = [0, *map(int, np.searchsorted(done, parts * done[-1])), self._n_out]
        parallel(self._pool, run, bounds[:-1], bounds[1:], self._scratch)

    def step_factors(self) -> float:
        """Returns the sum of all step factors."""
        return float(sum(scratch.sums[0] for scratch in self._scratch))

    def restore_step_factors(self, total: float) -> None:
        """Continues counting from `total`."""
        for scratch in self._scratch:
            scratch.sums[0] = 0.0
        self._scratch[0].sums[0] = total


EXPORT_NAMES = {"low": "lower_bound", "high": "upper_bound", "up": "step_up", "down": "step_down"}
"""Our names for the fields of a device in exports. The state is not among them, since it has faded
and has noise since it was written."""


class ReadShares(NamedTuple):
    """Holds the shares of the read voltage that reach the cells."""

    devices: list[Weights]
    """The shares [n_in, n_out], one array for each device of a cell."""
    reference: Weights
    """The shares [n_in, n_out] at the references that devices are compared with."""
    zero: np.float32
    """The conductance of state 0, in states; that of state w is proportional to w + zero."""


STATES_OF_RANGE = 2.0
"""The nominal range of a device, from -1 to 1, in device states."""


def conductance[T: np.ndarray](states: T, zero: float) -> T:
    """Returns the conductance of devices, in states; it is never below zero, even where the sum of
    state and `zero` is.

    Args:
        zero: the conductance of state 0 (`ReferenceSpec.zero`).
    """
    result: T = np.maximum(states + states.dtype.type(zero), 0.0)
    return result


class DeviceArray:
    """Holds the devices of a crossbar, on which effects and reads work.

    Args:
        setup: what the devices are built from.

    Attributes:
        shape: (n_in, n_out).
        drawn: the devices as they were drawn.
        cells: devices and weights; a new read key replaces the tuple, but never its arrays.
        clock: the time of the devices.
        slices: runs functions over slices of the output lines, which share no device.
        writes: number of writes of all devices at once, each with new write noise.
        stale: whether the weights that reads see must be computed again.
        read_shares: shares of the read voltage that reach the cells, or None where all of it does.
        in_parallel: devices on one output line of a weight, whose mean is read.

    Raises:
        InputError: the native simulator cannot change the weights of such a device by pulses.
    """

    def __init__(self, setup: Setup) -> None:
        crossbar, spec, keys = setup.crossbar, setup.spec, setup.keys
        self.shape, self.in_parallel = setup.shape, setup.device.cell.in_parallel
        self.slices = Slices(self.shape, crossbar.pool, crossbar.threads)
        self.clock, self.drawn = Clock(setup), draw_population(setup)
        error = reference_error(self.shape, spec, crossbar.he_std, setup.seeds.reference)
        self.cells = Cells(
            law=self.drawn.law.code,
            shared=self.drawn.shared._replace(rest=np.float32(self.clock.rest_state)),
            records=self.drawn.records,
            signs=np.repeat(setup.tile_signs, self.in_parallel),
            weights=np.zeros(crossbar.initial.size, dtype=np.float32),
            per_state=state_weight(spec, crossbar.he_std),
            offset=np.zeros(0, dtype=np.float32) if error is None else error.T.ravel(),
            pulse_key=keys.pulses,
            read_key=keys.writes,
        )
        if spec.reference.scheme == "symmetry_point":
            at = np.empty(self.cells.records.shape, dtype=np.float32)
            symmetry_states(self.cells, at)
            point = self.cells.per_state * cell_mean(self.lines(list(at)))
            self.cells = self.cells._replace(offset=self.cells.offset + point)
        self._write_keys = np.random.SeedSequence(int(keys.writes))
        self._shown = self.cells.weights
        self.stale = True
        self.read_shares: ReadShares | None = None
        self._set_writes(0)

    def begin(self) -> None:
        """Notes that the initial weights have been written."""
        if self._fades_alike():
            self._show_without_memory()
            self._shown = np.empty_like(self.cells.weights)

    def wrote_all(self) -> None:
        """Draws new write noise, since all devices were written."""
        self._set_writes(self.writes + 1)

    def restored(self, writes: int) -> None:
        """Notes that the devices were restored to the states of an array with `writes` writes."""
        self._set_writes(writes)
        if self._shown is not self.cells.weights:
            self._show_without_memory()

    def weights(self) -> Weights:
        """Returns the weights [n_in, n_out] that reads see, without copying them."""
        if self.stale:
            self._show()
            self.stale = False
        return self.as_crossbar(self._shown)

    def states(self) -> list[Weights]:
        """Returns the states of the devices [n_in, n_out], one array for each device of a cell."""
        parts, devices = [], len(self.cells.signs)
        for d in range(devices):
            alone = self.cells._replace(
                signs=np.eye(devices, dtype=np.float32)[d],
                weights=np.empty_like(self.cells.weights),
                per_state=np.float32(devices),
                offset=np.zeros(0, dtype=np.float32),
            )
            now = self.clock.now, self.shape[0]
            self.slices.call(partial(show_lines, alone, self.clock.memory, *now))
            parts.append(self.as_crossbar(alone.weights))
        return parts

    def each_cell(self, run: Callable[..., None], *arguments: object) -> None:
        """Calls `run` with these arguments, a first cell and the cell after the last, until all
        cells are done."""
        n_in = self.shape[0]
        self.slices.call(lambda first, stop, _: run(*arguments, first * n_in, stop * n_in))

    def device_maps(self) -> list[dict[str, np.ndarray]]:
        """Returns the states and parameters of the devices [n_in, n_out] by name, one mapping for
        each device of a cell; bounds apply to the sum of state and reference, if there is one."""
        names = EXPORT_NAMES | ({"a": "reference"} if self.cells.shared.has_reference else {})
        return [
            {ours: self.as_crossbar(record[field]).copy() for field, ours in names.items()}
            | {"state": state}
            for record, state in zip(self.cells.records, self.states(), strict=True)
        ]

    def lines(self, devices: list[Weights]) -> list[Weights]:
        """Returns the values on a weight's output lines (one, or two for a pair), [n_in, n_out]
        each, from the values of its devices."""
        return line_means(devices, self.in_parallel)

    def seen(self) -> list[Weights]:
        """Returns the states that reads see on a weight's output lines."""
        parts, shares = self.lines(self.states()), self.read_shares
        if shares is None:
            return parts
        reference = shares.reference * shares.zero
        return [
            share * (part + shares.zero) - reference
            for share, part in zip(shares.devices, parts, strict=True)
        ]

    def offset(self) -> Float32[np.ndarray, "n_in n_out"] | None:
        """Returns the weights that a reference line subtracts, or None where there is none."""
        if not len(self.cells.offset):
            return None
        offset = self.as_crossbar(self.cells.offset)
        return offset if self.read_shares is None else offset * self.read_shares.reference

    def as_crossbar[T: np.ndarray](self, flat: T) -> T:
        """Returns values in the order of the cells as an array [n_in, n_out], without a copy."""
        return flat.reshape(self.shape[1], self.shape[0]).T  # type: ignore[return-value]

    def _show(self) -> None:
        """Computes the weights that reads see."""
        cells, now, n_in = self.cells, self.clock.now, self.shape[0]
        if self.read_shares is not None:
            parts, offset = self.seen(), self.offset()
            weights = cells.per_state * cell_mean(parts)
            if offset is not None:
                weights -= offset
            self._shown = np.ascontiguousarray(weights.T).ravel()
            return
        run = partial(show_lines, cells, self.clock.memory, now, n_in)
        if self._shown is not cells.weights:
            rest = float(cells.per_state * cells.shared.rest * cells.signs.mean())
            run = partial(
                faded_lines, self.clock.memory, cells.weights, self._shown, rest, now, n_in
            )
        self.slices.call(run)

    def _set_writes(self, writes: int) -> None:
        self.writes = writes
        words = np.random.SeedSequence([*self._write_keys.generate_state(4), writes])
        key = np.uint64(words.generate_state(1, np.uint64)[0])
        self.cells = self.cells._replace(read_key=key)

    def _fades_alike(self) -> bool:
        """Returns whether charge loss can be applied to weights instead of devices: no bound, write
        noise, reference or stuck device interferes."""
        cells, rest = self.cells, self.cells.shared.rest
        low, high = cells.records["low"], cells.records["high"]
        inside = bool(((low < high) & (low <= rest) & (rest <= high)).all())
        plain = not len(cells.offset) and cells.shared.write_noise == 0.0
        return self.clock.loses and inside and plain

    def _show_without_memory(self) -> None:
        """Writes the weights as pulses left them, from which fading is computed."""
        none = self.clock.memory._replace(cells=self.clock.memory.cells[:0])

        def show(first: int, stop: int, scratch: Scratch) -> None:
            scratch.kept[:] = 1.0  # reads with memory have left their shares there
            show_lines(self.cells, none, 0, self.shape[0], first, stop, scratch)

        self.slices.call(show)
