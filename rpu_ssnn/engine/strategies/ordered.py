"""Linear reads and devices: workers share a batch, then one thread dispatches (`Ordered`)."""

from rpu_ssnn.common.parallel import parallel
from rpu_ssnn.engine import slot_loop
from rpu_ssnn.engine.parameters import Parameters
from rpu_ssnn.engine.pulses import PulseBuffers, make_buffers
from rpu_ssnn.engine.state import NOTHING, Presentations, WorkerState, check_guards
from rpu_ssnn.engine.strategies.serial import Serial, equal_shares

SLOTS_A_BUFFER = 512
"""This many slots share a buffer: about as many as there are rows in one call of a tile."""

GROUPS_A_WORKER = 8
"""The largest number of groups of a worker between two dispatches."""

SPIKES = 1 << 23
"""The largest number of spikes of one crossbar in all buffers together."""


def group_size(net: Parameters) -> int:
    """Returns the number of presentations in a group."""
    return max(1, SLOTS_A_BUFFER // net.slots)


def buffer_count(net: Parameters, threads: int) -> int:
    """Returns how many buffers fit into `SPIKES`; with fewer than `threads`, some worker gets
    none."""
    most = group_size(net) * net.slots * net.most_in_slot
    return min(GROUPS_A_WORKER * threads, SPIKES // most)


class Ordered(Serial):
    """Workers store the pulses of their presentations; devices then get them in order.

    A buffer is large enough for all pulses of its group, so no worker waits for another.
    """

    def _make_buffers(self) -> list[PulseBuffers]:
        net, spikes = self._job.training, self._job.all_spikes
        rows = group_size(net) * net.slots
        return [
            make_buffers(net, spikes, rows=rows, spikes=2 * rows * net.most_in_slot)
            for _ in range(buffer_count(net, self._job.threads))
        ]

    def train(self, shown: Presentations) -> None:
        job, buffers, workers = self._job, self._buffers, self._workers
        size, total = group_size(job.training), len(shown.labels)
        each = len(buffers) // len(workers)
        for out in buffers:  # an interrupted batch may have left some pulses
            out.rows[:] = 0

        def run(state: WorkerState, place: int, start: int, stop: int) -> None:
            for k, first in enumerate(range(start, stop, size)):
                out = buffers[place + k]
                state.position[:] = (first, 0, 0)
                slot_loop.advance(
                    job.training, state, shown, min(first + size, stop), job.reads.matrices,
                    out, NOTHING, True, slot_loop.RUN_THROUGH,
                )  # fmt: skip
                check_guards((*state.arrays(), *out.blocks))

        together = size * each * len(workers)
        for first in range(0, total, together):
            stop = min(first + together, total)
            bounds = equal_shares(first, stop, len(workers))
            places = range(0, each * len(workers), each)
            parallel(job.pool, run, workers, places, bounds[:-1], bounds[1:])
            for out in buffers:
                job.dispatch(out)
