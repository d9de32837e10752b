"""Arrays of the simulation: inputs and results, and the state of the running presentation."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, Int8, Int32, Int64, UInt64

from rpu_ssnn.compiled import inner
from rpu_ssnn.data.spike_trains import SpikeTrains
from rpu_ssnn.engine.blocks import BLOCK
from rpu_ssnn.engine.circuit import Circuit, Circuits
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
    delayed_count: Int64[np.ndarray, " positions"]
    """Patch lines of one crossbar that have waited, at each position."""
    circuits: Circuits | None
    """The circuits are None where neurons are perfect, so that numba compiles no code for them."""


def make_worker_state(net: Parameters, several: tuple[int, ...] = ()) -> WorkerState:
    """Returns a state at rest.

    Args:
        several: (n,) for n states, whose arrays have one more dimension in front.
    """
    neurons, lines, layers = int(net.neuron_start[-1]), int(net.event_start[-1]), len(net.size)
    pixels, crossbars = int(net.size[0]), net.geometry.crossbars
    lists = np.where(crossbars.is_whole, 0, crossbars.positions * crossbars.patch)
    delayed = int(net.size.max() + lists.max()) if crossbars.delay.any() else 0
    waiting = crossbars.delay * -(-net.size[: len(crossbars)] // BLOCK)
    neuron_arrays = ("current", "membrane", "gradient_current", "positive", "negative")
    shapes: dict[str, tuple[int | tuple[int, ...], Any]] = {
        **dict.fromkeys(neuron_arrays, (neurons, np.float32)),
        **dict.fromkeys(("open", "alive"), (neurons // BLOCK, np.uint64)),
        **dict.fromkeys(("relay_current", "relay_membrane"), (net.relays, np.float32)),
        **dict.fromkeys(("pixel_rate", "pixel_phase"), (pixels, np.float64)),
        **dict.fromkeys(("event_count", "gradient_count"), (layers, np.int64)),
        "position": (3, np.int64),
        "random": (1, np.uint64),
        "pixels": (pixels, np.int32),
        "pixel_count": (1, np.int64),
        "events": (lines + int(lists.sum()), np.int32),
        "list_count": (int(crossbars.positions.sum()), np.int64),
        "gradient_events": (2 * lines, np.int32),
        "gradient_sign": (2 * lines, np.int8),
        "waiting": (int(waiting.sum()), np.uint64),
        "delayed": (delayed, np.int32),
        "delayed_count": (net.geometry.most_positions, np.int64),
    }
    return WorkerState(**_zeros_of(shapes, several), circuits=_make_circuits(net.circuit, several))


def _zeros_of(shapes: dict[str, tuple[Any, Any]], several: tuple[int, ...]) -> dict[str, Any]:
    return {k: np.zeros((*several, *np.atleast_1d(n)), dtype) for k, (n, dtype) in shapes.items()}


def _make_circuits(drawn: Circuit | None, several: tuple[int, ...]) -> Circuits | None:
    if drawn is None:
        return None
    neurons = drawn.gain.shape
    shapes = {
        "key": (1, np.uint64),
        "last": (neurons, np.int32),
        "jitter": (neurons, np.float32),
        "late": ((*drawn.dead.shape, drawn.delay), np.uint64),
    }
    return Circuits(drawn, **_zeros_of(shapes, several))


@inner
def one_state(states: WorkerState, k: int) -> WorkerState:
    """Returns the k-th of several states, for compiled callers."""
    return WorkerState(
        position=states.position[k],
        random=states.random[k],
        current=states.current[k],
        membrane=states.membrane[k],
        open=states.open[k],
        alive=states.alive[k],
        gradient_current=states.gradient_current[k],
        positive=states.positive[k],
        negative=states.negative[k],
        relay_current=states.relay_current[k],
        relay_membrane=states.relay_membrane[k],
        pixels=states.pixels[k],
        pixel_rate=states.pixel_rate[k],
        pixel_phase=states.pixel_phase[k],
        pixel_count=states.pixel_count[k],
        events=states.events[k],
        event_count=states.event_count[k],
        list_count=states.list_count[k],
        gradient_events=states.gradient_events[k],
        gradient_sign=states.gradient_sign[k],
        gradient_count=states.gradient_count[k],
        waiting=states.waiting[k],
        delayed=states.delayed[k],
        delayed_count=states.delayed_count[k],
        circuits=_circuits_of(states.circuits, k),
    )


@inner
def _circuits_of(circuits: Circuits | None, k: int) -> Circuits | None:
    if circuits is None:
        return None
    key, last, jitter, late = circuits.key, circuits.last, circuits.jitter, circuits.late
    return Circuits(circuits.drawn, key[k], last[k], jitter[k], late[k])


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
