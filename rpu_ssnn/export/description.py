"""Describes in one line of JSON what is needed besides its weights to rebuild a network."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from rpu_ssnn.common.errors import Fault, require
from rpu_ssnn.common.files import refusing
from rpu_ssnn.common.validation import validated
from rpu_ssnn.network import Network
from rpu_ssnn.network.inputs import InputLines
from rpu_ssnn.spec import Connection, ConvLayer, NetworkSpec, TrainingSpec, connect, lines_of
from rpu_ssnn.spec.base import Spec
from rpu_ssnn.synapses import rate_synapses
from rpu_ssnn.synapses.base import Weights
from rpu_ssnn.training import Trained
from rpu_ssnn.version import NUMERICS_VERSION, VERSION

INSTALL = "rpu-ssnn[export]"
"""The name of the extra of this package that installs h5py and nir."""

_FIELD = "description"

type _Count = Annotated[int, Field(ge=1)]
type _FromZero = Annotated[int, Field(ge=0)]
type _PerPixel = tuple[Annotated[float, Field(ge=-1e38, le=1e38)], ...] | None
"""One number for each pixel, or a single one for all; the bounds are those of single precision."""


class _Seed(Spec):
    """Holds the `state` of numpy's SeedSequence."""

    entropy: _FromZero
    spawn_key: tuple[_FromZero, ...]
    pool_size: Annotated[int, Field(ge=4, le=1024)] = 4
    n_children_spawned: _FromZero = 0

    def sequence(self) -> np.random.SeedSequence:
        """Returns the seed."""
        return np.random.SeedSequence(**self.model_dump())


class _Description(Spec):
    """Holds and checks what `description` wrote; a new format would have another number."""

    format: Literal[1]
    network: NetworkSpec
    sizes: Annotated[tuple[_Count, ...], Field(min_length=3)]
    pixels: _Count
    grey_max: _Count
    middle: _PerPixel
    gain: _PerPixel
    complement: bool = False
    image: tuple[_Count, _Count, _Count] | None = None
    seed: _Seed
    circuits: tuple[_Seed, _FromZero] | None = None
    numerics_version: int
    rpu_ssnn_version: str

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        contrast, layers = self.network.encoding.contrast, self.network.hidden_layers
        needed = {
            "middle": contrast in ("on_off", "signed"),
            "gain": contrast == "signed",
            "complement": contrast == "complement",
            "image": isinstance(layers[0], ConvLayer) if layers else False,
            "circuits": self.network.neuron.circuit.acts,
        }
        for key, given in needed.items():
            found = getattr(self, key)
            allowed = "must be given" if given else "must be null (or false)"
            allowed += ", as the settings of the network say"
            require(bool(found) == given, _FIELD, key, found, allowed)
        for key in ("middle", "gain"):
            found = len(getattr(self, key) or [0])
            allowed = f"must be {self.pixels} numbers, one for each of the pixels, or a single one"
            require(found in (1, self.pixels), _FIELD, key, Fault(f"{found} numbers"), allowed)
        lines = self.inputs().lines
        allowed = f"must be rows, columns and channels of {lines} input lines"
        fits = self.image is None or math.prod(self.image) == lines
        require(fits, _FIELD, "image", self.image, allowed)
        own = lines_of(self.connections())
        allowed = f"must be {list(own)}, as the layers of the network say"
        require(self.sizes == own, _FIELD, "sizes", list(self.sizes), allowed)
        return self

    def connections(self) -> tuple[Connection, ...]:
        """Returns how each crossbar connects its layers."""
        layers, lines = self.network.hidden_layers, self.inputs().lines
        return connect(layers, lines, self.sizes[-1], self.image)

    def inputs(self) -> InputLines:
        """Returns the input lines."""
        middle, gain = (
            None if values is None else np.array(values, dtype=np.float32)
            for values in (self.middle, self.gain)
        )
        return InputLines(self.pixels, self.grey_max, middle, gain, self.complement, self.image)


def description(trained: Trained) -> str:
    """Returns the description: neurons, encoding, input lines, and the seed of the test spikes.

    Of imperfect neurons it has the seed and the age, from which their circuits are drawn again.
    """
    network, inputs, neurons = trained.network, trained.inputs, trained.network.neurons
    circuits = None if neurons is None else [network.seed_state, neurons.images[0]]
    return json.dumps(
        {
            "format": 1,
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
    reads = [synapses.linear_read() for synapses in trained.network.synapses]
    allowed = (
        "must be left out, and so must the white parts of device_read_noise, since weights "
        "cannot stand for reads with errors"
    )
    require(all(weights is not None for weights in reads), where, "tile.reads", "given", allowed)
    return [weights.copy() for weights in reads if weights is not None]


def rebuilt(text: str, weights: Sequence[Any], where: Path) -> Trained:
    """Returns a network that answers like the one described; its weights are floats, for inference.

    Args:
        text: the description.
        weights: the weights of each crossbar, as arrays or as datasets of an HDF5 file.
        where: the file, for errors.

    Raises:
        InputError: the description is invalid or has another format, or the weights do not fit.
    """
    with refusing(where, "must be one that export wrote", ValueError, RecursionError, field=_FIELD):
        content = json.loads(text)
    known = validated(_Description, content, _FIELD, where)
    connections = known.connections()
    shapes = [crossbar.shape for crossbar in connections]
    given = [getattr(array, "shape", None) for array in weights]
    require(given == shapes, where, "weights", given, f"must be {shapes}")
    arrays = [np.asarray(array) for array in weights]
    finite = all(array.dtype.kind in "iuf" and np.isfinite(array).all() for array in arrays)
    require(finite, where, "weights", Fault("some are no finite numbers"), "must be numbers")
    drawn, images = known.circuits or (known.seed, 0)
    network = Network(
        known.network, TrainingSpec(epochs=0), connections, rate_synapses(1.0), drawn.sequence(),
        initial=arrays,
    )  # fmt: skip
    if network.neurons is not None:
        network.neurons.age(images)
    return Trained(network, known.inputs(), known.seed.sequence())
