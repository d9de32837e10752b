"""Presentations abreast, slot by slot, where a read is not a matrix product: one read for all.

Every neuron step is the code of `kernel.advance`; what differs is that the arrays of `Lane` and
`Buffers` have one more axis in front, the presentation, and that currents are asked for between
the steps. Reads are gated by events: a crossbar is read for the presentations in which one of its
lines spikes in the slot, and only these get its noise.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float32, Int8, Int64, UInt8

from rpu_ssnn.compiled import compiled_in_place
from rpu_ssnn.engine.kernel import emit, next_slot
from rpu_ssnn.engine.neurons import begin, fire
from rpu_ssnn.engine.spread import dropout_gain, spread_inhibition
from rpu_ssnn.engine.state import Buffers, Lane, Plan, Presentations, make_lane
from rpu_ssnn.synapses.base import Synapses

MOST = 64
"""Presentations abreast at most: enough that the cost of a call is shared out."""

SPIKES = 1 << 23
"""Room for the pulses of presentations abreast, in spikes of one line in every slot."""


class Abreast:
    """Shows presentations in groups that go side by side.

    Args:
        plan: any plan of the network; its sizes are those of all.
        all_spikes: as `make_buffers` takes it, where training may go side by side; else None.
    """

    def __init__(self, plan: Plan, all_spikes: tuple[bool, ...] | None) -> None:
        self._lanes = _make_lanes(plan, MOST)
        together = how_many_learn_abreast(plan)
        self._room: Buffers | None = None
        if all_spikes is not None and together > 1:
            self._room = _make_room(plan, together, all_spikes)

    @property
    def learns(self) -> bool:
        """Whether there is room for the pulses of more than one presentation."""
        return self._room is not None

    def infer(self, plan: Plan, shown: Presentations, synapses: list[Synapses]) -> None:
        """Show all presentations; nothing learns."""
        for group in _groups(len(shown.labels), MOST):
            self._present(plan, shown, group, synapses, None)

    def train(
        self, plan: Plan, shown: Presentations, synapses: list[Synapses]
    ) -> Iterator[Buffers]:
        """Show all presentations; gives the pulses of each, one after the other, to be emptied."""
        assert self._room is not None
        for group in _groups(len(shown.labels), len(self._room.rows)):
            self._present(plan, shown, group, synapses, self._room)
            for place in range(len(group)):
                yield Buffers(*(part[place] for part in self._room))

    def _present(
        self,
        plan: Plan,
        shown: Presentations,
        group: range,
        synapses: list[Synapses],
        room: Buffers | None,
    ) -> None:
        lanes, n, learn = self._lanes, len(group), room is not None
        lanes.place[:n, 0] = group
        _begin(plan, lanes, n, shown, learn)
        sizes = plan.size[: plan.crossbars + 1]
        spikes = [np.zeros((n, size), dtype=np.uint8) for size in sizes]
        net = [np.zeros((n, size), dtype=np.int8) for size in sizes]
        rows = np.zeros(n, dtype=np.int64)
        for _ in range(plan.slots):
            if room is None:
                _fire(plan, lanes, n, shown)
            else:
                _fire_and_emit(plan, lanes, n, shown, room)
            for layer, crossbar in enumerate(synapses, 1):
                active = _spike_vectors(plan, lanes, n, layer - 1, spikes[layer - 1], rows)
                if active:
                    currents = crossbar.forward_current(spikes[layer - 1][:active])
                    _add(plan, lanes.current, layer, layer - 1, rows[:active], currents)
                if not learn or layer == 1:
                    continue
                active = _net_vectors(plan, lanes, n, layer, net[layer], rows)
                if active:
                    currents = crossbar.transposed_current(net[layer][:active])
                    into = lanes.gradient_current
                    _add(plan, into, layer - 1, layer - 1, rows[:active], currents)
            _end_slot(plan, lanes, n)


def how_many_learn_abreast(plan: Plan) -> int:
    """Presentations whose pulses fit into the room; 0: not even those of one."""
    return min(MOST, SPIKES // (plan.slots * int(plan.size.max())))


def _groups(total: int, most: int) -> list[range]:
    return [range(first, min(first + most, total)) for first in range(0, total, most)]


def _make_lanes(plan: Plan, n: int) -> Lane:
    """n lanes at rest, each array [n, ...]."""
    return Lane(*(np.repeat(part[np.newaxis], n, axis=0) for part in make_lane(plan)))


def _make_room(plan: Plan, n: int, all_spikes: tuple[bool, ...]) -> Buffers:
    """n buffers, each large enough for all pulses of a presentation, arrays [n, crossbars, ...].

    The system gives memory to those parts only that are written to.
    """
    crossbars, slots = plan.crossbars, plan.slots
    spikes = slots * int(plan.size.max())
    return Buffers(
        rows=np.zeros((n, crossbars), dtype=np.int64),
        sample=np.zeros((n, crossbars, slots), dtype=np.int32),
        slot=np.zeros((n, crossbars, slots), dtype=np.int32),
        pre_start=np.zeros((n, crossbars, slots + 1), dtype=np.int32),
        pre=np.zeros((n, crossbars, spikes), dtype=np.int32),
        post_start=np.zeros((n, crossbars, slots + 1), dtype=np.int32),
        post=np.zeros((n, crossbars, 2 * spikes), dtype=np.int32),
        sign=np.zeros((n, crossbars, 2 * spikes), dtype=np.int8),
        all_spikes=np.repeat(np.array([all_spikes], dtype=np.uint8), n, axis=0),
    )


@compiled_in_place
def _lane(lanes: Lane, b: int) -> Lane:
    return Lane(
        lanes.place[b], lanes.random[b], lanes.current[b], lanes.membrane[b], lanes.fired[b],
        lanes.alive[b], lanes.gradient_current[b],
        lanes.positive[b], lanes.negative[b], lanes.relay_current[b], lanes.relay_membrane[b],
        lanes.pixels[b], lanes.pixel_rate[b], lanes.pixel_phase[b], lanes.pixel_count[b],
        lanes.events[b], lanes.event_count[b], lanes.gradient_events[b], lanes.gradient_sign[b],
        lanes.gradient_count[b],
    )  # fmt: skip


@compiled_in_place
def _begin(plan: Plan, lanes: Lane, n: int, shown: Presentations, learn: bool) -> None:
    for b in range(n):
        lane = _lane(lanes, b)
        lane.place[1] = 0
        lane.place[2] = 1
        begin(plan, lane, shown, learn)


@compiled_in_place
def _fire(plan: Plan, lanes: Lane, n: int, shown: Presentations) -> None:
    for b in range(n):
        fire(plan, _lane(lanes, b), shown, False)


@compiled_in_place
def _fire_and_emit(plan: Plan, lanes: Lane, n: int, shown: Presentations, room: Buffers) -> None:
    for b in range(n):
        lane = _lane(lanes, b)
        fire(plan, lane, shown, True)
        out = Buffers(
            room.rows[b], room.sample[b], room.slot[b], room.pre_start[b], room.pre[b],
            room.post_start[b], room.post[b], room.sign[b], room.all_spikes[b],
        )  # fmt: skip
        emit(plan, lane, out)


@compiled_in_place
def _spike_vectors(  # type: ignore[no-untyped-def]
    plan: Plan, lanes: Lane, n: int, layer: int, spikes: UInt8[np.ndarray, "n lines"], rows
) -> int:
    """Which lines spike: a vector of 0 and 1 for each lane (`rows`) with a spike; how many."""
    first, active = plan.event_start[layer], 0
    for b in range(n):
        count = lanes.event_count[b, layer]
        if count > 0:
            spikes[active] = 0
            for k in range(count):
                spikes[active, lanes.events[b, first + k]] = 1
            rows[active] = b
            active += 1
    return active


@compiled_in_place
def _net_vectors(  # type: ignore[no-untyped-def]
    plan: Plan, lanes: Lane, n: int, layer: int, net: Int8[np.ndarray, "n lines"], rows
) -> int:
    """As `_spike_vectors`, of gradient spikes: positive minus negative."""
    first, active = 2 * plan.event_start[layer], 0
    for b in range(n):
        count = lanes.gradient_count[b, layer]
        if count > 0:
            net[active] = 0
            for k in range(count):
                line = lanes.gradient_events[b, first + k]
                net[active, line] += lanes.gradient_sign[b, first + k]
            rows[active] = b
            active += 1
    return active


@compiled_in_place
def _add(
    plan: Plan,
    targets: Float32[np.ndarray, "lanes neurons"],
    layer: int,
    from_layer: int,
    rows: Int64[np.ndarray, " active"],
    currents: Float32[np.ndarray, "active n"],
) -> None:
    """Add to a layer's currents, raised by the dropout gain of the lines of `from_layer`."""
    gain, start = dropout_gain(plan, from_layer), plan.neuron_start[layer]
    for k in range(len(rows)):
        target = targets[rows[k]]
        for j in range(currents.shape[1]):
            target[start + j] += gain * currents[k, j]


@compiled_in_place
def _end_slot(plan: Plan, lanes: Lane, n: int) -> None:
    for b in range(n):
        lane = _lane(lanes, b)
        spread_inhibition(plan, lane)
        next_slot(plan, lane)
