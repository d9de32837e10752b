"""Sums over weights: the currents that the spikes of a slot cause (Eq. 1, 4, 5); compiled."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32

from rpu_ssnn.compiled import compiled_in_place
from rpu_ssnn.engine.parameters import Parameters
from rpu_ssnn.engine.state import WorkerState


class Matrices(NamedTuple):
    """The weights of all crossbars for linear reads, in row order for sums over rows."""

    weights: Float32[np.ndarray, " weights"]
    """Each crossbar [n_in, n_out], flat; the place of the first one is unused with `blocks`."""
    transposed: Float32[np.ndarray, " weights"]
    """Each crossbar [n_out, n_in], flat; the place of the first one is unused."""
    blocks: Float32[np.ndarray, " blocks_x_n_in_x_block"]
    """The first crossbar in blocks of columns (`engine.lookahead`); empty: no lookahead."""


@compiled_in_place
def _add_row(
    target: Float32[np.ndarray, " n"], row: Float32[np.ndarray, " n"], gain: np.float32
) -> None:
    for j in range(len(row)):
        target[j] += gain * row[j]


@compiled_in_place
def add_rows(
    target: Float32[np.ndarray, " n"],
    weights: Float32[np.ndarray, " rows_x_n"],
    rows: Int32[np.ndarray, " spikes"],
    count: int,
    n: int,
    gain: np.float32,
) -> None:
    """target += gain * weights[rows[k]] for k below count, one k after the other.

    weights: flat, rows of length n. Four rows are added in one pass over the target.
    """
    # Slices indexed from 0 let the compiler drop its checks for negative indices and vectorise.
    k = 0
    while k + 4 <= count:
        a = weights[rows[k] * n : rows[k] * n + n]
        b = weights[rows[k + 1] * n : rows[k + 1] * n + n]
        c = weights[rows[k + 2] * n : rows[k + 2] * n + n]
        d = weights[rows[k + 3] * n : rows[k + 3] * n + n]
        for j in range(n):
            target[j] = (((target[j] + gain * a[j]) + gain * b[j]) + gain * c[j]) + gain * d[j]
        k += 4
    while k < count:
        _add_row(target, weights[rows[k] * n : rows[k] * n + n], gain)
        k += 1


@compiled_in_place
def propagate_linear(
    net: Parameters, state: WorkerState, matrices: Matrices, learn: bool, first_crossbar: int
) -> None:
    """Forward sums of Eq. 1 from `first_crossbar` on, and backward sums of Eq. 4, 5."""
    for layer in range(first_crossbar, net.crossbars + 1):
        start, n = net.neuron_start[layer], net.size[layer]
        first = net.event_start[layer - 1]
        add_rows(
            state.current[start : start + n],
            matrices.weights[net.weight_start[layer] : net.weight_start[layer + 1]],
            state.events[first : first + net.size[layer - 1]],
            state.event_count[layer - 1],
            n,
            dropout_gain(net, layer - 1),
        )
    if learn:
        for layer in range(2, net.crossbars + 1):
            start, n = net.neuron_start[layer - 1], net.size[layer - 1]
            first, base = 2 * net.event_start[layer], net.weight_start[layer]
            gain = dropout_gain(net, layer - 1)
            target = state.gradient_current[start : start + n]
            for k in range(first, first + state.gradient_count[layer]):
                row = base + state.gradient_events[k] * n
                factor = gain * np.float32(state.gradient_sign[k])
                _add_row(target, matrices.transposed[row : row + n], factor)


@compiled_in_place
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


@compiled_in_place
def dropout_gain(net: Parameters, layer: int) -> np.float32:
    """Factor on the currents from a layer with dropout: 1 / (1 - share)."""
    share = net.dropout_input if layer == 0 else net.dropout_hidden
    return np.float32(1.0 / (1.0 - share))
