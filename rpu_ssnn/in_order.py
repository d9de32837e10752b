"""Passes of several lanes at once, their pulses handed on in the order of the presentations."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

import numpy as np
from jaxtyping import Int64

from rpu_ssnn.crossbars import Reads
from rpu_ssnn.engine import kernel
from rpu_ssnn.engine import queue as queues
from rpu_ssnn.engine.queue import Queue
from rpu_ssnn.engine.state import Ahead, Buffers, Lane, Plan, Presentations, make_buffers

GROUP_SLOTS = 512
"""Slots of the presentations whose pulses go to devices together: about one call's rows of a tile,
and several groups a batch, so that lanes can share it."""

BUFFERS_A_LANE = 2
"""One to fill while the other waits for the devices."""

_PATIENCE = 2e-5
"""Seconds between two looks at a group that another lane works on."""

_LOOKS = 500
"""After so many of them: is that lane still there?"""


class InOrder:
    """Lanes that run groups of presentations, and this thread, which hands their pulses on.

    Args:
        plan: of training.
        lanes, ahead: a state for each lane; the first is this thread's, which runs groups too
            whenever the next one in order is not there yet.
        all_spikes: as `make_buffers` takes it.
        pool: threads for the other lanes.
        hand_on: gives the synapses the pulses of a buffer, and empties it.
    """

    def __init__(
        self,
        plan: Plan,
        lanes: list[Lane],
        ahead: list[Ahead],
        all_spikes: tuple[bool, ...],
        pool: ThreadPoolExecutor,
        hand_on: Callable[[Buffers], None],
    ) -> None:
        self._plan, self._lanes, self._ahead = plan, lanes, ahead
        self._pool, self._hand_on = pool, hand_on
        n = BUFFERS_A_LANE * len(lanes)
        self._stacked = make_buffers(plan, all_spikes, (n,))
        self._buffers = [Buffers(*(part[k] for part in self._stacked)) for k in range(n)]
        self._others: list[Future[None]] = []

    def train(self, shown: Presentations, reads: Reads) -> None:
        """Show all presentations and hand on all their pulses.

        Raises:
            Exception: what handing on or another lane raised; no lane runs any more then (after
                a second interrupt: none but to the end of its group, which `settle` waits for).
        """
        self.settle()
        bounds = group_bounds(len(shown.labels), max(1, GROUP_SLOTS // self._plan.slots))
        queue = queues.make_queue(bounds, len(self._buffers))
        self._stacked.rows[:] = 0
        own = _OwnLane(self._plan, self._lanes[0], self._ahead[0], self._buffers, queue)
        others: list[Future[None]] = []
        self._others = others
        try:
            for lane, ahead in zip(self._lanes[1:], self._ahead[1:], strict=True):
                others.append(
                    self._pool.submit(
                        queues.run_groups, self._plan, lane, shown, reads.flat, reads.transposed,
                        reads.blocks, ahead, self._stacked, queue, True,
                    )
                )  # fmt: skip
            for group in range(len(bounds) - 1):
                last = False
                while not last:
                    last = own.wait_for(group, shown, reads, others)
                    self._hand_on(self._buffers[group % len(self._buffers)])
                    queues.emptied(queue, group, last)
        finally:
            queue.stopped[0] = 1  # first of all, and nothing that could wait or be interrupted
            self.settle()
        for other in others:
            other.result()

    def settle(self) -> None:
        """Returns once no lane of an earlier call runs."""
        wait(self._others)


class _OwnLane:
    """The lane of the thread that hands on: it runs while there is nothing to hand on."""

    def __init__(
        self, plan: Plan, lane: Lane, ahead: Ahead, buffers: list[Buffers], queue: Queue
    ) -> None:
        self._plan, self._lane, self._ahead = plan, lane, ahead
        self._buffers, self._queue = buffers, queue
        self._group = -1
        self._looks = 0

    def wait_for(
        self, group: int, shown: Presentations, reads: Reads, others: Sequence[Future[None]]
    ) -> bool:
        """Returns once the group's buffer can be handed on; whether it holds the last pulses.

        Raises:
            Exception: what ended another lane.
        """
        while (held := queues.what_is_filled(self._queue, group)) <= 2 * group:
            if self._group == group or self._begins_another(group):
                self._run(shown, reads)
            else:
                self._looks += 1
                for other in others if self._looks % _LOOKS == 0 else ():
                    if other.done():
                        other.result()
                time.sleep(_PATIENCE)
        return bool(held == 2 * group + 2)

    def _begins_another(self, group: int) -> bool:
        if self._group > group:  # its pulses wait for their turn
            return False
        begun = queues.take(self._queue)
        if begun < 0:
            return False
        queues.begin(self._lane, self._queue, begun)
        self._group = begun
        return True

    def _run(self, shown: Presentations, reads: Reads) -> None:
        """To the end of the group, or until its buffer is full."""
        out = self._buffers[self._group % len(self._buffers)]
        status = kernel.advance(
            self._plan, self._lane, shown, self._queue.bounds[self._group + 1], reads.flat,
            reads.transposed, reads.blocks, self._ahead, out, True, kernel.RUN_THROUGH,
        )  # fmt: skip
        queues.announce(self._queue, self._group, status == kernel.DONE)


def group_bounds(total: int, size: int) -> Int64[np.ndarray, " groups_plus_1"]:
    """Cut presentations into groups of at most `size`, the first ones small: devices soon have
    pulses, and the next group is there before they are through."""
    bounds = [0]
    while bounds[-1] < total:
        bounds.append(min(total, bounds[-1] + min(size, 1 + len(bounds) // 3)))
    return np.array(bounds, dtype=np.int64)
