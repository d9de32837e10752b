"""Networks at the ends of every allowed range: they run, and count no more than can happen.

With RPU_SSNN_CHECK=1 in the environment the compiled pass also checks its bounds.
"""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from rpu_ssnn.network import Network
from rpu_ssnn.spec import NetworkSpec, TrainingSpec
from rpu_ssnn.synapses import coincidence_synapses, rate_synapses

N_IN, N_OUT, N_SHOWN = 7, 3, 3


def _of_range(low: float, high: float) -> st.SearchStrategy[float]:
    """Mostly the ends of a range, evenly in the logarithm between."""
    inside = st.floats(np.log10(low), np.log10(high)).map(lambda x: float(10.0**x))
    return st.sampled_from([low, high]) | inside.map(lambda x: min(max(x, low), high))


_SHARE = st.sampled_from([0.0, 1.0]) | st.floats(0.0, 1.0)
_THRESHOLD = _of_range(1e-3, 1e6)

_RAW = st.fixed_dictionaries(
    {
        "T": st.integers(1, 12),
        "hidden": st.lists(st.sampled_from([1, 2, 63, 64, 65, 130]), min_size=1, max_size=3),
        "neuron": st.fixed_dictionaries(
            {
                "theta": _THRESHOLD,
                "theta_b": _THRESHOLD,
                "theta_n": _THRESHOLD,
                "kernel_fraction": _of_range(1e-4, 1e3),
                "reset": st.sampled_from(["subtract", "zero"]),
                "random_start": st.booleans(),
            }
        ),
        "encoding": st.fixed_dictionaries(
            {
                "trains": st.sampled_from(["poisson", "regular"]),
                "input_rate": _of_range(1e-6, 0.5),
                "label_rate": _of_range(1e-6, 0.5),
                "front_loading": _SHARE,
            }
        ),
        "gradient": st.fixed_dictionaries(
            {
                "switch": st.sampled_from(["hold", "first_spike"]),
                "branches": st.sampled_from(["coupled", "floored", "unbounded"]),
                "relay": st.booleans(),
                "flush": st.sampled_from([0.0, 1e-6, 3.0, 20.0]),
                "halving": _of_range(1e-6, 1e6),
            }
        ),
        "inhibition": st.sampled_from(
            [{}, {"strength": 1e3}, {"strength": 1.0, "passes": 8}, {"clocked": True}]
        ),
    }
)


def _runs(raw: dict[str, Any], by_rates: bool, seed: int) -> None:
    try:
        spec = NetworkSpec.model_validate(raw)
    except ValidationError:
        return
    if spec.slots > 400:
        return
    training = TrainingSpec(batch=N_SHOWN, dropout_input=0.3, dropout_hidden=0.3)
    sizes = (N_IN, *spec.hidden, N_OUT)
    factory = rate_synapses(1.0) if by_rates else coincidence_synapses(1.0)
    rng = np.random.default_rng(seed)
    rates = (rng.random((N_SHOWN, N_IN)) * spec.encoding.input_rate).astype(np.float32)
    labels = np.arange(N_SHOWN, dtype=np.int64) % N_OUT
    with Network(spec, training, sizes, factory, np.random.SeedSequence(seed), 2) as network:
        for shown in (network.train_batch(rates, labels, rng), network.infer(rates, rng)):
            assert shown.output_counts.min() >= 0
            assert shown.output_counts.max() <= spec.slots
            neurons = np.array([*spec.hidden, N_OUT])
            assert np.all(shown.spikes[:, -len(neurons) :] <= neurons * spec.slots * 9)
            assert np.all(shown.gradient_spikes >= 0)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(_RAW, st.booleans(), st.integers(0, 2**32 - 1))
def test_networks_at_the_ends_of_their_ranges_run(
    raw: dict[str, Any], by_rates: bool, seed: int
) -> None:
    _runs(raw, by_rates, seed)


@pytest.mark.slow
@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(_RAW, st.booleans(), st.integers(0, 2**32 - 1))
def test_ten_thousand_networks_at_the_ends_of_their_ranges_run(
    raw: dict[str, Any], by_rates: bool, seed: int
) -> None:
    _runs(raw, by_rates, seed)
