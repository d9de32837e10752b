"""The loop over slots: forward spikes, gradients and pulses of a slot, then the next; compiled."""

import numpy as np
from jaxtyping import Int64

from rpu_ssnn.compiled import compiled, inner
from rpu_ssnn.engine.neurons import begin, fire
from rpu_ssnn.engine.parameters import Parameters
from rpu_ssnn.engine.propagation import Matrices, propagate_inhibition, propagate_linear
from rpu_ssnn.engine.pulses import PulseBuffers, emit
from rpu_ssnn.engine.state import Presentations, Recording, WorkerState, record

NO_PAUSE, AFTER_PRESENTATION, AFTER_SLOT = 0, 1, 2
"""The places at which `advance` returns before all presentations are over."""


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
    net: Parameters, state: WorkerState, shown: Presentations, stop: int, matrices: Matrices,
    out: PulseBuffers, recording: Recording, learn: bool, pause: int,
) -> None:  # fmt: skip
    """Runs presentations up to `stop` until they are over, a buffer is full, or a place of `pause`
    is reached: the end of a presentation, or a slot with pulses.

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
        if full or (pause != NO_PAUSE and ended) or (pause == AFTER_SLOT and out.rows.any()):
            break
