"""Fig. 4: the error of stochastic products, through the update path itself."""

import numpy as np
import pytest

from rpu_ssnn.data import load_dataset
from rpu_ssnn.product_error import network_product_errors, product_errors, slope
from rpu_ssnn.spec import EncodingSpec, NetworkSpec, NeuronSpec, TrainingSpec
from rpu_ssnn.synapses import rate_synapses
from rpu_ssnn.synapses.ideal import POOLED_VARIANCE
from rpu_ssnn.training import train

SLOTS = [10, 30, 100, 300, 1000, 3000, 10_000]
REPEATS = 6


@pytest.fixture(scope="module")
def errors() -> dict[int, np.ndarray]:
    """All 2,500 products, six times over, for each T."""
    return {
        T: np.array([product_errors(T, np.random.default_rng([T, k])) for k in range(REPEATS)])
        for T in SLOTS
    }


def test_errors_have_zero_mean(errors: dict[int, np.ndarray]) -> None:
    """Within four standard errors; the 100 trains behind 2,500 products are what is independent."""
    for T, error in errors.items():
        assert abs(error.mean()) < 4 * error.std() / np.sqrt(REPEATS * 100), T


def test_deviation_falls_as_one_over_root_T(errors: dict[int, np.ndarray]) -> None:
    deviations = [float(error.std()) for error in errors.values()]
    assert slope(SLOTS, deviations) == pytest.approx(-0.5, abs=0.03)
    for T, deviation in zip(SLOTS, deviations, strict=True):
        assert deviation == pytest.approx(np.sqrt(POOLED_VARIANCE / T), rel=0.1)


@pytest.mark.parametrize(
    ("front_loading", "widest"), [(0.0, 1.3), (1.0, 4.0)], ids=["flat", "front-loaded"]
)
def test_a_networks_own_trains_add_what_their_timing_correlates(
    front_loading: float, widest: float
) -> None:
    """Output layer: near the binomial error. Hidden layer: front loading adds a correlated part
    that flat trains do not have (docs/algorithm.md gives the numbers over T)."""
    data = load_dataset("digits", n_train=None, n_test=None, validation_share=0.1, seed=0)
    spec = NetworkSpec(
        hidden=(32,),
        encoding=EncodingSpec(front_loading=front_loading),
        neuron=NeuronSpec(kernel_fraction=0.1 if front_loading else 0.02),
    )
    with train(spec, TrainingSpec(epochs=2), rate_synapses(1.0), data, seed=0) as trained:
        reads = [s.linear_read() for s in trained.network.synapses]
    weights = [w for w in reads if w is not None]
    rates = (data.train_images[:20] / data.grey_max * spec.encoding.input_rate).astype(np.float32)
    hidden, output = network_product_errors(spec, weights, rates, data.train_labels[:20], 0)
    assert 0.6 < output.deviation / output.binomial < 1.3
    ratio = hidden.deviation / hidden.binomial
    assert 0.7 < ratio < widest
    if front_loading:
        assert ratio > 1.3
