"""Measures how far a network's spike timing makes its products differ from independent trains."""

from dataclasses import dataclass

import numpy as np
from weight_changes import weight_changes

from rpu_ssnn.spec import NetworkSpec
from rpu_ssnn.synapses import coincidence_synapses, rate_synapses


@dataclass(frozen=True)
class NetworkProducts:
    """Holds the errors of a network's products at one crossbar, over presentations and synapses.

    Attributes:
        gain: slope of coincidences / T over product of counts / T^2; 1 for independent trains.
            The rest is lost to the timing of the trains, at any T.
        deviation: standard deviation of the residuals of that fit ((spikes per slot)^2).
        binomial: the deviation that independent trains of the same rates would have.
    """

    gain: float
    deviation: float
    binomial: float


def network_product_errors(
    spec: NetworkSpec, weights: list[np.ndarray], rates: np.ndarray, labels: np.ndarray, seed: int
) -> list[NetworkProducts]:
    """Returns product errors at each crossbar of a network whose given weights stay fixed.

    Args:
        weights: [n_in, n_out] for each crossbar, in threshold currents.
        rates: average spikes per slot of each input line, [presentations, n_in].
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
