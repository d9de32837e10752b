"""Groups of presentations: several lanes run them, one thread hands on in order; compiled.

A lane runs whole batches without Python: it takes the next group, fills the group's buffer, says
so, and takes another. Who hands the pulses on empties the buffers in the groups' order. Devices get
their pulses as if there were one lane, and none waits for Python's lock, which a tile holds while
it takes pulses.
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int64
from numba import types

from rpu_ssnn.compiled import compiled_in_place
from rpu_ssnn.engine import kernel
from rpu_ssnn.engine.atomic import replace, seen, tell
from rpu_ssnn.engine.state import Ahead, Buffers, Lane, Plan, Presentations

NONE_LEFT, NO_BUFFER = -1, -2
"""What `take` says instead of a group: there are no more; its buffer is not empty yet."""

_PATIENCE = np.uint32(20)
"""Microseconds between two looks of a lane that waits."""

_sleep: Any = types.ExternalFunction("usleep", types.int32(types.uint32))


class Queue(NamedTuple):
    """One batch, cut into groups; group g goes through buffer g modulo their number."""

    bounds: Int64[np.ndarray, " groups_plus_1"]
    """First presentation of each group, and the end of the last."""
    taken: Int64[np.ndarray, "1"]
    """Groups that a lane has begun."""
    handed_on: Int64[np.ndarray, "1"]
    """Groups whose buffers are empty again."""
    stopped: Int64[np.ndarray, "1"]
    """Set to 1 when nobody hands on any more: all lanes return."""
    filled: Int64[np.ndarray, " buffers"]
    """0 while a lane fills the buffer; 2 g + 2 once it holds the last pulses of group g, 2 g + 1 if
    it is full before."""


def make_queue(bounds: Int64[np.ndarray, " groups_plus_1"], buffers: int) -> Queue:
    """Nothing begun yet."""
    taken, handed_on, stopped = (np.zeros(1, dtype=np.int64) for _ in range(3))
    return Queue(bounds, taken, handed_on, stopped, np.zeros(buffers, dtype=np.int64))


@compiled_in_place
def take(queue: Queue) -> int:
    """The next group, from now on the caller's; or why there is none."""
    while True:
        group = int(seen(queue.taken, 0))
        if group == len(queue.bounds) - 1 or seen(queue.stopped, 0):
            return NONE_LEFT
        if group == seen(queue.handed_on, 0) + len(queue.filled):
            return NO_BUFFER
        if replace(queue.taken, 0, group, group + 1):
            return group


@compiled_in_place
def what_is_filled(queue: Queue, group: int) -> int:
    """`filled` of the group's buffer: what it says is in the buffer can be read."""
    return int(seen(queue.filled, group % len(queue.filled)))


@compiled_in_place
def emptied(queue: Queue, group: int, last: bool) -> None:
    """The buffer of the group was handed on; `last`: and with it all of the group."""
    tell(queue.filled, group % len(queue.filled), 0)
    if last:
        tell(queue.handed_on, 0, group + 1)


@compiled_in_place
def begin(lane: Lane, queue: Queue, group: int) -> None:
    """Put the lane at the first presentation of the group."""
    lane.place[0], lane.place[1], lane.place[2] = queue.bounds[group], 0, 0


@compiled_in_place
def announce(queue: Queue, group: int, last: bool) -> None:
    """The buffer of the group can be handed on; `last`: it holds the group's last pulses."""
    tell(queue.filled, group % len(queue.filled), 2 * group + (2 if last else 1))


@compiled_in_place
def run_groups(  # type: ignore[no-untyped-def]
    plan: Plan,
    lane: Lane,
    shown: Presentations,
    weights,
    transposed,
    blocks,
    ahead: Ahead,
    buffers: Buffers,
    queue: Queue,
    learn: bool,
) -> None:
    """Run group after group until none is left.

    buffers: one more dimension in front, the buffer; learn: as `advance` takes it (a constant here
    would have numba compile all of the pass once more).
    """
    while True:
        group = take(queue)
        if group == NONE_LEFT:
            return
        if group == NO_BUFFER:
            _sleep(_PATIENCE)
            continue
        begin(lane, queue, group)
        place = group % len(queue.filled)
        out = Buffers(
            buffers.rows[place], buffers.sample[place], buffers.slot[place],
            buffers.pre_start[place], buffers.pre[place], buffers.post_start[place],
            buffers.post[place], buffers.sign[place], buffers.all_spikes[place],
        )  # fmt: skip
        status = kernel.PAUSED
        while status != kernel.DONE:
            while what_is_filled(queue, group) != 0:
                if seen(queue.stopped, 0):
                    return
                _sleep(_PATIENCE)
            status = kernel.advance(
                plan, lane, shown, queue.bounds[group + 1], weights, transposed, blocks, ahead,
                out, learn, kernel.RUN_THROUGH,
            )  # fmt: skip
            announce(queue, group, status == kernel.DONE)
