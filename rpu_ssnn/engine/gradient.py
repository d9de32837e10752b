"""The positive and negative gradient stream of a layer (Eq. 4 to 8); compiled."""

import numpy as np

from rpu_ssnn.compiled import compiled_in_place
from rpu_ssnn.engine.blocks import BLOCK, first_flags, has_flag, list_signed
from rpu_ssnn.engine.firing import fire_pairs
from rpu_ssnn.engine.parameters import Parameters
from rpu_ssnn.engine.state import WorkerState


@compiled_in_place
def fire_gradient(net: Parameters, state: WorkerState, layer: int) -> None:
    """Eq. 4, 5 (hidden) or 6, 7 (output): the positive and negative stream of one layer."""
    keep = net.kernel_keep
    move = np.float32(1.0) - keep
    is_output = layer == net.crossbars
    theta = net.theta_n if is_output else net.theta_b
    start, n, base = net.neuron_start[layer], net.size[layer], 2 * net.event_start[layer]
    stop = net.neuron_start[layer + 1]
    current = state.gradient_current[start:stop]
    positive, negative = state.positive[start:stop], state.negative[start:stop]
    zero = np.float32(0.0)
    count = 0
    if net.coupled:
        events = state.gradient_events[base : base + n]
        signs = state.gradient_sign[base : base + n]
        for at in range(0, n, BLOCK):
            # Padding neurons must not fire at any threshold.
            is_open = first_flags(n - at) if is_output else state.fired[(start + at) // BLOCK]
            spikes, up = fire_pairs(
                at, positive, current, move, keep, theta, net.reset_to_zero, is_open, net.hold
            )
            count = list_signed(spikes, up, at, events, signs, count)
        # Rows list positive spikes first; at most one stream of a coupled pair spikes in a slot.
    else:
        for j in range(n):
            step = move * current[j]
            positive[j] += step
            negative[j] -= step
            if net.floored:
                positive[j] = max(zero, positive[j])
                negative[j] = max(zero, negative[j])
            current[j] *= keep
        for stream in range(2):
            branch = positive if stream == 0 else negative
            for j in range(n):
                if branch[j] >= theta:
                    is_open = is_output or has_flag(state.fired, start + j)
                    if is_open or not net.hold:
                        branch[j] = zero if net.reset_to_zero else branch[j] - theta
                    if is_open:
                        state.gradient_events[base + count] = j
                        state.gradient_sign[base + count] = 1 if stream == 0 else -1
                        count += 1
    state.gradient_count[layer] = count
