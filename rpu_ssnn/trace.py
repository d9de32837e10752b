"""Every train of one presentation, slot by slot, for looking at (training stores none)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from rpu_ssnn.engine import kernel, neurons, spread
from rpu_ssnn.engine.state import Presentations, make_lane, make_plan
from rpu_ssnn.spec import NetworkSpec
from rpu_ssnn.synapses.base import Weights


@dataclass(frozen=True)
class Trains:
    """Spikes of one presentation; arrays are [slots, neurons of the layer].

    Attributes:
        forward: input lines first, output last.
        positive: first hidden layer first, output last.
        negative: likewise.
    """

    forward: tuple[Bool[np.ndarray, "slots n"], ...]
    positive: tuple[Bool[np.ndarray, "slots n"], ...]
    negative: tuple[Bool[np.ndarray, "slots n"], ...]


def trace(
    spec: NetworkSpec,
    weights: list[Weights],
    rates: Float32[np.ndarray, " n_in"],
    label: int,
    key: int,
) -> Trains:
    """Show one image to frozen weights as in training (label and gradient, no dropout).

    Args:
        weights: [n_in, n_out] of each crossbar, in threshold currents.
        rates: average spikes a slot of each input line.
        label: class of the image.
        key: everything random in the presentation follows from it.
    """
    sizes = (weights[0].shape[0], *(w.shape[1] for w in weights))
    plan = make_plan(spec, sizes)
    lane, layers = make_lane(plan), len(plan.size)
    shown = Presentations(
        rates=rates[None, :].astype(np.float32),
        labels=np.array([label], dtype=np.int64),
        keys=np.array([key], dtype=np.uint64),
        output_counts=np.zeros((1, sizes[-1]), dtype=np.int32),
        spikes=np.zeros((1, layers), dtype=np.int64),
        gradient_spikes=np.zeros((1, layers), dtype=np.int64),
    )
    flat = np.concatenate([w.ravel() for w in weights]).astype(np.float32)
    # Nothing goes back through the first crossbar: its part of the transposed matrix is not read.
    transposed = np.concatenate([weights[0].ravel(), *(w.T.ravel() for w in weights[1:])])
    transposed = transposed.astype(np.float32)
    forward = [np.zeros((plan.slots, n), dtype=np.bool_) for n in plan.size]
    streams = {
        sign: [np.zeros((plan.slots, n), dtype=np.bool_) for n in sizes[1:]] for sign in (1, -1)
    }
    neurons.begin(plan, lane, shown, True)
    for t in range(plan.slots):
        neurons.fire(plan, lane, shown, True)
        for layer in range(layers):
            first = plan.event_start[layer]
            forward[layer][t, lane.events[first : first + lane.event_count[layer]]] = True
        for layer in range(1, len(sizes)):
            first = 2 * plan.event_start[layer]
            for k in range(first, first + lane.gradient_count[layer]):
                streams[int(lane.gradient_sign[k])][layer - 1][t, lane.gradient_events[k]] = True
        spread.spread_linear(plan, lane, flat, transposed, True)
        spread.spread_inhibition(plan, lane)
        kernel.next_slot(plan, lane)
    return Trains(tuple(forward), tuple(streams[1]), tuple(streams[-1]))
