"""Input and label trains (Section 3.1), and the random numbers of a presentation; compiled."""

import numpy as np
from jaxtyping import Float64, UInt64
from numba import uint32, uint64

from rpu_ssnn.compiled import inner
from rpu_ssnn.engine.parameters import Parameters
from rpu_ssnn.engine.state import Presentations, WorkerState
from rpu_ssnn.random_numbers import GOLDEN, mixed

type Random = UInt64[np.ndarray, "1"]
"""The state of the generator, which every draw advances."""


@inner
def _random_bits(random: Random) -> np.uint64:
    """Returns the next 64 random bits of SplitMix64."""
    random[0] += GOLDEN
    return mixed(random[0])


@inner
def draw_uniform(random: Random) -> np.float32:
    """Returns a uniform number in [0, 1), of 24 bits."""
    return np.float32(_random_bits(random) >> uint64(40)) * np.float32(2.0**-24)


@inner
def draw_input(net: Parameters, state: WorkerState, shown: Presentations, t: int) -> None:
    """Writes the input lines that spike in slot t, drawn or given, to the events of layer 0."""
    count = 0
    if len(shown.given_start) > 0:
        k, stop = state.pixel_count[0], shown.given_start[state.position[0] + 1]
        while t < net.T and k < stop and shown.given_slot[k] == t:
            if state.pixels[shown.given_line[k]]:
                state.events[count] = shown.given_line[k]
                count += 1
            k += 1
        state.pixel_count[0] = k
    elif net.regular_input and t < net.T:
        factor = net.input_profile[t]
        for k in range(state.pixel_count[0]):
            phase = state.pixel_phase[k] + state.pixel_rate[k] * factor
            state.pixel_phase[k] = phase - 1.0 if phase >= 1.0 else phase
            state.events[count] = state.pixels[k]  # the next line overwrites it unless count rises
            count += phase >= 1.0
    elif t < net.T:
        factor = net.input_profile[t]
        n = state.pixel_count[0]
        bits = uint64(0)
        for k in range(n):
            if k & 1 == 0:
                bits = _random_bits(state.random)
                draw = uint32(bits)
            else:
                draw = uint32(bits >> uint64(32))
            state.events[count] = state.pixels[k]  # the next line overwrites it unless count rises
            count += np.float64(draw) < state.pixel_rate[k] * factor
    state.event_count[0] = count


@inner
def draw_label(profile: Float64[np.ndarray, " label_slots"], random: Random, t: int) -> bool:
    """Draws whether the label train has a spike in slot t, before the relays."""
    if t >= len(profile):
        return False
    draw = np.float64(uint32(_random_bits(random)))
    return bool(draw < profile[t] * 2.0**32)
