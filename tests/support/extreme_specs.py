"""Random and extreme networks, trained and asked; for runs with RPU_SSNN_CHECK=1."""

from dataclasses import replace

import numpy as np
from pydantic import ValidationError

from rpu_ssnn.common.errors import RpuSsnnError
from rpu_ssnn.network import Network
from rpu_ssnn.spec import NetworkSpec, TrainingSpec
from rpu_ssnn.synapses import CoincidenceSynapses, Crossbar, RateSynapses


class ReadByCalls(CoincidenceSynapses):
    """Ideal synapses that are read as a tile with read noise is."""

    def linear_read(self) -> None:  # type: ignore[override]
        return None


class InOrder(CoincidenceSynapses):
    """Ideal synapses that want their pulses in order, as devices do."""

    ordered = True


def random_spec(rng: np.random.Generator) -> dict[str, object]:
    """A declaration."""

    def threshold() -> float:
        extreme = rng.random() < 0.3
        return float(rng.choice([1e-3, 1e6])) if extreme else float(10 ** rng.normal())

    clocked = bool(rng.random() < 0.3)
    inhibition = {"strength": rng.choice([0.0, 0.1, 5.0]), "passes": int(rng.integers(3))}
    return {
        "hidden": [int(rng.choice([1, 9, 63, 64, 65, 130])) for _ in range(rng.integers(1, 4))],
        "T": int(rng.choice([1, 2, 17, 73, 150, 600])),
        "neuron": {
            "theta": threshold(),
            "theta_b": threshold(),
            "theta_n": threshold(),
            "kernel_fraction": float(rng.choice([1e-3, 0.1, 10.0])),
            "reset": rng.choice(["subtract", "zero"]),
            "random_start": bool(rng.integers(2)),
        },
        "encoding": {
            "trains": rng.choice(["poisson", "regular"]),
            "input_rate": 1.0,
            "label_rate": 1.0,
            "front_loading": 0.0,
        },
        "gradient": {
            "switch": rng.choice(["hold", "first_spike"]),
            "branches": rng.choice(["coupled", "floored", "unbounded"]),
            "relay": bool(rng.integers(2)),
            "flush": float(rng.choice([0.0, 3.0])),
        },
        "inhibition": {"clocked": True} if clocked else inhibition,
    }


def show(seed: int) -> bool:
    """Train and ask a random network; whether its specification is allowed."""
    rng = np.random.default_rng(seed)
    try:
        spec = NetworkSpec.model_validate(random_spec(rng))
    except (ValidationError, RpuSsnnError):
        return False
    synapses = [RateSynapses, CoincidenceSynapses, ReadByCalls, InOrder][rng.integers(4)]
    schedule = rng.choice(["batch", "presentation", "slot"])
    if synapses is RateSynapses and schedule == "slot":
        schedule = "batch"
    training = TrainingSpec(
        batch=5, schedule=schedule, dropout_input=rng.choice([0.0, 0.9]), dropout_hidden=0.3
    )
    sizes = (int(rng.choice([1, 30])), *spec.hidden, int(rng.choice([2, 66])))
    rates = rng.choice([0.0, 1.0], (5, sizes[0])).astype(np.float32)
    labels = rng.integers(0, sizes[-1], 5)

    def make(crossbar: Crossbar) -> CoincidenceSynapses | RateSynapses:
        return synapses(crossbar, float(10 ** rng.uniform(-3, 3)))  # type: ignore[no-any-return]

    with (
        np.errstate(all="ignore"),
        Network(
            spec, training, sizes, make, np.random.SeedSequence(seed), int(rng.integers(1, 4))
        ) as network,
    ):
        if rng.random() < 0.3:  # what no specification may ask for
            of = str(rng.choice(["theta", "theta_b", "theta_n", "kernel_keep"]))
            value = np.float32(rng.choice([0.0, -1.0, 1e-45, np.inf, np.nan]))
            net = network._job.training._replace(**{of: value})  # type: ignore[arg-type]
            network._strategy._job = replace(network._job, training=net)  # type: ignore[attr-defined]
        for _ in range(2):
            network.train_batch(rates, labels, rng)
        network.infer(rates, rng)
        if synapses is not ReadByCalls:
            network.spike_counts(rates, rng, 7)
    return True


def show_many(first: int, n: int) -> int:
    """Networks of seeds [first, first + n) that were allowed and ran."""
    return sum(show(seed) for seed in range(first, first + n))
