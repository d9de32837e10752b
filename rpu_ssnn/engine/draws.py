"""Random draws of a presentation, compiled: all follow from its key."""

import numpy as np
from numba import uint32, uint64

from rpu_ssnn.compiled import compiled_in_place
from rpu_ssnn.engine.state import Lane, Plan, Presentations


@compiled_in_place
def _random_bits(random):  # type: ignore[no-untyped-def]
    """64 random bits (splitmix64)."""
    random[0] += uint64(0x9E3779B97F4A7C15)
    z = random[0]
    z = (z ^ (z >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> uint64(27))) * uint64(0x94D049BB133111EB)
    return z ^ (z >> uint64(31))


@compiled_in_place
def uniform(random):  # type: ignore[no-untyped-def]
    """Uniform over [0, 1), 24 bits."""
    return np.float32(_random_bits(random) >> uint64(40)) * np.float32(2.0**-24)


@compiled_in_place
def draw_input(plan: Plan, lane: Lane, shown: Presentations, t: int) -> None:
    """Spikes of the input lines, drawn (Section 3.1) or given, into the events of layer 0."""
    count = 0
    if len(shown.given_start) > 0:
        if t < plan.T:
            count = _take_given(lane, shown, t)
    elif plan.regular_input and t < plan.T:
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


@compiled_in_place
def _take_given(lane: Lane, shown: Presentations, t: int) -> int:
    """The given spikes of slot t, which comes after those before it; returns how many."""
    k, stop, count = lane.pixel_count[0], shown.given_start[lane.place[0] + 1], 0
    while k < stop and shown.given_slot[k] == t:
        if lane.pixels[shown.given_line[k]]:
            lane.events[count] = shown.given_line[k]
            count += 1
        k += 1
    lane.pixel_count[0] = k
    return count


@compiled_in_place
def draw_label(plan: Plan, lane: Lane, t: int) -> bool:
    """Whether the train of the correct class has a spike, before the relays."""
    if t >= plan.T:
        return False
    draw = np.float64(uint32(_random_bits(lane.random)))
    return bool(draw < plan.label_profile[t] * 2.0**32)
