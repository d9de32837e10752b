"""Every train of one presentation, slot by slot."""

from dataclasses import dataclass
from math import prod

import numpy as np
from jaxtyping import Bool, Float32

from rpu_ssnn.common.errors import Fault, require, require_kind
from rpu_ssnn.data.spike_trains import SpikeTrains
from rpu_ssnn.engine import slot_loop
from rpu_ssnn.engine.parameters import make_parameters
from rpu_ssnn.engine.propagation import Matrices
from rpu_ssnn.engine.pulses import make_buffers
from rpu_ssnn.engine.state import make_presentations, make_recording, make_worker_state
from rpu_ssnn.spec import Grid, NetworkSpec, connect
from rpu_ssnn.synapses.base import Weights

type SpikeTrain = Bool[np.ndarray, "slots n"]


@dataclass(frozen=True)
class Trains:
    """Holds the spikes of one presentation; arrays are [slots, neurons of the layer].

    Attributes:
        forward: input lines first, output last.
        positive: first hidden layer first, output last.
        negative: the same for the negative stream.
    """

    forward: tuple[SpikeTrain, ...]
    positive: tuple[SpikeTrain, ...]
    negative: tuple[SpikeTrain, ...]


def trace(
    spec: NetworkSpec,
    weights: list[Weights],
    rates: Float32[np.ndarray, " n_in"] | SpikeTrains,
    label: int,
    key: int,
    image: Grid | None = None,
) -> Trains:
    """Shows one image to frozen weights as in training (label and gradient, no dropout).

    Args:
        weights: [n_in, n_out] of each crossbar, in threshold currents.
        rates: average spikes per slot of each input line, or one recording of spikes.
        label: class of the image.
        key: determines everything random in the presentation.
        image: rows, columns and channels of the input, which convolutions need.

    Raises:
        ValueError: weights, rates and label do not fit each other.
        InputError: the settings or the weights have another type, or weights are not finite.
    """
    require_kind("trace", "spec", spec, NetworkSpec)
    crossbars = len(spec.hidden_layers) + 1
    fits = len(weights) == crossbars and all(isinstance(w, np.ndarray) for w in weights)
    fits = fits and all(np.isfinite(w).all() for w in weights)
    allowed = f"must be arrays of finite numbers, one for each of the {crossbars} crossbars"
    require(fits, "trace", "weights", Fault("others"), allowed)
    lines = weights[0].shape[0] if image is None else prod(image)
    connections = connect(spec.hidden_layers, lines, weights[-1].shape[1], image)
    found, shapes = [w.shape for w in weights], [each.shape for each in connections]
    if found != shapes:
        raise ValueError(f"weights must have shapes {shapes}, not {found}")
    net = make_parameters(spec, connections)
    state = make_worker_state(net)
    batch = rates if isinstance(rates, SpikeTrains) else rates[None, :].astype(np.float32)
    shown = make_presentations(net, batch, np.array([label]), np.array([key], dtype=np.uint64))
    matrices = Matrices(
        weights=np.concatenate([w.ravel() for w in weights]).astype(np.float32),
        transposed=np.concatenate([w.T.ravel() for w in weights]).astype(np.float32),
    )
    recording = make_recording(net, 1, 1, streams=True)
    out = make_buffers(net, [False] * net.crossbars)
    while state.position[0] == 0:
        out.rows[:] = 0
        slot_loop.advance(net, state, shown, 1, matrices, out, recording, True, slot_loop.NO_PAUSE)
    forward, positive, negative = (
        tuple(np.split(counts[0] > 0, net.event_start[1:-1], axis=1))
        for counts in (recording.forward, recording.positive, recording.negative)
    )
    streams = slice(1, crossbars + 1)
    return Trains(forward, positive[streams], negative[streams])
