"""Trains and evaluates networks at the ends of every allowed range, and beyond.

With RPU_SSNN_CHECK=1 in the environment the compiled pass also checks its array bounds.
"""

from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from rpu_ssnn.common.errors import RpuSsnnError
from rpu_ssnn.network import Network
from rpu_ssnn.spec import NetworkSpec, TrainingSpec, connect
from rpu_ssnn.synapses import CoincidenceSynapses, Crossbar, RateSynapses
from support.rpu_ssnn.passes import ReadsSlotBySlot

MOST_SLOTS = 400
"""Longer presentations are skipped, so that thousands of examples take only minutes."""

N_SHOWN = 4


def _of_range(low: float, high: float) -> st.SearchStrategy[float]:
    """Draws the ends of a range, or values between them that are uniform in the logarithm."""
    inside = st.floats(np.log10(low), np.log10(high)).map(lambda x: float(10.0**x))
    return st.sampled_from([low, high]) | inside.map(lambda x: min(max(x, low), high))


_SHARE = st.sampled_from([0.0, 1.0]) | st.floats(0.0, 1.0)
_THRESHOLD = _of_range(1e-3, 1e6)
_RATE = _of_range(1e-6, 0.5) | st.just(1.0)

_RAW = st.fixed_dictionaries(
    {
        "T": st.integers(1, 12) | st.sampled_from([17, 73, 150]),
        "hidden": st.lists(st.sampled_from([1, 2, 9, 63, 64, 65, 130]), min_size=1, max_size=3),
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
                "input_rate": _RATE,
                "label_rate": _RATE,
                "front_loading": _SHARE,
            }
        ),
        "gradient": st.fixed_dictionaries(
            {
                "switch": st.sampled_from(["hold", "first_spike"]),
                "branches": st.sampled_from(["coupled", "floored", "unbounded"]),
                "relay": st.booleans(),
                "flush": st.sampled_from([0.0, 1e-6, 3.0, 20.0]),
                "delay": st.sampled_from([0.0, 0.01, 2.5, 100.0]),
                "halving": _of_range(1e-6, 1e6),
            }
        ),
        "inhibition": st.sampled_from(
            [{}, {"strength": 1e3}, {"strength": 1.0, "passes": 8}, {"clocked": True}]
        ),
    }
)

EXTREME = st.fixed_dictionaries(
    {
        "raw": _RAW,
        "synapses": st.sampled_from([RateSynapses, CoincidenceSynapses, ReadsSlotBySlot]),
        "schedule": st.sampled_from(["batch", "presentation", "slot"]),
        "dropout_input": st.sampled_from([0.0, 0.3, 0.9]),
        "ends": st.tuples(st.sampled_from([1, 7, 30]), st.sampled_from([2, 3, 66])),
        "threads": st.integers(1, 3),
        # These values are set behind the specification, which would refuse them.
        "beyond": st.none()
        | st.tuples(
            st.sampled_from(["theta", "theta_b", "theta_n", "kernel_keep"]),
            st.sampled_from([0.0, -1.0, 1e-45, np.inf, np.nan]),
        ),
        "seed": st.integers(0, 2**32 - 1),
    }
)
"""A specification and its training."""


def show(drawn: dict[str, Any]) -> bool:
    """Trains and evaluates a network of `EXTREME`; returns whether its specification is allowed."""
    synapses, schedule, beyond = drawn["synapses"], drawn["schedule"], drawn["beyond"]
    try:
        spec = NetworkSpec.model_validate(drawn["raw"])
    except (ValidationError, RpuSsnnError):
        return False
    if spec.slots > MOST_SLOTS:
        return False
    if synapses is RateSynapses and schedule == "slot":
        schedule = "batch"
    training = TrainingSpec(
        batch=N_SHOWN, schedule=schedule, dropout_input=drawn["dropout_input"], dropout_hidden=0.3
    )
    sizes = (drawn["ends"][0], *spec.hidden, drawn["ends"][1])
    layers = connect(spec.hidden, *drawn["ends"])
    rng = np.random.default_rng(drawn["seed"])
    shares = rng.choice([0.0, 0.5, 1.0], (N_SHOWN, sizes[0]))
    rates = (shares * spec.encoding.input_rate).astype(np.float32)
    labels = rng.integers(0, sizes[-1], N_SHOWN)

    def make(crossbar: Crossbar) -> CoincidenceSynapses | RateSynapses:
        return synapses(crossbar, float(10 ** rng.uniform(-3, 3)))  # type: ignore[no-any-return]

    seeds = np.random.SeedSequence(drawn["seed"])
    with (
        np.errstate(all="ignore"),
        Network(spec, training, layers, make, seeds, drawn["threads"]) as network,
    ):
        if beyond is not None:
            net = network._strategy.training._replace(**{beyond[0]: np.float32(beyond[1])})
            network._strategy.training = net
        trained = [network.train_batch(rates, labels, rng) for _ in range(2)]
        trained.append(network.infer(rates, rng))
        if synapses is not ReadsSlotBySlot:
            network.spike_counts(rates, rng, 7)
    neurons = np.array(sizes[1:])
    layers = slice(1, 1 + len(neurons))
    for shown in trained:
        assert 0 <= shown.output_counts.min() <= shown.output_counts.max() <= spec.slots
        assert np.all(shown.spikes[:, layers] <= neurons * spec.slots)
        # A neuron without coupled branches may spike in both streams of a slot.
        assert np.all(shown.gradient_spikes[:, layers] <= 2 * neurons * spec.slots)
    return True


def show_many(examples: int) -> int:
    """Returns how many of the drawn networks were allowed and ran; every call draws the same."""
    ran = []

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(EXTREME)
    def each(drawn: dict[str, Any]) -> None:
        ran.append(show(drawn))

    each()
    return sum(ran)
