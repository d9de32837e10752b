"""The same pass where a read is not a matrix product: currents are asked for slot by slot.

Slower than `kernel.advance` by the cost of those reads; every neuron step is the same code. Reads
are gated by events: a crossbar is read in the slots in which one of its lines spikes, and only
then does read noise reach the membranes.
"""

import numpy as np
from jaxtyping import Float32, Int8, UInt8

from rpu_ssnn.engine import kernel, neurons, spread
from rpu_ssnn.engine.state import Buffers, Lane, Plan, Presentations, make_lane
from rpu_ssnn.synapses.base import Synapses


def advance_stepped(
    plan: Plan,
    lane: Lane,
    shown: Presentations,
    stop: int,
    synapses: list[Synapses],
    out: Buffers,
    pause: int,
) -> int:
    """As `kernel.advance` with learning, one presentation at a time (pulses in physical order)."""
    while lane.place[0] < stop:
        if lane.place[2] == 0:
            neurons.begin(plan, lane, shown, True)
            lane.place[2] = 1
        neurons.fire(plan, lane, shown, True)
        full = kernel.emit(plan, lane, out)
        _spread(plan, [lane], synapses, True)
        spread.spread_inhibition(plan, lane)
        ended = kernel.next_slot(plan, lane)
        if pause == kernel.STOP_AFTER_PRESENTATION and ended:
            return kernel.BOUNDARY
        if pause == kernel.STOP_AFTER_SLOT and (ended or out.rows.any()):
            return kernel.BOUNDARY
        if full:
            return kernel.PAUSED
    return kernel.DONE


def present_in_lockstep(
    plan: Plan, shown: Presentations, synapses: list[Synapses], together: int
) -> None:
    """Inference, `together` presentations a step, so that one call reads for all of them."""
    total = len(shown.labels)
    lanes = [make_lane(plan) for _ in range(min(together, total))]
    for first in range(0, total, together):
        group = lanes[: min(together, total - first)]
        for b, lane in enumerate(group):
            lane.place[:] = (first + b, 0, 1)
            neurons.begin(plan, lane, shown, False)
        for _ in range(plan.slots):
            for lane in group:
                neurons.fire(plan, lane, shown, False)
            _spread(plan, group, synapses, False)
            for lane in group:
                spread.spread_inhibition(plan, lane)
                kernel.next_slot(plan, lane)


def _spread(plan: Plan, lanes: list[Lane], synapses: list[Synapses], learn: bool) -> None:
    for layer in range(1, plan.crossbars + 1):
        gain = spread.dropout_gain(plan, layer - 1)
        active = [lane for lane in lanes if lane.event_count[layer - 1] > 0]
        if active:
            spikes = _spike_vectors(plan, active, layer - 1)
            currents = gain * synapses[layer - 1].forward_current(spikes)
            _add(plan, [lane.current for lane in active], layer, currents)
        active = [lane for lane in lanes if lane.gradient_count[layer] > 0]
        if learn and layer > 1 and active:
            net = _net_vectors(plan, active, layer)
            currents = gain * synapses[layer - 1].transposed_current(net)
            _add(plan, [lane.gradient_current for lane in active], layer - 1, currents)


def _add(
    plan: Plan,
    targets: list[Float32[np.ndarray, " neurons"]],
    layer: int,
    currents: Float32[np.ndarray, "lanes n"],
) -> None:
    start = plan.neuron_start[layer]
    for target, current in zip(targets, currents, strict=True):
        target[start : start + len(current)] += current


def _spike_vectors(plan: Plan, lanes: list[Lane], layer: int) -> UInt8[np.ndarray, "lanes n"]:
    spikes = np.zeros((len(lanes), plan.size[layer]), dtype=np.uint8)
    first = plan.event_start[layer]
    for row, lane in zip(spikes, lanes, strict=True):
        row[lane.events[first : first + lane.event_count[layer]]] = 1
    return spikes


def _net_vectors(plan: Plan, lanes: list[Lane], layer: int) -> Int8[np.ndarray, "lanes n"]:
    net = np.zeros((len(lanes), plan.size[layer]), dtype=np.int8)
    first = 2 * plan.event_start[layer]
    for row, lane in zip(net, lanes, strict=True):
        span = slice(first, first + lane.gradient_count[layer])
        np.add.at(row, lane.gradient_events[span], lane.gradient_sign[span])
    return net
