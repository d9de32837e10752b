"""Input spikes follow their rates."""

import numpy as np
import pytest

from rpu_ssnn.engine.parameters import make_parameters, profile
from rpu_ssnn.engine.state import Presentations, make_worker_state
from rpu_ssnn.spec import (
    EncodingSpec,
    NetworkSpec,
    dense,
)
from support.rpu_ssnn import compiled_parts
from support.rpu_ssnn.equations import SIZES, presentations


def test_input_profile_keeps_its_average_and_falls_linearly() -> None:
    falling = profile(50, 1.0)
    assert falling.mean() == pytest.approx(1.0)
    assert falling[0] == pytest.approx(1.98)
    np.testing.assert_allclose(np.diff(falling), falling[1] - falling[0])
    np.testing.assert_array_equal(profile(50, 0.0), 1.0)


def input_counts(spec: NetworkSpec) -> tuple[Presentations, np.ndarray]:
    """Returns the input spikes of each line in 200 presentations, [200, 12]."""
    net, shown = make_parameters(spec, dense(SIZES)), presentations(200)
    state, counts = make_worker_state(net), np.zeros((200, 12))
    for b in range(200):
        state.position[:] = (b, 0, 1)
        compiled_parts.begin(net, state, shown, False)
        for t in range(spec.T):
            compiled_parts.draw_input(net, state, shown, t)
            counts[b, state.events[: state.event_count[0]]] += 1
    return shown, counts


def test_input_spikes_have_the_pixels_rate() -> None:
    spec = NetworkSpec(hidden=(9,), T=1000, encoding=EncodingSpec(input_rate=0.5))
    shown, counts = input_counts(spec)
    p = shown.rates.astype(float)
    deviation = (counts - 1000 * p) / np.sqrt(1000 * p * (1 - p) + 1e-9)
    assert abs(deviation.mean()) < 4 / np.sqrt(deviation.size)
    # Front loading makes the distribution of counts narrower than the binomial one, never wider.
    assert 0.6 < deviation.std() < 1.05


def test_regular_input_trains_count_the_rate_to_within_a_spike() -> None:
    spec = NetworkSpec(hidden=(9,), T=200, encoding=EncodingSpec(trains="regular"))
    shown, counts = input_counts(spec)
    surplus = counts - 200 * shown.rates.astype(float)
    assert np.abs(surplus).max() < 1 + 1e-4
    # The random start makes the count unbiased: it is rounded up as often as the fraction requires.
    assert abs(surplus.mean()) < 4 * 0.5 / np.sqrt(surplus.size)
