"""A trained network in the Neuromorphic Intermediate Representation (NIR; Pedersen et al. 2024).

The composite neuron (Eq. 1, 3) is a `CubaLIF` node: a synapse of time constant tau, and a membrane
of threshold theta whose leak is made negligible, which together lift the membrane by
1 - exp(-t/tau) after a spike. Weights are `Linear` nodes, or `Conv2d` in a network of convolutions,
whose dense layers are convolutions of the whole layer before: NIR's `Flatten` does not define
whether it counts the dimension of the batch, and tools differ.

A slot has the 0.1 ms that snnTorch assumes, and time constants are those of the Euler step with
which snnTorch and Norse (with ``dt=1e-4``) integrate. What NIR cannot express is refused, or left
out on request:

- the clocked winner-take-all output and lateral inhibition (Eq. 2),
- replicas of a kernel, which are different weights at different positions, and kernels (or layers
  before a dense one) that are not as high as wide, for which nir 1.0 computes a wrong shape,
- membranes that keep what exceeds theta at a spike (NIR resets to a value), and that start at
  random, and imperfect neurons. These three are always left out; the graph's metadata says so, and
  the accuracy in another simulator will differ.

The graph's metadata holds everything that `read_nir` needs to rebuild the same network.
"""

import io
import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np

from rpu_ssnn.common.errors import InputError, require, require_kind
from rpu_ssnn.common.files import refuse_unwritable, refusing, user_path, write_together
from rpu_ssnn.common.optional import checked_hdf5, optional_package
from rpu_ssnn.export.description import INSTALL, description, rebuilt, weights_of
from rpu_ssnn.spec import NetworkSpec
from rpu_ssnn.spec.layers import ConvLayer, Grid
from rpu_ssnn.synapses.base import Weights
from rpu_ssnn.training import Trained

SLOT_SECONDS = 1e-4
"""The length of a slot in the graph: snnTorch reads graphs by this step and no other."""

MEMBRANE_SLOTS = 1e6
"""The membrane's time constant in slots, so long that it forgets nothing within a presentation."""


def write_nir(path: str | Path, trained: Trained, *, without_inhibition: bool = False) -> Path:
    """Writes the network as a NIR graph, whole or not at all.

    Args:
        without_inhibition: whether to leave a winner-take-all output or lateral inhibition out of
            the graph.

    Returns:
        The path.

    Raises:
        InputError: the network has such an output and it is not to be left out; it has replicas, or
            kernels that are not square; its reads have errors; nir is not installed; the file
            does not end in .nir or cannot be written.
    """
    require_kind("write_nir", "trained", trained, Trained, ", which train returns")
    require_kind("write_nir", "without_inhibition", without_inhibition, bool)
    path = user_path("write_nir", "path", path)
    refuse_unwritable("write_nir", "path", path, (".nir",))
    graph = graph_of(path, trained, without_inhibition)
    nir = optional_package("nir", INSTALL, path, "file", path.name)
    content = io.BytesIO()  # on a full disk, h5py itself would end the process
    nir.write(content, graph)
    write_together("write_nir", {path: lambda temporary: temporary.write_bytes(content.getvalue())})
    return path


def graph_of(path: Path, trained: Trained, without_inhibition: bool) -> Any:
    """Returns the network as a NIR graph, for a file of this path.

    Raises:
        InputError: for the reasons given at `write_nir`, except those of the file.
    """
    nir = optional_package("nir", INSTALL, path, "file", path.name)
    spec = trained.network.spec
    inhibition = spec.inhibition
    if (inhibition.clocked or inhibition.strength) and not without_inhibition:
        what = "clocked" if inhibition.clocked else "strength"
        allowed = (
            "cannot be expressed in NIR: train without it, or leave it out by "
            "--without-inhibition (in Python without_inhibition=True), which is another network"
        )
        raise InputError(path, f"network.inhibition.{what}", getattr(inhibition, what), allowed)
    nodes = _nodes(nir, trained, path)
    metadata = {
        "rpu_ssnn": description(trained),
        "left_out": left_out(spec),
        "slot_seconds": SLOT_SECONDS,
    }
    edges = list(itertools.pairwise(nodes))
    return nir.NIRGraph(nodes=nodes, edges=edges, metadata=metadata)


def _nodes(nir: Any, trained: Trained, path: Path) -> dict[str, Any]:
    """Returns the nodes of the graph by name, in the order in which a spike passes them."""
    spec = trained.network.spec
    layers = trained.network.connections
    most = max(layer.replicas for layer in layers)
    allowed = "must be 1 in a NIR graph, which shares a kernel between all positions"
    require(most == 1, path, "network.layers.replicas", most, allowed)
    has_convolutions = any(isinstance(layer, ConvLayer) for layer in spec.layers or ())
    grid = layers[0].before if has_convolutions else None
    shape = _first_channel(grid) if grid else np.array([layers[0].shape[0]])
    nodes: dict[str, Any] = {"input": nir.Input({"input": shape})}
    parts = zip(layers, weights_of(trained, path), strict=True)
    for place, (layer, matrix) in enumerate(parts, 1):
        if grid is None:
            nodes[f"weights_{place}"] = nir.Linear(np.ascontiguousarray(matrix.T))
            shape = np.array([matrix.shape[1]])
        else:
            kernel = layer.kernel if layer.before == grid else grid[:2]
            part = "kernel" if layer.before == grid else "map before a dense layer"
            allowed = "must be as high as wide: nir takes a kernel's rows for its columns too"
            require(kernel[0] == kernel[1], path, f"network.layers.{part}", kernel, allowed)
            kernels = matrix.reshape(*kernel, grid[2], -1).transpose(3, 2, 0, 1)
            nodes[f"weights_{place}"] = nir.Conv2d(
                grid[:2], np.ascontiguousarray(kernels), layer.stride, layer.padding, 1, 1,
                np.zeros(len(kernels), np.float32),
            )  # fmt: skip
            grid = layer.after
            shape = _first_channel(grid)
        nodes[f"neurons_{place}"] = _neurons(nir, spec, tuple(shape))
    nodes["output"] = nir.Output({"output": shape})
    return nodes


def read_nir(path: str | Path) -> Trained:
    """Returns the network that `write_nir` wrote, including its inhibition; it answers like the
    trained one.

    Raises:
        InputError: there is no such file, or another tool wrote it, with other neurons.
    """
    path, allowed = user_path("read_nir", "path", path), "must be a NIR graph"
    nir = optional_package("nir", INSTALL, path, "file", path.name)
    checked_hdf5(path, INSTALL, allowed)
    with refusing(path, allowed, OSError, KeyError):
        graph = nir.read(path)
    text = graph.metadata.get("rpu_ssnn")
    allowed = "must be there, since only graphs that this project wrote can be read"
    require(text is not None, path, "metadata.rpu_ssnn", None, allowed)
    places = range(1, 1 + sum(name.startswith("weights_") for name in graph.nodes))
    weights = [_matrix(graph.nodes[f"weights_{place}"].weight) for place in places]
    return rebuilt(text.decode() if isinstance(text, bytes) else str(text), weights, path)


def _neurons(nir: Any, spec: NetworkSpec, shape: tuple[int, ...]) -> Any:
    """Returns a node of composite neurons; the current of a spike decays by the kernel in each
    slot."""
    ones = np.ones(shape, dtype=np.float32)
    membrane = MEMBRANE_SLOTS * SLOT_SECONDS
    return nir.CubaLIF(
        tau_syn=SLOT_SECONDS / -math.expm1(-1.0 / spec.tau) * ones,
        tau_mem=membrane * ones,
        r=membrane / SLOT_SECONDS * ones,
        v_leak=0.0 * ones,
        v_threshold=spec.neuron.theta * ones,
    )


def _first_channel(grid: Grid) -> np.ndarray:
    """Returns a layer's shape in NIR's order, with its channels first."""
    return np.array([grid[2], *grid[:2]])


def _matrix(weight: np.ndarray) -> Weights:
    """Returns the weights of a crossbar [lines of a patch, neurons] from those of a node."""
    turned = weight.transpose(2, 3, 1, 0) if weight.ndim == 4 else weight.T
    return np.ascontiguousarray(turned.reshape(-1, turned.shape[-1]), dtype=np.float32)


def left_out(spec: NetworkSpec) -> str:
    """Returns what a NIR graph leaves out of a network, in words; empty if that is nothing."""
    circuit = spec.neuron.circuit
    parts = [
        (spec.neuron.reset == "subtract", "that membranes keep what exceeds theta at a spike"),
        (spec.neuron.random_start, "that membranes start at random"),
        (circuit.acts and circuit.neurons != "gradient", "the imperfections of neurons"),
        (spec.inhibition.clocked or spec.inhibition.strength, "the inhibition of the output layer"),
    ]
    found = "; ".join(words for is_there, words in parts if is_there)
    return f"not in NIR: {found}" if found else ""
