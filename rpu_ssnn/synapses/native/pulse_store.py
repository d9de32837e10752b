"""Pulse blocks of a batch, kept until all presentations are over, and then put in order.

Several threads may add blocks at once. A block holds presentations of one thread in their order,
so that sorting by its first presentation and slot gives the physical order of all.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int32, Int64

from rpu_ssnn.compiled import compiled
from rpu_ssnn.synapses.base import PostSpikes, PreSpikes, PulseBlock, Signs, thinned
from rpu_ssnn.synapses.native.cells import Pulses

type OfRows = Int32[np.ndarray, " rows"]
type LongStarts = Int64[np.ndarray, " rows_plus_1"]
"""As those of a `PulseBlock`, of joined blocks, which int32 might not hold."""


class Taken(NamedTuple):
    """The pulses of a store.

    Attributes:
        pulses: in order, by output line.
        work: forward spikes that meet the gradient spikes of each line.
        up, down: coincidences of either stream.
    """

    pulses: Pulses
    work: Int64[np.ndarray, " n_out"]
    up: int
    down: int


class PulseStore:
    """Blocks that wait to be applied.

    Attributes:
        spikes: how many they hold, forward and gradient.
    """

    def __init__(self, n_out: int) -> None:
        self._n_out = n_out
        self._blocks: list[PulseBlock] = []
        self.spikes = 0

    def add(self, block: PulseBlock) -> None:
        """Keep a copy."""
        if block.rows == 0:
            return
        pre_start, post_start = (
            start.astype(np.int64) for start in (block.pre_start, block.post_start)
        )  # `LongStarts`
        self._blocks.append(replace(block.copy(), pre_start=pre_start, post_start=post_start))
        self.spikes += len(block.pre) + len(block.post)

    def clear(self) -> None:
        """Drop all blocks."""
        self._blocks, self.spikes = [], 0

    def take(self, began: int, slots: int, keep: float, rng: np.random.Generator) -> Taken | None:
        """All pulses, thinned, and none is left; None where there are none.

        Args:
            began: slot of the batch's first presentation, in slots since training began.
            slots: of one presentation, idle ones included.
            keep: share of the gradient spikes that reach the array.
            rng: draws which, one number a gradient spike in physical order.
        """
        if not self._blocks:
            return None
        block = self._blocks[0] if len(self._blocks) == 1 else _joined(self._blocks)
        self.clear()
        kept = thinned(block.post, keep, rng)
        return _by_line(
            block.sample, block.slot, began, slots, block.pre_start, block.pre, block.post_start,
            block.post, block.sign, kept, self._n_out,
        )  # fmt: skip


def _joined(blocks: list[PulseBlock]) -> PulseBlock:
    """One block of all rows, in physical order."""
    ordered = sorted(blocks, key=lambda b: (int(b.sample[0]), int(b.slot[0])))
    parts = {name: [getattr(block, name) for block in ordered] for name in vars(ordered[0])}
    for name in ("pre_start", "post_start"):
        totals = np.cumsum([0, *(int(start[-1]) for start in parts[name][:-1])])
        shifted = [t + start[1:] for t, start in zip(totals, parts[name], strict=True)]
        parts[name] = [np.zeros(1, dtype=np.int64), *shifted]
    return PulseBlock(**{name: np.concatenate(part) for name, part in parts.items()})


@compiled
def _by_line(
    sample: OfRows,
    slot: OfRows,
    began: int,
    slots: int,
    pre_start: LongStarts,
    pre: PreSpikes,
    post_start: LongStarts,
    post: PostSpikes,
    sign: Signs,
    kept: Bool[np.ndarray, " post_spikes"],
    n_out: int,
) -> Taken:
    """Kept gradient spikes sorted by line, those of a line in their order."""
    at = np.empty(len(sample), np.int64)
    for r in range(len(sample)):
        at[r] = began + np.int64(sample[r]) * slots + slot[r]
    start, sent = np.zeros(n_out + 1, np.int64), np.zeros(n_out, np.int64)
    for q in range(len(post)):
        start[post[q] + 1] += kept[q]
        sent[post[q]] += 1
    for line in range(n_out):
        start[line + 1] += start[line]
    place = start[:-1].copy()
    row, up = np.empty(start[-1], np.int32), np.empty(start[-1], np.bool_)
    work, ups, downs = np.zeros(n_out, np.int64), 0, 0
    for r in range(len(post_start) - 1):
        met = pre_start[r + 1] - pre_start[r]
        for q in range(post_start[r], post_start[r + 1]):
            if kept[q]:
                line = post[q]
                row[place[line]], up[place[line]] = r, sign[q] > 0
                place[line] += 1
                work[line] += met
                if sign[q] > 0:
                    ups += met
                else:
                    downs += met
    return Taken(Pulses(start, row, up, pre_start, pre, at, sent), work, ups, downs)
