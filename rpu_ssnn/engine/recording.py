"""Counts spikes in windows of slots during the simulation; memory grows with the slots."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from rpu_ssnn.compiled import compiled_in_place
from rpu_ssnn.engine.parameters import Parameters
from rpu_ssnn.engine.state import WorkerState


class Recording(NamedTuple):
    """Spikes of each line, layer after layer (`Parameters.event_start`); empty: not recorded."""

    window: int
    """Slots whose spikes are counted together."""
    first_layer: int
    """Layers below are not recorded, and have no place."""
    forward: Float32[np.ndarray, "presentations windows lines"]
    positive: Float32[np.ndarray, "presentations windows lines"]
    negative: Float32[np.ndarray, "presentations windows lines"]


def make_recording(
    net: Parameters, presentations: int, window: int, first_layer: int = 0, *, streams: bool = False
) -> Recording:
    """A recording of forward spikes and, where `streams`, of gradient spikes."""
    lines = int(net.event_start[-1] - net.event_start[first_layer])
    shape = (presentations, -(-net.slots // window), lines)
    forward = np.zeros(shape, dtype=np.float32)
    positive, negative = (
        np.zeros(shape if streams else (0, 0, 0), dtype=np.float32) for _ in range(2)
    )
    return Recording(window, first_layer, forward, positive, negative)


NOTHING = Recording(1, 0, *(np.zeros((0, 0, 0), dtype=np.float32) for _ in range(3)))


@compiled_in_place
def record(net: Parameters, state: WorkerState, recording: Recording) -> None:
    """Count the spikes of the state's slot."""
    if len(recording.forward) == 0:
        return
    b, w = state.position[0], state.position[1] // recording.window
    left_out = net.event_start[recording.first_layer]
    for layer in range(recording.first_layer, len(net.size)):
        first = net.event_start[layer]
        for k in range(first, first + state.event_count[layer]):
            recording.forward[b, w, first - left_out + state.events[k]] += 1.0
        if len(recording.positive) == 0:
            continue
        for k in range(2 * first, 2 * first + state.gradient_count[layer]):
            line = first - left_out + state.gradient_events[k]
            if state.gradient_sign[k] > 0:
                recording.positive[b, w, line] += 1.0
            else:
                recording.negative[b, w, line] += 1.0
