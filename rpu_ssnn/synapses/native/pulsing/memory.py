"""Gap and charge loss of the cells of one row, from the time of their last pulses (vector code)."""

import math

import numpy as np
from jaxtyping import Float32

from rpu_ssnn.compiled import compiled
from rpu_ssnn.devices.single_precision import logarithm
from rpu_ssnn.synapses.native.cells import Memory, Scratch

FORGOTTEN = 40.0
"""Time constants after which exp(-gap / tau) is below a rounding."""


@compiled
def gap_s(memory: Memory, slots: int) -> float:
    """From the end of a pulse to the start of a slot, that many slots later (s)."""
    return max(0.0, slots * memory.slot_s - memory.width_s)


@compiled
def kept_share(memory: Memory, gap: float) -> np.float32:
    """Of the charge, after that time (s) without a pulse."""
    loss = np.float32(memory.loss_per_decade / math.log(10.0))
    onsets = np.float32(1.0 + gap / memory.loss_onset_s)
    return max(np.float32(0.0), np.float32(1.0) - loss * logarithm(onsets))


@compiled
def note_pulse(memory: Memory, i: np.uint32, at: int, p: int, scratch: Scratch) -> None:
    """Cell i is pulsed in slot `at`: place p gets the slots since its last pulse."""
    scratch.since[p] = at - memory.cells[i].last
    memory.cells[i].last = at


@compiled
def add_gap_factors(memory: Memory, n: int, scratch: Scratch) -> None:
    """Add step factor and kept charge to the first n pulses of the scratch."""
    for p in range(n):
        scratch.kept[p] = kept_share(memory, gap_s(memory, scratch.since[p]))
    near = FORGOTTEN * memory.gap_time_constant_s
    total = 0.0
    for p in range(n):
        gap = gap_s(memory, scratch.since[p])
        factor = 1.0
        if gap < near:
            factor += memory.recovery * math.exp(-gap / memory.gap_time_constant_s)
        scratch.factor[p] = factor
        # Whole parts of 2^-20: their sum does not depend on the order, so not on the threads.
        total += math.floor(factor * 1048576.0 + 0.5)
    scratch.sums[0] += total / 1048576.0
    if memory.loss_per_decade > 0.0:
        for p in range(n):
            share = max(scratch.kept[p], np.float32(1e-37))
            memory.cells[scratch.cell[p]].log_kept += np.float64(logarithm(share))


@compiled
def add_kept_shares(memory: Memory, base: int, n_in: int, now: int, scratch: Scratch) -> None:
    """Kept charge of all cells of a line in slot `now`."""
    for p in range(n_in):
        scratch.kept[p] = kept_share(memory, gap_s(memory, now - memory.cells[base + p].last))


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
    """Weights of those output lines in slot `now`, where all devices lose charge alike.

    weights: as their last pulses left them; rest: weight without charge.
    """
    none = np.float32(rest)
    for line in range(first, stop):
        base = line * n_in
        add_kept_shares(memory, base, n_in, now, scratch)
        for p in range(n_in):
            shown[base + p] = none + (weights[base + p] - none) * scratch.kept[p]
