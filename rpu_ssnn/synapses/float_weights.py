"""Float weights without devices, updated by Eq. 9 (rates) or Eq. 10 (coincidences).

Both are normalised so that one learning rate eta means the same in both, at any T and batch:

    Eq. 9:   dW = theta eta gain / (B T^2)  sum_b (sum_t s_delta) (sum_t s_x)^T
    Eq. 10:  dW = theta eta gain / (B T)    sum_b sum_t s_delta s_x^T

(the paper's Eq. 9 is about T times its Eq. 10). B is the batch, `gain` makes the spike counts
exact backpropagation (`NetworkSpec.gains`, Eq. 8's factor included).
"""

import threading
from collections.abc import Callable

import numpy as np
from jaxtyping import Float32, Int32
from numba import uint64

from rpu_ssnn.common.parallel import one_blas_thread
from rpu_ssnn.common.training_state import State, checked, generator_state, restore_generator
from rpu_ssnn.compiled import compiled
from rpu_ssnn.spec import SurrogateSpec
from rpu_ssnn.synapses.base import (
    Crossbar,
    PulseBlock,
    Synapses,
    SynapsesFactory,
    Weights,
    check_from_zero,
)

POOLED_VARIANCE = float(np.mean([p * (1 - p) for p in np.outer(*[np.arange(50) / 50] * 2).flat]))
"""The mean of p (1 - p) over Fig. 4's products of [0, 0.02, ... 0.98] with itself."""

type Counts = Float32[np.ndarray, "batch n_in"]
"""The forward spikes of each presentation (in a convolution, of each position)."""
type StreamCounts = Float32[np.ndarray, "batch 2 n_out"]
"""The gradient spikes of each presentation, positive and negative."""


class _FloatWeights(Synapses):
    """Holds weights as numbers, and reads them exactly.

    Attributes:
        crossbar: the crossbar that was given.
        step_scale: the scale of the steps that follow, relative to the start (decay by epoch).
    """

    def __init__(self, crossbar: Crossbar, learning_rate: float) -> None:
        check_from_zero("learning_rate", learning_rate)
        self._weights = crossbar.initial.astype(np.float32).copy()
        self.shape = self._weights.shape
        self.crossbar = crossbar
        self._step = crossbar.theta * learning_rate * crossbar.gain / crossbar.batch
        self.step_scale = 1.0

    def linear_read(self) -> Weights:
        return self._weights

    def weights(self) -> Weights:
        """Returns the weights themselves, so that a subclass may change them in `commit`."""
        return self._weights

    def end_batch(self) -> None:
        """Float weights do not change in time."""

    def rest(self, seconds: float) -> None:
        """Float weights do not change in time."""

    def set_step_scale(self, scale: float) -> None:
        self.step_scale = scale

    def state(self) -> State:
        return {"weights": self._weights.copy(), "step_scale": np.array(self.step_scale)}

    def restore(self, state: State) -> None:
        checked(state, self.state())
        self.drop_pulses()
        self._weights[:] = state["weights"]
        self.step_scale = float(state["step_scale"])
        self.changes += 1

    def statistics(self) -> dict[str, float]:
        return {}


class RateSynapses(_FloatWeights):
    """Trains float weights by the outer product of spike counts (Eq. 9), optionally with noise."""

    needs_all_spikes = True
    needs_presentations = True

    def __init__(
        self, crossbar: Crossbar, learning_rate: float, surrogate: SurrogateSpec | None = None
    ) -> None:
        super().__init__(crossbar, learning_rate)
        n_in, n_out = self.shape
        self._surrogate = surrogate
        self._rng = np.random.default_rng(crossbar.seed)
        counts = crossbar.batch * crossbar.positions
        self._forward = np.zeros((counts, n_in), dtype=np.float32)
        self._gradient = np.zeros((counts, 2, n_out), dtype=np.float32)

    def update(self, block: PulseBlock) -> None:
        add_counts(block, self._forward, self._gradient)

    def commit(self, presentations: range) -> None:
        positions = self.crossbar.positions
        ended = slice(positions * presentations.start, positions * presentations.stop)
        forward, gradient = self._forward[ended], self._gradient[ended]
        T, step = self.crossbar.T, self._step * self.step_scale
        # Sums of whole numbers are exact in any order below 2^24 (they reach B T^2 / 4, for
        # example).
        with one_blas_thread():
            product = forward.T @ (gradient[:, 0] - gradient[:, 1])
        self._weights += np.float32(step / T**2) * product
        if self._surrogate is not None:
            spread = self._surrogate_spread(forward / T, gradient / T, self._surrogate)
            noise = self._rng.standard_normal(self.shape, dtype=np.float32)
            self._weights += np.float32(step) * spread * noise
        forward[:] = 0.0
        gradient[:] = 0.0
        self.changes += 1

    def drop_pulses(self) -> None:
        self._forward[:] = 0.0
        self._gradient[:] = 0.0

    def state(self) -> State:
        return {**super().state(), "surrogate_noise": generator_state(self._rng)}

    def restore(self, state: State) -> None:
        super().restore(state)
        restore_generator(self._rng, state["surrogate_noise"])

    def _surrogate_spread(
        self, forward: Counts, gradient: StreamCounts, surrogate: SurrogateSpec
    ) -> Weights | np.float32:
        """Returns the standard deviation of the summed products of a batch (spikes per slot)."""
        if surrogate.size == "pooled":
            products = 2 * len(forward) / self.crossbar.replicas
            return np.float32(np.sqrt(products * POOLED_VARIANCE / surrogate.T_s))
        mean = forward.T @ gradient.sum(axis=1)
        square = (forward**2).T @ (gradient**2).sum(axis=1)
        spread: Weights = np.sqrt(np.maximum(mean - square, 0.0) / np.float32(surrogate.T_s))
        return spread


class CoincidenceSynapses(_FloatWeights):
    """Changes float weights by one step for each coincidence (Eq. 10)."""

    needs_all_spikes = False

    def __init__(self, crossbar: Crossbar, learning_rate: float) -> None:
        super().__init__(crossbar, learning_rate)
        self._sums: dict[int, np.ndarray] = {}

    def update(self, block: PulseBlock) -> None:
        # Each thread has its own sum; whole numbers add up exactly in any order.
        key = threading.get_ident()
        if key not in self._sums:
            self._sums[key] = np.zeros(self.shape, dtype=np.int32)
        add_coincidences(block, self._sums[key])

    def commit(self, presentations: range) -> None:
        step = np.float32(self._step * self.step_scale / self.crossbar.T)
        first, *others = list(self._sums.values()) or [np.zeros(self.shape, dtype=np.int32)]
        for part in others:
            first += part
        add_steps(self._weights, step, first)
        self.changes += 1
        self.drop_pulses()

    def drop_pulses(self) -> None:
        for part in self._sums.values():
            part[:] = 0


def rate_synapses(learning_rate: float, surrogate: SurrogateSpec | None = None) -> SynapsesFactory:
    """Makes the synapses of Eq. 9 for every crossbar of a network.

    Args:
        learning_rate: eta of Eq. 9, 0 or above.
        surrogate: noise in place of that of coincidences, or None for no noise.

    >>> import numpy as np
    >>> from rpu_ssnn import rate_synapses
    >>> from rpu_ssnn.synapses import Crossbar
    >>> crossbar = Crossbar(
    ...     initial=np.zeros((3, 2), dtype=np.float32), theta=1.0, he_std=1.0, gain=1.0, T=10,
    ...     slots=12, batch=1, seed=0,
    ... )
    >>> rate_synapses(0.5)(crossbar).shape
    (3, 2)
    """
    return lambda crossbar: RateSynapses(crossbar, learning_rate, surrogate)


def coincidence_synapses(learning_rate: float) -> SynapsesFactory:
    """Makes the synapses of Eq. 10 for every crossbar of a network.

    Args:
        learning_rate: eta of Eq. 10, 0 or above.

    >>> import numpy as np
    >>> from rpu_ssnn import coincidence_synapses
    >>> from rpu_ssnn.synapses import Crossbar, PulseBlock
    >>> synapses = coincidence_synapses(1.0)(
    ...     Crossbar(
    ...         initial=np.zeros((3, 2), dtype=np.float32), theta=1.0, he_std=1.0, gain=1.0, T=10,
    ...         slots=12, batch=1, seed=0,
    ...     )
    ... )
    >>> slot, ends = np.zeros(1, dtype=np.int32), np.array([0, 1], dtype=np.int32)
    >>> line_2, output_1 = np.array([2], dtype=np.int32), np.array([1], dtype=np.int32)
    >>> up = np.ones(1, dtype=np.int8)
    >>> synapses.update(PulseBlock(slot, slot, ends, line_2, ends, output_1, up))
    >>> synapses.commit(range(1))
    >>> float(synapses.weights()[2, 1]) > 0.0
    True
    """
    return lambda crossbar: CoincidenceSynapses(crossbar, learning_rate)


FLOAT_WEIGHTS: dict[str, Callable[[float], SynapsesFactory]] = {
    "rate": rate_synapses,
    "coincidence": coincidence_synapses,
}
"""The factories of float weights, by learning rule."""


@compiled
def add_counts(block: PulseBlock, forward: Counts, gradient: StreamCounts) -> None:
    """Adds a block's spikes to the counts of each presentation."""
    for r in range(len(block.sample)):
        lines, streams = forward[block.sample[r]], gradient[block.sample[r]]
        for k in range(block.pre_start[r], block.pre_start[r + 1]):
            lines[block.pre[k]] += 1.0
        for k in range(block.post_start[r], block.post_start[r + 1]):
            streams[0 if block.sign[k] > 0 else 1, block.post[k]] += 1.0


@compiled
def add_coincidences(block: PulseBlock, total: Int32[np.ndarray, "n_in n_out"]) -> None:
    """Adds up minus down coincidences of every synapse (the sum of Eq. 10)."""
    for r in range(len(block.sample)):
        first, last = block.pre_start[r], block.pre_start[r + 1]
        for q in range(block.post_start[r], block.post_start[r + 1]):
            # numba does not check unsigned indices for negative values, which saves a fifth.
            line, sign = uint64(block.post[q]), block.sign[q]
            for p in range(first, last):
                total[uint64(block.pre[p]), line] += sign


@compiled
def add_steps(weights: Weights, step: np.float32, total: Int32[np.ndarray, "n_in n_out"]) -> None:
    """Adds a step for each coincidence, in one pass and with one rounding."""
    for i in range(weights.shape[0]):
        for j in range(weights.shape[1]):
            weights[i, j] += np.float64(step) * total[i, j]
