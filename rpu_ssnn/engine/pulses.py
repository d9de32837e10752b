"""Buffers of bounded size for pulses, between the simulation and the synapses."""

from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np
from jaxtyping import Int64, UInt8
from numba import uint64

from rpu_ssnn.compiled import inner
from rpu_ssnn.engine.blocks import BLOCK, ZERO, Events, Flags, Signs, list_spikes
from rpu_ssnn.engine.geometry import list_patches, next_replica
from rpu_ssnn.engine.parameters import Parameters
from rpu_ssnn.engine.state import WorkerState
from rpu_ssnn.synapses.base import PulseBlock, empty_block

BUFFER_ROWS = 512
"""A buffer has rows for this many slots at each position; a batch fills several buffers."""

BUFFER_SPIKES = 1 << 17
"""The largest number of spikes in a buffer, not counting the last slot."""


_PLUS, _MINUS = (cast(int, np.int64(sign)) for sign in (1, -1))

type Reads = Int64[np.ndarray, "crossbars 3"]


class PulseBuffers(NamedTuple):
    """Holds the pulses of all crossbars that are not yet dispatched."""

    rows: Int64[np.ndarray, " crossbars"]
    """The number of rows of each crossbar's block that are in use."""
    blocks: PulseBlock
    """The blocks; each array has one more dimension in front, the crossbar."""
    all_spikes: UInt8[np.ndarray, " crossbars"]
    """The number is 1 where slots without a coincidence are needed too."""


def make_buffers(
    net: Parameters,
    all_spikes: Sequence[bool],
    several: tuple[int, ...] = (),
    *,
    rows: int = BUFFER_ROWS,
    spikes: int = BUFFER_SPIKES,
) -> PulseBuffers:
    """Returns empty buffers.

    Args:
        all_spikes: for each crossbar, whether slots without a coincidence are needed too.
        several: (n,) for n buffers, whose arrays have one more dimension in front.
        rows: largest number of slots in a buffer; each may have a row for every position.
        spikes: largest number of spikes, not counting one slot (a line may spike in both streams).
    """
    n, widest = (*several, net.crossbars), net.most_in_slot
    rows *= net.geometry.most_positions
    blocks = empty_block(rows, spikes + widest, spikes + 2 * widest, n)
    buffers = PulseBuffers(np.zeros(n, np.int64), blocks, np.zeros(n, np.uint8))
    buffers.all_spikes[:] = all_spikes
    return buffers


@inner
def one_buffer(buffers: PulseBuffers, k: int) -> PulseBuffers:
    """Returns the k-th of several buffers."""
    blocks = buffers.blocks
    block = PulseBlock(
        sample=blocks.sample[k], slot=blocks.slot[k], pre_start=blocks.pre_start[k],
        pre=blocks.pre[k], post_start=blocks.post_start[k], post=blocks.post[k],
        sign=blocks.sign[k],
    )  # fmt: skip
    return PulseBuffers(buffers.rows[k], block, buffers.all_spikes[k])


@inner
def _shift(
    crossbar: np.record, t: int, words: int, waiting: Flags, spikes: Events, delayed: Events
) -> int:
    """Advances the forward spikes that wait for their gradient by a slot, in a shift register per
    line.

    The gradient of a crossbar comes later than its forward spikes, by about as many kernels as
    there are crossbars above it. Coincidences (Eq. 10) need both in the same slot. The spikes of
    slot t go in, and those that went in `delay` slots earlier come out and are listed in `delayed`.

    Returns how many came out.
    """
    first, count = crossbar.delay_start + t % crossbar.delay * words, ZERO
    for word in range(words):
        count = list_spikes(waiting[first + word], word * BLOCK, delayed, count)
        waiting[first + word] = 0
    for spike in spikes:
        line = uint64(spike)
        waiting[first + line // uint64(BLOCK)] |= uint64(1) << line % uint64(BLOCK)
    return count


@inner
def _append_spikes(
    spikes: Events, spike_signs: Signs, k: int, sign: int, beyond: int, shift: int,
    post: Events, signs: Signs, q: int,
) -> tuple[int, int]:  # fmt: skip
    """Appends the gradient spikes of one sign, from place k up to neuron `beyond`, to a row.

    Args:
        shift: output line of a neuron minus the neuron's number.
        q: the first free place of `post` and `signs`.

    Returns:
        The first spike that is left, and the first place that is free.
    """
    while k < len(spikes):
        if spike_signs[k] == sign:
            neuron = spikes[k]
            if neuron >= beyond:
                break
            post[q] = neuron + shift
            signs[q] = sign
            q += 1
        k += 1
    return k, q


@inner
def _emit_positions(
    net: Parameters, state: WorkerState, out: PulseBuffers, x: int, lists: Events, start: int,
    counts: Int64[np.ndarray, " positions"], reads: Reads,
) -> bool:  # fmt: skip
    """Appends a row of crossbar x for each position that has pulses, and counts transposed reads.

    Args:
        lists: patch lines that spike; the list of the first position begins at `start`.
        counts: number of patch lines that spike at each position.

    Returns whether the buffer is full.
    """
    tables, blocks = net.geometry, out.blocks
    crossbar = tables.crossbars[x]
    channels, samples = crossbar.channels, crossbar.counts
    base = 2 * net.event_start[x + 1]
    stop = base + state.gradient_count[x + 1]
    spikes, spike_signs = state.gradient_events[base:stop], state.gradient_sign[base:stop]
    up, down, column, beyond = ZERO, ZERO, ZERO, ZERO
    for position in range(crossbar.positions):
        r, count = out.rows[x], counts[position]
        p, first = blocks.pre_start[x, r], ZERO + blocks.post_start[x, r]
        shift = column - beyond
        beyond += channels
        column = next_replica(column, channels, crossbar.replicas * channels)
        post, signs, q = blocks.post[x], blocks.sign[x], first
        up, q = _append_spikes(spikes, spike_signs, up, _PLUS, beyond, shift, post, signs, q)
        down, q = _append_spikes(spikes, spike_signs, down, _MINUS, beyond, shift, post, signs, q)
        reads[x, 2] += x > 0 and q > first
        coincide = count > 0 and q > first
        if coincide or (out.all_spikes[x] and (count > 0 or q > first)):
            blocks.sample[x, r] = state.position[0] * samples + min(position, samples - 1)
            cycle = position // crossbar.at_once
            blocks.slot[x, r] = state.position[1] * tables.cycles + cycle
            at = start + position * crossbar.patch
            for k in range(count):
                blocks.pre[x, p + k] = lists[at + k]
            blocks.pre_start[x, r + 1] = p + count
            blocks.post_start[x, r + 1] = q
            out.rows[x] = r + 1
    r = out.rows[x]
    room = blocks.pre.shape[1] - net.most_in_slot
    most = blocks.sample.shape[1] - tables.most_positions
    return bool(r > most or blocks.pre_start[x, r] > room or blocks.post_start[x, r] > room)


@inner
def emit(net: Parameters, state: WorkerState, out: PulseBuffers, reads: Reads) -> bool:
    """Appends the spikes of this slot that Eq. 9 and 10 need, and counts transposed reads.

    Returns whether a buffer is full.
    """
    full, tables = False, net.geometry
    for x in range(net.crossbars):
        crossbar = tables.crossbars[x]
        needed = out.all_spikes[x] or state.gradient_count[x + 1] > 0
        first, stop = crossbar.position_start, crossbar.position_start + crossbar.positions
        lists, start, counts = state.events, crossbar.list_start, state.list_count[first:stop]
        if crossbar.delay > 0:
            words, links = -(-net.size[x] // BLOCK), net.event_start[x]
            spikes = state.events[links : links + state.event_count[x]]
            t = state.position[1]
            n = _shift(crossbar, t, words, state.waiting, spikes, state.delayed)
            lists, start, counts = state.delayed, crossbar.delayed_start, state.delayed_count
            if crossbar.is_whole:
                counts[0] = n
            elif needed:
                list_patches(tables, crossbar.patch, lists, ZERO, n, lists, start, counts, links)
        if needed:
            full = _emit_positions(net, state, out, x, lists, start, counts, reads) or full
    return full
