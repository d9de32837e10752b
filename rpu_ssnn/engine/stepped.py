"""The pass where a read is not a matrix product, and sees each change of a weight, or T is long.

Currents are asked for slot by slot and presentation by presentation, which costs a call each time;
where weights wait for the end of a batch, `abreast` shares the calls out. Reads are gated by
events as they are there.
"""

import numpy as np
from jaxtyping import Float32, Int8, UInt8

from rpu_ssnn.engine import kernel, neurons, spread
from rpu_ssnn.engine.state import Buffers, Lane, Plan, Presentations
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
        _spread(plan, lane, synapses)
        spread.spread_inhibition(plan, lane)
        ended = kernel.next_slot(plan, lane)
        if pause == kernel.STOP_AFTER_PRESENTATION and ended:
            return kernel.BOUNDARY
        if pause == kernel.STOP_AFTER_SLOT and (ended or out.rows.any()):
            return kernel.BOUNDARY
        if full:
            return kernel.PAUSED
    return kernel.DONE


def _spread(plan: Plan, lane: Lane, synapses: list[Synapses]) -> None:
    for layer in range(1, plan.crossbars + 1):
        gain = spread.dropout_gain(plan, layer - 1)
        if lane.event_count[layer - 1] > 0:
            currents = gain * synapses[layer - 1].forward_current(_spikes(plan, lane, layer - 1))
            _add(plan, lane.current, layer, currents)
        if layer > 1 and lane.gradient_count[layer] > 0:
            currents = gain * synapses[layer - 1].transposed_current(_net(plan, lane, layer))
            _add(plan, lane.gradient_current, layer - 1, currents)


def _add(
    plan: Plan,
    target: Float32[np.ndarray, " neurons"],
    layer: int,
    currents: Float32[np.ndarray, "1 n"],
) -> None:
    start = plan.neuron_start[layer]
    target[start : start + currents.shape[1]] += currents[0]


def _spikes(plan: Plan, lane: Lane, layer: int) -> UInt8[np.ndarray, "1 n"]:
    spikes = np.zeros((1, plan.size[layer]), dtype=np.uint8)
    first = plan.event_start[layer]
    spikes[0, lane.events[first : first + lane.event_count[layer]]] = 1
    return spikes


def _net(plan: Plan, lane: Lane, layer: int) -> Int8[np.ndarray, "1 n"]:
    net = np.zeros((1, plan.size[layer]), dtype=np.int8)
    span = slice(2 * plan.event_start[layer], None)
    count = lane.gradient_count[layer]
    np.add.at(net[0], lane.gradient_events[span][:count], lane.gradient_sign[span][:count])
    return net
