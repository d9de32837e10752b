"""The forward pass with every train kept, for rules that look back at them (BP-STDP)."""

from rpu_ssnn.compiled import compiled_in_place
from rpu_ssnn.engine.kernel import next_slot
from rpu_ssnn.engine.neurons import begin, fire
from rpu_ssnn.engine.spread import spread_inhibition, spread_linear
from rpu_ssnn.engine.state import Lane, Plan, Presentations


@compiled_in_place
def advance_recording(  # type: ignore[no-untyped-def]
    plan: Plan, lane: Lane, shown: Presentations, stop: int, window: int, weights, counts
) -> None:
    """Present images up to `stop` without learning, counting spikes by window of slots.

    counts: float32 [presentations, windows, lines of all layers], added to; layers lie one after
    the other, input first (`Plan.event_start`).
    """
    while lane.place[0] < stop:
        b, t = lane.place[0], lane.place[1]
        if t == 0:
            begin(plan, lane, shown, False)
        fire(plan, lane, shown, False)
        row = counts[b, t // window]
        for layer in range(len(plan.size)):
            first = plan.event_start[layer]
            for k in range(lane.event_count[layer]):
                row[first + lane.events[first + k]] += 1.0
        spread_linear(plan, lane, weights, weights, False)
        spread_inhibition(plan, lane)
        next_slot(plan, lane)
