"""Every number of a spec is either refused or usable in the precision of the computation."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from rpu_ssnn.spec import MOST_SLOTS, NetworkSpec, TrainingSpec
from rpu_ssnn.spec.tile import TileSpec
from support.commands import refused

EXTREME = [0.0, 1e-320, 1e-46, 1e-39, 1e-30, 1e30, 1e39, 1e300, 1e308, math.inf, math.nan, -1.0]


@pytest.mark.parametrize("value", EXTREME)
@pytest.mark.parametrize(
    "key", ["idle_seconds", "storage_seconds", "slot_seconds", "stuck_share", "weight_range"]
)
def test_a_tile_beyond_single_precision_is_refused(key: str, value: float) -> None:
    try:
        seen = np.float32(getattr(TileSpec.model_validate({key: value}), key))
    except ValidationError:
        return
    assert np.isfinite(seen)
    assert (seen == 0.0) == (value == 0.0)


NUMBER = st.one_of(
    st.sampled_from(EXTREME),
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(0.01, 10.0),
    st.integers(-(10**20), 10**20),
)


@settings(max_examples=400, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "T": NUMBER,
            "hidden": st.lists(st.integers(-1, 10**6), max_size=40),
            "neuron": st.dictionaries(
                st.sampled_from(["theta", "theta_b", "theta_n", "kernel_fraction"]), NUMBER
            ),
            "gradient": st.dictionaries(st.sampled_from(["flush", "halving"]), NUMBER),
            "inhibition": st.fixed_dictionaries({"strength": NUMBER}),
        },
    )
)
def test_any_network_is_refused_or_usable_in_single_precision(raw: dict[str, Any]) -> None:
    try:
        spec = NetworkSpec.model_validate(raw)
    except ValidationError:
        return
    neuron = spec.neuron
    used = np.float32([neuron.theta, neuron.theta_b, neuron.theta_n, *spec.gains()])
    assert np.all(np.isfinite(used))
    assert np.all(used >= np.finfo(np.float32).tiny)
    assert 0.0 <= np.float32(np.exp(-1.0 / spec.tau)) < 1.0
    assert 1 <= spec.slots <= MOST_SLOTS


@pytest.mark.parametrize("share", [0.99999999999, 1e-46, 1.0])
def test_dropout_is_a_share_in_single_precision(share: float) -> None:
    with refused("TrainingSpec", "dropout_hidden", repr(share)):
        TrainingSpec(dropout_hidden=share)
