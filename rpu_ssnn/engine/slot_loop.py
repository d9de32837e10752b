"""The loop over slots: forward spikes, gradients and pulses of a slot, then the next; compiled."""

import numpy as np
from jaxtyping import Int64

from rpu_ssnn.compiled import compiled, inner
from rpu_ssnn.engine.neurons import begin, fire
from rpu_ssnn.engine.parameters import Parameters
from rpu_ssnn.engine.propagation import Matrices, propagate_inhibition, propagate_linear
from rpu_ssnn.engine.pulses import PulseBuffers, emit
from rpu_ssnn.engine.state import Presentations, Recording, WorkerState, record

DONE, PAUSED, BOUNDARY = 0, 1, 2
"""The reasons for which `advance` returns: all presentations are over, a buffer is full, or a
boundary is reached at which `pause` stops (a buffer may then be full too)."""
RUN_THROUGH, STOP_AFTER_PRESENTATION, STOP_AFTER_SLOT = 0, 1, 2


@inner
def next_slot(position: Int64[np.ndarray, "3"], slots: int) -> bool:
    """Advances a state's position by one slot, and returns whether that ended the presentation."""
    position[1] += 1
    if position[1] == slots:
        position[0] += 1
        position[1] = 0
        position[2] = 0
        return True
    return False


@compiled
def advance(
    net: Parameters,
    state: WorkerState,
    shown: Presentations,
    stop: int,
    matrices: Matrices,
    out: PulseBuffers,
    recording: Recording,
    learn: bool,
    pause: int,
) -> int:
    """Runs presentations up to `stop` until they are done, a buffer is full, or `pause` stops.

    Trains are not stored, except in `recording`. Pulses are kept until a buffer is full.
    """
    while state.position[0] < stop:
        if state.position[2] == 0:
            begin(net, state, shown, learn)
        fire(net, state, shown, learn)
        record(net, state, recording)
        full = emit(net, state, out, shown.reads[state.position[0]]) if learn else False
        propagate_linear(net, state, matrices, learn)
        propagate_inhibition(net, state)
        ended = next_slot(state.position, net.slots)
        if pause == STOP_AFTER_PRESENTATION and ended:
            return BOUNDARY
        if pause == STOP_AFTER_SLOT and (ended or out.rows.any()):
            return BOUNDARY
        if full:
            return PAUSED
    return DONE
