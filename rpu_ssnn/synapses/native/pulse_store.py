"""Pulse blocks of a batch, kept until all presentations are over, and then put in order.

Several threads may add blocks at once.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

from rpu_ssnn.compiled import compiled
from rpu_ssnn.synapses.base import Kept, PulseBlock, in_order, thinned
from rpu_ssnn.synapses.native.cells import Pulses
from rpu_ssnn.synapses.writes import count_writes, no_writes

type LineCounts = Int64[np.ndarray, " n_out"]


class Taken(NamedTuple):
    """Holds the pulses taken out of a store.

    Attributes:
        pulses: the pulses in order, by output line.
        work: forward spikes that meet the gradient spikes of each line.
        up, down: coincidences of the positive and of the negative stream.
    """

    pulses: Pulses
    work: LineCounts
    up: int
    down: int


class PulseStore:
    """Keeps blocks that wait to be applied.

    Attributes:
        writes: counts of the writes by pulses taken so far (`synapses.writes`).
    """

    def __init__(self, n_out: int) -> None:
        self._n_out = n_out
        self._blocks: list[PulseBlock] = []
        self.writes = no_writes()

    def add(self, block: PulseBlock) -> None:
        """Keeps a copy of the block."""
        if block.rows == 0:
            return
        pre_start, post_start = (
            start.astype(np.int64) for start in (block.pre_start, block.post_start)
        )
        self._blocks.append(block.copy()._replace(pre_start=pre_start, post_start=post_start))

    def clear(self) -> None:
        """Drops all blocks."""
        self._blocks = []

    def take(self, began: int, slots: int, keep: float, rng: np.random.Generator) -> Taken | None:
        """Takes all pulses out of the store and thins them; returns None if there are none.

        Args:
            began: slot of the batch's first presentation, in slots since training began.
            slots: the slots of one presentation, idle ones included.
            keep: share of the gradient spikes that reach the array.
            rng: draws which spikes these are, with one number per gradient spike in physical order.
        """
        if not self._blocks:
            return None
        block = self._blocks[0] if len(self._blocks) == 1 else _joined(self._blocks)
        self.clear()
        kept = thinned(block.post, keep, rng)
        count_writes(block, kept, self.writes)
        n, spikes = self._n_out, int(np.count_nonzero(kept))
        pulses = Pulses(
            start=np.zeros(n + 1, np.int64),
            row=np.empty(spikes, np.int32),
            up=np.empty(spikes, np.bool_),
            pre_start=block.pre_start,
            pre=block.pre,
            at=began + block.sample.astype(np.int64) * slots + block.slot,
            sent=np.zeros(n, np.int64),
        )
        place, work = np.empty(n, np.int64), np.zeros(n, np.int64)
        up, down = _sort_by_line(block, kept, pulses, place, work)
        return Taken(pulses, work, up, down)


def _joined(blocks: list[PulseBlock]) -> PulseBlock:
    """Returns one block of all rows, in physical order."""
    parts = {name: [getattr(b, name) for b in in_order(blocks)] for name in PulseBlock._fields}
    for name in ("pre_start", "post_start"):
        totals = np.cumsum([0, *(int(start[-1]) for start in parts[name][:-1])])
        shifted = [t + start[1:] for t, start in zip(totals, parts[name], strict=True)]
        parts[name] = [np.zeros(1, dtype=np.int64), *shifted]
    return PulseBlock(**{name: np.concatenate(part) for name, part in parts.items()})


@compiled
def _sort_by_line(
    block: PulseBlock, kept: Kept, pulses: Pulses, place: LineCounts, work: LineCounts
) -> tuple[int, int]:
    """Sorts the kept gradient spikes by line, keeping their order within a line.

    Args:
        block: all spikes, in physical order.
        kept: whether each gradient spike reaches the array.
        pulses: its `start`, `row`, `up` and `sent` are written.
        place: working memory for the next place of each line.
        work: the forward spikes that meet gradient spikes of each line are added to it.

    Returns:
        Coincidences of the positive and of the negative stream.
    """
    for q in range(len(block.post)):
        pulses.start[block.post[q] + 1] += kept[q]
        pulses.sent[block.post[q]] += 1
    for line in range(len(place)):
        place[line] = pulses.start[line]
        pulses.start[line + 1] += pulses.start[line]
    up, down = 0, 0
    for r in range(len(block.post_start) - 1):
        met = block.pre_start[r + 1] - block.pre_start[r]
        for q in range(block.post_start[r], block.post_start[r + 1]):
            if kept[q]:
                line = block.post[q]
                pulses.row[place[line]], pulses.up[place[line]] = r, block.sign[q] > 0
                place[line] += 1
                work[line] += met
                if block.sign[q] > 0:
                    up += met
                else:
                    down += met
    return up, down
