"""What pulses do to the devices of some output lines, and what all devices there are read as.

Each thread calls these for lines of its own.
"""

import numpy as np
from jaxtyping import Float32, Int64

from rpu_ssnn.compiled import compiled
from rpu_ssnn.synapses.base import Weights
from rpu_ssnn.synapses.native.cells import (
    AT_ONCE,
    Cells,
    Memory,
    OfDevices,
    Pulses,
    Scratch,
    bounded,
    left,
    moved,
    show,
)
from rpu_ssnn.synapses.native.pulsing.memory import add_gap_factors, add_kept_shares, note_pulse
from rpu_ssnn.synapses.native.pulsing.row_noise import draw, draw_steps, wear

_F = np.float32
SECOND_NOISE = np.uint64(0x6A09E667F3BCC909)
"""Turns the key of the noise of pulses into that of a second one."""


@compiled
def pulse_lines(
    cells: Cells, memory: Memory, pulses: Pulses, first: int, stop: int, scratch: Scratch
) -> None:
    """All pulses of output lines [first, stop), in physical order on every device."""
    n_in = cells.records.shape[1] // (len(pulses.start) - 1)
    for line in range(first, stop):
        k, last = pulses.start[line], pulses.start[line + 1]
        while k < last:
            after = _gather(cells, memory, pulses, line * n_in, k, last, scratch)
            _pulse(cells, memory, pulses, k, after, scratch)
            k = after


@compiled
def _gather(
    cells: Cells, memory: Memory, pulses: Pulses, base: int, k: int, last: int, scratch: Scratch
) -> int:
    """Fill the scratch with the pulses of gradient spikes from k on; the spike after those.

    Nothing is computed here, so that the processor waits for the memory of many devices at once.
    """
    p, count = 0, cells.records[0]
    while k < last and p < AT_ONCE:
        row = pulses.row[k]
        for q in range(pulses.pre_start[row], pulses.pre_start[row + 1]):
            i = np.uint32(base + pulses.pre[q])
            scratch.cell[p] = i
            scratch.number[p] = count[i].pulses
            count[i].pulses = scratch.number[p] + np.uint32(1)
            if len(memory.cells) > 0:
                note_pulse(memory, i, pulses.at[row], p, scratch)
            p += 1
        k += 1
    return k


@compiled
def _pulse(
    cells: Cells, memory: Memory, pulses: Pulses, k: int, after: int, scratch: Scratch
) -> None:
    """Let the pulses in the scratch act: those of gradient spikes [k, after)."""
    n, shared, devices = 0, cells.shared, len(cells.signs)
    for spike in range(k, after):
        row = pulses.row[spike]
        n += pulses.pre_start[row + 1] - pulses.pre_start[row]
    noisy, written = shared.noise > _F(0.0), shared.write_noise > _F(0.0)
    more = shared.range_noise > _F(0.0) or shared.quantum > _F(0.0)
    if len(memory.cells) > 0:
        add_gap_factors(memory, n, scratch)
    if shared.half_window > _F(0.0):
        wear(shared, n, scratch)
    for d in range(devices):
        if more:
            key = cells.pulse_key ^ SECOND_NOISE
            draw(cells, d, n, key, np.uint32(0), scratch, scratch.extra)
        if noisy:
            draw_steps(cells, d, n, cells.pulse_key, scratch)
        if written:
            draw(cells, d, n, cells.read_key, np.uint32(1), scratch, scratch.seen)
        begin, records = 0, cells.records[d]
        for spike in range(k, after):
            row, up = pulses.row[spike], pulses.up[spike] == (cells.signs[d] > _F(0.0))
            end = begin + pulses.pre_start[row + 1] - pulses.pre_start[row]
            for p in range(begin, end):
                i = scratch.cell[p]
                seen = moved(
                    cells, records[i], up, scratch.noise[p], scratch.extra[p], scratch.factor[p],
                    scratch.kept[p], scratch.window[p],
                )  # fmt: skip
                if written:
                    seen += shared.write_noise * scratch.seen[p]
                if devices > 1:
                    seen *= cells.signs[d]
                    seen += scratch.total[p] if d > 0 else _F(0.0)
                    scratch.total[p] = seen
                if d == devices - 1:
                    show(cells, i, seen)
            begin = end


@compiled
def show_lines(
    cells: Cells, memory: Memory, now: int, n_in: int, first: int, stop: int, scratch: Scratch
) -> None:
    """Put the weights of output lines [first, stop) where reads find them, in slot `now`."""
    written = cells.shared.write_noise > _F(0.0)
    for line in range(first, stop):
        base = line * n_in
        if len(memory.cells) > 0:
            add_kept_shares(memory, base, n_in, now, scratch)
        _whole_line(cells, base, n_in, scratch)
        for d in range(len(cells.signs)):
            if written:
                draw(cells, d, n_in, cells.read_key, np.uint32(0), scratch, scratch.seen)
            for p in range(n_in):
                device = cells.records[d, base + p]
                seen = left(cells.shared, device, device.state, scratch.kept[p])
                if written:
                    seen += cells.shared.write_noise * scratch.seen[p]
                total = scratch.total[p] if d > 0 else _F(0.0)
                scratch.total[p] = total + cells.signs[d] * seen
        for p in range(n_in):
            show(cells, base + p, scratch.total[p])


@compiled
def _whole_line(cells: Cells, base: int, n_in: int, scratch: Scratch) -> None:
    for p in range(n_in):
        scratch.cell[p] = base + p
        scratch.number[p] = cells.records[0, base + p].pulses


@compiled
def decay_lines(
    cells: Cells, shares: OfDevices, resets: OfDevices, n_in: int, first: int, stop: int
) -> None:
    """Every device of those lines goes to its reset level by its share that is left."""
    for d in range(len(cells.signs)):
        for i in range(first * n_in, stop * n_in):
            device = cells.records[d, i]
            # as aihwkit writes it, rounding for rounding
            share = _F(1.0) + (shares[d, i] - _F(1.0))
            w = (device.state - resets[d, i]) * share + resets[d, i]
            device.state = bounded(device, w)


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
    """Pulses before training: counts (below 0: down) for each cell's devices."""
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
                    if abs(counts[base + p]) > sent:
                        up = (counts[base + p] > 0) == (cells.signs[d] > _F(0.0))
                        moved(
                            cells, cells.records[d, base + p], up, scratch.noise[p],
                            scratch.extra[p], _F(1.0), _F(1.0), _F(1.0),
                        )  # fmt: skip


@compiled
def copy_changes(
    pulses: Pulses,
    weights: Float32[np.ndarray, " cells"],
    flat: Weights,
    transposed: Float32[np.ndarray, "n_out_or_none n_in"],
) -> None:
    """Write the weights of all cells that were pulsed to their places in two matrices."""
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
