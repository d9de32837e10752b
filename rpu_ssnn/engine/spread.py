"""What a slot's spikes add to the currents of the next, compiled; reads are matrix products."""

import numpy as np

from rpu_ssnn.compiled import compiled_in_place
from rpu_ssnn.engine.state import Lane, Plan


@compiled_in_place
def _add_row(target, row, gain):  # type: ignore[no-untyped-def]
    for j in range(len(row)):
        target[j] += gain * row[j]


@compiled_in_place
def _add_rows(target, weights, rows, count, n, gain):  # type: ignore[no-untyped-def]
    """Add rows of a weight matrix to a current vector, four at a time, in order."""
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
def spread_linear(  # type: ignore[no-untyped-def]
    plan: Plan, lane: Lane, weights, transposed, learn: bool, first_crossbar: int = 1
) -> None:
    """The slot's spikes through the crossbars, where a read is a matrix product.

    weights: all crossbars [n_in, n_out], flat; transposed: the same, each [n_out, n_in];
    first_crossbar: 2 where the first was read ahead.
    """
    for layer in range(first_crossbar, plan.crossbars + 1):
        start, n = plan.neuron_start[layer], plan.size[layer]
        first = plan.event_start[layer - 1]
        _add_rows(
            lane.current[start : start + n],
            weights[plan.weight_start[layer] : plan.weight_start[layer + 1]],
            lane.events[first : first + plan.size[layer - 1]],
            lane.event_count[layer - 1],
            n,
            dropout_gain(plan, layer - 1),
        )
    if learn:
        for layer in range(2, plan.crossbars + 1):
            start, n = plan.neuron_start[layer - 1], plan.size[layer - 1]
            first, base = 2 * plan.event_start[layer], plan.weight_start[layer]
            gain = dropout_gain(plan, layer - 1)
            for k in range(lane.gradient_count[layer]):
                row = base + lane.gradient_events[first + k] * n
                factor = gain * np.float32(lane.gradient_sign[first + k])
                _add_row(
                    lane.gradient_current[start : start + n], transposed[row : row + n], factor
                )


@compiled_in_place
def spread_inhibition(plan: Plan, lane: Lane) -> None:
    """Eq. 2 to the letter: each further output layer takes s - W_inh s of the one before."""
    for layer in range(plan.crossbars + 1, len(plan.size)):
        start, base = plan.neuron_start[layer], plan.event_start[layer - 1]
        count = lane.event_count[layer - 1]
        push = plan.inhibition * plan.theta
        for j in range(plan.size[layer]):
            lane.current[start + j] -= push * np.float32(count)
        for k in range(count):
            lane.current[start + lane.events[base + k]] += plan.theta + push


@compiled_in_place
def dropout_gain(plan: Plan, layer: int) -> np.float32:
    """What survivors' currents are raised by while a share of their layer is silent."""
    share = plan.dropout_input if layer == 0 else plan.dropout_hidden
    return np.float32(1.0 / (1.0 - share))
