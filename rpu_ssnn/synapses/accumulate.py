"""Compiled sums over pulse blocks."""

import numpy as np
from jaxtyping import Float32, Int32

from rpu_ssnn.compiled import compiled
from rpu_ssnn.synapses.base import PostSpikes, PreSpikes, Signs, Starts

type Sample = Int32[np.ndarray, " rows"]
"""Presentation of each row of a block."""


@compiled
def add_forward_counts(
    sample: Sample, start: Starts, lines: PreSpikes, counts: Float32[np.ndarray, "batch n_in"]
) -> None:
    """Add a block's forward spikes to the counts of each presentation."""
    for r in range(len(sample)):
        row = counts[sample[r]]
        for k in range(start[r], start[r + 1]):
            row[lines[k]] += 1.0


@compiled
def add_gradient_counts(
    sample: Sample,
    start: Starts,
    lines: PostSpikes,
    sign: Signs,
    counts: Float32[np.ndarray, "batch 2 n_out"],
) -> None:
    """Add a block's gradient spikes to the counts of each presentation, [positive, negative]."""
    for r in range(len(sample)):
        row = counts[sample[r]]
        for k in range(start[r], start[r + 1]):
            row[0 if sign[k] > 0 else 1, lines[k]] += 1.0


@compiled
def add_coincidences(
    pre_start: Starts,
    pre: PreSpikes,
    post_start: Starts,
    post: PostSpikes,
    sign: Signs,
    total: Int32[np.ndarray, "n_in n_out"],
) -> None:
    """Add up minus down coincidences of every synapse (the sum of Eq. 10)."""
    for r in range(len(pre_start) - 1):
        first, last = post_start[r], post_start[r + 1]
        for p in range(pre_start[r], pre_start[r + 1]):
            row = total[pre[p]]
            for q in range(first, last):
                row[post[q]] += sign[q]
