"""The inference pass where it is watched: which output leads after each slot."""

from rpu_ssnn.compiled import compiled_in_place
from rpu_ssnn.engine.kernel import next_slot
from rpu_ssnn.engine.neurons import begin, fire
from rpu_ssnn.engine.spread import spread_inhibition, spread_linear
from rpu_ssnn.engine.state import Lane, Plan, Presentations


@compiled_in_place
def advance_deciding(  # type: ignore[no-untyped-def]
    plan: Plan, lane: Lane, shown: Presentations, stop: int, weights, leading
) -> None:
    """As `kernel.advance` without learning, up to presentation `stop`.

    leading: int16 [presentations, slots], takes the argmax of the output counts after each slot
    (ties, and no spike yet: the lowest class).
    """
    while lane.place[0] < stop:
        b, t = lane.place[0], lane.place[1]
        if t == 0:
            begin(plan, lane, shown, False)
        fire(plan, lane, shown, False)
        leading[b, t] = shown.output_counts[b].argmax()
        spread_linear(plan, lane, weights, weights, False)
        spread_inhibition(plan, lane)
        next_slot(plan, lane)
