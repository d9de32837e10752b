"""What spikes in a slot, compiled: input, forward neurons, label relays, gradient streams.

In slot t every neuron moves its membrane by (1 - keep) times its synaptic current, which decays
by `keep` = exp(-1/tau) a slot and takes the slot's new spikes afterwards. Summed over time a unit
spike at t0 lifts the membrane by 1 - keep^(t - t0) = eps(t - t0): the kernel of Eq. 3, exactly.
Each neuron spikes at most once a slot, and its spike reaches the next layer one slot later.
"""

import numpy as np
from numba import uint32, uint64

from rpu_ssnn.compiled import compiled
from rpu_ssnn.engine.state import Lane, Plan, Presentations

ONE_A_BYTE = uint64(0x0101010101010101)
GATHER = uint64(0x0102040810204080)
"""Times this, eight bytes of 0 or 1 have those bits, in order, in the highest byte."""
DE_BRUIJN = uint64(0x03F79D71B4CB0A89)
"""Times a power of two, the six highest bits tell which it is (de Bruijn sequence)."""
BIT_NUMBER = np.zeros(64, dtype=np.int32)
for _bit in range(64):
    BIT_NUMBER[((0x03F79D71B4CB0A89 << _bit) & (2**64 - 1)) >> 58] = _bit


@compiled
def _random_bits(random):  # type: ignore[no-untyped-def]
    """64 random bits (splitmix64)."""
    random[0] += uint64(0x9E3779B97F4A7C15)
    z = random[0]
    z = (z ^ (z >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> uint64(27))) * uint64(0x94D049BB133111EB)
    return z ^ (z >> uint64(31))


@compiled
def _uniform(random):  # type: ignore[no-untyped-def]
    """Uniform over [0, 1), 24 bits."""
    return np.float32(_random_bits(random) >> uint64(40)) * np.float32(2.0**-24)


@compiled
def begin(plan: Plan, lane: Lane, shown: Presentations, learn: bool) -> None:
    """Put the lane at slot 0 of its presentation: membranes, dropout, active input lines."""
    b = lane.place[0]
    random = lane.random
    random[0] = shown.keys[b]
    neurons = plan.neuron_start[-1]
    first_output = plan.neuron_start[plan.crossbars]
    half = np.float32(0.5)
    for j in range(neurons):
        lane.current[j] = 0.0
        lane.membrane[j] = _uniform(random) * plan.theta if plan.random_start else 0.0
        lane.fired[j] = 0
        lane.alive[j] = 1
    if learn:
        for j in range(neurons):
            threshold = plan.theta_b if j < first_output else plan.theta_n
            lane.gradient_current[j] = 0.0
            lane.positive[j] = 0.0
            lane.negative[j] = 0.0
            if plan.random_start and plan.coupled:
                lane.positive[j] = (_uniform(random) - half) * threshold
            elif plan.random_start:
                lane.positive[j] = _uniform(random) * threshold
                lane.negative[j] = _uniform(random) * threshold
        if plan.dropout_hidden > 0.0:
            for j in range(first_output):
                lane.alive[j] = _uniform(random) >= plan.dropout_hidden
    if learn or plan.clocked:
        for r in range(plan.relays):
            lane.relay_current[r] = 0.0
            lane.relay_membrane[r] = _uniform(random) * plan.theta if plan.random_start else 0.0
    n = 0
    for i in range(plan.size[0]):
        if shown.rates[b, i] > 0.0:
            if plan.dropout_input > 0.0 and _uniform(random) < plan.dropout_input:
                continue
            lane.pixels[n] = i
            if plan.regular_input:
                lane.pixel_rate[n] = shown.rates[b, i]
                lane.pixel_phase[n] = _uniform(random)
            else:
                lane.pixel_rate[n] = shown.rates[b, i] * 2.0**32
            n += 1
    lane.pixel_count[0] = n


@compiled
def draw_input(plan: Plan, lane: Lane, t: int) -> None:
    """Spikes of the input lines (Section 3.1), into the events of layer 0."""
    count = 0
    if plan.regular_input and t < plan.T:
        factor = plan.input_profile[t]
        for k in range(lane.pixel_count[0]):
            lane.pixel_phase[k] += lane.pixel_rate[k] * factor
            if lane.pixel_phase[k] >= 1.0:
                lane.pixel_phase[k] -= 1.0
                lane.events[count] = lane.pixels[k]
                count += 1
    elif t < plan.T:
        factor = plan.input_profile[t]
        n = lane.pixel_count[0]
        bits = uint64(0)
        for k in range(n):
            if k & 1 == 0:
                bits = _random_bits(lane.random)
                draw = uint32(bits)
            else:
                draw = uint32(bits >> uint64(32))
            lane.events[count] = lane.pixels[k]  # overwritten unless it counts
            count += np.float64(draw) < lane.pixel_rate[k] * factor
    lane.event_count[0] = count


# Which neurons fire is asked of all of them without branches, which compiles to vector code (a
# branch on each membrane is guessed wrong at most spikes); then the few are gathered.


@compiled
def _reset(membrane, theta, to_zero, alive, mask) -> None:  # type: ignore[no-untyped-def]
    """Lower the membranes that reach theta; mask: 1 where one does and is not dropped out."""
    for j in range(len(mask)):
        fires = (membrane[j] >= theta) & (alive[j] == 1)
        after = np.float32(0.0) if to_zero else membrane[j] - theta
        membrane[j] = after if fires else membrane[j]
        mask[j] = 1 if fires else 0


@compiled
def _reset_coupled(  # type: ignore[no-untyped-def]
    net, theta, to_zero, fired, is_output, hold, mask
) -> None:
    """Move coupled branches that are half a threshold from rest back by theta.

    mask: 1 where the positive branch spikes, 2 where the negative one does.
    """
    half, zero = np.float32(0.5) * theta, np.float32(0.0)
    for j in range(len(mask)):
        is_open = is_output | (fired[j] == 1)
        up = (net[j] >= half) & (net[j] > zero)
        over = abs(net[j]) >= half
        moved = net[j] - theta if up else net[j] + theta
        after = zero if to_zero else moved
        net[j] = after if over & (is_open | (not hold)) else net[j]
        mask[j] = (1 if up else 2) if over & is_open else 0


@compiled
def _note(mask, fired) -> None:  # type: ignore[no-untyped-def]
    for j in range(len(mask)):
        fired[j] |= mask[j]


@compiled
def _places(words, n, events) -> int:  # type: ignore[no-untyped-def]
    """Places of a mask of n neurons that are not 0, in order, into events; returns how many.

    words: the mask, eight neurons each; beyond the n-th it may hold anything.
    """
    count = 0
    for first in range(0, n, 64):
        bits = uint64(0)
        for k in range(min(8, (n - first + 7) // 8)):
            word = words[first // 8 + k]
            marks = (word | (word >> uint64(1))) & ONE_A_BYTE
            bits |= ((marks * GATHER) >> uint64(56)) << uint64(8 * k)
        if n - first < 64:
            bits &= (uint64(1) << uint64(n - first)) - uint64(1)
        while bits:
            lowest = bits & (~bits + uint64(1))
            events[count] = first + BIT_NUMBER[(lowest * DE_BRUIJN) >> uint64(58)]
            count += 1
            bits ^= lowest
    return count


@compiled
def _fire_forward(plan: Plan, lane: Lane, label_spike: bool, drive) -> None:  # type: ignore[no-untyped-def]
    """Eq. 1 for every layer, and Eq. 2 inside the time loop at the output.

    drive: what the first layer's membranes move by in this slot, where it was summed ahead; or
    nothing, and they move by their currents as all others do.
    """
    keep, theta = plan.kernel_keep, plan.theta
    move = np.float32(1.0) - keep
    for layer in range(1, len(plan.size)):
        start, n = plan.neuron_start[layer], plan.size[layer]
        current = lane.current[start : start + n]
        membrane = lane.membrane[start : start + n]
        if layer == 1 and len(drive) > 0:
            for j in range(n):
                membrane[j] += drive[j]
        else:
            for j in range(n):
                membrane[j] += move * current[j]
                current[j] *= keep
        base = plan.event_start[layer]
        if plan.clocked and layer == plan.crossbars:
            if label_spike:
                lane.events[base] = _winner_takes_all(membrane, theta)
            lane.event_count[layer] = 1 if label_spike else 0
            continue
        mask = lane.mask[:n]
        _reset(membrane, theta, plan.reset_to_zero, lane.alive[start : start + n], mask)
        _note(mask, lane.fired[start : start + n])
        lane.event_count[layer] = _places(lane.mask_words, n, lane.events[base : base + n])
        if layer == plan.crossbars and len(plan.size) - 1 == layer and plan.inhibition > 0.0:
            _inhibit(plan, lane, layer)


@compiled
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


@compiled
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


@compiled
def draw_label(plan: Plan, lane: Lane, t: int) -> bool:
    """Whether the train of the correct class has a spike, before the relays."""
    if t >= plan.T:
        return False
    draw = np.float64(uint32(_random_bits(lane.random)))
    return bool(draw < plan.label_profile[t] * 2.0**32)


@compiled
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


@compiled
def _fire_gradient(plan: Plan, lane: Lane, layer: int) -> None:
    """Eq. 4, 5 (hidden) or 6, 7 (output): the positive and negative stream of one layer."""
    keep = plan.kernel_keep
    move = np.float32(1.0) - keep
    is_output = layer == plan.crossbars
    theta = plan.theta_n if is_output else plan.theta_b
    start, n, base = plan.neuron_start[layer], plan.size[layer], 2 * plan.event_start[layer]
    current = lane.gradient_current[start : start + n]
    positive = lane.positive[start : start + n]
    negative = lane.negative[start : start + n]
    zero = np.float32(0.0)
    count = 0
    if plan.coupled:
        for j in range(n):
            positive[j] += move * current[j]
            current[j] *= keep
        mask, signs = lane.mask[:n], lane.gradient_sign[base : base + n]
        _reset_coupled(
            positive, theta, plan.reset_to_zero, lane.fired[start : start + n], is_output,
            plan.hold, mask,
        )  # fmt: skip
        count = _places(lane.mask_words, n, lane.gradient_events[base : base + n])
        for k in range(count):
            signs[k] = 3 - 2 * mask[lane.gradient_events[base + k]]
        # Rows list positive spikes first; at most one stream of a coupled pair spikes in a slot.
    else:
        for j in range(n):
            drive = move * current[j]
            positive[j] += drive
            negative[j] -= drive
            if plan.floored:
                positive[j] = max(zero, positive[j])
                negative[j] = max(zero, negative[j])
            current[j] *= keep
        for stream in range(2):
            branch = positive if stream == 0 else negative
            for j in range(n):
                if branch[j] >= theta:
                    is_open = is_output or lane.fired[start + j] == 1
                    if is_open or not plan.hold:
                        branch[j] = zero if plan.reset_to_zero else branch[j] - theta
                    if is_open:
                        lane.gradient_events[base + count] = j
                        lane.gradient_sign[base + count] = 1 if stream == 0 else -1
                        count += 1
    lane.gradient_count[layer] = count


@compiled
def fire(plan: Plan, lane: Lane, shown: Presentations, learn: bool) -> None:
    """Everything that spikes in this slot, from the currents of the slots before."""
    t = lane.place[1]
    draw_input(plan, lane, t)
    label = draw_label(plan, lane, t) if learn or plan.clocked else False
    respond(plan, lane, shown, learn, label, lane.current[:0])


@compiled
def respond(  # type: ignore[no-untyped-def]
    plan: Plan, lane: Lane, shown: Presentations, learn: bool, label: bool, drive
) -> None:
    """What spikes in this slot once the input has: all layers, and the gradient streams.

    label: whether the label train has a spike; drive: see `_fire_forward`.
    """
    b = lane.place[0]
    label_spike = _relayed(plan, lane, label) if learn or plan.clocked else False
    _fire_forward(plan, lane, label_spike, drive)
    last = len(plan.size) - 1
    base = plan.event_start[last]
    for k in range(lane.event_count[last]):
        shown.output_counts[b, lane.events[base + k]] += 1
    for layer in range(last + 1):
        shown.spikes[b, layer] += lane.event_count[layer]
    if not learn:
        return
    for layer in range(1, plan.crossbars + 1):
        _fire_gradient(plan, lane, layer)
        shown.gradient_spikes[b, layer] += lane.gradient_count[layer]
    # The output error's own input (Eq. 6, 7): label minus output, unit weights.
    error = plan.neuron_start[plan.crossbars]
    if label_spike:
        lane.gradient_current[error + shown.labels[b]] += np.float32(1.0)
    for k in range(lane.event_count[last]):
        lane.gradient_current[error + lane.events[base + k]] -= np.float32(1.0)
