"""Pulse blocks as dense rows for a tile, thinned and counted, compiled."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64

from rpu_ssnn.compiled import compiled
from rpu_ssnn.synapses.base import PostSpikes, PreSpikes, PulseBlock, Signs, Starts

type Counts = Int32[np.ndarray, "n_out n_in"]
"""Pulses of one stream that each device got; the devices of an output line are one stretch."""


class _Rows(NamedTuple):
    """Dense rows, and where they are not zero: little of them is, so that only that is cleared."""

    x: Float32[np.ndarray, "rows n_in"]
    d: Float32[np.ndarray, "rows n_out"]
    set_x: Int32[np.ndarray, " rows_x_n_in"]
    set_d: Int32[np.ndarray, " rows_x_n_out"]
    """Places in flat `x` and `d`."""
    set_count: Int64[np.ndarray, "2"]
    up_lines: Int32[np.ndarray, " n_out"]
    down_lines: Int32[np.ndarray, " n_out"]
    """Room for the gradient spikes of one row."""


@compiled
def _clear(rows: _Rows) -> None:
    x, d = rows.x.reshape(-1), rows.d.reshape(-1)
    for k in range(rows.set_count[0]):
        x[rows.set_x[k]] = 0.0
    for k in range(rows.set_count[1]):
        d[rows.set_d[k]] = 0.0
    rows.set_count[:] = 0


@compiled
def _count(
    counts: Counts,
    lines: Int32[np.ndarray, " n_out"],
    n_lines: int,
    pre: PreSpikes,
    first: int,
    stop: int,
) -> None:
    """One pulse more for each device of pre[first:stop] on each of the lines."""
    for k in range(n_lines):
        devices = counts[lines[k]]
        for p in range(first, stop):
            devices[pre[p]] += 1


@compiled
def _fill(
    pre_start: Starts,
    pre: PreSpikes,
    post_start: Starts,
    post: PostSpikes,
    sign: Signs,
    kept: Bool[np.ndarray, " post_spikes"],
    row: int,
    rows: _Rows,
    up: Counts,
    down: Counts,
) -> tuple[int, int]:
    """Write rows from block row `row` on; returns (next block row, dense rows written).

    A line with both streams in one slot needs two dense rows: its up pulse comes first.
    """
    _clear(rows)
    x, d = rows.x.reshape(-1), rows.d.reshape(-1)
    n_in, n_out = rows.x.shape[1], rows.d.shape[1]
    used, set_x, set_d = 0, 0, 0
    last = len(pre_start) - 1
    while row < last and used + 2 <= len(rows.x):
        p0, p1 = pre_start[row], pre_start[row + 1]
        first, second = False, False
        n_up, n_down = 0, 0
        for q in range(post_start[row], post_start[row + 1]):
            if not kept[q] or p0 == p1:
                continue
            line = post[q]
            place = used * n_out + line
            if d[place] == 0.0:
                first = True
            else:
                second = True
                place += n_out
            # aihwkit's sign is SGD's: a negative d raises the weight.
            d[place] = -sign[q]
            rows.set_d[set_d] = place
            set_d += 1
            if sign[q] > 0:
                rows.up_lines[n_up] = line
                n_up += 1
            else:
                rows.down_lines[n_down] = line
                n_down += 1
        if first:
            for dense in range(used, used + 2 if second else used + 1):
                for p in range(p0, p1):
                    place = dense * n_in + pre[p]
                    x[place] = 1.0
                    rows.set_x[set_x] = place
                    set_x += 1
            used += 2 if second else 1
            _count(up, rows.up_lines, n_up, pre, p0, p1)
            _count(down, rows.down_lines, n_down, pre, p0, p1)
        row += 1
    rows.set_count[0], rows.set_count[1] = set_x, set_d
    return row, used


class RowWriter:
    """Turns pulse blocks into bounded batches of dense rows, counting each device's pulses."""

    ROWS = 256
    """Dense rows of one call of a tile."""

    def __init__(self, n_in: int, n_out: int) -> None:
        self._up, self._down = (np.zeros((n_out, n_in), dtype=np.int32) for _ in range(2))
        self._rows = _Rows(
            x=np.zeros((self.ROWS, n_in), dtype=np.float32),
            d=np.zeros((self.ROWS, n_out), dtype=np.float32),
            set_x=np.zeros(self.ROWS * n_in, dtype=np.int32),
            set_d=np.zeros(self.ROWS * n_out, dtype=np.int32),
            set_count=np.zeros(2, dtype=np.int64),
            up_lines=np.zeros(n_out, dtype=np.int32),
            down_lines=np.zeros(n_out, dtype=np.int32),
        )

    @property
    def up(self) -> Int32[np.ndarray, "n_in n_out"]:
        """Pulses each device got from the positive stream."""
        return np.ascontiguousarray(self._up.T)

    @property
    def down(self) -> Int32[np.ndarray, "n_in n_out"]:
        """Pulses each device got from the negative stream."""
        return np.ascontiguousarray(self._down.T)

    def restore(
        self, up: Int32[np.ndarray, "n_in n_out"], down: Int32[np.ndarray, "n_in n_out"]
    ) -> None:
        """Count on from these."""
        self._up[:], self._down[:] = up.T, down.T

    def write(
        self, block: PulseBlock, kept: Bool[np.ndarray, " post_spikes"], row: int
    ) -> tuple[int, Float32[np.ndarray, "rows n_in"], Float32[np.ndarray, "rows n_out"]]:
        """Dense rows of the block from `row` on, as many as fit, with the kept gradient spikes.

        Returns:
            next block row, x [rows, n_in] in {0, 1}, d [rows, n_out] in {-1, 0, 1} with -1 for the
            positive stream; both are overwritten by the next call.
        """
        row, used = _fill(
            block.pre_start, block.pre, block.post_start, block.post, block.sign, kept, row,
            self._rows, self._up, self._down,
        )  # fmt: skip
        return row, self._rows.x[:used], self._rows.d[:used]
