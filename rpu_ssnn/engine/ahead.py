"""The input of the next slots drawn ahead, and the first layer run for all of them, compiled.

Input trains come from outside: nothing the network does changes them, and where weights wait for
the end of a presentation or a batch, nothing changes what they meet either. So the first layer can
run block of neurons by block, with the weights, currents and membranes of each block at hand, for a
window of slots at a time. The draws, the sums and the spikes are those of `fire` and
`spread_linear`, one by one, in their order. The window has a fixed length: memory does not grow
with T.
"""

import numpy as np

from rpu_ssnn.compiled import compiled_in_place
from rpu_ssnn.engine.block_rows import add_block_rows
from rpu_ssnn.engine.draws import draw_input, draw_label
from rpu_ssnn.engine.firing import NEURONS, fire_from_current
from rpu_ssnn.engine.spread import dropout_gain
from rpu_ssnn.engine.state import WINDOW, Ahead, Lane, Plan, Presentations


@compiled_in_place
def look_ahead(  # type: ignore[no-untyped-def]
    plan: Plan, lane: Lane, shown: Presentations, ahead: Ahead, blocks, learn: bool
) -> None:
    """Draw the window that begins at the lane's slot, and run the first layer through it."""
    t, n_in = lane.place[1], plan.size[0]
    slots = min(WINDOW, plan.slots - t)
    ahead.window[0] = t
    ahead.window[1] = t + slots
    count = 0
    for s in range(slots):
        ahead.start[s] = count
        draw_input(plan, lane, shown, t + s)
        for k in range(lane.event_count[0]):
            ahead.events[count + k] = lane.events[k]
        count += lane.event_count[0]
        ahead.label[s] = draw_label(plan, lane, t + s) if learn or plan.clocked else False
    ahead.start[slots] = count
    keep, gain = plan.kernel_keep, dropout_gain(plan, 0)
    move = np.float32(1.0) - keep
    words = plan.neuron_start[2] // NEURONS
    for word in range(words):
        place = word * NEURONS
        block = blocks[place * n_in : (place + NEURONS) * n_in]
        current = lane.current[place : place + NEURONS]
        for s in range(slots):
            ahead.spikes[s * words + word] = fire_from_current(
                place, lane.membrane, lane.current, move, keep, plan.theta, plan.reset_to_zero,
                lane.alive[word],
            )  # fmt: skip
            add_block_rows(current, block, ahead.events, ahead.start[s], ahead.start[s + 1], gain)


@compiled_in_place
def recall(plan: Plan, lane: Lane, ahead: Ahead) -> bool:
    """Put the lane's slot of the window into the events of layer 0; returns the label's draw."""
    s = lane.place[1] - ahead.window[0]
    first, stop = ahead.start[s], ahead.start[s + 1]
    for k in range(stop - first):
        lane.events[k] = ahead.events[first + k]
    lane.event_count[0] = stop - first
    return bool(ahead.label[s])
