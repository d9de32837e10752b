"""Pulse blocks as dense rows for a tile, thinned and counted (compiled)."""

import numpy as np
from jaxtyping import Bool, Float32, Int32

from rpu_ssnn.compiled import compiled
from rpu_ssnn.synapses.base import PulseBlock


@compiled
def _fill(pre_start, pre, post_start, post, sign, kept, row, x, d, up, down):  # type: ignore[no-untyped-def]
    """Write rows from block row `row` on; returns (next block row, dense rows written).

    A line with both streams in one slot needs two dense rows: its up pulse comes first.
    """
    used, capacity = 0, len(x)
    up_lines, down_lines = np.empty(d.shape[1], np.int32), np.empty(d.shape[1], np.int32)
    rows = len(pre_start) - 1
    while row < rows and used + 2 <= capacity:
        p0, p1 = pre_start[row], pre_start[row + 1]
        first, second = False, False
        n_up, n_down = 0, 0
        for q in range(post_start[row], post_start[row + 1]):
            if not kept[q] or p0 == p1:
                continue
            line = post[q]
            # aihwkit's sign is SGD's: a negative d raises the weight.
            if d[used, line] == 0.0:
                d[used, line] = -sign[q]
                first = True
            else:
                d[used + 1, line] = -sign[q]
                second = True
            if sign[q] > 0:
                up_lines[n_up] = line
                n_up += 1
            else:
                down_lines[n_down] = line
                n_down += 1
        if first:
            for p in range(p0, p1):
                x[used, pre[p]] = 1.0
                if second:
                    x[used + 1, pre[p]] = 1.0
            used += 2 if second else 1
            # Forward lines outside: the devices of one line are one stretch of memory.
            for p in range(p0, p1):
                ups, downs = up[pre[p]], down[pre[p]]
                for k in range(n_up):
                    ups[up_lines[k]] += 1
                for k in range(n_down):
                    downs[down_lines[k]] += 1
        row += 1
    return row, used


class RowWriter:
    """Turns pulse blocks into bounded batches of dense rows, counting each device's pulses."""

    ROWS = 256
    """Dense rows handed on at a time."""

    def __init__(self, n_in: int, n_out: int) -> None:
        # Counted in half the memory, which is most of a count's cost, and added up in time.
        self._counts = [np.zeros((n_in, n_out), dtype=np.uint16) for _ in range(2)]
        self._sums = [np.zeros((n_in, n_out), dtype=np.int32) for _ in range(2)]
        self._counted_rows = 0
        self._x: Float32[np.ndarray, "rows n_in"] = np.zeros((self.ROWS, n_in), dtype=np.float32)
        self._d: Float32[np.ndarray, "rows n_out"] = np.zeros((self.ROWS, n_out), dtype=np.float32)
        self._used = 0

    @property
    def up(self) -> Int32[np.ndarray, "n_in n_out"]:
        """Pulses each device got from the positive stream."""
        self._add_up()
        return self._sums[0]

    @property
    def down(self) -> Int32[np.ndarray, "n_in n_out"]:
        """Pulses each device got from the negative stream."""
        self._add_up()
        return self._sums[1]

    def _add_up(self) -> None:
        for total, count in zip(self._sums, self._counts, strict=True):
            total += count
            count[:] = 0
        self._counted_rows = 0

    def write(
        self, block: PulseBlock, kept: Bool[np.ndarray, " post_spikes"], row: int
    ) -> tuple[int, Float32[np.ndarray, "rows n_in"], Float32[np.ndarray, "rows n_out"]]:
        """Dense rows of the block from `row` on, as many as fit, with the kept gradient spikes.

        Returns:
            next block row, x [rows, n_in] in {0, 1}, d [rows, n_out] in {-1, 0, 1} with -1 for the
            positive stream; both are overwritten by the next call.
        """
        if self._counted_rows + self.ROWS > np.iinfo(np.uint16).max:
            self._add_up()
        self._x[: self._used] = 0.0
        self._d[: self._used] = 0.0
        row, self._used = _fill(
            block.pre_start, block.pre, block.post_start, block.post, block.sign, kept, row,
            self._x, self._d, *self._counts,
        )  # fmt: skip
        self._counted_rows += self._used  # a row is at most one pulse of each stream a device
        return row, self._x[: self._used], self._d[: self._used]
