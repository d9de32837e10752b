"""Forward spikes that wait for their gradient: a shift register on each line; compiled.

The gradient of a crossbar comes later than its forward spikes, by about as many kernels as there
are crossbars above it. Coincidences (Eq. 10) want the two together.
"""

from numba import uint64

from rpu_ssnn.compiled import compiled_in_place
from rpu_ssnn.engine.blocks import BLOCK, list_spikes
from rpu_ssnn.engine.parameters import Parameters
from rpu_ssnn.engine.state import WorkerState


@compiled_in_place
def shift(net: Parameters, state: WorkerState, x: int) -> int:
    """Put this slot's forward spikes of crossbar x in, and take those of `net.delay[x]` slots ago.

    Returns how many came out; they are listed in `state.delayed`.
    """
    words = -(-net.size[x] // BLOCK)
    first = net.delay_start[x] + state.position[1] % net.delay[x] * words
    count = 0
    for word in range(words):
        count = list_spikes(state.waiting[first + word], word * BLOCK, state.delayed, count)
        state.waiting[first + word] = 0
    for k in range(net.event_start[x], net.event_start[x] + state.event_count[x]):
        line = state.events[k]
        state.waiting[first + line // BLOCK] |= uint64(1) << uint64(line % BLOCK)
    return count
