"""Counts what the reads of a presentation ask of each crossbar; compiled.

A crossbar is read once for each position of a slot with a spike: forward for the forward spikes of
its patch, and transposed for the gradient spikes of its neurons, both streams together. No gradient
is read through the first crossbar.
"""

from rpu_ssnn.compiled import compiled
from rpu_ssnn.engine.parameters import Parameters
from rpu_ssnn.engine.state import Presentations, WorkerState


@compiled
def count_reads(net: Parameters, state: WorkerState, shown: Presentations, learn: bool) -> None:
    """Add the forward reads of this slot, the lines that spike at them, and transposed reads."""
    tables, counted = net.geometry, shown.reads[state.position[0]]
    for x in range(net.crossbars):
        for at in range(tables.position_start[x], tables.position_start[x + 1]):
            counted[x, 0] += state.list_count[at] > 0
            counted[x, 1] += state.list_count[at]
        if learn and x > 0 and state.gradient_count[x + 1] > 0:
            counted[x, 2] += 1 if tables.positions[x] == 1 else _positions(net, state, x)


@compiled
def _positions(net: Parameters, state: WorkerState, x: int) -> int:
    """Positions with a gradient spike. The spikes of one sign are listed in order."""
    channels, signs, spikes = net.geometry.channels[x], state.gradient_sign, state.gradient_events
    first = 2 * net.event_start[x + 1]
    stop = first + state.gradient_count[x + 1]
    found, last = 0, -1
    for k in range(first, stop):
        if signs[k] > 0 and spikes[k] // channels != last:
            last = spikes[k] // channels
            found += 1
    last, up = -1, first
    for k in range(first, stop):
        position = spikes[k] // channels
        if signs[k] < 0 and position != last:
            last = position
            while up < stop and (signs[up] < 0 or spikes[up] // channels < position):
                up += 1
            found += up == stop or spikes[up] // channels != position
    return found
