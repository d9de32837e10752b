"""Pulse blocks of a batch, kept until all presentations are over, and then put in order.

Several threads may add blocks at once. A block holds presentations of one thread in their order,
so that sorting by its first presentation and slot gives the physical order of all.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from rpu_ssnn.compiled import compiled
from rpu_ssnn.synapses.base import PulseBlock
from rpu_ssnn.synapses.native.cells import Pulses


@dataclass(frozen=True)
class Taken:
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
        """Keep a copy: its arrays are filled anew by whoever gave it."""
        if block.rows == 0:
            return
        self._blocks.append(PulseBlock(**{name: v.copy() for name, v in vars(block).items()}))
        self.spikes += len(block.pre) + len(block.post)

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
        blocks = sorted(self._blocks, key=lambda b: (int(b.sample[0]), int(b.slot[0])))
        self._blocks, self.spikes = [], 0
        pre_start, pre = _joined([b.pre_start for b in blocks], [b.pre for b in blocks])
        post_start, post = _joined([b.post_start for b in blocks], [b.post for b in blocks])
        sign = np.concatenate([b.sign for b in blocks])
        sample = np.concatenate([b.sample for b in blocks]).astype(np.int64)
        at = began + sample * slots + np.concatenate([b.slot for b in blocks])
        if keep < 1.0:
            kept = rng.random(len(post), dtype=np.float32) < keep
        else:
            kept = np.ones(len(post), dtype=np.bool_)
        start, row, up, sent, work, ups, downs = _by_line(
            pre_start, post_start, post, sign, kept, self._n_out
        )
        pulses = Pulses(start, row, up, pre_start, pre, at, sent)
        return Taken(pulses, work, int(ups), int(downs))


def _joined(starts: list[np.ndarray], spikes: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """One run of spikes, and where each row of it begins."""
    ends, total = [np.zeros(1, dtype=np.int64)], 0
    for start in starts:
        ends.append(total + start[1:].astype(np.int64))
        total += int(start[-1])
    return np.concatenate(ends), np.concatenate(spikes)


@compiled
def _by_line(pre_start, post_start, post, sign, kept, n_out):  # type: ignore[no-untyped-def]
    """Kept gradient spikes sorted by line, those of a line in their order."""
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
    return start, row, up, sent, work, ups, downs
