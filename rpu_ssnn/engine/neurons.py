"""What spikes in a slot, compiled: input, forward neurons, label relays, gradient streams.

In slot t every neuron moves its membrane by (1 - keep) times its synaptic current, which decays
by `keep` = exp(-1/tau) a slot and takes the slot's new spikes afterwards. Summed over time a unit
spike at t0 lifts the membrane by 1 - keep^(t - t0) = eps(t - t0): the kernel of Eq. 3, exactly.
Each neuron spikes at most once a slot, and its spike reaches the next layer one slot later.
"""

import numpy as np

from rpu_ssnn.compiled import compiled_in_place
from rpu_ssnn.engine.draws import draw_input, draw_label, uniform
from rpu_ssnn.engine.firing import NEURONS, all_of, fire_from_current, list_spikes, without
from rpu_ssnn.engine.gradient import fire_gradient
from rpu_ssnn.engine.state import Lane, Plan, Presentations


@compiled_in_place
def begin(plan: Plan, lane: Lane, shown: Presentations, learn: bool) -> None:
    """Put the lane at slot 0 of its presentation: membranes, dropout, active input lines."""
    b = lane.place[0]
    random = lane.random
    random[0] = shown.keys[b]
    half = np.float32(0.5)
    layers = len(plan.size)
    for layer in range(1, layers):
        start = plan.neuron_start[layer]
        for j in range(start, start + plan.size[layer]):
            lane.current[j] = 0.0
            lane.membrane[j] = uniform(random) * plan.theta if plan.random_start else 0.0
        for at in range(0, plan.size[layer], NEURONS):
            lane.fired[(start + at) // NEURONS] = 0
            lane.alive[(start + at) // NEURONS] = all_of(plan.size[layer] - at)
    if learn:
        for layer in range(1, layers):
            threshold = plan.theta_b if layer < plan.crossbars else plan.theta_n
            start = plan.neuron_start[layer]
            for j in range(start, start + plan.size[layer]):
                lane.gradient_current[j] = 0.0
                lane.positive[j] = 0.0
                lane.negative[j] = 0.0
                if plan.random_start and plan.coupled:
                    lane.positive[j] = (uniform(random) - half) * threshold
                elif plan.random_start:
                    lane.positive[j] = uniform(random) * threshold
                    lane.negative[j] = uniform(random) * threshold
        if plan.dropout_hidden > 0.0:
            for layer in range(1, plan.crossbars):
                start = plan.neuron_start[layer]
                for j in range(start, start + plan.size[layer]):
                    if uniform(random) < plan.dropout_hidden:
                        without(lane.alive, j)
    if learn or plan.clocked:
        for r in range(plan.relays):
            lane.relay_current[r] = 0.0
            lane.relay_membrane[r] = uniform(random) * plan.theta if plan.random_start else 0.0
    if len(shown.given_start) > 0:
        for i in range(plan.size[0]):
            dropped = plan.dropout_input > 0.0 and uniform(random) < plan.dropout_input
            lane.pixels[i] = 0 if dropped else 1
        lane.pixel_count[0] = shown.given_start[b]
        return
    n = 0
    for i in range(plan.size[0]):
        if shown.rates[b, i] > 0.0:
            if plan.dropout_input > 0.0 and uniform(random) < plan.dropout_input:
                continue
            lane.pixels[n] = i
            if plan.regular_input:
                lane.pixel_rate[n] = shown.rates[b, i]
                lane.pixel_phase[n] = uniform(random)
            else:
                lane.pixel_rate[n] = shown.rates[b, i] * 2.0**32
            n += 1
    lane.pixel_count[0] = n


@compiled_in_place
def _fire_forward(plan: Plan, lane: Lane, label_spike: bool, known) -> None:  # type: ignore[no-untyped-def]
    """Eq. 1 for every layer, and Eq. 2 inside the time loop at the output.

    known: which neurons of the first layer spike (bits), where it has run ahead; or nothing.
    """
    keep, theta = plan.kernel_keep, plan.theta
    move = np.float32(1.0) - keep
    for layer in range(1, len(plan.size)):
        start, n = plan.neuron_start[layer], plan.size[layer]
        base = plan.event_start[layer]
        if plan.clocked and layer == plan.crossbars:
            membrane = lane.membrane[start : start + n]
            for j in range(n):
                membrane[j] += move * lane.current[start + j]
                lane.current[start + j] *= keep
            if label_spike:
                lane.events[base] = _winner_takes_all(membrane, theta)
            lane.event_count[layer] = 1 if label_spike else 0
            continue
        stop = plan.neuron_start[layer + 1]
        membrane, current = lane.membrane[start:stop], lane.current[start:stop]
        events, count = lane.events[base : base + n], 0
        for at in range(0, n, NEURONS):
            word = (start + at) // NEURONS
            if layer == 1 and len(known) > 0:
                bits = known[word]
            else:
                bits = fire_from_current(
                    at, membrane, current, move, keep, theta, plan.reset_to_zero, lane.alive[word]
                )
            lane.fired[word] |= bits
            count = list_spikes(bits, at, events, count)
        lane.event_count[layer] = count
        if layer == plan.crossbars and len(plan.size) - 1 == layer and plan.inhibition > 0.0:
            _inhibit(plan, lane, layer)


@compiled_in_place
def _winner_takes_all(membrane, theta):  # type: ignore[no-untyped-def]
    """The output with the highest membrane spikes; returns which (ties: the lowest).

    A common drive lifts or lowers all outputs until the first is at theta, and the inhibition from
    its spike holds the others there. Only differences of membranes matter, so that after n_k
    spikes the winners of the past are level: n_k = (integral of z_k - lambda) / theta wherever
    that is positive, with one lambda for all and sum n_k the clock's spikes. That is the
    projection of the raw rates onto the simplex (sparsemax; Martins and Astudillo 2016).
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


@compiled_in_place
def _inhibit(plan: Plan, lane: Lane, layer: int) -> None:
    """Each spike lowers every other output's membrane, not below rest."""
    count = lane.event_count[layer]
    if count == 0:
        return
    start, base = plan.neuron_start[layer], plan.event_start[layer]
    push = plan.inhibition * plan.theta
    k = 0
    for j in range(plan.size[layer]):
        others = count
        if k < count and lane.events[base + k] == j:
            others -= 1
            k += 1
        v = lane.membrane[start + j]
        if v > 0.0:
            lane.membrane[start + j] = max(np.float32(0.0), v - push * np.float32(others))


@compiled_in_place
def _relayed(plan: Plan, lane: Lane, spike: bool) -> bool:
    """The label train as it leaves the last relay."""
    move = np.float32(1.0) - plan.kernel_keep
    for r in range(plan.relays):
        lane.relay_membrane[r] += move * lane.relay_current[r]
        lane.relay_current[r] *= plan.kernel_keep
        if spike:
            lane.relay_current[r] += plan.theta
        spike = lane.relay_membrane[r] >= plan.theta
        if spike:
            lane.relay_membrane[r] = (
                np.float32(0.0) if plan.reset_to_zero else lane.relay_membrane[r] - plan.theta
            )
    return spike


@compiled_in_place
def fire(plan: Plan, lane: Lane, shown: Presentations, learn: bool) -> None:
    """Everything that spikes in this slot, from the currents of the slots before."""
    t = lane.place[1]
    draw_input(plan, lane, shown, t)
    label = draw_label(plan, lane, t) if learn or plan.clocked else False
    respond(plan, lane, shown, learn, label, lane.fired[:0])


@compiled_in_place
def respond(  # type: ignore[no-untyped-def]
    plan: Plan, lane: Lane, shown: Presentations, learn: bool, label: bool, known
) -> None:
    """What spikes in this slot once the input has: all layers, and the gradient streams.

    label: whether the label train has a spike; known: see `_fire_forward`.
    """
    b = lane.place[0]
    label_spike = _relayed(plan, lane, label) if learn or plan.clocked else False
    _fire_forward(plan, lane, label_spike, known)
    last = len(plan.size) - 1
    base = plan.event_start[last]
    for k in range(lane.event_count[last]):
        shown.output_counts[b, lane.events[base + k]] += 1
    for layer in range(last + 1):
        shown.spikes[b, layer] += lane.event_count[layer]
    if not learn:
        return
    for layer in range(1, plan.crossbars + 1):
        fire_gradient(plan, lane, layer)
        shown.gradient_spikes[b, layer] += lane.gradient_count[layer]
    # The output error's own input (Eq. 6, 7): label minus output, unit weights.
    error = plan.neuron_start[plan.crossbars]
    if label_spike:
        lane.gradient_current[error + shown.labels[b]] += np.float32(1.0)
    for k in range(lane.event_count[last]):
        lane.gradient_current[error + lane.events[base + k]] -= np.float32(1.0)
