"""Compiled code that computes the weights that reads see, from the states of the devices.

Each thread calls these functions for its own output lines.
"""

import numpy as np

from rpu_ssnn.compiled import compiled, inner
from rpu_ssnn.synapses.base import Weights
from rpu_ssnn.synapses.native.cells import Cells, CellValues, Memory, Pulses, Scratch
from rpu_ssnn.synapses.native.pulses import after_loss, draw, gap_s, kept_share, show

_F = np.float32


@compiled
def show_lines(
    cells: Cells, memory: Memory, now: int, n_in: int, first: int, stop: int, scratch: Scratch
) -> None:
    """Writes the weights that reads see in slot `now`, for output lines [first, stop)."""
    written = cells.shared.write_noise > _F(0.0)
    for line in range(first, stop):
        base = line * n_in
        if len(memory.cells) > 0:
            add_kept_shares(memory, base, n_in, now, scratch)
        for p in range(n_in):
            scratch.cell[p] = base + p
            scratch.number[p] = cells.records[0, base + p].pulses
        for d in range(len(cells.signs)):
            if written:
                draw(cells, d, n_in, cells.read_key, np.uint32(0), scratch, scratch.seen)
            for p in range(n_in):
                device = cells.records[d, base + p]
                seen = after_loss(cells.shared, device, device.state, scratch.kept[p])
                if written:
                    seen += cells.shared.write_noise * scratch.seen[p]
                total = scratch.total[p] if d > 0 else _F(0.0)
                scratch.total[p] = total + cells.signs[d] * seen
        for p in range(n_in):
            show(cells, base + p, scratch.total[p])


@compiled
def faded_lines(
    memory: Memory, weights: CellValues, shown: CellValues, rest: float,
    now: int, n_in: int, first: int, stop: int, scratch: Scratch,
) -> None:  # fmt: skip
    """Writes the weights of these lines in slot `now`, where charge loss can be applied to weights.

    Args:
        weights: the weights as their last pulses left them.
        rest: the weight without charge.
    """
    none = np.float32(rest)
    for line in range(first, stop):
        base = line * n_in
        add_kept_shares(memory, base, n_in, now, scratch)
        for p in range(n_in):
            shown[base + p] = none + (weights[base + p] - none) * scratch.kept[p]


@inner
def add_kept_shares(memory: Memory, base: int, n_in: int, now: int, scratch: Scratch) -> None:
    """Writes the kept charge of all cells of a line in slot `now` into the scratch."""
    for p in range(n_in):
        scratch.kept[p] = kept_share(memory, gap_s(memory, now - memory.cells[base + p].last))


@compiled
def copy_changes(pulses: Pulses, weights: CellValues, flat: Weights, transposed: Weights) -> None:
    """Copies the weights of all pulsed cells to their places in two matrices, of which the second
    may be empty."""
    n_in, both = flat.shape[0], len(transposed) > 0
    for line in range(len(pulses.start) - 1):
        for k in range(pulses.start[line], pulses.start[line + 1]):
            row = pulses.row[k]
            for q in range(pulses.pre_start[row], pulses.pre_start[row + 1]):
                i = pulses.pre[q]
                weight = weights[line * n_in + i]
                flat[i, line] = weight
                if both:
                    transposed[line, i] = weight
