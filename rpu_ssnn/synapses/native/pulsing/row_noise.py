"""Noise and wear of many pulses, drawn together (vector code)."""

import numpy as np
from jaxtyping import Float32

from rpu_ssnn.compiled import compiled
from rpu_ssnn.devices.laws import jump_table
from rpu_ssnn.devices.shared import Shared
from rpu_ssnn.devices.single_precision import exponential, logarithm
from rpu_ssnn.synapses.native.cells import Cells, Scratch
from rpu_ssnn.synapses.native.random_numbers import (
    device_word,
    normal_of_bits,
    uniform,
    upper_half,
)


@compiled
def draw(
    cells: Cells,
    d: int,
    n: int,
    key: np.uint64,
    later: np.uint32,
    scratch: Scratch,
    out: Float32[np.ndarray, " places"],
) -> None:
    """Standard normal numbers of the first n pulses by key, device and number of the pulse.

    d: which device of each cell; later: numbers are so many more.
    """
    first = np.uint64(d * cells.records.shape[1])
    # Two loops of few instructions each: the processor overlaps more of their rounds than of one.
    for p in range(n):
        device = first + np.uint64(scratch.cell[p])
        scratch.bits[p] = upper_half(device_word(key, device, scratch.number[p] + later))
    for p in range(n):
        out[p] = normal_of_bits(scratch.bits[p])


@compiled
def draw_steps(cells: Cells, d: int, n: int, key: np.uint64, scratch: Scratch) -> None:
    """Fill `scratch.noise` as `draw` does, with uniform numbers where jumps come from tables."""
    if cells.law != jump_table.CODE:
        draw(cells, d, n, key, np.uint32(0), scratch, scratch.noise)
        return
    first = np.uint64(d * cells.records.shape[1])
    for p in range(n):
        device = first + np.uint64(scratch.cell[p])
        scratch.noise[p] = uniform(device_word(key, device, scratch.number[p]))


@compiled
def window_left(shared: Shared, number: np.uint32) -> np.float32:
    """Share that so many pulses leave of a window: 1 / (1 + (pulses / half_window)^exponent)."""
    if number == np.uint32(0):  # of which there is no logarithm
        return np.float32(1.0)
    power = shared.wear_exponent * logarithm(np.float32(number) / shared.half_window)
    gone = exponential(min(max(power, np.float32(-80.0)), np.float32(80.0)))
    return np.float32(1.0) / (np.float32(1.0) + gone)


@compiled
def window_now(cells: Cells, d: int, i: int) -> np.float32:
    """Share that wear has left of the window of a device; 1 without wear, or of a stuck one."""
    device = cells.records[d, i]
    if cells.shared.half_window > np.float32(0.0) and device.high > device.low:
        return window_left(cells.shared, cells.records[0, i].pulses)
    return np.float32(1.0)


@compiled
def wear(shared: Shared, n: int, scratch: Scratch) -> None:
    """What wear has left of the windows."""
    for p in range(n):
        scratch.window[p] = window_left(shared, scratch.number[p])
