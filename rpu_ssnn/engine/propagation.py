"""Sums over weights: the currents that the spikes of a slot cause (Eq. 1, 4, 5); compiled."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32
from numba import uint64

from rpu_ssnn.compiled import compiled
from rpu_ssnn.engine.blocks import BLOCK
from rpu_ssnn.engine.encoding import draw_input, draw_label
from rpu_ssnn.engine.neurons import fire_from_current
from rpu_ssnn.engine.parameters import Parameters
from rpu_ssnn.engine.state import WINDOW, Lookahead, Presentations, WorkerState


class Matrices(NamedTuple):
    """The weights of all crossbars for linear reads, in row order for sums over rows."""

    weights: Float32[np.ndarray, " weights"]
    """Each crossbar [n_in, n_out], flat; the place of the first one is unused with `blocks`."""
    transposed: Float32[np.ndarray, " weights"]
    """Each crossbar [n_out, n_in], flat; the place of the first one is unused."""
    blocks: Float32[np.ndarray, " blocks_x_n_in_x_block"]
    """The first crossbar in blocks of columns (`look_ahead`); empty: no lookahead."""


@compiled
def _add_row(
    target: Float32[np.ndarray, " n"], row: Float32[np.ndarray, " n"], gain: np.float32
) -> None:
    for j in range(len(row)):
        target[j] += gain * row[j]


@compiled
def add_rows(
    target: Float32[np.ndarray, " n"],
    weights: Float32[np.ndarray, " rows_x_row_length"],
    rows: Int32[np.ndarray, " spikes"],
    first: int,
    stop: int,
    row_length: int,
    gain: np.float32,
) -> None:
    """target += gain * weights[rows[k]] for each k in [first, stop), one after the other.

    The weights are flat, in rows of `row_length`, each of which begins with what is added. Eight
    rows are added in one pass over the target.
    """
    # numba does not check places that cannot be negative: the loops become vector code.
    k, length, apart = first, uint64(len(target)), uint64(row_length)
    while k + 8 <= stop:
        a, b = uint64(rows[k]) * apart, uint64(rows[k + 1]) * apart
        c, d = uint64(rows[k + 2]) * apart, uint64(rows[k + 3]) * apart
        e, f = uint64(rows[k + 4]) * apart, uint64(rows[k + 5]) * apart
        g, h = uint64(rows[k + 6]) * apart, uint64(rows[k + 7]) * apart
        for j in range(length):
            half = target[j] + gain * weights[a + j] + gain * weights[b + j]
            half = half + gain * weights[c + j] + gain * weights[d + j]
            whole = half + gain * weights[e + j] + gain * weights[f + j]
            target[j] = whole + gain * weights[g + j] + gain * weights[h + j]
        k += 8
    if k + 4 <= stop:
        a, b = uint64(rows[k]) * apart, uint64(rows[k + 1]) * apart
        c, d = uint64(rows[k + 2]) * apart, uint64(rows[k + 3]) * apart
        for j in range(length):
            half = target[j] + gain * weights[a + j] + gain * weights[b + j]
            target[j] = half + gain * weights[c + j] + gain * weights[d + j]
        k += 4
    if k + 2 <= stop:
        a, b = uint64(rows[k]) * apart, uint64(rows[k + 1]) * apart
        for j in range(length):
            target[j] = target[j] + gain * weights[a + j] + gain * weights[b + j]
        k += 2
    if k < stop:
        a = uint64(rows[k]) * apart
        for j in range(length):
            target[j] += gain * weights[a + j]


@compiled
def propagate_linear(
    net: Parameters, state: WorkerState, matrices: Matrices, learn: bool, first_crossbar: int
) -> None:
    """Forward sums of Eq. 1 from `first_crossbar` on, and backward sums of Eq. 4, 5."""
    tables = net.geometry
    for layer in range(first_crossbar, net.crossbars + 1):
        x, gain = layer - 1, dropout_gain(net, layer - 1)
        channels, replicas = tables.channels[x], tables.replicas[x]
        first, start = tables.list_start[x], net.neuron_start[layer]
        for position in range(tables.positions[x]):
            count = state.list_count[tables.position_start[x] + position]
            kernel = net.weight_start[layer] + position % replicas * channels
            add_rows(
                state.current[start : start + channels],
                matrices.weights[kernel : net.weight_start[layer + 1]],
                state.events,
                first,
                first + count,
                replicas * channels,
                gain,
            )
            first += tables.patch[x]
            start += channels
    if learn:
        for layer in range(2, net.crossbars + 1):
            x, gain = layer - 1, dropout_gain(net, layer - 1)
            first = 2 * net.event_start[layer]
            for k in range(first, first + state.gradient_count[layer]):
                factor = gain * np.float32(state.gradient_sign[k])
                _add_patch(net, state, matrices, x, state.gradient_events[k], factor)


@compiled
def _add_patch(
    net: Parameters,
    state: WorkerState,
    matrices: Matrices,
    x: int,
    neuron: int,
    factor: np.float32,
) -> None:
    """Add the kernel of a neuron of crossbar x to the gradient currents of its patch."""
    tables, start = net.geometry, net.neuron_start[x]
    position, channel = neuron // tables.channels[x], neuron % tables.channels[x]
    column = position % tables.replicas[x] * tables.channels[x] + channel
    row = net.weight_start[x + 1] + column * tables.patch[x]
    at = tables.position_start[x] + position
    for run in range(tables.runs[at], tables.runs[at + 1]):
        a, b, n = start + tables.run_neuron[run], row + tables.run_line[run], tables.run_length[run]
        target = state.gradient_current[a : a + n]
        _add_row(target, matrices.transposed[b : b + n], factor)


@compiled
def propagate_inhibition(net: Parameters, state: WorkerState) -> None:
    """Eq. 2 to the letter: each further output layer takes s - W_inh s of the one before."""
    for layer in range(net.crossbars + 1, len(net.size)):
        start, base = net.neuron_start[layer], net.event_start[layer - 1]
        count = state.event_count[layer - 1]
        push = net.inhibition * net.theta
        for j in range(net.size[layer]):
            state.current[start + j] -= push * np.float32(count)
        for k in range(count):
            state.current[start + state.events[base + k]] += net.theta + push


@compiled
def dropout_gain(net: Parameters, layer: int) -> np.float32:
    """Factor on the currents from a layer with dropout: 1 / (1 - share)."""
    share = net.dropout_input if layer == 0 else net.dropout_hidden
    return np.float32(1.0 / (1.0 - share))


@compiled
def look_ahead(
    net: Parameters,
    state: WorkerState,
    shown: Presentations,
    lookahead: Lookahead,
    blocks: Float32[np.ndarray, " blocks_x_n_in_x_block"],
    learn: bool,
) -> None:
    """Compute input, label and first layer for the window that begins at the state's slot.

    blocks: the first crossbar (`propagation.Matrices`).
    """
    t, n_in = state.position[1], net.size[0]
    slots = min(WINDOW, net.slots - t)
    lookahead.window[0] = t
    lookahead.window[1] = t + slots
    count = 0
    for s in range(slots):
        lookahead.start[s] = count
        draw_input(net, state, shown, t + s)
        for k in range(state.event_count[0]):
            lookahead.events[count + k] = state.events[k]
        count += state.event_count[0]
        lookahead.label[s] = draw_label(net, state, t + s) if learn or net.clocked else False
    lookahead.start[slots] = count
    keep, gain = net.kernel_keep, dropout_gain(net, 0)
    move = np.float32(1.0) - keep
    words = net.neuron_start[2] // BLOCK
    for word in range(words):
        at = word * BLOCK
        block = blocks[at * n_in : (at + BLOCK) * n_in]
        current = state.current[at : at + BLOCK]
        for s in range(slots):
            lookahead.spikes[s * words + word] = fire_from_current(
                at, state.membrane, state.current, move, keep, net.theta, net.reset_to_zero,
                state.alive[word],
            )  # fmt: skip
            first, stop = lookahead.start[s], lookahead.start[s + 1]
            add_rows(current, block, lookahead.events, first, stop, BLOCK, gain)


@compiled
def recall_slot(state: WorkerState, lookahead: Lookahead) -> bool:
    """Write the input spikes of the state's slot to its events; returns the label train's spike."""
    s = state.position[1] - lookahead.window[0]
    first, stop = lookahead.start[s], lookahead.start[s + 1]
    for k in range(stop - first):
        state.events[k] = lookahead.events[first + k]
    state.event_count[0] = stop - first
    return bool(lookahead.label[s])
