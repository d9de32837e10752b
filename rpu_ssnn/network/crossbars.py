"""The crossbars of a network: synapses that start from He initialisation."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from rpu_ssnn.common.errors import require_kind
from rpu_ssnn.spec import Connection, NetworkSpec, TrainingSpec, slot_cycles
from rpu_ssnn.synapses.base import Crossbar, Synapses, SynapsesFactory, Weights


def make_synapses(
    spec: NetworkSpec,
    training: TrainingSpec,
    connections: Sequence[Connection],
    factory: SynapsesFactory,
    seed: np.random.SeedSequence,
    initial: Sequence[Weights] | None,
    threads: int,
    pool: ThreadPoolExecutor,
) -> list[Synapses]:
    """Returns synapses that start from `initial`, or from He initialisation x theta x
    `initial_scale`.

    At an `initial_scale` of 1, a layer's rates are about as large as those of the layer before.
    Replicas of a kernel start equal.

    Args:
        connections: the connection that each crossbar makes.

    Raises:
        ValueError: `initial` has other shapes.
        InputError: the factory makes no synapses.
    """
    shapes, synapses = [connection.shape for connection in connections], []
    at_once = spec.positions == "at_once"
    cycles = slot_cycles(connections, at_once)
    if initial is not None and (given := [np.shape(w) for w in initial]) != shapes:
        raise ValueError(f"initial weights must have shapes {shapes}, not {given}")
    for layer, gain in enumerate(spec.gains()):
        weight_seed, own_seed = seed.spawn(2)
        n_in, n_out = shapes[layer]
        replicas = connections[layer].replicas
        he_std = spec.neuron.theta * float(np.sqrt(2.0 / n_in))
        if initial is None:
            kernel = np.random.default_rng(weight_seed).standard_normal((n_in, n_out // replicas))
            normal = np.tile(kernel, replicas)
            start = (spec.initial_scale * he_std * normal).astype(np.float32)
        else:
            start = np.asarray(initial[layer], dtype=np.float32)
        is_output = layer == len(connections) - 1
        share = training.dropout_input if layer == 0 else training.dropout_hidden
        made = factory(
            Crossbar(
                initial=start,
                theta=spec.neuron.theta,
                he_std=he_std,
                gain=gain * (training.output_step if is_output else 1.0) / (1.0 - share),
                T=spec.T,
                slots=spec.slots * cycles,
                batch=training.batch,
                seed=int(own_seed.generate_state(1, np.uint64)[0]),
                threads=threads,
                pool=pool,
                transposed_reads=layer > 0,
                delay=spec.delays[layer],
                positions=connections[layer].positions,
                replicas=replicas,
                at_once=at_once,
            )
        )
        require_kind("network", "synapses", made, Synapses)
        synapses.append(made)
    return synapses
