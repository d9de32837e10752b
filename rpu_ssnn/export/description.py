"""Describes in one line of JSON what is needed besides its weights to rebuild a network."""

import json
from typing import Any

import numpy as np

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.files import reason
from rpu_ssnn.network import Network
from rpu_ssnn.network.inputs import InputLines
from rpu_ssnn.spec import NetworkSpec, TrainingSpec, connected
from rpu_ssnn.synapses import rate_synapses
from rpu_ssnn.synapses.base import Weights
from rpu_ssnn.training import Trained
from rpu_ssnn.version import NUMERICS_VERSION, VERSION

FORMAT = 1


def description(trained: Trained) -> str:
    """Returns the description: neurons, encoding, input lines, and the seed of the test spikes."""
    inputs, seed = trained.inputs, trained.seed
    return json.dumps(
        {
            "format": FORMAT,
            "network": trained.network.spec.model_dump(mode="json"),
            "sizes": trained.network.sizes,
            "pixels": inputs.pixels,
            "grey_max": inputs.grey_max,
            "middle": _list(inputs.middle),
            "gain": _list(inputs.gain),
            "complement": inputs.complement,
            "image": inputs.image,
            "seed": {"entropy": str(seed.entropy), "spawn_key": list(seed.spawn_key)},
            "numerics_version": NUMERICS_VERSION,
            "rpu_ssnn_version": VERSION,
        }
    )


def weights_of(trained: Trained, where: object) -> list[Weights]:
    """Returns the weights of each crossbar as reads see them, [n_in, n_out].

    Raises:
        InputError: reads have errors, so no matrix can stand for them.
    """
    found = [synapses.linear_read() for synapses in trained.network.synapses]
    if any(weights is None for weights in found):
        allowed = (
            "must be left out, and so must the white parts of device_read_noise, since weights "
            "cannot stand for reads with errors"
        )
        raise InputError(where, "tile.reads", "given", allowed)
    return [weights.copy() for weights in found if weights is not None]


def rebuilt(text: str, weights: list[Weights], where: object) -> Trained:
    """Returns a network that answers like the one described; its weights are floats, for inference.

    Raises:
        InputError: the description is invalid or has another format, or the weights do not fit.
    """
    try:
        known: dict[str, Any] = json.loads(text)
        if known["format"] != FORMAT:
            raise InputError(where, "format", known["format"], f"must be {FORMAT}")
        spec = NetworkSpec.model_validate(known["network"])
        sizes = tuple(int(size) for size in known["sizes"])
        seed = np.random.SeedSequence(
            int(known["seed"]["entropy"]), spawn_key=tuple(known["seed"]["spawn_key"])
        )
        inputs = InputLines(
            known["pixels"],
            known["grey_max"],
            _array(known["middle"]),
            _array(known["gain"]),
            bool(known.get("complement", False)),
            tuple(known["image"]) if known.get("image") else None,
        )
    except InputError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        problem = reason(error)
        raise InputError(where, "description", problem, "must be one that export wrote") from error
    shapes = [one.shape for one in connected(spec, sizes, inputs.image)]
    if [w.shape for w in weights] != shapes:
        raise InputError(where, "weights", [w.shape for w in weights], f"must be {shapes}")
    network = Network(
        spec, TrainingSpec(epochs=0), sizes, rate_synapses(1.0), np.random.SeedSequence(0),
        initial=weights, image=inputs.image,
    )  # fmt: skip
    return Trained(network, inputs, seed)


def _list(values: np.ndarray | None) -> list[float] | None:
    return None if values is None else values.tolist()


def _array(values: list[float] | None) -> np.ndarray | None:
    return None if values is None else np.array(values, dtype=np.float32)
