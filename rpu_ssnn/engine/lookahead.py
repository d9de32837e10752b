"""The first hidden layer of several slots at once, block of neurons by block; compiled.

The input trains do not depend on the network. If weights do not change within a presentation, the
first layer can therefore be computed for a window of slots, while the weights, currents and
membranes of one block stay in the cache. Random numbers, sums and spikes are those of
`neurons.fire` and `propagation.propagate_linear`, in the same order. The length of the window does
not depend on T.
"""

import numpy as np
from jaxtyping import Float32

from rpu_ssnn.compiled import compiled_in_place
from rpu_ssnn.engine.blocks import BLOCK
from rpu_ssnn.engine.encoding import draw_input, draw_label
from rpu_ssnn.engine.firing import fire_from_current
from rpu_ssnn.engine.intrinsics.block_rows import add_block_rows
from rpu_ssnn.engine.parameters import Parameters
from rpu_ssnn.engine.propagation import dropout_gain
from rpu_ssnn.engine.state import WINDOW, Lookahead, Presentations, WorkerState


@compiled_in_place
def look_ahead(
    net: Parameters,
    state: WorkerState,
    shown: Presentations,
    lookahead: Lookahead,
    blocks: Float32[np.ndarray, " blocks_x_n_in_x_block"],
    learn: bool,
) -> None:
    """Compute input, label and first layer for the window that begins at the state's slot.

    blocks: the first crossbar (`propagation.Matrices`).
    """
    t, n_in = state.position[1], net.size[0]
    slots = min(WINDOW, net.slots - t)
    lookahead.window[0] = t
    lookahead.window[1] = t + slots
    count = 0
    for s in range(slots):
        lookahead.start[s] = count
        draw_input(net, state, shown, t + s)
        for k in range(state.event_count[0]):
            lookahead.events[count + k] = state.events[k]
        count += state.event_count[0]
        lookahead.label[s] = draw_label(net, state, t + s) if learn or net.clocked else False
    lookahead.start[slots] = count
    keep, gain = net.kernel_keep, dropout_gain(net, 0)
    move = np.float32(1.0) - keep
    words = net.neuron_start[2] // BLOCK
    for word in range(words):
        at = word * BLOCK
        block = blocks[at * n_in : (at + BLOCK) * n_in]
        current = state.current[at : at + BLOCK]
        for s in range(slots):
            lookahead.spikes[s * words + word] = fire_from_current(
                at, state.membrane, state.current, move, keep, net.theta, net.reset_to_zero,
                state.alive[word],
            )  # fmt: skip
            first, stop = lookahead.start[s], lookahead.start[s + 1]
            add_block_rows(current, block, lookahead.events, first, stop, gain)


@compiled_in_place
def recall_slot(state: WorkerState, lookahead: Lookahead) -> bool:
    """Write the input spikes of the state's slot to its events; returns the label train's spike."""
    s = state.position[1] - lookahead.window[0]
    first, stop = lookahead.start[s], lookahead.start[s + 1]
    for k in range(stop - first):
        state.events[k] = lookahead.events[first + k]
    state.event_count[0] = stop - first
    return bool(lookahead.label[s])
