"""Slices of a crossbar's output lines for several threads, none of which shares a device."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from jaxtyping import Int64

from rpu_ssnn.common.parallel import parallel
from rpu_ssnn.synapses.native.cells import Scratch, make_scratch

LEAST_WORK = 20_000
"""Devices that are worth waking another thread for."""


class Slices:
    """Calls for all output lines, in one thread or in several at once.

    Args:
        shape: (n_in, n_out).
        pool: of the other threads; None: there is none.
        threads: in all.
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
        """Call `run` with (first line, line after the last, scratch) until all lines are done.

        Args:
            work: of each line; None: all have the same, their devices.
        """
        if self._pool is None or len(self._scratch) == 1:  # nobody needs to know how much it is
            run(0, self._n_out, self._scratch[0])
            return
        total = self._n_in * self._n_out if work is None else int(work.sum())
        if total < LEAST_WORK:
            run(0, self._n_out, self._scratch[0])
            return
        parts = np.arange(1, len(self._scratch)) / len(self._scratch)
        if work is None:
            inner = np.rint(parts * self._n_out)
        else:
            inner = np.searchsorted(np.cumsum(work), parts * total)
        bounds = [0, *map(int, inner), self._n_out]
        parallel(self._pool, run, bounds[:-1], bounds[1:], self._scratch)

    def step_factors(self) -> float:
        """Sum of all step factors."""
        return float(sum(scratch.sums[0] for scratch in self._scratch))

    def restore_step_factors(self, total: float) -> None:
        """Count on from that sum."""
        for scratch in self._scratch:
            scratch.sums[0] = 0.0
        self._scratch[0].sums[0] = total
