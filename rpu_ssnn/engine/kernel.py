"""One pass over time, compiled: forward, gradient and pulses of a slot before the next slot."""

from rpu_ssnn.compiled import compiled_in_place
from rpu_ssnn.engine.ahead import look_ahead, recall
from rpu_ssnn.engine.firing import NEURONS
from rpu_ssnn.engine.neurons import begin, fire, respond
from rpu_ssnn.engine.spread import spread_inhibition, spread_linear
from rpu_ssnn.engine.state import ROWS, SPIKES, Ahead, Buffers, Lane, Plan, Presentations

DONE, PAUSED, BOUNDARY = 0, 1, 2
"""Why `advance` returned: all presentations shown; buffers full; a boundary that `pause` asks for
(which may find the buffers full too: they are emptied after every return)."""
RUN_THROUGH, STOP_AFTER_PRESENTATION, STOP_AFTER_SLOT = 0, 1, 2


@compiled_in_place
def emit(plan: Plan, lane: Lane, out: Buffers) -> bool:
    """Append this slot's pulses to the buffers; whether a further slot might not fit."""
    full = False
    for layer in range(1, plan.crossbars + 1):
        x, pre_count, post_count = (
            layer - 1,
            lane.event_count[layer - 1],
            lane.gradient_count[layer],
        )
        if out.all_spikes[x]:
            wanted = pre_count > 0 or post_count > 0
        else:
            wanted = pre_count > 0 and post_count > 0
        if wanted:
            r = out.rows[x]
            out.sample[x, r] = lane.place[0]
            out.slot[x, r] = lane.place[1]
            p, q = out.pre_start[x, r], out.post_start[x, r]
            first = plan.event_start[layer - 1]
            for k in range(pre_count):
                out.pre[x, p + k] = lane.events[first + k]
            first = 2 * plan.event_start[layer]
            for sign in (1, -1):
                for k in range(post_count):
                    if lane.gradient_sign[first + k] == sign:
                        out.post[x, q] = lane.gradient_events[first + k]
                        out.sign[x, q] = sign
                        q += 1
            out.pre_start[x, r + 1] = p + pre_count
            out.post_start[x, r + 1] = q
            out.rows[x] = r + 1
            if r + 1 == ROWS or p + pre_count > SPIKES or q > SPIKES:
                full = True
    return full


@compiled_in_place
def next_slot(plan: Plan, lane: Lane) -> bool:
    """Go on by one slot; whether that ended the presentation."""
    lane.place[1] += 1
    if lane.place[1] == plan.slots:
        lane.place[0] += 1
        lane.place[1] = 0
        lane.place[2] = 0
        return True
    return False


@compiled_in_place
def advance(  # type: ignore[no-untyped-def]
    plan: Plan,
    lane: Lane,
    shown: Presentations,
    stop: int,
    weights,
    transposed,
    blocks,
    ahead: Ahead,
    out: Buffers,
    learn: bool,
    pause: int,
) -> int:
    """Run presentations [lane.place[0], stop) until done, full, or a boundary that `pause` asks.

    blocks: the first crossbar block by block (`block_layout.in_blocks`); its layer then runs ahead;
    empty where weights may change within a presentation.

    Forward, gradient and pulse emission share the one loop over slots; nothing of a train is kept
    but its pulses, and those at most until the buffers are full.
    """
    while lane.place[0] < stop:
        if lane.place[2] == 0:
            begin(plan, lane, shown, learn)
            lane.place[2] = 1
        if len(blocks) > 0:
            if lane.place[1] == 0 or lane.place[1] == ahead.window[1]:
                look_ahead(plan, lane, shown, ahead, blocks, learn)
            words = plan.neuron_start[2] // NEURONS
            place = (lane.place[1] - ahead.window[0]) * words
            known = ahead.spikes[place : place + words]
            respond(plan, lane, shown, learn, recall(plan, lane, ahead), known)
        else:
            fire(plan, lane, shown, learn)
        full = emit(plan, lane, out) if learn else False
        spread_linear(plan, lane, weights, transposed, learn, 2 if len(blocks) > 0 else 1)
        spread_inhibition(plan, lane)
        ended = next_slot(plan, lane)
        if pause == STOP_AFTER_PRESENTATION and ended:
            return BOUNDARY
        if pause == STOP_AFTER_SLOT:
            pulses = False
            for x in range(plan.crossbars):
                pulses = pulses or out.rows[x] > 0
            if pulses or ended:
                return BOUNDARY
        if full:
            return PAUSED
    return DONE
