"""Compiled code that applies the pulses of a crossbar's output lines to their devices.

Each thread calls `pulse_lines` for its own output lines. About a thousand pulses are processed at a
time (`Scratch`): first their devices are looked up, then noise, wear, gaps and lost charge are
computed in loops of vector code, and then each device takes its step.
"""

import math
from functools import partial

import numpy as np

from rpu_ssnn.compiled import compiled, inner
from rpu_ssnn.devices.device_record import Device
from rpu_ssnn.devices.fit_form import JUMP_TABLE
from rpu_ssnn.devices.laws import change
from rpu_ssnn.devices.shared import Shared
from rpu_ssnn.devices.single_precision import exponential, logarithm
from rpu_ssnn.random_numbers import device_word, normal_of_bits, uniform, upper_half
from rpu_ssnn.synapses.native.cells import AT_ONCE, Cells, Memory, Places, Pulses, Scratch

_F = np.float32
SECOND_NOISE = np.uint64(0x6A09E667F3BCC909)
"""This turns the key of the pulse noise into the key of a second, independent noise."""
FORGOTTEN = 40.0
"""After this many time constants, exp(-gap / tau) is below the rounding error."""


@inner
def show(cells: Cells, i: int, total: np.float32) -> None:
    """Writes a cell's weight for reads; `total` is the signed sum of its devices' visible
    states."""
    weight = total / np.float32(len(cells.signs)) * cells.per_state
    if len(cells.offset) > 0:
        weight -= cells.offset[i]
    cells.weights[i] = weight


@inner
def bounded(device: Device, w: np.float32) -> np.float32:
    """Returns the state clipped to the device's own bounds."""
    return min(max(w, device.low), device.high)


@inner
def after_loss(shared: Shared, device: Device, w: np.float32, kept: np.float32) -> np.float32:
    """Returns the state after a loss of charge that leaves the share `kept`."""
    if kept == np.float32(1.0):
        return w
    return bounded(device, shared.rest + (w - shared.rest) * kept)


@inner
def after_pulse(cells: Cells, device: Device, up: bool, scratch: Scratch, p: int) -> np.float32:
    """Applies pulse p of the scratch to a device, and returns its new state.

    Args:
        up: whether the pulse raises the device's own state.
    """
    shared, window = cells.shared, scratch.window[p]
    w = after_loss(shared, device, device.state, scratch.kept[p])
    if shared.has_reference:
        w += device.a
    if not device.high > device.low:
        window = np.float32(1.0)  # a stuck device stays where it is
    step = scratch.factor[p] * (window * change(cells.law, shared, device, w, up, scratch.noise[p]))
    if shared.range_noise > np.float32(0.0) or shared.quantum > np.float32(0.0):
        spread = shared.range_noise * (window * (device.high - device.low))
        step += np.float32(np.sqrt(spread * spread + shared.quantum * abs(step))) * scratch.extra[p]
    w = min(max(w + step, window * device.low), window * device.high)
    if shared.has_reference:
        w -= device.a
    device.state = w
    return w


@inner
def gap_s(memory: Memory, slots: int) -> float:
    """Returns the time (s) from the end of a pulse to the start of the slot `slots` later."""
    return max(0.0, slots * memory.slot_s - memory.width_s)


@inner
def kept_share(memory: Memory, gap: float) -> np.float32:
    """Returns the share of the charge that is left after a gap (s) without a pulse."""
    loss = np.float32(memory.loss_per_decade / math.log(10.0))
    onsets = np.float32(1.0 + gap / memory.loss_onset_s)
    return max(np.float32(0.0), np.float32(1.0) - loss * logarithm(onsets))


@partial(inner, inline=False)
def add_gap_factors(memory: Memory, n: int, scratch: Scratch) -> None:
    """Computes the step factor and the kept charge of the first n pulses of the scratch.

    It is not inlined, since that would slow the pulses of other devices by a few percent, and its
    own by ten.
    """
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
        # A sum of multiples of 2^-20 is exact in any order, so it does not depend on threads.
        total += math.floor(factor * 1048576.0 + 0.5)
    scratch.sums[0] += total / 1048576.0
    if memory.loss_per_decade > 0.0:
        for p in range(n):
            share = max(scratch.kept[p], np.float32(1e-37))
            memory.cells[scratch.cell[p]].log_kept += np.float64(logarithm(share))


@inner
def draw(
    cells: Cells, d: int, n: int, key: np.uint64, later: np.uint32, scratch: Scratch, out: Places
) -> None:
    """Draws standard normal numbers for the first n pulses by key, device and number of the pulse.

    Args:
        d: which device of each cell gets them.
        later: offset that is added to the pulse numbers.
    """
    first = np.uint64(d * cells.records.shape[1])
    # The processor overlaps more iterations of two short loops than of one long loop.
    for p in range(n):
        device = first + np.uint64(scratch.cell[p])
        scratch.bits[p] = upper_half(device_word(key, device, scratch.number[p] + later))
    for p in range(n):
        out[p] = normal_of_bits(scratch.bits[p])


@inner
def draw_steps(cells: Cells, d: int, n: int, key: np.uint64, scratch: Scratch) -> None:
    """Fills `scratch.noise` as `draw` does, but with uniform numbers where jumps come from
    tables."""
    if cells.law != JUMP_TABLE:
        draw(cells, d, n, key, np.uint32(0), scratch, scratch.noise)
        return
    first = np.uint64(d * cells.records.shape[1])
    for p in range(n):
        device = first + np.uint64(scratch.cell[p])
        scratch.noise[p] = uniform(device_word(key, device, scratch.number[p]))


@inner
def window_left(shared: Shared, number: np.uint32) -> np.float32:
    """Returns the share of a window that `number` pulses leave, 1 / (1 + (pulses /
    half_window)^exponent)."""
    if number == np.uint32(0):  # zero has no logarithm
        return np.float32(1.0)
    power = shared.wear_exponent * logarithm(np.float32(number) / shared.half_window)
    gone = exponential(min(max(power, np.float32(-80.0)), np.float32(80.0)))
    return np.float32(1.0) / (np.float32(1.0) + gone)


@inner
def window_now(cells: Cells, d: int, i: int) -> np.float32:
    """Returns the share of a device's window that wear has left; it is 1 without wear and for stuck
    devices."""
    device = cells.records[d, i]
    if cells.shared.half_window > np.float32(0.0) and device.high > device.low:
        return window_left(cells.shared, cells.records[0, i].pulses)
    return np.float32(1.0)


@compiled
def pulse_lines(
    cells: Cells, memory: Memory, pulses: Pulses, first: int, stop: int, scratch: Scratch
) -> None:
    """Applies all pulses of output lines [first, stop), in physical order on every device."""
    n_in = cells.records.shape[1] // (len(pulses.start) - 1)
    for line in range(first, stop):
        k, last = pulses.start[line], pulses.start[line + 1]
        while k < last:
            after = _gather(cells, memory, pulses, line * n_in, k, last, scratch)
            _pulse(cells, memory, pulses, k, after, scratch)
            k = after


@inner
def _gather(
    cells: Cells, memory: Memory, pulses: Pulses, base: int, k: int, last: int, scratch: Scratch
) -> int:
    """Fills the scratch with the pulses of gradient spikes from k on, and returns the first spike
    left out.

    Nothing is computed here, so that the processor can fetch the memory of many devices at once.
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
                scratch.since[p] = pulses.at[row] - memory.cells[i].last
                memory.cells[i].last = pulses.at[row]
            p += 1
        k += 1
    return k


@inner
def _pulse(
    cells: Cells, memory: Memory, pulses: Pulses, k: int, after: int, scratch: Scratch
) -> None:
    """Applies the pulses in the scratch, which belong to gradient spikes [k, after)."""
    n, shared, devices = 0, cells.shared, len(cells.signs)
    for spike in range(k, after):
        row = pulses.row[spike]
        n += pulses.pre_start[row + 1] - pulses.pre_start[row]
    noisy, written = shared.noise > _F(0.0), shared.write_noise > _F(0.0)
    more = shared.range_noise > _F(0.0) or shared.quantum > _F(0.0)
    if len(memory.cells) > 0:
        add_gap_factors(memory, n, scratch)
    if shared.half_window > _F(0.0):
        for p in range(n):
            scratch.window[p] = window_left(shared, scratch.number[p])
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
                if shared.own is not None:  # a user's step reads the count, which is ahead by now
                    records[i].pulses = scratch.number[p]
                seen = after_pulse(cells, records[i], up, scratch, p)
                if shared.own is not None:
                    records[i].pulses = scratch.number[p] + np.uint32(1)
                if written:
                    seen += shared.write_noise * scratch.seen[p]
                if devices > 1:
                    seen *= cells.signs[d]
                    seen += scratch.total[p] if d > 0 else _F(0.0)
                    scratch.total[p] = seen
                if d == devices - 1:
                    show(cells, i, seen)
            begin = end
