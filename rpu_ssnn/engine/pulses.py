"""Buffers of bounded size for pulses, between the simulation and the synapses."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64, UInt8
from numba import uint64

from rpu_ssnn.compiled import compiled
from rpu_ssnn.engine.blocks import BLOCK, list_spikes
from rpu_ssnn.engine.parameters import Parameters
from rpu_ssnn.engine.state import WorkerState, zeros
from rpu_ssnn.synapses.base import PulseBlock

ROWS = 512
"""Largest number of slots in a buffer; a batch fills several buffers."""

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
        rows: largest number of slots in a buffer.
        spikes: largest number of spikes besides those of one slot (a line may spike in both
            streams).
    """
    n, widest = (*several, net.crossbars), net.widest
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
def emit(net: Parameters, state: WorkerState, out: PulseBuffers) -> bool:
    """Append the spikes behind Eq. 9 and 10 of this slot; returns whether a buffer is full."""
    full, blocks = False, out.blocks
    rows, room = blocks.sample.shape[1], blocks.pre.shape[1] - net.widest
    for x in range(net.crossbars):
        waits = net.delay[x] > 0
        pre_count = _shift(net, state, x) if waits else state.event_count[x]
        post_count = state.gradient_count[x + 1]
        if out.all_spikes[x]:
            wanted = pre_count > 0 or post_count > 0
        else:
            wanted = pre_count > 0 and post_count > 0
        if wanted:
            r = out.rows[x]
            blocks.sample[x, r], blocks.slot[x, r] = state.position[0], state.position[1]
            p, q = blocks.pre_start[x, r], blocks.post_start[x, r]
            first = net.event_start[x]
            for k in range(pre_count):
                blocks.pre[x, p + k] = state.delayed[k] if waits else state.events[first + k]
            first = 2 * net.event_start[x + 1]
            for sign in (1, -1):
                for k in range(post_count):
                    if state.gradient_sign[first + k] == sign:
                        blocks.post[x, q] = state.gradient_events[first + k]
                        blocks.sign[x, q] = sign
                        q += 1
            blocks.pre_start[x, r + 1] = p + pre_count
            blocks.post_start[x, r + 1] = q
            out.rows[x] = r + 1
            full = full or r + 1 == rows or p + pre_count > room or q > room
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
