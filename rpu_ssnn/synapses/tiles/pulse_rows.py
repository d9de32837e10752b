"""Compiled code that turns pulse blocks into thinned dense rows for a tile, and counts pulses."""

import numpy as np
from jaxtyping import Float32, Int32

from rpu_ssnn.compiled import compiled
from rpu_ssnn.synapses.base import Kept, PulseBlock

type PulseCounts = Int32[np.ndarray, "n_out n_in"]
"""The pulses of one stream that each device got; an output line is contiguous."""


type Dense = Float32[np.ndarray, "rows lines"]


@compiled
def _fill(
    block: PulseBlock, kept: Kept, row: int, x: Dense, d: Dense, up: PulseCounts, down: PulseCounts
) -> tuple[int, int]:
    """Writes rows from block row `row` on; returns (next block row, dense rows written).

    A line with both streams in one slot needs two dense rows: its up pulse comes first.
    """
    used, last = 0, len(block.pre_start) - 1
    while row < last and used + 2 <= len(x):
        p0, p1 = block.pre_start[row], block.pre_start[row + 1]
        x[used : used + 2] = 0.0
        d[used : used + 2] = 0.0
        after = used
        for q in range(block.post_start[row], block.post_start[row + 1]):
            if not kept[q] or p0 == p1:
                continue
            line = block.post[q]
            place = used if d[used, line] == 0.0 else used + 1
            after = max(after, place + 1)
            # aihwkit's sign is SGD's: a negative d raises the weight.
            d[place, line] = -block.sign[q]
            counts = up[line] if block.sign[q] > 0 else down[line]
            for p in range(p0, p1):
                counts[block.pre[p]] += 1
        for dense in range(used, after):
            for p in range(p0, p1):
                x[dense, block.pre[p]] = 1.0
        used = after
        row += 1
    return row, used


class RowWriter:
    """Turns pulse blocks into bounded batches of dense rows, counting each device's pulses.

    Attributes:
        up, down: pulses that each device got from the positive and the negative stream, [n_in,
            n_out].
    """

    ROWS = 256
    """One call of a tile takes at most this many dense rows."""

    def __init__(self, n_in: int, n_out: int) -> None:
        self.up, self.down = (np.zeros((n_out, n_in), dtype=np.int32).T for _ in range(2))
        self._x = np.zeros((self.ROWS, n_in), dtype=np.float32)
        self._d = np.zeros((self.ROWS, n_out), dtype=np.float32)

    def write(self, block: PulseBlock, kept: Kept, row: int) -> tuple[int, Dense, Dense]:
        """Writes dense rows of the block from `row` on, as many as fit, with the kept gradient
        spikes.

        Returns:
            next block row, x [rows, n_in] in {0, 1}, d [rows, n_out] in {-1, 0, 1} with -1 for the
            positive stream; both are overwritten by the next call.
        """
        row, used = _fill(block, kept, row, self._x, self._d, self.up.T, self.down.T)
        return row, self._x[:used], self._d[:used]
