"""Linear reads: one worker trains, or several share a batch (`Workers`)."""

import numpy as np

from rpu_ssnn.common.parallel import parallel
from rpu_ssnn.engine import slot_loop
from rpu_ssnn.engine.pulses import BUFFER_ROWS, PulseBuffers, make_buffers
from rpu_ssnn.engine.state import (
    NO_RECORDING,
    Presentations,
    Recording,
    WorkerState,
    make_worker_state,
)
from rpu_ssnn.engine.strategies.base import Job, Strategy
from rpu_ssnn.spec import Schedule

SLOTS_BEFORE_SETTLING = 1 << 14
"""The largest number of slots that a worker runs before synapses apply the collected pulses; only a
presentation of several workers may be longer."""

PAUSE: dict[Schedule, int] = {
    "batch": slot_loop.RUN_THROUGH,
    "presentation": slot_loop.STOP_AFTER_PRESENTATION,
    "slot": slot_loop.STOP_AFTER_SLOT,
}


class Workers(Strategy):
    """Shares a batch between workers that dispatch their own pulses, and inference too.

    One worker trains alone where reads must see changed weights within a batch.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._workers = [make_worker_state(job.training) for _ in range(job.threads)]
        self._no_pulses = make_buffers(job.inference, job.all_spikes, rows=0, spikes=0)
        training = job.threads if job.schedule == "batch" else 1
        self._buffers = [make_buffers(job.training, job.all_spikes) for _ in range(training)]

    def train(self, shown: Presentations) -> None:
        job, total, workers = self._job, len(shown.labels), len(self._buffers)

        def run(state: WorkerState, out: PulseBuffers, start: int, stop: int) -> None:
            self._run(shown, state, out, start, stop)

        together = workers * max(1, SLOTS_BEFORE_SETTLING // job.training.slots)
        for first in range(0, total, together):
            bounds = _equal_shares(first, min(first + together, total), workers)
            parallel(job.pool, run, self._workers[:workers], self._buffers, bounds[:-1], bounds[1:])
            job.settle()

    def infer(self, shown: Presentations, recording: Recording) -> None:
        job = self._job

        def run(state: WorkerState, start: int, stop: int) -> None:
            state.position[:] = (start, 0, 0)
            slot_loop.advance(
                job.inference, state, shown, stop, job.reads.matrices,
                self._no_pulses, recording, False, slot_loop.RUN_THROUGH,
            )  # fmt: skip

        bounds = _equal_shares(0, len(shown.labels), len(self._workers))
        parallel(job.pool, run, self._workers, bounds[:-1], bounds[1:])

    def _run(
        self, shown: Presentations, state: WorkerState, out: PulseBuffers, start: int, stop: int
    ) -> None:
        """Trains on presentations [start, stop), dispatching whenever a buffer is full."""
        job, position = self._job, state.position
        position[:] = (start, 0, 0)
        out.rows[:] = 0  # an interrupted batch may have left some pulses
        status, full = slot_loop.PAUSED, 0
        while status != slot_loop.DONE:
            done_before = int(position[0])
            status = slot_loop.advance(
                job.training, state, shown, stop, job.reads.matrices, out, NO_RECORDING, True,
                PAUSE[job.schedule],
            )  # fmt: skip
            job.dispatch(out)
            full += 1
            if status == slot_loop.BOUNDARY:
                job.commit(range(done_before, int(position[0])))
            elif len(self._buffers) == 1 and full * BUFFER_ROWS >= SLOTS_BEFORE_SETTLING:
                full = 0
                job.settle()


def _equal_shares(first: int, stop: int, workers: int) -> list[int]:
    """Returns the bounds of equal shares of the presentations [first, stop)."""
    return [int(bound) for bound in np.linspace(first, stop, workers + 1)]
