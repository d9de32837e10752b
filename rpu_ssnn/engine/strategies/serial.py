"""Linear reads: one worker trains (`Serial`), or several share a batch (`Threaded`)."""

import numpy as np

from rpu_ssnn.common.parallel import parallel
from rpu_ssnn.engine import slot_loop
from rpu_ssnn.engine.pulses import PulseBuffers, make_buffers
from rpu_ssnn.engine.state import (
    NOTHING,
    Presentations,
    Recording,
    WorkerState,
    check_guards,
    make_worker_state,
)
from rpu_ssnn.engine.strategies.base import Job, Strategy
from rpu_ssnn.spec import Schedule

SLOTS_BEFORE_SETTLING = 1 << 14
"""The largest number of slots that a worker runs before synapses apply the collected pulses."""

PAUSE: dict[Schedule, int] = {
    "batch": slot_loop.RUN_THROUGH,
    "presentation": slot_loop.STOP_AFTER_PRESENTATION,
    "slot": slot_loop.STOP_AFTER_SLOT,
}


class Serial(Strategy):
    """Trains with one worker, and shares inference between all workers."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._workers = [make_worker_state(job.training) for _ in range(job.threads)]
        self._no_pulses = make_buffers(job.inference, job.all_spikes, rows=0, spikes=0)
        self._buffers = self._make_buffers()

    def _make_buffers(self) -> list[PulseBuffers]:
        return [make_buffers(self._job.training, self._job.all_spikes)]

    def train(self, shown: Presentations) -> None:
        self._run(shown, self._workers[0], self._buffers[0], 0, len(shown.labels))

    def infer(self, shown: Presentations, recording: Recording) -> None:
        job = self._job

        def run(state: WorkerState, start: int, stop: int) -> None:
            state.position[:] = (start, 0, 0)
            slot_loop.advance(
                job.inference, state, shown, stop, job.reads.matrices,
                self._no_pulses, recording, False, slot_loop.RUN_THROUGH,
            )  # fmt: skip

        bounds = equal_shares(0, len(shown.labels), len(self._workers))
        parallel(job.pool, run, self._workers, bounds[:-1], bounds[1:])

    def _run(
        self, shown: Presentations, state: WorkerState, out: PulseBuffers, start: int, stop: int
    ) -> None:
        """Trains on presentations [start, stop), dispatching whenever a buffer is full."""
        job, position = self._job, state.position
        position[:] = (start, 0, 0)
        out.rows[:] = 0  # an interrupted batch may have left some pulses
        status = slot_loop.PAUSED
        while status != slot_loop.DONE:
            done_before = int(position[0])
            status = slot_loop.advance(
                job.training, state, shown, stop, job.reads.matrices, out, NOTHING, True,
                PAUSE[job.schedule],
            )  # fmt: skip
            check_guards((*state.arrays(), *out.blocks))
            job.dispatch(out)
            if status == slot_loop.BOUNDARY:
                job.commit(range(done_before, int(position[0])))


class Threaded(Serial):
    """Shares a batch between workers that dispatch their own pulses, whose order does not
    matter."""

    def _make_buffers(self) -> list[PulseBuffers]:
        job = self._job
        return [make_buffers(job.training, job.all_spikes) for _ in range(job.threads)]

    def train(self, shown: Presentations) -> None:
        job, total = self._job, len(shown.labels)

        def run(state: WorkerState, out: PulseBuffers, start: int, stop: int) -> None:
            self._run(shown, state, out, start, stop)

        together = len(self._workers) * max(1, SLOTS_BEFORE_SETTLING // job.training.slots)
        for first in range(0, total, together):
            bounds = equal_shares(first, min(first + together, total), len(self._workers))
            parallel(job.pool, run, self._workers, self._buffers, bounds[:-1], bounds[1:])
            for each in job.synapses:
                each.settle()


def equal_shares(first: int, stop: int, workers: int) -> list[int]:
    """Returns the bounds of equal shares of the presentations [first, stop)."""
    return [int(bound) for bound in np.linspace(first, stop, workers + 1)]
