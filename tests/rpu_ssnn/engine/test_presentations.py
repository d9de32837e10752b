"""Presentations that do not fit are refused, since the compiled pass checks no bounds; input spikes
follow their rates."""

import re
from typing import Any

import numpy as np
import pytest

from rpu_ssnn import Network, TrainingSpec, coincidence_synapses, trace
from rpu_ssnn.engine.parameters import profile
from rpu_ssnn.spec import EncodingSpec, NetworkSpec, connect
from support.rpu_ssnn import equations

SPEC = NetworkSpec(hidden=(6,), T=10)
WEIGHTS = [np.ones(shape, np.float32) for shape in ((8, 6), (6, 3))]
RATES = np.full(8, 0.4, np.float32)


def network(hidden: tuple[int, ...] = (6,), initial: Any = None) -> Network:
    layers, seed = connect(hidden, 8, 3), np.random.SeedSequence(0)
    factory = coincidence_synapses(1.0)
    return Network(SPEC, TrainingSpec(batch=4), layers, factory, seed, initial=initial)


@pytest.mark.parametrize(
    ("rates", "label", "words"),
    [
        (RATES[:3], 1, "rates must have shape (1, 8), not (1, 3)"),
        (RATES, 3, "labels must be whole numbers from 0 to 2"),
        (RATES, -1, "labels must be whole numbers from 0 to 2"),
        (RATES, 1.0, "labels must be whole numbers from 0 to 2"),
        (RATES * np.nan, 1, "rates must be from 0 to 1 spike per slot"),
        (3 * RATES, 1, "rates must be from 0 to 1 spike per slot"),
        (-RATES, 1, "rates must be from 0 to 1 spike per slot"),
    ],
)
def test_presentations_that_do_not_fit(rates: Any, label: Any, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        trace(SPEC, WEIGHTS, rates, label, key=1)
    with network() as shown, pytest.raises(ValueError, match=re.escape(words)):
        shown.train_batch(rates[None], np.array([label]), np.random.default_rng(0))


def test_more_presentations_than_a_batch_has() -> None:
    with network() as shown, pytest.raises(ValueError, match=r"5 .* more than a batch has, 4"):
        shown.train_batch(np.tile(RATES, (5, 1)), np.zeros(5, int), np.random.default_rng(0))


def test_weights_that_do_not_fit() -> None:
    for wrong in ([WEIGHTS[0][:4], WEIGHTS[1]], WEIGHTS[:1]):
        with pytest.raises(ValueError, match="initial weights must have shapes"):
            network(initial=wrong)
    with pytest.raises(ValueError, match="weights must have shapes"):
        trace(SPEC, [WEIGHTS[0], WEIGHTS[1][:4]], RATES, 1, key=1)


@pytest.mark.parametrize("hidden", [(), (6, 6), (5,)])
def test_connections_that_are_not_those_of_the_layers(hidden: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"connections must be those of the layers \(6,\)"):
        network(hidden)


def test_input_profile_keeps_its_average_and_falls_linearly() -> None:
    falling = profile(50, 1.0)
    assert falling.mean() == pytest.approx(1.0)
    assert falling[0] == pytest.approx(1.98)
    np.testing.assert_allclose(np.diff(falling), falling[1] - falling[0])
    np.testing.assert_array_equal(profile(50, 0.0), 1.0)


def input_counts(spec: NetworkSpec) -> tuple[np.ndarray, np.ndarray]:
    """Returns the rates and the input spikes of each line in 200 presentations, [200, 12]."""
    rates, seed = equations.presentations(200).rates, np.random.SeedSequence(0)
    of = spec, TrainingSpec(), connect((9,), 12, 4), coincidence_synapses(1.0), seed
    with Network(*of) as shown:
        counts = shown.spike_counts(rates, np.random.default_rng(0), spec.slots)
    return rates, counts[:, 0, :12]


def test_input_spikes_have_the_pixels_rate() -> None:
    spec = NetworkSpec(hidden=(9,), T=1000, encoding=EncodingSpec(input_rate=0.5))
    rates, counts = input_counts(spec)
    p = rates.astype(float)
    deviation = (counts - 1000 * p) / np.sqrt(1000 * p * (1 - p) + 1e-9)
    assert abs(deviation.mean()) < 4 / np.sqrt(deviation.size)
    # Front loading makes the distribution of counts narrower than the binomial one, never wider.
    assert 0.6 < deviation.std() < 1.05


def test_regular_input_trains_count_the_rate_to_within_a_spike() -> None:
    spec = NetworkSpec(hidden=(9,), T=200, encoding=EncodingSpec(trains="regular"))
    rates, counts = input_counts(spec)
    surplus = counts - 200 * rates.astype(float)
    assert np.abs(surplus).max() < 1 + 1e-4
    # The random start makes the count unbiased: it is rounded up as often as the fraction requires.
    assert abs(surplus.mean()) < 4 * 0.5 / np.sqrt(surplus.size)
