"""Reads by calls: the presentations of a batch run slot by slot, and share each call (`Batched`).

The neuron steps are those of `slot_loop.advance`. The states of a group of presentations are
stacked, and the currents are read between the steps. Reads are gated by events: a crossbar is read
for the presentations in which one of its lines spikes in the slot, and only these get its noise.

Where each presentation must see the changes of the one before (the schedules `slot` and
`presentation`), or the pulses of several presentations do not fit a buffer, a group is one
presentation.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float32, Int8, Int64, UInt8

from rpu_ssnn.compiled import compiled
from rpu_ssnn.engine.neurons import begin, fire
from rpu_ssnn.engine.parameters import Parameters
from rpu_ssnn.engine.propagation import dropout_gain, propagate_inhibition
from rpu_ssnn.engine.pulses import PulseBuffers, emit, make_buffers, one_buffer, separate
from rpu_ssnn.engine.slot_loop import next_slot
from rpu_ssnn.engine.state import (
    Presentations,
    Recording,
    WorkerState,
    check_guards,
    make_worker_state,
    one_state,
)
from rpu_ssnn.engine.strategies.base import Job, Strategy

MOST_TOGETHER = 64
"""Largest number of presentations of a group, which share the cost of a call."""

SPIKES = 1 << 23
"""Largest number of spikes of one crossbar in the buffers of a group."""


class Batched(Strategy):
    """Trains and infers in groups, in one thread."""

    def __init__(self, job: Job) -> None:
        self._job, net = job, job.training
        self._states = make_worker_state(net, (MOST_TOGETHER,))
        presentation = net.slots * net.widest
        together = min(MOST_TOGETHER, SPIKES // presentation) if job.schedule == "batch" else 1
        if together > 1:
            # The system allocates memory only for written pages.
            size = {"rows": net.slots, "spikes": 2 * presentation}
            self._buffers = make_buffers(net, job.all_spikes, (together,), **size)
        else:
            self._buffers = make_buffers(net, job.all_spikes, (1,))
        self._each = separate(self._buffers)

    def train(self, shown: Presentations) -> None:
        job = self._job
        self._buffers.rows[:] = 0  # an interrupted batch may have left some pulses
        for group in _groups(len(shown.labels), len(self._each)):
            for slot, full in enumerate(self._run(job.training, shown, group, True)):
                ended = slot == job.training.slots - 1
                pulses = job.schedule == "slot" and bool(self._buffers.rows.any())
                if full or pulses or ended:
                    for out in self._each[: len(group)]:
                        job.dispatch(out)
                if job.schedule != "batch" and (pulses or ended):
                    job.commit(group if ended else group[:0])
            check_guards((*self._states, *self._buffers.blocks))

    def infer(self, shown: Presentations, recording: Recording) -> None:
        if len(recording.forward):
            raise ValueError("trains are recorded where reads are matrix products only")
        for group in _groups(len(shown.labels), MOST_TOGETHER):
            for _ in self._run(self._job.inference, shown, group, False):
                pass

    def _run(
        self, net: Parameters, shown: Presentations, group: range, learn: bool
    ) -> Iterator[bool]:
        """Run a group of presentations; yields after each slot whether a buffer is full."""
        states, n = self._states, len(group)
        states.position[:n, 0] = group
        _begin(net, states, n, shown, learn)
        sizes = net.size[: net.crossbars + 1]
        spikes = [np.zeros((n, size), dtype=np.uint8) for size in sizes]
        net_spikes = [np.zeros((n, size), dtype=np.int8) for size in sizes]
        rows = np.zeros(n, dtype=np.int64)
        for _ in range(net.slots):
            full = _fire(net, states, n, shown, self._buffers, learn)
            for below, crossbar in enumerate(self._job.synapses):
                active = _spike_vectors(net, states, n, below, spikes[below], rows)
                if active:
                    currents = crossbar.forward_current(spikes[below][:active])
                    _add(net, states.current, below + 1, below, rows[:active], currents)
                if not learn or below == 0:
                    continue
                active = _net_vectors(net, states, n, below + 1, net_spikes[below + 1], rows)
                if active:
                    currents = crossbar.transposed_current(net_spikes[below + 1][:active])
                    into = states.gradient_current
                    _add(net, into, below, below, rows[:active], currents)
            _end_slot(net, states, n)
            yield full


def _groups(total: int, most: int) -> list[range]:
    return [range(first, min(first + most, total)) for first in range(0, total, most)]


@compiled
def _begin(net: Parameters, states: WorkerState, n: int, shown: Presentations, learn: bool) -> None:
    for b in range(n):
        state = one_state(states, b)
        state.position[1] = 0
        state.position[2] = 1
        begin(net, state, shown, learn)


@compiled
def _fire(
    net: Parameters,
    states: WorkerState,
    n: int,
    shown: Presentations,
    buffers: PulseBuffers,
    learn: bool,
) -> bool:
    """Fire a slot of n presentations and emit its pulses; whether a buffer is full."""
    full = False
    for b in range(n):
        state = one_state(states, b)
        fire(net, state, shown, learn)
        if learn:
            full = emit(net, state, one_buffer(buffers, b)) or full
    return full


@compiled
def _spike_vectors(
    net: Parameters, states: WorkerState, n: int, layer: int, spikes: UInt8[np.ndarray, "n lines"],
    rows: Int64[np.ndarray, " n"],
) -> int:  # fmt: skip
    """Write which lines spike, a vector of 0 and 1 for each state (`rows`) with a spike.

    Returns the number of vectors.
    """
    first, active = net.event_start[layer], 0
    for b in range(n):
        count = states.event_count[b, layer]
        if count > 0:
            spikes[active] = 0
            for k in range(count):
                spikes[active, states.events[b, first + k]] = 1
            rows[active] = b
            active += 1
    return active


@compiled
def _net_vectors(
    net: Parameters, states: WorkerState, n: int, layer: int, spikes: Int8[np.ndarray, "n lines"],
    rows: Int64[np.ndarray, " n"],
) -> int:  # fmt: skip
    """Write the gradient spikes of a layer, positive minus negative, as `_spike_vectors` does."""
    first, active = 2 * net.event_start[layer], 0
    for b in range(n):
        count = states.gradient_count[b, layer]
        if count > 0:
            spikes[active] = 0
            for k in range(count):
                line = states.gradient_events[b, first + k]
                spikes[active, line] += states.gradient_sign[b, first + k]
            rows[active] = b
            active += 1
    return active


@compiled
def _add(
    net: Parameters,
    targets: Float32[np.ndarray, "states neurons"],
    layer: int,
    from_layer: int,
    rows: Int64[np.ndarray, " active"],
    currents: Float32[np.ndarray, "active n"],
) -> None:
    """Add to a layer's currents, raised by the dropout gain of the lines of `from_layer`."""
    gain, start = dropout_gain(net, from_layer), net.neuron_start[layer]
    for k in range(len(rows)):
        target = targets[rows[k]]
        for j in range(currents.shape[1]):
            target[start + j] += gain * currents[k, j]


@compiled
def _end_slot(net: Parameters, states: WorkerState, n: int) -> None:
    for b in range(n):
        state = one_state(states, b)
        propagate_inhibition(net, state)
        next_slot(net, state)
