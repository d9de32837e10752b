"""Compiled code that starts, decays or reads all devices of some output lines.

Each thread calls these functions for its own lines.
"""

import numpy as np
from jaxtyping import Float32, Int64

from rpu_ssnn.compiled import compiled, inner
from rpu_ssnn.synapses.base import Weights
from rpu_ssnn.synapses.native.cells import Cells, DeviceValues, Memory, Pulses, Scratch
from rpu_ssnn.synapses.native.pulses import (
    SECOND_NOISE,
    after_loss,
    after_pulse,
    bounded,
    draw,
    draw_steps,
    gap_s,
    kept_share,
    show,
)

_F = np.float32


@compiled
def start_lines(
    cells: Cells,
    counts: Int64[np.ndarray, " cells"],
    n_in: int,
    first: int,
    stop: int,
    key: np.uint64,
    scratch: Scratch,
) -> None:
    """Sends the pulses before training: `counts` of them to each cell's devices, down where it is
    negative.

    Only devices of a user's law count them, since its step may depend on their number. The noise of
    training goes by the count, so that another count would change the results of the other laws.
    """
    for line in range(first, stop):
        base, most = line * n_in, 0
        for p in range(n_in):
            most = max(most, abs(counts[base + p]))
            scratch.cell[p] = base + p
        for sent in range(most):
            for p in range(n_in):
                scratch.number[p] = np.uint32(sent)
            for d in range(len(cells.signs)):
                draw_steps(cells, d, n_in, key, scratch)
                draw(cells, d, n_in, key ^ SECOND_NOISE, np.uint32(0), scratch, scratch.extra)
                for p in range(n_in):
                    if abs(counts[base + p]) <= sent:
                        continue
                    device = cells.records[d, base + p]
                    up = (counts[base + p] > 0) == (cells.signs[d] > _F(0.0))
                    after_pulse(
                        cells, device, up, scratch.noise[p], scratch.extra[p],
                        _F(1.0), _F(1.0), _F(1.0),
                    )  # fmt: skip
                    if cells.shared.own is not None:  # a user's step reads the count
                        device.pulses = np.uint32(sent + 1)


@compiled
def decay_lines(
    cells: Cells, shares: DeviceValues, resets: DeviceValues, n_in: int, first: int, stop: int
) -> None:
    """Moves every device of these lines towards its reset level; `shares` of the distance are
    left."""
    for d in range(len(cells.signs)):
        for i in range(first * n_in, stop * n_in):
            device = cells.records[d, i]
            # This rounds exactly as aihwkit does.
            share = _F(1.0) + (shares[d, i] - _F(1.0))
            w = (device.state - resets[d, i]) * share + resets[d, i]
            device.state = bounded(device, w)


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
    memory: Memory,
    weights: Float32[np.ndarray, " cells"],
    shown: Float32[np.ndarray, " cells"],
    rest: float,
    now: int,
    n_in: int,
    first: int,
    stop: int,
    scratch: Scratch,
) -> None:
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
def copy_changes(
    pulses: Pulses,
    weights: Float32[np.ndarray, " cells"],
    flat: Weights,
    transposed: Float32[np.ndarray, "n_out_or_none n_in"],
) -> None:
    """Copies the weights of all pulsed cells to their places in two matrices."""
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
