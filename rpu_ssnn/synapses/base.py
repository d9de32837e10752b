"""The interface between network and weights: currents, transposed currents, updates of pulses.

The network never knows what holds its weights. It reads through `linear_read` (one matrix, which
all reads use until the next commit) or, where a read is not linear, slot by slot through
`currents`; it updates through `update` with blocks of spikes.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from numbers import Real
from typing import NamedTuple, Self

import numpy as np
from jaxtyping import Bool, Float32, Int8, Int32

from rpu_ssnn.common.arrays import zeros_of
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.training_state import State
from rpu_ssnn.spec.layers import Connection

Weights = Float32[np.ndarray, "n_in n_out"]
Starts = Int32[np.ndarray, " rows_plus_1"]
PostSpikes = Int32[np.ndarray, " post_spikes"]
Kept = Bool[np.ndarray, " post_spikes"]
"""Whether each gradient spike reaches the array."""


class PulseBlock(NamedTuple):
    """Holds the spikes at one crossbar over a bounded run of slots, in physical order.

    Each row is one position in one slot. Rows are ordered by sample, then by time, and those
    without pulses may be missing; a dense layer has one position. Row r belongs to cycle
    ``slot[r]`` (from 0; a dense network has one cycle per slot) of presentation ``sample[r]`` of
    the batch. Where the synapses need presentations, ``sample[r]`` is presentation * positions +
    position, so that each position is counted separately. A row holds the forward spikes of its
    slot and patch, ``pre[pre_start[r]:pre_start[r + 1]]`` (indices of input lines, ascending), and
    the gradient spikes ``post[post_start[r]:post_start[r + 1]]`` (indices of output lines) with
    their stream in ``sign``: +1 positive, -1 negative. Where a line spikes in both streams in one
    slot, all positive spikes of the row come before all negative ones.
    """

    sample: Int32[np.ndarray, " rows"]
    slot: Int32[np.ndarray, " rows"]
    pre_start: Starts
    pre: Int32[np.ndarray, " pre_spikes"]
    post_start: Starts
    post: PostSpikes
    sign: Int8[np.ndarray, " post_spikes"]

    @property
    def rows(self) -> int:
        """Returns the number of rows."""
        return len(self.sample)

    def first_rows(self, rows: int) -> Self:
        """Returns the first rows of the block without copying them."""
        pre, post = self.pre_start[rows], self.post_start[rows]
        ends = (rows, rows, rows + 1, pre, rows + 1, post, post)
        return type(self)(*(array[:end] for array, end in zip(self, ends, strict=True)))

    def copy(self) -> Self:
        """Returns a copy that can be kept, since the arrays of this block will be overwritten."""
        return type(self)(*(array.copy() for array in self))


def empty_block(rows: int, pre: int, post: int, several: tuple[int, ...] = ()) -> PulseBlock:
    """Returns a block of zeros, with room for these numbers of rows and of spikes.

    Args:
        several: dimensions that are put in front of each array.
    """
    sizes = {"rows": rows, "rows_plus_1": rows + 1, "pre_spikes": pre, "post_spikes": post}
    return PulseBlock(**zeros_of(PulseBlock, sizes, several))


def in_order(blocks: Iterable[PulseBlock]) -> list[PulseBlock]:
    """Returns blocks that several threads delivered, in physical order.

    A block holds presentations of one thread in order, so their first rows decide.
    """
    return sorted(blocks, key=lambda block: (int(block.sample[0]), int(block.slot[0])))


def normal_weights(
    connection: Connection, deviation: float, seed: np.random.SeedSequence
) -> Weights:
    """Draws the initial weights of a crossbar [n_in, n_out]; replicas of a kernel start equal.

    Args:
        deviation: the standard deviation.
    """
    shape = connection.shape[0], connection.channels
    kernel = np.random.default_rng(seed).standard_normal(shape)
    return (deviation * np.tile(kernel, connection.replicas)).astype(np.float32)


@dataclass(frozen=True)
class Crossbar:
    """Describes the crossbar that a layer needs from its synapses.

    Attributes:
        initial: weights [n_in, n_out] wanted at the start (units: threshold current, see `spec`).
        theta: forward threshold (same units).
        he_std: standard deviation of the He initialisation (same units).
        gain: factor on the step that makes the spike counts exact backpropagation
            (`NetworkSpec.gains`).
        T: slots for which an image is shown; a spike count over T is a rate.
        slots: cycles of one presentation in physical time, flush included; every slot has one cycle
            for each position that is served separately (`NetworkSpec.positions`).
        batch: presentations per batch.
        seed: determines every random draw that this crossbar makes.
        threads: number of threads that may work for the synapses at once; results do not depend
            on it.
        pool: all of these threads but the caller's.
        transposed_reads: whether gradient spikes are read through the crossbar.
        delay: slots that forward spikes wait for their gradient (`NetworkSpec.delays`); the pulses
            of a block come this much later than their reads.
        positions: number of positions of the layer that the crossbar serves; a dense layer has one.
        replicas: number of copies of a kernel, each with its share of the positions and of the
            output lines.
        at_once: whether the replicas are arrays that work at the same time
            (`NetworkSpec.positions`).
    """

    initial: Weights
    theta: float
    he_std: float
    gain: float
    T: int
    slots: int
    batch: int
    seed: int
    threads: int = 1
    pool: ThreadPoolExecutor | None = None
    transposed_reads: bool = True
    delay: int = 0
    positions: int = 1
    replicas: int = 1
    at_once: bool = False

    @property
    def arrays(self) -> int:
        """Returns the number of arrays that work at the same time."""
        return self.replicas if self.at_once else 1

    def wanted_step(self, learning_rate: float) -> float:
        """Returns the step of one coincidence at a learning rate (units of the weights).

        Raises:
            InputError: `check_from_zero` refuses the learning rate.
        """
        check_from_zero("learning_rate", learning_rate)
        return self.theta * learning_rate * self.gain / (self.batch * self.T)


def check_from_zero(field: str, value: object) -> None:
    """Refuses a learning rate or a time that no device can have.

    Raises:
        InputError: the value is no number, negative, infinite or NaN.
    """
    if not isinstance(value, Real) or not 0.0 <= float(value) < math.inf:
        raise InputError("synapses", field, value, "must be a finite number, 0 or above")


FINE_KEEP = 1e-4
"""Below this share, draws are in double precision: the 24 bits of single-precision draws keep a
fifth too many spikes at 1e-7, and six times as many at 1e-8."""


def thinned(spikes: PostSpikes, keep: float, rng: np.random.Generator) -> Kept:
    """Draws which gradient spikes reach the array: each does with the probability `keep`."""
    if keep < FINE_KEEP:
        return rng.random(len(spikes)) < keep
    if keep < 1.0:
        return rng.random(len(spikes), dtype=np.float32) < keep
    return np.ones(len(spikes), dtype=np.bool_)


class Synapses(ABC):
    """Holds the weights of one layer, wherever they are stored.

    Attributes:
        shape: (n_in, n_out).
        needs_all_spikes: whether slots without a coincidence matter too (Eq. 9 counts all spikes).
        needs_presentations: whether weights change only after whole presentations (Eq. 9), never
            after a single slot.
        changes: counts how often the weights seen by reads have changed. The network reads the
            weights again only when it goes up, so `commit` and `restore` must raise it.
    """

    shape: tuple[int, int]
    needs_all_spikes: bool
    needs_presentations: bool = False
    changes: int = 0

    @abstractmethod
    def linear_read(self) -> Weights | None:
        """Returns the matrix that reads see now, or None where a read is not a matrix product."""

    def write_changes(self, since: int, flat: Weights, transposed: Weights) -> bool:
        """Brings copies of the matrix that reads see up to date, where little of it has changed.

        Args:
            since: `changes` when the copies were right.
            flat: [n_in, n_out].
            transposed: [n_out, n_in], or empty if it is not needed.

        Returns:
            Whether the copies are now up to date; otherwise all of `linear_read` must be copied.
        """
        return False

    def currents(
        self, lines: Float32[np.ndarray, "batch lines"], transposed: bool = False
    ) -> Float32[np.ndarray, "batch others"]:
        """Returns the currents that one slot's spikes cause (units of the weights).

        Args:
            lines: the spikes of the input lines, 0 or 1; where transposed, the net gradient spikes
                of the output lines (positive minus negative).
            transposed: whether currents flow from the output lines into the input lines.
        """
        weights = self.linear_read()
        assert weights is not None  # other synapses override this
        result: Float32[np.ndarray, "batch others"] = lines @ (weights.T if transposed else weights)
        return result

    @abstractmethod
    def update(self, block: PulseBlock) -> None:
        """Takes one block of pulses; several threads may call this at once (see `in_order`)."""

    def settle(self) -> None:  # noqa: B027  (only synapses that hold pulses back act here)
        """Tells the synapses that all pulses of earlier presentations have been delivered, so that
        none needs to wait any longer.

        Reads see them only after the next commit.
        """

    def drop_pulses(self) -> None:  # noqa: B027  (only synapses that hold pulses back act here)
        """Drops the pulses of an interrupted batch that have not acted yet."""

    @abstractmethod
    def commit(self, presentations: range) -> None:
        """Makes the pulses since the last commit visible to reads.

        Args:
            presentations: sample indices of the presentations that ended since the last commit;
                empty after a slot that ended none.
        """

    @abstractmethod
    def end_batch(self) -> None:
        """Lets the physical time of a finished batch pass, idle time included (leak)."""

    @abstractmethod
    def rest(self, seconds: float) -> None:
        """Lets time (s) pass without presentations, as between training and inference.

        Raises:
            InputError: the weights are in devices, and `check_from_zero` refuses the time.
        """

    @abstractmethod
    def set_step_scale(self, scale: float) -> None:
        """Sets the scale of all further steps, relative to the start (decay by epoch)."""

    @abstractmethod
    def state(self) -> State:
        """Returns a copy of everything that training has changed; it is called between batches
        only."""

    @abstractmethod
    def restore(self, state: State) -> None:
        """Continues from the state of identically built synapses.

        The state is exact to the bit, except for draws from aihwkit's own generator, and for one
        case of devices with write noise *and* a reference (`tiles.tile.restore_tile`).

        Raises:
            StateError: the state belongs to other synapses; the content of these is then undefined.
        """

    @abstractmethod
    def statistics(self) -> dict[str, float]:
        """Returns numbers for the result row; keys are the same for every implementation of a
        kind."""

    def device_maps(self) -> list[dict[str, np.ndarray]]:
        """Returns what an export keeps of the devices, as arrays [n_in, n_out] by name: one mapping
        for each tile, or for each device of a cell. Float weights have none."""
        return []

    def pulse_counts(self) -> dict[str, np.ndarray]:
        """Returns the pulses of each weight that an export keeps besides the devices, [n_in, n_out]
        by name."""
        return {}


SynapsesFactory = Callable[[Crossbar], Synapses]
