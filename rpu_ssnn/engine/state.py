"""Arrays of the simulation: inputs and results, and the state of the running presentation."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, Int8, Int32, Int64, UInt64

from rpu_ssnn.common.arrays import zeros_of
from rpu_ssnn.compiled import inner
from rpu_ssnn.data.spike_trains import SpikeTrains
from rpu_ssnn.engine.blocks import BLOCK
from rpu_ssnn.engine.circuit import BANKS, Circuits
from rpu_ssnn.engine.parameters import Parameters


class Presentations(NamedTuple):
    """Holds the inputs and results of presentations, with one row per presentation."""

    rates: Float32[np.ndarray, "batch n_in"]
    """The average spikes per slot of each input line; empty where spikes are given."""
    labels: Int64[np.ndarray, " batch"]
    keys: UInt64[np.ndarray, " batch"]
    """The key is a seed that determines everything random in a presentation."""
    output_counts: Int32[np.ndarray, "batch n_out"]
    spikes: Int64[np.ndarray, "batch layers_plus_1"]
    """The number of forward spikes of each layer."""
    gradient_spikes: Int64[np.ndarray, "batch layers_plus_1"]
    given_start: Int64[np.ndarray, " batch_plus_1"] = np.zeros(0, dtype=np.int64)
    """The first given spike of each presentation (`SpikeTrains`); empty where input is drawn."""
    given_slot: Int32[np.ndarray, " given"] = np.zeros(0, dtype=np.int32)
    given_line: Int32[np.ndarray, " given"] = np.zeros(0, dtype=np.int32)
    reads: Int64[np.ndarray, "batch crossbars 3"] = np.zeros((0, 0, 0), dtype=np.int64)
    """The forward reads, their lines and the transposed reads of each crossbar. A crossbar is read
    once for each position of a slot with a spike: forward for the spikes of its patch, and
    transposed for the gradient spikes of its neurons, both streams together. No gradient is read
    through the first crossbar."""


class WorkerState(NamedTuple):
    """Holds the presentation that a worker runs; arrays of neurons are flat over all layers."""

    position: Int64[np.ndarray, "3"]
    """The presentation, the slot, and a 1 once the presentation has begun."""
    random: UInt64[np.ndarray, "1"]
    current: Float32[np.ndarray, " neurons"]
    membrane: Float32[np.ndarray, " neurons"]
    open: UInt64[np.ndarray, " blocks"]
    """These flags mark neurons whose gradient may spike: hidden ones that have spiked in this
    presentation, and all outputs."""
    alive: UInt64[np.ndarray, " blocks"]
    """These flags mark neurons that can spike."""
    gradient_current: Float32[np.ndarray, " neurons"]
    positive: Float32[np.ndarray, " neurons"]
    """The membrane of the positive branch, or of both where branches are coupled."""
    negative: Float32[np.ndarray, " neurons"]
    relay_current: Float32[np.ndarray, " relays"]
    relay_membrane: Float32[np.ndarray, " relays"]
    pixels: Int32[np.ndarray, " n_in"]
    """Input lines with a rate above 0 that dropout keeps; where spikes are given, 1 for each line
    that dropout keeps."""
    pixel_rate: Float64[np.ndarray, " n_in"]
    """The spikes per slot, in units of 2^-32 where trains are Poisson."""
    pixel_phase: Float64[np.ndarray, " n_in"]
    """The part of its next spike that each line of a regular train has accumulated."""
    pixel_count: Int64[np.ndarray, "1"]
    """The number of `pixels`; with given spikes, the index of the next one."""
    events: Int32[np.ndarray, " lines_and_lists"]
    """Neurons that spike in this slot, layer by layer (`Parameters.event_start`), followed by the
    patch lines that spike, position by position (`geometry.CROSSBAR`)."""
    event_count: Int64[np.ndarray, " layers_plus_1"]
    list_count: Int64[np.ndarray, " positions"]
    """Patch lines that spike at each position of all crossbars (`geometry.CROSSBAR`)."""
    gradient_events: Int32[np.ndarray, " twice_lines"]
    """The spikes of both gradient streams, listed like `events`."""
    gradient_sign: Int8[np.ndarray, " twice_lines"]
    gradient_count: Int64[np.ndarray, " layers_plus_1"]
    waiting: UInt64[np.ndarray, " waiting"]
    """Flags of forward spikes that wait for their gradient (`geometry.CROSSBAR`)."""
    delayed: Int32[np.ndarray, " widest_and_lists"]
    """Forward spikes of one crossbar that have waited, followed by its lists of patch lines; empty
    where no spikes wait."""
    delayed_count: Int64[np.ndarray, " most_positions"]
    """Patch lines of one crossbar that have waited, at each position."""
    circuits: Circuits | None
    """The circuits are None where neurons are perfect, so that numba compiles no code for them."""


def make_worker_state(net: Parameters, several: tuple[int, ...] = ()) -> WorkerState:
    """Returns a state at rest.

    Args:
        several: (n,) for n states, whose arrays have one more dimension in front.
    """
    neurons, lines, crossbars = net.neuron_start[-1], net.event_start[-1], net.geometry.crossbars
    lists = np.where(crossbars.is_whole, 0, crossbars.positions * crossbars.patch)
    waiting = crossbars.delay * -(-net.size[: len(crossbars)] // BLOCK)
    sizes = {
        "neurons": neurons,
        "blocks": neurons // BLOCK,
        "relays": net.relays,
        "n_in": net.size[0],
        "lines_and_lists": lines + lists.sum(),
        "twice_lines": 2 * lines,
        "layers_plus_1": len(net.size),
        "positions": crossbars.positions.sum(),
        "most_positions": net.geometry.most_positions,
        "waiting": waiting.sum(),
        "widest_and_lists": net.size.max() + lists.max() if crossbars.delay.any() else 0,
    }
    circuits = None
    if net.circuit is not None:
        sizes |= {"banks": BANKS, "directions": 2, "delay": net.circuit.delay}
        circuits = Circuits(net.circuit, **zeros_of(Circuits, sizes, several))
    return WorkerState(**zeros_of(WorkerState, sizes, several), circuits=circuits)


@inner
def one_state(states: WorkerState, k: int) -> WorkerState:
    """Returns the k-th of several states, for compiled callers."""
    s = states
    return WorkerState(
        position=s.position[k], random=s.random[k], current=s.current[k], membrane=s.membrane[k],
        open=s.open[k], alive=s.alive[k], gradient_current=s.gradient_current[k],
        positive=s.positive[k], negative=s.negative[k], relay_current=s.relay_current[k],
        relay_membrane=s.relay_membrane[k], pixels=s.pixels[k], pixel_rate=s.pixel_rate[k],
        pixel_phase=s.pixel_phase[k], pixel_count=s.pixel_count[k], events=s.events[k],
        event_count=s.event_count[k], list_count=s.list_count[k],
        gradient_events=s.gradient_events[k], gradient_sign=s.gradient_sign[k],
        gradient_count=s.gradient_count[k], waiting=s.waiting[k], delayed=s.delayed[k],
        delayed_count=s.delayed_count[k], circuits=_circuits_of(s.circuits, k),
    )  # fmt: skip


@inner
def _circuits_of(circuits: Circuits | None, k: int) -> Circuits | None:
    if circuits is None:
        return None
    return Circuits(
        drawn=circuits.drawn, key=circuits.key[k], last=circuits.last[k],
        jitter=circuits.jitter[k], late=circuits.late[k],
    )  # fmt: skip


def make_presentations(
    net: Parameters,
    rates: Float32[np.ndarray, "batch n_in"] | SpikeTrains,
    labels: Int64[np.ndarray, " batch"],
    keys: UInt64[np.ndarray, " batch"],
) -> Presentations:
    """Returns presentations whose counts are still 0.

    Raises:
        ValueError: shapes, rates or labels do not fit the network (the compiled pass checks no
            bounds).
    """
    n, layers, n_in, n_out = len(keys), len(net.size), int(net.size[0]), int(net.size[-1])
    if labels.shape != (n,) or rates.shape != (n, n_in):
        raise ValueError(f"rates must have shape {(len(labels), n_in)}, not {rates.shape}")
    if labels.dtype.kind not in "iu" or (n and not 0 <= labels.min() <= labels.max() < n_out):
        raise ValueError(f"labels must be whole numbers from 0 to {n_out - 1}")
    shown = Presentations(
        rates=np.zeros((0, 0), dtype=np.float32),
        labels=labels,
        keys=keys,
        output_counts=np.zeros((n, n_out), dtype=np.int32),
        spikes=np.zeros((n, layers), dtype=np.int64),
        gradient_spikes=np.zeros((n, layers), dtype=np.int64),
        reads=np.zeros((n, net.crossbars, 3), dtype=np.int64),
    )
    if isinstance(rates, SpikeTrains):
        return shown._replace(given_start=rates.start, given_slot=rates.slot, given_line=rates.line)
    if n and not 0.0 <= rates.min() <= rates.max() <= 1.0:  # this is false for NaN, too
        raise ValueError("rates must be from 0 to 1 spike per slot")
    return shown._replace(rates=rates)


class Recording(NamedTuple):
    """Counts the spikes of each line, layer by layer (`Parameters.event_start`), unless it is
    empty."""

    window: int
    """The spikes of this many slots are counted together."""
    forward: Float32[np.ndarray, "presentations windows lines"]
    positive: Float32[np.ndarray, "presentations windows lines"]
    negative: Float32[np.ndarray, "presentations windows lines"]


def make_recording(
    net: Parameters, presentations: int, window: int, *, streams: bool = False
) -> Recording:
    """Returns a recording of forward spikes and, if `streams`, of gradient spikes."""
    shape = (presentations, -(-net.slots // window), int(net.event_start[-1]))
    forward = np.zeros(shape, dtype=np.float32)
    positive, negative = (
        np.zeros(shape if streams else (0, 0, 0), dtype=np.float32) for _ in range(2)
    )
    return Recording(window, forward, positive, negative)


NO_RECORDING = Recording(1, *(np.zeros((0, 0, 0), dtype=np.float32) for _ in range(3)))
"""This stands where no spikes are to be counted."""


@inner
def record(net: Parameters, state: WorkerState, recording: Recording) -> None:
    """Counts the spikes of the state's slot."""
    if len(recording.forward) == 0:
        return
    b, w = state.position[0], state.position[1] // recording.window
    for layer in range(len(net.size)):
        first = net.event_start[layer]
        for k in range(first, first + state.event_count[layer]):
            recording.forward[b, w, first + state.events[k]] += 1.0
        if len(recording.positive) == 0:
            continue
        for k in range(2 * first, 2 * first + state.gradient_count[layer]):
            line = first + state.gradient_events[k]
            if state.gradient_sign[k] > 0:
                recording.positive[b, w, line] += 1.0
            else:
                recording.negative[b, w, line] += 1.0
