"""A trained network in the Neuromorphic Intermediate Representation (NIR; Pedersen et al. 2024).

The composite neuron (Eq. 1, 3) is three nodes: `Linear` weights, an `LI` synapse of time constant
tau and an `IF` membrane of threshold theta, which together lift the membrane by 1 - exp(-t/tau)
after a spike. Time is in slots. What NIR has no words for is refused, or left out when asked:

- the clocked winner-take-all output and lateral inhibition (Eq. 2),
- membranes that keep what exceeds theta at a spike (NIR resets to a value), and that start at
  random. These two are left out without being asked; the graph's metadata says so, and another
  simulator's accuracy will differ by it.

The graph's metadata holds all that `read_nir` needs to build the very network again.
"""

import itertools
from pathlib import Path
from typing import Any

import numpy as np

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.files import refusing, write_whole
from rpu_ssnn.common.optional import optional_package
from rpu_ssnn.export.description import description, rebuilt, weights_of
from rpu_ssnn.spec import NetworkSpec
from rpu_ssnn.training import Trained


def write_nir(path: str | Path, trained: Trained, *, without_inhibition: bool = False) -> Path:
    """Writes the network as a NIR graph, whole or not at all.

    Args:
        without_inhibition: leave a winner-take-all output or lateral inhibition out of the graph.

    Returns:
        The path.

    Raises:
        InputError: the network has such an output and it is not to be left out; reads with errors;
            nir is not installed; the file cannot be written.
    """
    path, nir = Path(path), _nir(Path(path))
    spec = trained.network.spec
    spec.dense_layers("a NIR graph")
    inhibition = spec.inhibition
    if (inhibition.clocked or inhibition.strength) and not without_inhibition:
        what = "clocked" if inhibition.clocked else "strength"
        allowed = (
            "has no words in NIR: leave it out, which is another network, by "
            "--without-inhibition (in Python without_inhibition=True), or train without it"
        )
        raise InputError(path, f"network.inhibition.{what}", getattr(inhibition, what), allowed)
    weights = weights_of(trained, path)
    nodes: dict[str, Any] = {"input": nir.Input({"input": np.array([weights[0].shape[0]])})}
    for place, matrix in enumerate(weights, 1):
        n = matrix.shape[1]
        nodes[f"weights_{place}"] = nir.Linear(np.ascontiguousarray(matrix.T))
        ones = np.ones(n, dtype=np.float32)
        nodes[f"synapse_{place}"] = nir.LI(tau=spec.tau * ones, r=ones, v_leak=0.0 * ones)
        nodes[f"membrane_{place}"] = nir.IF(r=ones, v_threshold=spec.neuron.theta * ones)
    nodes["output"] = nir.Output({"output": np.array([weights[-1].shape[1]])})
    names = list(nodes)
    metadata = {"rpu_ssnn": description(trained), "left_out": _left_out(spec), "time_unit": "slots"}
    edges = list(itertools.pairwise(names))
    graph = nir.NIRGraph(nodes=nodes, edges=edges, metadata=metadata)
    with refusing(path, "must be a writable file", OSError):
        write_whole(path, lambda temporary: nir.write(temporary, graph))
    return path


def read_nir(path: str | Path) -> Trained:
    """The network that `write_nir` wrote, inhibition and all: it answers as the trained one did.

    Raises:
        InputError: no such file, or a graph of another tool, whose neurons are not these.
    """
    path, nir = Path(path), _nir(Path(path))
    with refusing(path, "must be a NIR graph", OSError, KeyError):
        graph = nir.read(path)
    text = graph.metadata.get("rpu_ssnn")
    if text is None:
        allowed = "must be there: only graphs that this project wrote are read back"
        raise InputError(path, "metadata.rpu_ssnn", None, allowed)
    places = range(1, 1 + sum(name.startswith("weights_") for name in graph.nodes))
    weights = [
        np.ascontiguousarray(graph.nodes[f"weights_{place}"].weight.T, dtype=np.float32)
        for place in places
    ]
    return rebuilt(text.decode() if isinstance(text, bytes) else str(text), weights, path)


def _left_out(spec: NetworkSpec) -> str:
    """Says what the graph leaves out of the network; empty if it leaves out nothing."""
    parts = [
        (spec.neuron.reset == "subtract", "membranes keep what exceeds theta at a spike"),
        (spec.neuron.random_start, "membranes start at random"),
        (spec.inhibition.clocked or spec.inhibition.strength, "inhibition of the output layer"),
    ]
    found = "; ".join(words for is_there, words in parts if is_there)
    return f"not in NIR: {found}" if found else ""


def _nir(path: Path) -> Any:
    return optional_package("nir", "rpu-ssnn[export]", path, "file", path.name)
