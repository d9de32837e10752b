"""Linear reads: one worker trains, or several share a batch (`Workers`)."""

from dataclasses import dataclass
from functools import partial

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
from rpu_ssnn.engine.strategies.base import Strategy
from rpu_ssnn.spec import Schedule

SLOTS_BEFORE_SETTLING = 1 << 14
"""The largest number of slots that a worker runs before synapses apply the collected pulses; only a
presentation of several workers may be longer."""

PAUSE: dict[Schedule, int] = {
    "batch": slot_loop.NO_PAUSE,
    "presentation": slot_loop.AFTER_PRESENTATION,
    "slot": slot_loop.AFTER_SLOT,
}


@dataclass
class Workers(Strategy):
    """Shares a batch between workers that dispatch their own pulses, and inference too.

    One worker trains alone where reads must see changed weights within a batch.
    """

    def __post_init__(self) -> None:
        self._workers = [make_worker_state(self.training) for _ in range(self.threads)]
        self._no_pulses = make_buffers(self.inference, self.all_spikes, rows=0, spikes=0)
        training = self.threads if self.schedule == "batch" else 1
        self._buffers = [make_buffers(self.training, self.all_spikes) for _ in range(training)]

    def train(self, shown: Presentations) -> None:
        total, workers = len(shown.labels), len(self._buffers)
        run = partial(self._run, shown)
        together = workers * max(1, SLOTS_BEFORE_SETTLING // self.training.slots)
        for first in range(0, total, together):
            bounds = _equal_shares(first, min(first + together, total), workers)
            states = self._workers[:workers]
            parallel(self.pool, run, states, self._buffers, bounds[:-1], bounds[1:])
            self.settle()

    def infer(self, shown: Presentations, recording: Recording) -> None:
        def run(state: WorkerState, start: int, stop: int) -> None:
            state.position[:] = (start, 0, 0)
            slot_loop.advance(
                self.inference, state, shown, stop, self.reads.matrices,
                self._no_pulses, recording, False, slot_loop.NO_PAUSE,
            )  # fmt: skip

        bounds = _equal_shares(0, len(shown.labels), len(self._workers))
        parallel(self.pool, run, self._workers, bounds[:-1], bounds[1:])

    def _run(
        self, shown: Presentations, state: WorkerState, out: PulseBuffers, start: int, stop: int
    ) -> None:
        """Trains on presentations [start, stop), dispatching whenever a buffer is full."""
        position, full = state.position, 0
        position[:] = (start, 0, 0)
        out.rows[:] = 0  # an interrupted batch may have left some pulses
        while position[0] < stop:
            done_before = int(position[0])
            slot_loop.advance(
                self.training, state, shown, stop, self.reads.matrices, out, NO_RECORDING, True,
                PAUSE[self.schedule],
            )  # fmt: skip
            self.dispatch(out)
            full += 1
            ended = range(done_before, int(position[0]))
            if self.schedule == "slot" or (self.schedule == "presentation" and ended):
                self.commit(ended)
            elif len(self._buffers) == 1 and full * BUFFER_ROWS >= SLOTS_BEFORE_SETTLING:
                full = 0
                self.settle()


def _equal_shares(first: int, stop: int, workers: int) -> list[int]:
    """Returns the bounds of equal shares of the presentations [first, stop)."""
    return [int(bound) for bound in np.linspace(first, stop, workers + 1)]
