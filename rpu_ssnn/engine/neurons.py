"""All spikes of a slot: input, forward neurons (Eq. 1), label relays, gradient streams; compiled.

In slot t the membrane of a neuron grows by (1 - keep) times its synaptic current. Then the current
is multiplied by `keep` = exp(-1/tau), and the new spikes of the slot are added to it. Over time, a
unit spike at t0 adds 1 - keep^(t - t0) = eps(t - t0) to the membrane: exactly the kernel of Eq. 3.
Each neuron spikes at most once a slot, and its spike reaches the next layer one slot later.
"""

import numpy as np
from jaxtyping import Float32, Int64
from numba import uint64

from rpu_ssnn.compiled import inner
from rpu_ssnn.engine.blocks import (
    BLOCK,
    ZERO,
    Events,
    clear_flag,
    first_flags,
    list_signed,
    list_spikes,
)
from rpu_ssnn.engine.circuit import FORWARD, NEGATIVE, POSITIVE, Circuits
from rpu_ssnn.engine.encoding import draw_input, draw_label, draw_uniform
from rpu_ssnn.engine.geometry import list_patches
from rpu_ssnn.engine.imperfect_neurons import begin_circuits, fire_circuits, win_circuits
from rpu_ssnn.engine.parameters import Parameters
from rpu_ssnn.engine.state import Presentations, WorkerState

type Block = Float32[np.ndarray, " block"]
type _Relays = Float32[np.ndarray, " relays"]
type NeuronValues = Float32[np.ndarray, " neurons"]
"""The neurons of a layer, in whole blocks."""


@inner
def _integrate(
    membrane: Block, current: Block, move: np.float32, keep: np.float32, floored: bool
) -> None:
    """Adds `move` x current to the membranes, which stay at 0 or above if `floored`, and then
    multiplies the currents by `keep` (Eq. 3)."""
    for k in range(BLOCK):
        membrane[k] += move * current[k]
        if floored:
            membrane[k] = max(np.float32(0.0), membrane[k])
        current[k] *= keep


@inner
def fire_from_current(
    at: int, membrane: NeuronValues, current: NeuronValues, move: np.float32, keep: np.float32,
    theta: np.float32, to_zero: bool, is_open: np.uint64, hold: bool, floored: bool,
) -> np.uint64:  # fmt: skip
    """Fires the neurons of a block that have reached `theta` (Eq. 1 and 3; one stream of Eq. 4 to
    7).

    Only open neurons (flags) spike. A membrane at the threshold is lowered by theta, or set to
    zero; with `hold`, only that of an open neuron. Returns the flags of the neurons that spike.
    """
    v = membrane[at : at + BLOCK]
    _integrate(v, current[at : at + BLOCK], move, keep, floored)
    reached = uint64(0)
    for k in range(BLOCK):
        reached |= uint64(v[k] >= theta) << uint64(k)
    spikes = reached & is_open
    lowers = spikes if hold else reached
    if lowers:
        for k in range(BLOCK):
            lowered = np.float32(0.0) if to_zero else v[k] - theta
            v[k] = lowered if (lowers >> uint64(k)) & uint64(1) else v[k]
    return spikes


@inner
def fire_pairs(
    at: int, membrane: NeuronValues, current: NeuronValues, move: np.float32, keep: np.float32,
    theta: np.float32, to_zero: bool, is_open: np.uint64, hold: bool,
) -> tuple[np.uint64, np.uint64]:  # fmt: skip
    """Fires a block of coupled branches (one membrane), which spike at half of theta (Eq. 4 to 7).

    Only open neurons (flags) spike. A membrane at the threshold moves back by theta, or to zero;
    with `hold`, only that of an open neuron. Returns the flags of all neurons that spike, and of
    those with a positive spike.
    """
    v = membrane[at : at + BLOCK]
    _integrate(v, current[at : at + BLOCK], move, keep, False)
    half, up, down = np.float32(0.5) * theta, uint64(0), uint64(0)
    for k in range(BLOCK):
        up |= uint64(v[k] >= half) << uint64(k)
        down |= uint64(v[k] <= -half) << uint64(k)
    moves_back = (up | down) & is_open if hold else up | down
    if moves_back:
        for k in range(BLOCK):
            back = v[k] - theta if (up >> uint64(k)) & uint64(1) else v[k] + theta
            back = np.float32(0.0) if to_zero else back
            v[k] = back if (moves_back >> uint64(k)) & uint64(1) else v[k]
    return (up | down) & is_open, up & is_open


@inner
def fire_gradient(
    net: Parameters, state: WorkerState, circuits: Circuits | None, layer: int
) -> None:
    """Fires the positive and the negative stream of one layer: Eq. 4, 5 (hidden) or 6, 7
    (output)."""
    n, first, base = net.size[layer], net.neuron_start[layer], 2 * net.event_start[layer]
    theta = net.theta_n if layer == net.crossbars else net.theta_b
    keep, to_zero, current = net.kernel_keep, net.reset_to_zero, state.gradient_current
    move = np.float32(1.0) - keep
    events = state.gradient_events[base : base + 2 * n]
    signs = state.gradient_sign[base : base + 2 * n]
    count, negative = ZERO, uint64(0)
    if circuits is not None and circuits.drawn.gradient:
        for at in range(0, n, BLOCK):
            word = (first + at) // BLOCK
            up, down = fire_circuits(net, state, circuits, POSITIVE, word, state.open[word])
            if not net.coupled:
                down = fire_circuits(net, state, circuits, NEGATIVE, word, state.open[word])[0]
            count = list_signed(up, up, at, events, signs, count)
            count = list_signed(down, negative, at, events, signs, count)
    elif net.coupled:
        for at in range(0, n, BLOCK):
            is_open = state.open[(first + at) // BLOCK]
            spikes, up = fire_pairs(
                first + at, state.positive, current, move, keep, theta, to_zero, is_open, net.hold
            )
            count = list_signed(spikes, up, at, events, signs, count)
    else:
        streams = (
            (state.positive, move, np.float32(1.0), ~negative),  # both streams use one current
            (state.negative, -move, keep, negative),
        )
        for membrane, gain, kept, sign in streams:
            for at in range(0, n, BLOCK):
                is_open = state.open[(first + at) // BLOCK]
                spikes = fire_from_current(
                    first + at, membrane, current, gain, kept, theta, to_zero, is_open,
                    net.hold, net.floored,
                )  # fmt: skip
                count = list_signed(spikes, sign, at, events, signs, count)
    state.gradient_count[layer] = count


@inner
def begin(net: Parameters, state: WorkerState, shown: Presentations, learn: bool) -> None:
    """Sets the state to slot 0 of its presentation: membranes, dropout, active input lines."""
    b = state.position[0]
    state.position[2] = 1
    random = state.random
    random[0] = shown.keys[b]
    for layer in range(1, len(net.size)):
        start = net.neuron_start[layer]
        for j in range(start, start + net.size[layer]):
            state.current[j] = 0.0
            state.membrane[j] = draw_uniform(random) * net.theta if net.random_start else 0.0
        for at in range(0, net.size[layer], BLOCK):
            word, all_flags = (start + at) // BLOCK, first_flags(net.size[layer] - at)
            state.alive[word] = all_flags
            state.open[word] = all_flags if layer == net.crossbars else uint64(0)
    if learn:
        _begin_gradient(net, state)
    if learn or net.clocked:
        for r in range(net.relays):
            state.relay_current[r] = 0.0
            state.relay_membrane[r] = draw_uniform(random) * net.theta if net.random_start else 0.0
    begin_circuits(state.circuits, shown.keys[b])
    _begin_input(net, state, shown, b)


@inner
def _begin_gradient(net: Parameters, state: WorkerState) -> None:
    """Sets all gradient streams to slot 0, and draws the hidden neurons that drop out."""
    random = state.random
    for word in range(len(state.waiting)):
        state.waiting[word] = 0
    for layer in range(1, len(net.size)):
        threshold = net.theta_b if layer < net.crossbars else net.theta_n
        start = net.neuron_start[layer]
        for j in range(start, start + net.size[layer]):
            state.gradient_current[j] = 0.0
            state.positive[j] = 0.0
            state.negative[j] = 0.0
            if net.random_start and net.coupled:
                state.positive[j] = (draw_uniform(random) - np.float32(0.5)) * threshold
            elif net.random_start:
                state.positive[j] = draw_uniform(random) * threshold
                state.negative[j] = draw_uniform(random) * threshold
    if net.dropout_hidden > 0.0:
        for layer in range(1, net.crossbars):
            start = net.neuron_start[layer]
            for j in range(start, start + net.size[layer]):
                if draw_uniform(random) < net.dropout_hidden:
                    clear_flag(state.alive, j)


@inner
def _begin_input(net: Parameters, state: WorkerState, shown: Presentations, b: int) -> None:
    """Draws the input lines that drop out of presentation b, and prepares the trains of the
    others."""
    if len(shown.given_start) > 0:
        for i in range(net.size[0]):
            dropped = net.dropout_input > 0.0 and draw_uniform(state.random) < net.dropout_input
            state.pixels[i] = 0 if dropped else 1
        state.pixel_count[0] = shown.given_start[b]
        return
    n = 0
    for i in range(net.size[0]):
        if shown.rates[b, i] <= 0.0:
            continue
        if net.dropout_input > 0.0 and draw_uniform(state.random) < net.dropout_input:
            continue
        state.pixels[n] = i
        if net.regular_input:
            state.pixel_rate[n] = shown.rates[b, i]
            state.pixel_phase[n] = draw_uniform(state.random)
        else:
            state.pixel_rate[n] = shown.rates[b, i] * 2.0**32
        n += 1
    state.pixel_count[0] = n


@inner
def _fire_forward(
    net: Parameters, state: WorkerState, circuits: Circuits | None, label_spike: bool
) -> None:
    """Fires every layer (Eq. 1), with inhibition inside the time loop at the output (Eq. 2)."""
    keep, theta = net.kernel_keep, net.theta
    move = np.float32(1.0) - keep
    for layer in range(1, len(net.size)):
        start, n = net.neuron_start[layer], net.size[layer]
        base = net.event_start[layer]
        if net.clocked and layer == net.crossbars:
            if circuits is not None and circuits.drawn.forward:
                state.event_count[layer] = win_circuits(net, state, circuits, label_spike)
                continue
            membrane = state.membrane[start : start + n]
            for j in range(n):
                membrane[j] += move * state.current[start + j]
                state.current[start + j] *= keep
            if label_spike:
                state.events[base] = _winner_takes_all(membrane, theta)
            state.event_count[layer] = 1 if label_spike else 0
            continue
        stop = net.neuron_start[layer + 1]
        membrane, current = state.membrane[start:stop], state.current[start:stop]
        events, count = state.events[base : base + n], ZERO
        for at in range(0, n, BLOCK):
            word = (start + at) // BLOCK
            if circuits is not None and circuits.drawn.forward:
                bits = fire_circuits(net, state, circuits, FORWARD, word, state.alive[word])[0]
            else:
                bits = fire_from_current(
                    at, membrane, current, move, keep, theta, net.reset_to_zero,
                    state.alive[word], True, False,
                )  # fmt: skip
            state.open[word] |= bits
            count = list_spikes(bits, at, events, count)
        state.event_count[layer] = count
        if layer == net.crossbars == len(net.size) - 1 and net.inhibition > 0.0:
            _inhibit(membrane[:n], events[:count], net.inhibition * theta)


@inner
def _winner_takes_all(membrane: Float32[np.ndarray, " n_out"], theta: np.float32) -> int:
    """Lets the output with the highest membrane spike, and returns its index (ties: the lowest).

    A common current shifts all outputs until the first reaches theta; inhibition by its spike keeps
    the others there. Only differences of membranes matter. The spike counts n_k therefore satisfy
    n_k = (integral of z_k - lambda) / theta if that is positive, else 0. lambda is common to all
    outputs, and sum n_k is the number of clock spikes. This is the projection of the raw rates onto
    the simplex (sparsemax; Martins and Astudillo 2016).
    """
    best = 0
    for j in range(1, len(membrane)):
        if membrane[j] > membrane[best]:
            best = j
    shift = membrane[best] - theta
    for j in range(len(membrane)):
        membrane[j] -= shift
    membrane[best] -= theta
    return best


@inner
def _inhibit(membrane: Float32[np.ndarray, " n_out"], spikes: Events, push: np.float32) -> None:
    """Lowers the membranes of all other outputs at each spike, but not below zero (Eq. 2 in a
    slot)."""
    k = 0
    for j in range(len(membrane)):
        others = len(spikes)
        if k < len(spikes) and spikes[k] == j:
            others -= 1
            k += 1
        if membrane[j] > 0.0:
            membrane[j] = max(np.float32(0.0), membrane[j] - push * np.float32(others))


@inner
def _relayed(
    membrane: _Relays, current: _Relays, keep: np.float32, theta: np.float32, to_zero: bool,
    spike: bool,
) -> bool:  # fmt: skip
    """Passes the label train through the relay neurons, and returns whether the last one spikes."""
    move = np.float32(1.0) - keep
    for r in range(len(membrane)):
        membrane[r] += move * current[r]
        current[r] *= keep
        if spike:
            current[r] += theta
        spike = membrane[r] >= theta
        if spike:
            membrane[r] = np.float32(0.0) if to_zero else membrane[r] - theta
    return spike


@inner
def _list_positions(
    net: Parameters, state: WorkerState, reads: Int64[np.ndarray, "crossbars 3"]
) -> None:
    """Lists the forward spikes of every crossbar position by position, and counts its reads."""
    tables = net.geometry
    for x in range(net.crossbars):
        first, count = net.event_start[x], state.event_count[x]
        crossbar = tables.crossbars[x]
        at = crossbar.position_start
        counts = state.list_count[at : at + crossbar.positions]
        if crossbar.is_whole:
            counts[0] = count
        else:
            list_patches(
                tables, crossbar.patch, state.events, first, first + count, state.events,
                crossbar.list_start, counts, first,
            )  # fmt: skip
        active, lines = 0, 0
        for count in counts:
            active += count > 0
            lines += count
        reads[x, 0] += active
        reads[x, 1] += lines


@inner
def fire(net: Parameters, state: WorkerState, shown: Presentations, learn: bool) -> None:
    """Computes all spikes and gradient streams of this slot, from currents of earlier slots."""
    t, b = state.position[1], state.position[0]
    draw_input(net, state, shown, t)
    label_spike = False
    if learn or net.clocked:
        label_spike = _relayed(
            state.relay_membrane, state.relay_current, net.kernel_keep, net.theta,
            net.reset_to_zero, draw_label(net.label_profile, state.random, t),
        )  # fmt: skip
    _fire_forward(net, state, state.circuits, label_spike)
    _list_positions(net, state, shown.reads[b])
    last = len(net.size) - 1
    base = net.event_start[last]
    for k in range(state.event_count[last]):
        shown.output_counts[b, state.events[base + k]] += 1
    for layer in range(last + 1):
        shown.spikes[b, layer] += state.event_count[layer]
    if not learn:
        return
    for layer in range(1, net.crossbars + 1):
        fire_gradient(net, state, state.circuits, layer)
        shown.gradient_spikes[b, layer] += state.gradient_count[layer]
    # The input of the output error (Eq. 6, 7) is label minus output, with unit weights.
    error = net.neuron_start[net.crossbars]
    if label_spike:
        state.gradient_current[error + shown.labels[b]] += np.float32(1.0)
    for k in range(state.event_count[last]):
        state.gradient_current[error + state.events[base + k]] -= np.float32(1.0)
