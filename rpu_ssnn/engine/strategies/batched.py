"""Reads by calls: the presentations of a batch run slot by slot, and share each call (`Batched`).

The neuron steps are those of `slot_loop.advance`. The states of a group of presentations are
stacked, and the currents are read between the steps. Reads are gated by events: a crossbar is read
for the presentations in which one of its lines spikes in the slot, and only these get its noise.

Where each presentation must see the changes of the one before (the schedules `slot` and
`presentation`), or the pulses of several presentations do not fit a buffer, a group is one
presentation.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from rpu_ssnn.compiled import compiled
from rpu_ssnn.engine.neurons import begin, fire
from rpu_ssnn.engine.parameters import Parameters
from rpu_ssnn.engine.propagation import dropout_gain, propagate_inhibition
from rpu_ssnn.engine.pulses import PulseBuffers, emit, make_buffers, one_buffer
from rpu_ssnn.engine.state import (
    Presentations,
    Recording,
    WorkerState,
    make_worker_state,
    one_state,
)
from rpu_ssnn.engine.strategies.base import Strategy

MOST_TOGETHER = 64
"""The largest number of presentations of a group, which share the cost of a call."""

GROUP_SPIKES = 1 << 23
"""The largest number of spikes of one crossbar in the buffers of a group."""


@dataclass
class Batched(Strategy):
    """Trains and infers in groups, in one thread."""

    def __post_init__(self) -> None:
        net = self.training
        self._states = make_worker_state(net, (MOST_TOGETHER,))
        presentation = net.slots * net.most_in_slot
        together = (
            min(MOST_TOGETHER, GROUP_SPIKES // presentation) if self.schedule == "batch" else 1
        )
        # The system allocates memory only for written pages.
        size = {"rows": net.slots, "spikes": 2 * presentation} if together > 1 else {}
        self._buffers = make_buffers(net, self.all_spikes, (max(1, together),), **size)
        self._each = [one_buffer(self._buffers, k) for k in range(max(1, together))]

    def train(self, shown: Presentations) -> None:
        self._buffers.rows[:] = 0  # an interrupted batch may have left some pulses
        for group in _groups(len(shown.labels), len(self._each)):
            for slot, full in enumerate(self._run(self.training, shown, group, True)):
                ended = slot == self.training.slots - 1
                pulses = self.schedule == "slot" and bool(self._buffers.rows.any())
                if full or pulses or ended:
                    for out in self._each[: len(group)]:
                        self.dispatch(out)
                    self.settle()
                if self.schedule != "batch" and (pulses or ended):
                    self.commit(group if ended else group[:0])

    def infer(self, shown: Presentations, recording: Recording) -> None:
        if len(recording.forward):
            raise ValueError("spike trains can only be recorded where reads are matrix products")
        for group in _groups(len(shown.labels), MOST_TOGETHER):
            for _ in self._run(self.inference, shown, group, False):
                pass

    def _run(
        self, net: Parameters, shown: Presentations, group: range, learn: bool
    ) -> Iterator[bool]:
        """Runs a group of presentations, and yields after each slot whether a buffer is full."""
        states, n = self._states, len(group)
        states.position[:n] = [(presentation, 0, 0) for presentation in group]
        tables = net.geometry
        most = n * tables.most_positions
        shapes = [
            (n * int(positions), *each.shape)
            for positions, each in zip(tables.crossbars.positions, self.synapses, strict=True)
        ]
        spikes = [np.zeros((rows, n_in), dtype=np.float32) for rows, n_in, _ in shapes]
        signed = [np.zeros((rows, n_out), dtype=np.float32) for rows, _, n_out in shapes]
        row_state, row_position = np.zeros(most, np.int64), np.zeros(most, np.int64)
        for _ in range(net.slots):
            full = _fire(net, states, n, shown, self._buffers, learn)
            for x, synapses in enumerate(self.synapses):
                rows = _spike_vectors(net, states, n, x, spikes[x], row_state, row_position)
                if rows:
                    currents = synapses.currents(spikes[x][:rows])
                    _add(net, states, x, row_state[:rows], row_position, currents)
                if not learn or x == 0:
                    continue
                rows = _signed_vectors(net, states, n, x, signed[x], row_state, row_position)
                if rows:
                    currents = synapses.currents(signed[x][:rows], transposed=True)
                    _add_transposed(net, states, x, row_state[:rows], row_position, currents)
            yield full


def _groups(total: int, most: int) -> list[range]:
    return [range(first, min(first + most, total)) for first in range(0, total, most)]


@compiled
def _fire(
    net: Parameters, states: WorkerState, n: int, shown: Presentations, buffers: PulseBuffers,
    learn: bool,
) -> bool:  # fmt: skip
    """Fires the next slot of n presentations, emits its pulses, and returns whether a buffer is
    full."""
    full = False
    for b in range(n):
        state = one_state(states, b)
        if state.position[2] == 0:
            begin(net, state, shown, learn)
        else:
            propagate_inhibition(net, state)
            state.position[1] += 1
        fire(net, state, shown, learn)
        if learn:
            reads = shown.reads[state.position[0]]
            full = emit(net, state, one_buffer(buffers, b), reads) or full
    return full


type _RowNumbers = Int64[np.ndarray, " rows"]
"""The state, or the position, to which each row of a call belongs."""


@compiled
def _spike_vectors(
    net: Parameters, states: WorkerState, n: int, x: int, spikes: Float32[np.ndarray, "rows n_in"],
    row_state: _RowNumbers, row_position: _RowNumbers,
) -> int:  # fmt: skip
    """Writes which lines of crossbar x spike, as a vector of 0 and 1 for each state and position
    that has a spike.

    Returns the number of vectors.
    """
    crossbar, rows = net.geometry.crossbars[x], 0
    for b in range(n):
        for position in range(crossbar.positions):
            count = states.list_count[b, crossbar.position_start + position]
            first = crossbar.list_start + position * crossbar.patch
            if count > 0:
                spikes[rows] = 0
                for k in range(first, first + count):
                    spikes[rows, states.events[b, k]] = 1
                row_state[rows], row_position[rows] = b, position
                rows += 1
    return rows


@compiled
def _signed_vectors(
    net: Parameters, states: WorkerState, n: int, x: int, signed: Float32[np.ndarray, "rows n_out"],
    row_state: _RowNumbers, row_position: _RowNumbers,
) -> int:  # fmt: skip
    """Writes the gradient spikes above crossbar x, positive minus negative, like
    `_spike_vectors`."""
    crossbar, rows = net.geometry.crossbars[x], 0
    first, channels = 2 * net.event_start[x + 1], crossbar.channels
    for b in range(n):
        stop = first + states.gradient_count[b, x + 1]
        for position in range(crossbar.positions):
            first_neuron, beyond, has_spikes = position * channels, (position + 1) * channels, False
            shift = position % crossbar.replicas * channels - first_neuron
            for k in range(first, stop):
                neuron = states.gradient_events[b, k]
                if first_neuron <= neuron < beyond:
                    if not has_spikes:
                        signed[rows] = 0
                        row_state[rows], row_position[rows] = b, position
                        has_spikes = True
                    signed[rows, neuron + shift] += states.gradient_sign[b, k]
            rows += has_spikes
    return rows


@compiled
def _add(
    net: Parameters, states: WorkerState, x: int, row_state: _RowNumbers, row_position: _RowNumbers,
    currents: Float32[np.ndarray, "rows n_out"],
) -> None:  # fmt: skip
    """Adds the currents of a read of crossbar x, times the dropout gain, to the layer above."""
    gain, start = dropout_gain(net, x), net.neuron_start[x + 1]
    crossbar = net.geometry.crossbars[x]
    channels = crossbar.channels
    for r in range(len(row_state)):
        target, position = states.current[row_state[r]], row_position[r]
        first, column = start + position * channels, position % crossbar.replicas * channels
        for j in range(channels):
            target[first + j] += gain * currents[r, column + j]


@compiled
def _add_transposed(
    net: Parameters, states: WorkerState, x: int, row_state: _RowNumbers, row_position: _RowNumbers,
    currents: Float32[np.ndarray, "rows n_in"],
) -> None:  # fmt: skip
    """Adds the currents of a transposed read to the gradient of the layer below, like `_add`."""
    tables, gain, start = net.geometry, dropout_gain(net, x), net.neuron_start[x]
    for r in range(len(row_state)):
        target = states.gradient_current[row_state[r]]
        at = tables.crossbars[x].position_start + row_position[r]
        for k in range(tables.runs[at], tables.runs[at + 1]):
            run = tables.run[k]
            first, line = start + run.neuron, run.line
            for j in range(run.length):
                target[first + j] += gain * currents[r, line + j]
