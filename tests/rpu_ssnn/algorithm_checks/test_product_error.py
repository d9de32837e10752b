"""Tests the error of stochastic products of Fig. 4, computed by the update path itself."""

import numpy as np
import pytest
from network_products import network_product_errors
from product_error import product_errors, slope

from rpu_ssnn.data import Dataset, load_dataset
from rpu_ssnn.spec import EncodingSpec, NetworkSpec, TrainingSpec
from rpu_ssnn.synapses import rate_synapses
from rpu_ssnn.synapses.float_weights import POOLED_VARIANCE
from rpu_ssnn.training import train

SLOTS = [10, 30, 100, 300, 1000, 3000, 10_000]
REPEATS = 6


@pytest.fixture(scope="module")
def errors() -> dict[int, np.ndarray]:
    """Returns the errors of all 2,500 products in six repetitions, for each T."""
    return {
        T: np.array([product_errors(T, np.random.default_rng([T, k])) for k in range(REPEATS)])
        for T in SLOTS
    }


def test_errors_have_zero_mean(errors: dict[int, np.ndarray]) -> None:
    """The mean is 0 within four standard errors, counting the 100 independent trains behind 2,500
    products."""
    for T, error in errors.items():
        assert abs(error.mean()) < 4 * error.std() / np.sqrt(REPEATS * 100), T


def test_deviation_falls_as_one_over_root_T(errors: dict[int, np.ndarray]) -> None:
    deviations = [float(error.std()) for error in errors.values()]
    assert slope(SLOTS, deviations) == pytest.approx(-0.5, abs=0.03)
    for T, deviation in zip(SLOTS, deviations, strict=True):
        assert deviation == pytest.approx(np.sqrt(POOLED_VARIANCE / T), rel=0.1)


def trained_weights(spec: NetworkSpec, data: Dataset) -> list[np.ndarray]:
    with train(spec, TrainingSpec(epochs=2), rate_synapses(4.0), data, seed=0) as trained:
        reads = [s.linear_read() for s in trained.network.synapses]
    return [w for w in reads if w is not None]


@pytest.mark.parametrize(
    ("front_loading", "least", "most"),
    [(0.0, 0.6, 1.0), (1.0, 0.4, 0.7)],
    ids=["flat", "front-loaded"],
)
def test_a_networks_own_trains_have_fig_4s_noise_and_a_gain_of_their_timing(
    front_loading: float, least: float, most: float
) -> None:
    """The stochastic part falls as 1/sqrt(T) and does not exceed the binomial one. A late hidden
    gradient meets few front-loaded input spikes, at any T (docs/findings/algorithm.md has the
    numbers)."""
    data = load_dataset("digits", n_train=None, n_test=None, validation_share=0.1, seed=0)
    spec = NetworkSpec(hidden=(32,), encoding=EncodingSpec(front_loading=front_loading))
    weights = trained_weights(spec, data)
    rates = (data.train_images[:16] / data.grey_max * spec.encoding.input_rate).astype(np.float32)
    errors = {
        T: network_product_errors(
            spec.model_copy(update={"T": T}), weights, rates, data.train_labels[:16], 0
        )
        for T in (50, 200, 800)
    }
    for layer in range(2):
        deviations = [products[layer].deviation for products in errors.values()]
        assert slope(list(errors), deviations) == pytest.approx(-0.5, abs=0.1)
        for products in errors.values():
            assert 0.5 < products[layer].deviation / products[layer].binomial < 1.05
    for hidden, output in errors.values():
        assert least < hidden.gain < most
        assert 0.8 < output.gain < 1.1
