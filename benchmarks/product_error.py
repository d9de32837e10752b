"""The error of stochastic products (Fig. 4): how far coincidences are from products of rates.

Eq. 10 estimates the product of two spike rates by the share of slots in which both spike. For
independent trains that estimate is unbiased, with variance p (1 - p) / T. Trains of a network are
not independent: `benchmarks/network_products.py` measures what its own timing adds.
"""

import numpy as np
from jaxtyping import Bool, Float64

from rpu_ssnn.synapses import CoincidenceSynapses, Crossbar, PulseBlock

FIGURE_4_RATES: Float64[np.ndarray, "50"] = np.arange(50) / 50
"""The rates are 0, 0.02, ... 0.98."""

ROWS = 1000


def product_errors(T: int, rng: np.random.Generator) -> Float64[np.ndarray, "50 50"]:
    """Returns estimated minus true products of all 2,500 pairs of Fig. 4 (spikes per slot,
    squared).

    The estimates are the weights of Eq. 10 synapses after T slots of 50 forward trains and 50
    positive gradient trains, so this is the update path itself.
    """
    crossbar = Crossbar(
        initial=np.zeros((50, 50), dtype=np.float32),
        theta=1.0, he_std=1.0, gain=1.0, T=T, slots=T, batch=1, seed=0,
    )  # fmt: skip
    synapses = CoincidenceSynapses(crossbar, learning_rate=1.0)
    for first in range(0, T, ROWS):
        rows = min(ROWS, T - first)
        forward, gradient = (rng.random((rows, 50)) < FIGURE_4_RATES for _ in range(2))
        synapses.update(_block(forward, gradient))
    synapses.commit(range(1))
    return synapses.linear_read() - np.outer(FIGURE_4_RATES, FIGURE_4_RATES)


def slope(slots: list[int], deviations: list[float]) -> float:
    """Returns the slope of log(standard deviation) over log(T), which is -1/2 by the law of Fig.
    4b."""
    return float(np.polyfit(np.log(slots), np.log(deviations), 1)[0])


def _block(
    forward: Bool[np.ndarray, "rows 50"], gradient: Bool[np.ndarray, "rows 50"]
) -> PulseBlock:
    post = np.nonzero(gradient)[1].astype(np.int32)
    return PulseBlock(
        sample=np.zeros(len(forward), dtype=np.int32),
        slot=np.arange(len(forward), dtype=np.int32),
        pre_start=np.concatenate([[0], np.cumsum(forward.sum(axis=1))]).astype(np.int32),
        pre=np.nonzero(forward)[1].astype(np.int32),
        post_start=np.concatenate([[0], np.cumsum(gradient.sum(axis=1))]).astype(np.int32),
        post=post,
        sign=np.ones(len(post), dtype=np.int8),
    )
