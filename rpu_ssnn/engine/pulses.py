"""Buffers of bounded size for pulses, between the simulation and the synapses."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int8, Int32, Int64, UInt8
from numba import uint64

from rpu_ssnn.compiled import compiled
from rpu_ssnn.engine.blocks import BLOCK, list_spikes
from rpu_ssnn.engine.geometry import list_patches
from rpu_ssnn.engine.parameters import Parameters
from rpu_ssnn.engine.state import WorkerState, zeros
from rpu_ssnn.synapses.base import PulseBlock

ROWS = 512
"""Slots that a buffer has rows for at each position; a batch fills several buffers."""

SPIKES = 1 << 17
"""Largest number of spikes in a buffer, besides those of the last slot."""


class PulseBuffers(NamedTuple):
    """Pulses of all crossbars that are not yet dispatched."""

    rows: Int64[np.ndarray, " crossbars"]
    """Rows of each crossbar's block that are in use."""
    blocks: PulseBlock
    """The blocks; each array has one more dimension in front, the crossbar."""
    all_spikes: UInt8[np.ndarray, " crossbars"]
    """1 if slots without a coincidence are needed too."""


def make_buffers(
    net: Parameters,
    all_spikes: Sequence[bool],
    several: tuple[int, ...] = (),
    *,
    rows: int = ROWS,
    spikes: int = SPIKES,
) -> PulseBuffers:
    """Empty buffers.

    Args:
        all_spikes: for each crossbar, whether slots without a coincidence are needed too.
        several: (n,) for n buffers, whose arrays have one more dimension in front.
        rows: largest number of slots in a buffer; each may have a row for every position.
        spikes: largest number of spikes besides those of one slot (a line may spike in both
            streams).
    """
    n, widest = (*several, net.crossbars), net.most_in_slot
    rows *= net.geometry.most_positions
    blocks = PulseBlock(
        sample=zeros((*n, rows), np.int32),
        slot=zeros((*n, rows), np.int32),
        pre_start=zeros((*n, rows + 1), np.int32),
        pre=zeros((*n, spikes + widest), np.int32),
        post_start=zeros((*n, rows + 1), np.int32),
        post=zeros((*n, spikes + 2 * widest), np.int32),
        sign=zeros((*n, spikes + 2 * widest), np.int8),
    )
    buffers = PulseBuffers(zeros(n, np.int64), blocks, zeros(n, np.uint8))
    buffers.all_spikes[:] = all_spikes
    return buffers


@compiled
def one_buffer(buffers: PulseBuffers, k: int) -> PulseBuffers:
    """The k-th of several buffers, for compiled callers."""
    blocks = buffers.blocks
    block = PulseBlock(
        blocks.sample[k], blocks.slot[k], blocks.pre_start[k], blocks.pre[k],
        blocks.post_start[k], blocks.post[k], blocks.sign[k],
    )  # fmt: skip
    return PulseBuffers(buffers.rows[k], block, buffers.all_spikes[k])


def separate(buffers: PulseBuffers) -> list[PulseBuffers]:
    """Several buffers one by one."""
    return [
        PulseBuffers(rows, PulseBlock(*block), all_spikes)
        for rows, block, all_spikes in zip(
            buffers.rows, zip(*buffers.blocks, strict=True), buffers.all_spikes, strict=True
        )
    ]


@compiled
def _shift(net: Parameters, state: WorkerState, x: int) -> int:
    """Forward spikes that wait for their gradient: a shift register on each line.

    The gradient of a crossbar comes later than its forward spikes, by about as many kernels as
    there are crossbars above it. Coincidences (Eq. 10) want the two together. Puts this slot's
    spikes of crossbar x in, and takes those of `net.delay[x]` slots ago.

    Returns how many came out; they are listed in `state.delayed`.
    """
    words = -(-net.size[x] // BLOCK)
    first = net.delay_start[x] + state.position[1] % net.delay[x] * words
    count = 0
    for word in range(words):
        count = list_spikes(state.waiting[first + word], word * BLOCK, state.delayed, count)
        state.waiting[first + word] = 0
    for k in range(net.event_start[x], net.event_start[x] + state.event_count[x]):
        line = state.events[k]
        state.waiting[first + line // BLOCK] |= uint64(1) << uint64(line % BLOCK)
    return count


@compiled
def _append_spikes(
    state: WorkerState,
    k: int,
    stop: int,
    sign: int,
    beyond: int,
    shift: int,
    post: Int32[np.ndarray, " post_spikes"],
    signs: Int8[np.ndarray, " post_spikes"],
    q: int,
) -> tuple[int, int]:
    """Append the gradient spikes [k, stop) of one sign, up to neuron `beyond`, to a row.

    Args:
        shift: output line of a neuron, less the neuron.
        q: the first free place of `post` and `signs`.

    Returns:
        The first spike that is left, and the first place that is free.
    """
    while k < stop:
        if state.gradient_sign[k] == sign:
            neuron = state.gradient_events[k]
            if neuron >= beyond:
                break
            post[q] = neuron + shift
            signs[q] = sign
            q += 1
        k += 1
    return k, q


@compiled
def _emit_positions(
    net: Parameters,
    state: WorkerState,
    out: PulseBuffers,
    x: int,
    lists: Int32[np.ndarray, " places"],
    start: int,
    counts: Int64[np.ndarray, " positions"],
) -> bool:
    """Append a row of crossbar x for each position that has pulses; returns whether it is full.

    Args:
        lists: patch lines that spike; the list of the first position begins at `start`.
        counts: of the patch lines that spike at each position.
    """
    tables, blocks = net.geometry, out.blocks
    channels = tables.channels[x]
    up = 2 * net.event_start[x + 1]
    down, stop = up, up + state.gradient_count[x + 1]
    for position in range(tables.positions[x]):
        r, count = out.rows[x], counts[position]
        p, first = blocks.pre_start[x, r], blocks.post_start[x, r]
        beyond = (position + 1) * channels
        shift = (position % tables.replicas[x] - position) * channels
        post, signs, q = blocks.post[x], blocks.sign[x], first
        up, q = _append_spikes(state, up, stop, 1, beyond, shift, post, signs, q)
        down, q = _append_spikes(state, down, stop, -1, beyond, shift, post, signs, q)
        coincide = count > 0 and q > first
        if coincide or (out.all_spikes[x] and (count > 0 or q > first)):
            each = net.counts[x]
            blocks.sample[x, r] = state.position[0] * each + min(position, each - 1)
            cycle = position // tables.at_once[x]
            blocks.slot[x, r] = state.position[1] * tables.cycles + cycle
            at = start + position * tables.patch[x]
            for k in range(count):
                blocks.pre[x, p + k] = lists[at + k]
            blocks.pre_start[x, r + 1] = p + count
            blocks.post_start[x, r + 1] = q
            out.rows[x] = r + 1
    r = out.rows[x]
    room = blocks.pre.shape[1] - net.most_in_slot
    most = blocks.sample.shape[1] - tables.most_positions
    return bool(r > most or blocks.pre_start[x, r] > room or blocks.post_start[x, r] > room)


@compiled
def emit(net: Parameters, state: WorkerState, out: PulseBuffers) -> bool:
    """Append the spikes behind Eq. 9 and 10 of this slot; returns whether a buffer is full."""
    full, tables = False, net.geometry
    for x in range(net.crossbars):
        first, stop = tables.position_start[x], tables.position_start[x + 1]
        lists, start, counts = state.events, tables.list_start[x], state.list_count[first:stop]
        if net.delay[x] > 0:
            waited = _shift(net, state, x)
            lists, start, counts = state.delayed, tables.delayed_start[x], state.delayed_count
            if tables.is_whole[x]:
                counts[0] = waited
            else:
                links = net.event_start[x]
                list_patches(tables, x, lists, 0, waited, lists, start, counts, links)
        if out.all_spikes[x] or state.gradient_count[x + 1] > 0:
            full = _emit_positions(net, state, out, x, lists, start, counts) or full
    return full


@compiled
def holds_pulses(out: PulseBuffers) -> bool:
    """Say whether any crossbar has pulses in the buffer."""
    found = False
    for x in range(len(out.rows)):
        found = found or out.rows[x] > 0
    return found


def block_of(out: PulseBuffers, crossbar: int) -> PulseBlock:
    """The pulses of one crossbar; not a copy."""
    block = PulseBlock(*(array[crossbar] for array in out.blocks))
    return block.first_rows(int(out.rows[crossbar]))
