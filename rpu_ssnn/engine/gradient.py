"""The positive and negative gradient stream of a layer, compiled (Eq. 4 to 8)."""

import numpy as np

from rpu_ssnn.compiled import compiled_in_place
from rpu_ssnn.engine.firing import NEURONS, all_of, fire_pairs, has, list_signed
from rpu_ssnn.engine.state import Lane, Plan


@compiled_in_place
def fire_gradient(plan: Plan, lane: Lane, layer: int) -> None:
    """Eq. 4, 5 (hidden) or 6, 7 (output): the positive and negative stream of one layer."""
    keep = plan.kernel_keep
    move = np.float32(1.0) - keep
    is_output = layer == plan.crossbars
    theta = plan.theta_n if is_output else plan.theta_b
    start, n, base = plan.neuron_start[layer], plan.size[layer], 2 * plan.event_start[layer]
    stop = plan.neuron_start[layer + 1]
    current = lane.gradient_current[start:stop]
    positive, negative = lane.positive[start:stop], lane.negative[start:stop]
    zero = np.float32(0.0)
    count = 0
    if plan.coupled:
        events = lane.gradient_events[base : base + n]
        signs = lane.gradient_sign[base : base + n]
        for at in range(0, n, NEURONS):
            is_open = all_of(NEURONS) if is_output else lane.fired[(start + at) // NEURONS]
            spikes, up = fire_pairs(
                at, positive, current, move, keep, theta, plan.reset_to_zero, is_open, plan.hold
            )
            count = list_signed(spikes, up, at, events, signs, count)
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
                    is_open = is_output or has(lane.fired, start + j)
                    if is_open or not plan.hold:
                        branch[j] = zero if plan.reset_to_zero else branch[j] - theta
                    if is_open:
                        lane.gradient_events[base + count] = j
                        lane.gradient_sign[base + count] = 1 if stream == 0 else -1
                        count += 1
    lane.gradient_count[layer] = count
