"""Compiled sums over pulse blocks."""

import numpy as np
from jaxtyping import Float32, Int32

from rpu_ssnn.compiled import compiled
from rpu_ssnn.synapses.base import PostSpikes, PreSpikes, PulseBlock, Signs, Starts

type Sample = Int32[np.ndarray, " rows"]
"""Presentation of each row of a block."""


@compiled
def _count_spikes(
    sample: Sample, start: Starts, lines: PreSpikes, counts: Float32[np.ndarray, "batch n_in"]
) -> None:
    for r in range(len(sample)):
        row = counts[sample[r]]
        for k in range(start[r], start[r + 1]):
            row[lines[k]] += 1.0


@compiled
def _count_streams(
    sample: Sample,
    start: Starts,
    lines: PostSpikes,
    sign: Signs,
    counts: Float32[np.ndarray, "batch 2 n_out"],
) -> None:
    for r in range(len(sample)):
        row = counts[sample[r]]
        for k in range(start[r], start[r + 1]):
            row[0 if sign[k] > 0 else 1, lines[k]] += 1.0


@compiled
def _coincidences(
    pre_start: Starts,
    pre: PreSpikes,
    post_start: Starts,
    post: PostSpikes,
    sign: Signs,
    total: Int32[np.ndarray, "n_in n_out"],
) -> None:
    for r in range(len(pre_start) - 1):
        first, last = post_start[r], post_start[r + 1]
        for p in range(pre_start[r], pre_start[r + 1]):
            row = total[pre[p]]
            for q in range(first, last):
                row[post[q]] += sign[q]


def add_forward_counts(block: PulseBlock, counts: Float32[np.ndarray, "batch n_in"]) -> None:
    """Add the block's forward spikes to the counts of each presentation."""
    _count_spikes(block.sample, block.pre_start, block.pre, counts)


def add_gradient_counts(block: PulseBlock, counts: Float32[np.ndarray, "batch 2 n_out"]) -> None:
    """Add the block's gradient spikes to the counts of each presentation, [positive, negative]."""
    _count_streams(block.sample, block.post_start, block.post, block.sign, counts)


def add_coincidences(block: PulseBlock, total: Int32[np.ndarray, "n_in n_out"]) -> None:
    """Add up minus down coincidences of every synapse (the sum of Eq. 10)."""
    _coincidences(block.pre_start, block.pre, block.post_start, block.post, block.sign, total)
