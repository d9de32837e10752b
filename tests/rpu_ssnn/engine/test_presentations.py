"""Presentations that do not fit the network are refused, since the compiled pass checks no
bounds."""

import re
from typing import Any

import numpy as np
import pytest

from rpu_ssnn import Network, NetworkSpec, TrainingSpec, coincidence_synapses, trace

SPEC, SIZES = NetworkSpec(hidden=(6,), T=10), (8, 6, 3)
WEIGHTS = [np.ones(shape, np.float32) for shape in ((8, 6), (6, 3))]
RATES = np.full(8, 0.4, np.float32)


def network(sizes: tuple[int, ...] = SIZES, initial: Any = None) -> Network:
    seed = np.random.SeedSequence(0)
    factory = coincidence_synapses(1.0)
    return Network(SPEC, TrainingSpec(batch=4), sizes, factory, seed, initial=initial)


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


def test_weights_that_do_not_fit() -> None:
    for wrong in ([WEIGHTS[0][:4], WEIGHTS[1]], WEIGHTS[:1]):
        with pytest.raises(ValueError, match="initial weights must have shapes"):
            network(initial=wrong)
    with pytest.raises(ValueError, match="weights must have shapes"):
        trace(SPEC, [WEIGHTS[0], WEIGHTS[1][:4]], RATES, 1, key=1)


@pytest.mark.parametrize("sizes", [(8, 3), (8, 6, 6, 3)])
def test_sizes_of_another_number_of_layers(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="sizes must be 3 numbers, one for each layer"):
        network(sizes)
