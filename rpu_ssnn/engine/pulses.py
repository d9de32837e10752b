"""Buffers of bounded size for pulses, between the simulation and the synapses."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int8, Int32, Int64, UInt8
from numba import uint64

from rpu_ssnn.compiled import compiled_in_place
from rpu_ssnn.engine.blocks import BLOCK, list_spikes
from rpu_ssnn.engine.checked_arrays import zeros
from rpu_ssnn.engine.parameters import Parameters
from rpu_ssnn.engine.state import WorkerState
from rpu_ssnn.synapses.base import PulseBlock

ROWS = 512
"""Largest number of slots in a buffer; a batch fills several buffers."""

SPIKES = 1 << 17
"""Largest number of spikes in a buffer, besides those of the last slot."""


class PulseBuffers(NamedTuple):
    """Pulses not yet dispatched; arrays as in `PulseBlock`, one row of each a crossbar."""

    rows: Int64[np.ndarray, " crossbars"]
    sample: Int32[np.ndarray, "crossbars rows"]
    slot: Int32[np.ndarray, "crossbars rows"]
    pre_start: Int32[np.ndarray, "crossbars rows_plus_1"]
    pre: Int32[np.ndarray, "crossbars pre_capacity"]
    post_start: Int32[np.ndarray, "crossbars rows_plus_1"]
    post: Int32[np.ndarray, "crossbars post_capacity"]
    sign: Int8[np.ndarray, "crossbars post_capacity"]
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
    buffers = PulseBuffers(
        rows=zeros(n, np.int64),
        sample=zeros((*n, rows), np.int32),
        slot=zeros((*n, rows), np.int32),
        pre_start=zeros((*n, rows + 1), np.int32),
        pre=zeros((*n, spikes + widest), np.int32),
        post_start=zeros((*n, rows + 1), np.int32),
        post=zeros((*n, spikes + 2 * widest), np.int32),
        sign=zeros((*n, spikes + 2 * widest), np.int8),
        all_spikes=zeros(n, np.uint8),
    )
    buffers.all_spikes[:] = all_spikes
    return buffers


@compiled_in_place
def one_buffer(buffers: PulseBuffers, k: int) -> PulseBuffers:
    """The k-th of several buffers, for compiled callers."""
    return PulseBuffers(
        rows=buffers.rows[k],
        sample=buffers.sample[k],
        slot=buffers.slot[k],
        pre_start=buffers.pre_start[k],
        pre=buffers.pre[k],
        post_start=buffers.post_start[k],
        post=buffers.post[k],
        sign=buffers.sign[k],
        all_spikes=buffers.all_spikes[k],
    )


def separate(buffers: PulseBuffers) -> list[PulseBuffers]:
    """Several buffers one by one."""
    parts = buffers._asdict().items()
    return [
        PulseBuffers(**{name: part[k] for name, part in parts}) for k in range(len(buffers.rows))
    ]


@compiled_in_place
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


@compiled_in_place
def emit(net: Parameters, state: WorkerState, out: PulseBuffers) -> bool:
    """Append the spikes behind Eq. 9 and 10 of this slot; returns whether a buffer is full."""
    full = False
    rows, room = out.sample.shape[1], out.pre.shape[1] - net.widest
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
            out.sample[x, r], out.slot[x, r] = state.position[0], state.position[1]
            p, q = out.pre_start[x, r], out.post_start[x, r]
            first = net.event_start[x]
            for k in range(pre_count):
                out.pre[x, p + k] = state.delayed[k] if waits else state.events[first + k]
            first = 2 * net.event_start[x + 1]
            for sign in (1, -1):
                for k in range(post_count):
                    if state.gradient_sign[first + k] == sign:
                        out.post[x, q] = state.gradient_events[first + k]
                        out.sign[x, q] = sign
                        q += 1
            out.pre_start[x, r + 1] = p + pre_count
            out.post_start[x, r + 1] = q
            out.rows[x] = r + 1
            full = full or r + 1 == rows or p + pre_count > room or q > room
    return full


@compiled_in_place
def holds_pulses(out: PulseBuffers) -> bool:
    """Whether any crossbar has pulses in the buffer."""
    found = False
    for x in range(len(out.rows)):
        found = found or out.rows[x] > 0
    return found


def block_of(out: PulseBuffers, crossbar: int) -> PulseBlock:
    """The pulses of one crossbar; not a copy."""
    rows = int(out.rows[crossbar])
    pre_start = out.pre_start[crossbar, : rows + 1]
    post_start = out.post_start[crossbar, : rows + 1]
    return PulseBlock(
        sample=out.sample[crossbar, :rows],
        slot=out.slot[crossbar, :rows],
        pre_start=pre_start,
        pre=out.pre[crossbar, : pre_start[-1]],
        post_start=post_start,
        post=out.post[crossbar, : post_start[-1]],
        sign=out.sign[crossbar, : post_start[-1]],
    )
