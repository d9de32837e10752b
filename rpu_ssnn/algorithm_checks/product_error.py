"""The error of stochastic products (Fig. 4): how far coincidences are from products of rates.

Eq. 10 estimates the product of two spike rates by the share of slots in which both spike. For
independent trains that estimate is unbiased, with variance p (1 - p) / T. Trains of a network are
not independent: what its own timing adds is measured by `network_product_errors`.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from rpu_ssnn.algorithm_checks.weight_changes import weight_changes
from rpu_ssnn.spec import NetworkSpec
from rpu_ssnn.synapses import (
    CoincidenceSynapses,
    Crossbar,
    PulseBlock,
    coincidence_synapses,
    rate_synapses,
)

FIGURE_4_RATES: Float64[np.ndarray, "50"] = np.arange(50) / 50
"""[0, 0.02, ... 0.98]."""

ROWS = 1000


def product_errors(T: int, rng: np.random.Generator) -> Float64[np.ndarray, "50 50"]:
    """Estimated minus true product for all 2,500 pairs of Fig. 4 (spikes a slot, squared).

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
    """The slope of log(standard deviation) over log(T), which is -1/2 by the law of Fig. 4b."""
    return float(np.polyfit(np.log(slots), np.log(deviations), 1)[0])


@dataclass(frozen=True)
class NetworkProducts:
    """Errors of a network's own products at one crossbar, over presentations and synapses.

    Attributes:
        gain: slope of coincidences / T over product of counts / T^2; 1 for independent trains.
            What is missing is lost to the timing of the trains, at any T.
        deviation: standard deviation of what the slope leaves (spikes a slot, squared).
        binomial: the deviation that independent trains of the same rates would have.
    """

    gain: float
    deviation: float
    binomial: float


def network_product_errors(
    spec: NetworkSpec,
    weights: list[np.ndarray],
    rates: np.ndarray,
    labels: np.ndarray,
    seed: int,
) -> list[NetworkProducts]:
    """Product errors at each crossbar of a network with given weights, nothing learnt.

    Args:
        weights: [n_in, n_out] of each crossbar, in threshold currents.
        rates: average spikes a slot of each input line, [presentations, n_in].
        labels: class of each presentation.
    """
    products, estimates = (
        [
            weight_changes(spec, weights, factory, rates[b : b + 1], labels[b : b + 1], [seed, b])
            for b in range(len(labels))
        ]
        for factory in (rate_synapses(1.0), coincidence_synapses(1.0))
    )
    result = []
    for layer, gain in enumerate(spec.gains()):
        product, estimate = (
            np.array([changes[layer] for changes in each]) / (spec.neuron.theta * gain)
            for each in (products, estimates)
        )
        result.append(_summary(product, estimate, spec.T))
    return result


def _summary(products: np.ndarray, estimates: np.ndarray, T: int) -> NetworkProducts:
    some = products != 0.0
    product, estimate = products[some], estimates[some]
    gain = float((product * estimate).sum() / (product**2).sum())
    size = np.abs(product)
    return NetworkProducts(
        gain=gain,
        deviation=float((estimate - gain * product).std()),
        binomial=float(np.sqrt((size * (1.0 - size) / T).mean())),
    )


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
