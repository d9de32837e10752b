"""Counts how often the lines of a crossbar are driven to write it."""

import numpy as np
from jaxtyping import Int64

from rpu_ssnn.compiled import compiled
from rpu_ssnn.synapses.base import Kept, PulseBlock

WRITE_COUNTS = ("write_spikes_total", "write_phases_total", "write_lines_total")

type Writes = Int64[np.ndarray, "3"]
"""These are the counts of `WRITE_COUNTS`. A write spike is a gradient spike that reaches the array
and meets a forward spike. A phase writes the write spikes of one stream in one slot and position.
The lines are the input lines that are driven in all phases together."""


def no_writes() -> Writes:
    """Returns counts of zero."""
    return np.zeros(len(WRITE_COUNTS), dtype=np.int64)


def write_statistics(counts: Writes) -> dict[str, float]:
    """Returns the counts by name, for the result row."""
    return dict(zip(WRITE_COUNTS, map(float, counts), strict=True))


@compiled
def count_writes(block: PulseBlock, kept: Kept, counts: Writes) -> None:
    """Adds the writes of a block."""
    for r in range(len(block.sample)):
        lines, up, down = block.pre_start[r + 1] - block.pre_start[r], 0, 0
        if lines == 0:
            continue
        for q in range(block.post_start[r], block.post_start[r + 1]):
            if kept[q] and block.sign[q] > 0:
                up += 1
            elif kept[q]:
                down += 1
        phases = (up > 0) + (down > 0)
        counts[0] += up + down
        counts[1] += phases
        counts[2] += phases * lines
