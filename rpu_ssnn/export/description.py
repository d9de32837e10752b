"""Describes in one line of JSON what is needed besides its weights to rebuild a network."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rpu_ssnn.common.errors import Fault, require
from rpu_ssnn.common.files import refusing
from rpu_ssnn.common.validation import validated
from rpu_ssnn.network import Network
from rpu_ssnn.network.inputs import InputLines
from rpu_ssnn.spec import NetworkSpec, TrainingSpec, connected
from rpu_ssnn.synapses import rate_synapses
from rpu_ssnn.synapses.base import Weights
from rpu_ssnn.training import Trained
from rpu_ssnn.version import NUMERICS_VERSION, VERSION

FORMAT = 1


def description(trained: Trained) -> str:
    """Returns the description: neurons, encoding, input lines, and the seed of the test spikes.

    Of imperfect neurons it has the seed and the age, from which their circuits are drawn again.
    """
    network, inputs, neurons = trained.network, trained.inputs, trained.network.neurons
    circuits = None if neurons is None else [network.seed_state, neurons.images[0]]
    return json.dumps(
        {
            "format": FORMAT,
            "network": network.spec.model_dump(mode="json"),
            "sizes": network.sizes,
            "pixels": inputs.pixels,
            "grey_max": inputs.grey_max,
            "middle": inputs.middle,
            "gain": inputs.gain,
            "complement": inputs.complement,
            "image": inputs.image,
            "seed": trained.seed.state,
            "circuits": circuits,
            "numerics_version": NUMERICS_VERSION,
            "rpu_ssnn_version": VERSION,
        },
        default=lambda number: number.tolist(),
    )


def weights_of(trained: Trained, where: object) -> list[Weights]:
    """Returns the weights of each crossbar as reads see them, [n_in, n_out].

    Raises:
        InputError: reads have errors, so no matrix can stand for them.
    """
    found = [synapses.linear_read() for synapses in trained.network.synapses]
    allowed = (
        "must be left out, and so must the white parts of device_read_noise, since weights "
        "cannot stand for reads with errors"
    )
    require(all(weights is not None for weights in found), where, "tile.reads", "given", allowed)
    return [weights.copy() for weights in found if weights is not None]


def rebuilt(text: str, weights: Sequence[Any], where: Path) -> Trained:
    """Returns a network that answers like the one described; its weights are floats, for inference.

    Args:
        text: the description.
        weights: the weights of each crossbar, as arrays or as datasets of an HDF5 file.
        where: the file, for errors.

    Raises:
        InputError: the description is invalid or has another format, or the weights do not fit.
    """
    broken = ValueError, KeyError, TypeError, RecursionError
    with refusing(where, "must be one that export wrote", *broken, field="description"):
        known: dict[str, Any] = json.loads(text)
        found = known["format"]
        require(found == FORMAT, where, "format", found, f"must be {FORMAT}")
        spec = validated(NetworkSpec, known["network"], "description.network", where)
        sizes = tuple(int(size) for size in known["sizes"])
        drawn, images = known["circuits"] if spec.neuron.circuit.acts else (known["seed"], 0)
        seed, circuit_seed = _seed(known["seed"]), _seed(drawn)
        inputs = InputLines(
            known["pixels"],
            known["grey_max"],
            _array(known["middle"]),
            _array(known["gain"]),
            bool(known.get("complement", False)),
            tuple(known["image"]) if known.get("image") else None,
        )
        shapes = [one.shape for one in connected(spec, sizes, inputs.image)]
    given = [getattr(one, "shape", None) for one in weights]
    require(given == shapes, where, "weights", given, f"must be {shapes}")
    arrays = [np.asarray(one) for one in weights]
    finite = all(one.dtype.kind in "iuf" and np.isfinite(one).all() for one in arrays)
    require(finite, where, "weights", Fault("some are no finite numbers"), "must be numbers")
    network = Network(
        spec, TrainingSpec(epochs=0), sizes, rate_synapses(1.0), circuit_seed,
        initial=arrays, image=inputs.image,
    )  # fmt: skip
    if network.neurons is not None:
        network.neurons.age(images)
    return Trained(network, inputs, seed)


def _seed(state: dict[str, Any]) -> np.random.SeedSequence:
    return np.random.SeedSequence(**{**state, "entropy": int(state["entropy"])})


def _array(values: list[float] | None) -> np.ndarray | None:
    return None if values is None else np.array(values, dtype=np.float32)
