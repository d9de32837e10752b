"""Sums over weights: the currents that the spikes of a slot cause (Eq. 1, 4, 5); compiled."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32
from numba import uint64

from rpu_ssnn.compiled import inner
from rpu_ssnn.engine.blocks import ZERO, Events
from rpu_ssnn.engine.geometry import next_replica
from rpu_ssnn.engine.parameters import Parameters
from rpu_ssnn.engine.state import WorkerState


class Matrices(NamedTuple):
    """Holds the weights of all crossbars for linear reads, in row order for sums over rows."""

    weights: Float32[np.ndarray, " weights"]
    """The weights [n_in, n_out] of each crossbar, flat."""
    transposed: Float32[np.ndarray, " weights"]
    """The weights [n_out, n_in] of each crossbar, flat; the place of the first one is unused."""


@inner
def add_rows(
    target: Float32[np.ndarray, " n"], at: int, length: int,
    weights: Float32[np.ndarray, " rows_x_row_length"],
    rows: Events, first: int, stop: int, row_length: int, gain: np.float32,
) -> None:  # fmt: skip
    """Adds gain * weights[rows[k], j] to target[at + j] for each k in [first, stop), one after
    another.

    The weights are flat, in rows of `row_length`, each of which begins with the `length` weights
    that are added. Where the gain is 1, eight rows are added in one pass over the target.
    """
    # numba does not check unsigned indices for negative values, so the loops become vector code.
    k, n, apart, t = first, uint64(length), uint64(row_length), uint64(at)
    if gain != np.float32(1.0):
        while k < stop:
            a = uint64(rows[k]) * apart
            for j in range(n):
                target[t + j] += gain * weights[a + j]
            k += 1
        return
    while k + 8 <= stop:
        a, b = uint64(rows[k]) * apart, uint64(rows[k + 1]) * apart
        c, d = uint64(rows[k + 2]) * apart, uint64(rows[k + 3]) * apart
        e, f = uint64(rows[k + 4]) * apart, uint64(rows[k + 5]) * apart
        g, h = uint64(rows[k + 6]) * apart, uint64(rows[k + 7]) * apart
        for j in range(n):
            half = target[t + j] + weights[a + j] + weights[b + j] + weights[c + j] + weights[d + j]
            target[t + j] = half + weights[e + j] + weights[f + j] + weights[g + j] + weights[h + j]
        k += 8
    if k + 4 <= stop:
        a, b = uint64(rows[k]) * apart, uint64(rows[k + 1]) * apart
        c, d = uint64(rows[k + 2]) * apart, uint64(rows[k + 3]) * apart
        for j in range(n):
            half = target[t + j] + weights[a + j] + weights[b + j]
            target[t + j] = half + weights[c + j] + weights[d + j]
        k += 4
    if k + 2 <= stop:
        a, b = uint64(rows[k]) * apart, uint64(rows[k + 1]) * apart
        for j in range(n):
            target[t + j] = target[t + j] + weights[a + j] + weights[b + j]
        k += 2
    if k < stop:
        a = uint64(rows[k]) * apart
        for j in range(n):
            target[t + j] += weights[a + j]


@inner
def propagate_linear(net: Parameters, state: WorkerState, matrices: Matrices, learn: bool) -> None:
    """Adds the forward sums of Eq. 1 and the backward sums of Eq. 4, 5 to the currents."""
    tables = net.geometry
    for layer in range(1, net.crossbars + 1):
        crossbar, gain = tables.crossbars[layer - 1], dropout_gain(net, layer - 1)
        channels, row_length = crossbar.channels, crossbar.replicas * crossbar.channels
        first, start = crossbar.list_start, net.neuron_start[layer]
        weights, column = matrices.weights[crossbar.weight_start :], ZERO
        for at in range(crossbar.position_start, crossbar.position_start + crossbar.positions):
            add_rows(
                state.current, start, channels, weights[column:],
                state.events, first, first + state.list_count[at], row_length, gain,
            )  # fmt: skip
            first += crossbar.patch
            start += channels
            column = next_replica(column, channels, row_length)
    if learn:
        for layer in range(2, net.crossbars + 1):
            crossbar, gain = tables.crossbars[layer - 1], dropout_gain(net, layer - 1)
            channels, begins, column = crossbar.channels, ZERO, ZERO
            first, at = 2 * net.event_start[layer], crossbar.position_start
            for k in range(first, first + state.gradient_count[layer]):
                neuron = state.gradient_events[k]
                if not begins <= neuron < begins + channels:  # few spikes need these divisions
                    position = neuron // channels
                    begins, at = position * channels, crossbar.position_start + position
                    column = position % crossbar.replicas * channels
                row = crossbar.weight_start + (column + neuron - begins) * crossbar.patch
                factor = gain * np.float32(state.gradient_sign[k])
                _add_patch(net, state, matrices, layer - 1, at, row, factor)


@inner
def _add_patch(
    net: Parameters, state: WorkerState, matrices: Matrices, x: int, at: int, row: int,
    factor: np.float32,
) -> None:  # fmt: skip
    """Adds a kernel of crossbar x to the gradient currents of a patch.

    Args:
        at: place of the patch's position in arrays of positions.
        row: first place of the kernel in the transposed weights.
    """
    tables, start = net.geometry, net.neuron_start[x]
    for k in range(tables.runs[at], tables.runs[at + 1]):
        run = tables.run[k]
        # numba does not check unsigned indices for negative values, so the loop becomes vector
        # code.
        a, b = uint64(start + run.neuron), uint64(row + run.line)
        for j in range(uint64(run.length)):
            state.gradient_current[a + j] += factor * matrices.transposed[b + j]


@inner
def propagate_inhibition(net: Parameters, state: WorkerState) -> None:
    """Passes the spikes of each output neuron, minus W_inh times those of the others, to the next
    layer of outputs (Eq. 2 to the letter)."""
    for layer in range(net.crossbars + 1, len(net.size)):
        start, base = net.neuron_start[layer], net.event_start[layer - 1]
        count = state.event_count[layer - 1]
        push = net.inhibition * net.theta
        for j in range(net.size[layer]):
            state.current[start + j] -= push * np.float32(count)
        for k in range(count):
            state.current[start + state.events[base + k]] += net.theta + push


@inner
def dropout_gain(net: Parameters, layer: int) -> np.float32:
    """Returns the factor on the currents from a layer with dropout, 1 / (1 - share)."""
    share = net.dropout_input if layer == 0 else net.dropout_hidden
    return np.float32(1.0 / (1.0 - share))
