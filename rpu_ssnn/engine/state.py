"""Arrays of the compiled pass: constants of a network, state of one presentation, pulse buffers.

Neuron layers are numbered 0 (input lines) to L (output) and on to L + P where Eq. 2 is iterated
P times; crossbar l (1..L) lies between neuron layers l - 1 and l. Per-neuron arrays are flat over
layers 1.. with offsets `neuron_start`; crossbars are flat with `weight_start`.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, Int8, Int32, Int64, UInt8, UInt64

from rpu_ssnn.engine.firing import NEURONS
from rpu_ssnn.spec import NetworkSpec, TrainingSpec

ROWS = 512
"""Slots a pulse buffer holds before it is handed on: few enough that a batch has several."""

WINDOW = 72
"""Slots whose input is drawn and read ahead: a presentation of T = 50 at a time."""

SPIKES = 1 << 17
"""Spikes a pulse buffer holds beyond the most that one slot can add."""


class Plan(NamedTuple):
    """Constants of one network, as the compiled code reads them."""

    size: Int64[np.ndarray, " layers_plus_1"]
    neuron_start: Int64[np.ndarray, " layers_plus_2"]
    """Of each layer, in whole blocks (`engine.firing`): what fills up the last one is at rest."""
    event_start: Int64[np.ndarray, " layers_plus_2"]
    weight_start: Int64[np.ndarray, " crossbars_plus_2"]
    crossbars: int
    T: int
    slots: int
    relays: int
    kernel_keep: np.float32
    """exp(-1/tau): what remains of a synaptic current after a slot (Eq. 3)."""
    theta: np.float32
    theta_b: np.float32
    theta_n: np.float32
    reset_to_zero: bool
    random_start: bool
    coupled: bool
    floored: bool
    hold: bool
    inhibition: np.float32
    clocked: bool
    regular_input: bool
    input_profile: Float64[np.ndarray, " T"]
    label_profile: Float64[np.ndarray, " T"]
    dropout_input: float
    dropout_hidden: float


class Lane(NamedTuple):
    """State of the presentation that a lane is working on."""

    place: Int64[np.ndarray, "3"]
    """[presentation, slot, 1 once the presentation has begun]"""
    random: UInt64[np.ndarray, "1"]
    current: Float32[np.ndarray, " neurons"]
    membrane: Float32[np.ndarray, " neurons"]
    fired: UInt64[np.ndarray, " blocks"]
    alive: UInt64[np.ndarray, " blocks"]
    """A bit for each neuron: whether it has spiked in this presentation, whether it can."""
    gradient_current: Float32[np.ndarray, " neurons"]
    positive: Float32[np.ndarray, " neurons"]
    negative: Float32[np.ndarray, " neurons"]
    relay_current: Float32[np.ndarray, " relays"]
    relay_membrane: Float32[np.ndarray, " relays"]
    pixels: Int32[np.ndarray, " n_in"]
    """The lines that may spike; where spikes are given, 1 for each line that dropout leaves."""
    pixel_rate: Float64[np.ndarray, " n_in"]
    """Spikes a slot, in units of 2^-32 where trains are Poisson."""
    pixel_phase: Float64[np.ndarray, " n_in"]
    """Of regular trains: spikes owed."""
    pixel_count: Int64[np.ndarray, "1"]
    """Of `pixels`; where spikes are given, the next of them."""
    events: Int32[np.ndarray, " lines"]
    event_count: Int64[np.ndarray, " layers_plus_1"]
    gradient_events: Int32[np.ndarray, " twice_lines"]
    gradient_sign: Int8[np.ndarray, " twice_lines"]
    gradient_count: Int64[np.ndarray, " layers_plus_1"]


class Ahead(NamedTuple):
    """Trains from outside, and what the first layer makes of them, for a window of slots."""

    window: Int64[np.ndarray, "2"]
    """First slot, and the one after the last."""
    start: Int64[np.ndarray, " window_plus_1"]
    events: Int32[np.ndarray, " window_x_n_in"]
    """Input lines that spike, slot after slot; those of a slot begin at its `start`."""
    label: UInt8[np.ndarray, " window"]
    spikes: UInt64[np.ndarray, " window_x_blocks"]
    """Which neurons of the first layer spike (bits), slot after slot."""


class Buffers(NamedTuple):
    """Pulses emitted and not yet handed on, one row of each array a crossbar (see `PulseBlock`)."""

    rows: Int64[np.ndarray, " crossbars"]
    sample: Int32[np.ndarray, "crossbars rows"]
    slot: Int32[np.ndarray, "crossbars rows"]
    pre_start: Int32[np.ndarray, "crossbars rows_plus_1"]
    pre: Int32[np.ndarray, "crossbars pre_capacity"]
    post_start: Int32[np.ndarray, "crossbars rows_plus_1"]
    post: Int32[np.ndarray, "crossbars post_capacity"]
    sign: Int8[np.ndarray, "crossbars post_capacity"]
    all_spikes: UInt8[np.ndarray, " crossbars"]


class Presentations(NamedTuple):
    """What is shown, and what comes back; one row a presentation."""

    rates: Float32[np.ndarray, "batch n_in"]
    """Average spikes a slot of each input line; empty where spikes are given."""
    labels: Int64[np.ndarray, " batch"]
    keys: UInt64[np.ndarray, " batch"]
    """Seeds: everything random in a presentation follows from its key."""
    output_counts: Int32[np.ndarray, "batch n_out"]
    spikes: Int64[np.ndarray, "batch layers_plus_1"]
    """Forward spikes a layer."""
    gradient_spikes: Int64[np.ndarray, "batch layers_plus_1"]
    given_start: Int64[np.ndarray, " batch_plus_1"] = np.zeros(0, dtype=np.int64)
    """Of the given spikes of each presentation (`SpikeTrains`); empty: input is drawn."""
    given_slot: Int32[np.ndarray, " given"] = np.zeros(0, dtype=np.int32)
    given_line: Int32[np.ndarray, " given"] = np.zeros(0, dtype=np.int32)


def profile(T: int, front_loading: float) -> Float64[np.ndarray, " T"]:
    """Rate over its average, slot by slot: linearly falling, mean exactly 1."""
    middle = (np.arange(T) + 0.5) / T
    return 1.0 + front_loading * (1.0 - 2.0 * middle)


def make_plan(
    spec: NetworkSpec, sizes: tuple[int, ...], training: TrainingSpec | None = None
) -> Plan:
    """Constants of a network with layer `sizes` (input first); dropout only when training."""
    stages = (*sizes, *(sizes[-1],) * spec.inhibition.passes)
    crossbars = len(sizes) - 1
    encoding, gradient, neuron = spec.encoding, spec.gradient, spec.neuron
    label_loading = encoding.label_front_loading
    size = np.array(stages, dtype=np.int64)
    return Plan(
        size=size,
        neuron_start=np.concatenate([[0, 0], np.cumsum(-(-size[1:] // NEURONS) * NEURONS)]),
        event_start=np.concatenate([[0], np.cumsum(size)]).astype(np.int64),
        weight_start=np.concatenate([[0, 0], np.cumsum(np.multiply(sizes[:-1], sizes[1:]))]).astype(
            np.int64
        ),
        crossbars=crossbars,
        T=spec.T,
        slots=spec.slots,
        relays=len(stages) - 1 if gradient.relay else 0,
        kernel_keep=np.float32(np.exp(-1.0 / spec.tau)),
        theta=np.float32(neuron.theta),
        theta_b=np.float32(neuron.theta_b),
        theta_n=np.float32(neuron.theta_n),
        reset_to_zero=neuron.reset == "zero",
        random_start=neuron.random_start,
        coupled=gradient.branches == "coupled",
        floored=gradient.branches == "floored",
        hold=gradient.switch == "hold",
        inhibition=np.float32(spec.inhibition.strength),
        clocked=spec.inhibition.clocked,
        regular_input=encoding.trains == "regular",
        input_profile=profile(spec.T, encoding.front_loading),
        label_profile=profile(
            spec.T, encoding.front_loading if label_loading is None else label_loading
        )
        * encoding.label_rate,
        dropout_input=training.dropout_input if training else 0.0,
        dropout_hidden=training.dropout_hidden if training else 0.0,
    )


def make_lane(plan: Plan) -> Lane:
    """A lane at rest, large enough for the plan."""
    neurons, lines, layers = int(plan.neuron_start[-1]), int(plan.event_start[-1]), len(plan.size)

    def zeros(n: int) -> Float32[np.ndarray, " n"]:
        return np.zeros(n, dtype=np.float32)

    return Lane(
        place=np.zeros(3, dtype=np.int64),
        random=np.zeros(1, dtype=np.uint64),
        current=zeros(neurons),
        membrane=zeros(neurons),
        fired=np.zeros(neurons // NEURONS, dtype=np.uint64),
        alive=np.zeros(neurons // NEURONS, dtype=np.uint64),
        gradient_current=zeros(neurons),
        positive=zeros(neurons),
        negative=zeros(neurons),
        relay_current=zeros(plan.relays),
        relay_membrane=zeros(plan.relays),
        pixels=np.zeros(plan.size[0], dtype=np.int32),
        pixel_rate=np.zeros(plan.size[0], dtype=np.float64),
        pixel_phase=np.zeros(plan.size[0], dtype=np.float64),
        pixel_count=np.zeros(1, dtype=np.int64),
        events=np.zeros(lines, dtype=np.int32),
        event_count=np.zeros(layers, dtype=np.int64),
        gradient_events=np.zeros(2 * lines, dtype=np.int32),
        gradient_sign=np.zeros(2 * lines, dtype=np.int8),
        gradient_count=np.zeros(layers, dtype=np.int64),
    )


def make_ahead(plan: Plan) -> Ahead:
    """An empty window; its size does not depend on T."""
    return Ahead(
        window=np.zeros(2, dtype=np.int64),
        start=np.zeros(WINDOW + 1, dtype=np.int64),
        events=np.zeros(WINDOW * int(plan.size[0]), dtype=np.int32),
        label=np.zeros(WINDOW, dtype=np.uint8),
        spikes=np.zeros(WINDOW * int(plan.neuron_start[2]) // NEURONS, dtype=np.uint64),
    )


def make_buffers(
    plan: Plan, all_spikes: tuple[bool, ...], several: tuple[int, ...] = ()
) -> Buffers:
    """Empty pulse buffers; their size does not depend on T.

    Args:
        several: (n,) for n of them, in one more dimension in front.
    """
    n, widest = (*several, plan.crossbars), int(plan.size.max())
    return Buffers(
        rows=np.zeros(n, dtype=np.int64),
        sample=np.zeros((*n, ROWS), dtype=np.int32),
        slot=np.zeros((*n, ROWS), dtype=np.int32),
        pre_start=np.zeros((*n, ROWS + 1), dtype=np.int32),
        pre=np.zeros((*n, SPIKES + widest), dtype=np.int32),
        post_start=np.zeros((*n, ROWS + 1), dtype=np.int32),
        post=np.zeros((*n, SPIKES + 2 * widest), dtype=np.int32),
        sign=np.zeros((*n, SPIKES + 2 * widest), dtype=np.int8),
        all_spikes=np.broadcast_to(np.array(all_spikes, dtype=np.uint8), n).copy(),
    )
