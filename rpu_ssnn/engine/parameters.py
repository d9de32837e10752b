"""Constants of a network, for the compiled simulation.

Neuron layers are numbered 0 (input lines) to L (output), and on to L + P where Eq. 2 is iterated
P times. Crossbar l (1 to L) lies between neuron layers l - 1 and l.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from rpu_ssnn.engine.blocks import BLOCK
from rpu_ssnn.engine.circuit import Circuit, DrawnCircuit, draw_circuit
from rpu_ssnn.engine.geometry import Geometry, make_geometry
from rpu_ssnn.spec import Connection, NetworkSpec, TrainingSpec, lines_of


class Parameters(NamedTuple):
    """Holds the sizes, thresholds and switches of a network, with the symbols of
    `rpu_ssnn.spec`."""

    size: Int64[np.ndarray, " layers_plus_1"]
    """The number of neurons of each layer, input lines first."""
    most_in_slot: int
    """The most forward spikes that one crossbar sees in a slot, at all positions together; it is at
    least the number of neurons of any layer."""
    geometry: Geometry
    neuron_start: Int64[np.ndarray, " layers_plus_2"]
    """The first place of each layer in arrays of neurons, in whole blocks; inputs have no place."""
    event_start: Int64[np.ndarray, " layers_plus_2"]
    """The first place of each layer in lists of spikes."""
    crossbars: int
    T: int
    slots: int
    relays: int
    """The number of relay neurons between label train and output."""
    kernel_keep: np.float32
    """The factor exp(-1/tau) on a synaptic current per slot (Eq. 3)."""
    theta: np.float32
    theta_b: np.float32
    theta_n: np.float32
    reset_to_zero: bool
    random_start: bool
    coupled: bool
    floored: bool
    hold: bool
    inhibition: np.float32
    """The weight W_inh of Eq. 2, in thresholds."""
    clocked: bool
    regular_input: bool
    input_profile: Float64[np.ndarray, " T"]
    """The rate over its average, slot by slot."""
    label_profile: Float64[np.ndarray, " label_slots"]
    """The average number of spikes per slot of the label train, after the slots by which relays
    delay it."""
    dropout_input: float
    dropout_hidden: float
    circuit: Circuit | None = None
    """The imperfections of the neurons, which `draw_neurons` draws; None stands for perfect
    neurons."""


def profile(T: int, front_loading: float) -> Float64[np.ndarray, " T"]:
    """Returns the rate over its average, slot by slot; it falls linearly, and its mean is exactly
    1."""
    middle = (np.arange(T) + 0.5) / T
    return 1.0 + front_loading * (1.0 - 2.0 * middle)


def _label_profile(spec: NetworkSpec, relays: int) -> Float64[np.ndarray, " label_slots"]:
    encoding, loading = spec.encoding, spec.encoding.label_front_loading
    rates = profile(spec.T, encoding.front_loading if loading is None else loading)
    late = np.zeros(relays * spec.neuron.circuit.relay_delay_slots)
    return np.concatenate([late, rates * encoding.label_rate])


def make_parameters(
    spec: NetworkSpec,
    connections: Sequence[Connection],
    training: TrainingSpec | None = None,
    counted: Sequence[bool] = (),
) -> Parameters:
    """Returns the constants of a network, with dropout only where it trains.

    Args:
        connections: the connection that each crossbar makes, first to last.
        counted: for each crossbar, whether its synapses count whole presentations (Eq. 9), so
            that its forward spikes need not wait for their gradient; empty if nothing learns.
    """
    sizes = lines_of(connections)
    layers = (*sizes, *(sizes[-1],) * spec.inhibition.passes)
    encoding, gradient, neuron = spec.encoding, spec.gradient, spec.neuron
    relays = len(layers) - 1 if gradient.relay else 0
    size = np.array(layers, dtype=np.int64)
    waits = [0 if sums else slots for sums, slots in zip(counted, spec.delays, strict=False)]
    geometry = make_geometry(
        connections,
        at_once=spec.positions == "at_once",
        counted=counted or [False] * len(connections),
        delays=waits or [0] * len(connections),
    )
    crossbars = geometry.crossbars
    return Parameters(
        size=size,
        most_in_slot=max(*layers, int((crossbars.positions * crossbars.patch).max())),
        geometry=geometry,
        neuron_start=np.concatenate([[0, 0], np.cumsum(-(-size[1:] // BLOCK) * BLOCK)]),
        event_start=np.concatenate([[0], np.cumsum(size)]).astype(np.int64),
        crossbars=len(connections),
        T=spec.T,
        slots=spec.slots,
        relays=relays,
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
        label_profile=_label_profile(spec, relays),
        dropout_input=training.dropout_input if training else 0.0,
        dropout_hidden=training.dropout_hidden if training else 0.0,
    )


def draw_neurons(
    spec: NetworkSpec, net: Parameters, seed: np.random.SeedSequence
) -> DrawnCircuit | None:
    """Returns the circuits of a network's neurons, or None where neurons are perfect.

    Args:
        seed: seed of the network, whose next child is used.
    """
    circuit = spec.neuron.circuit
    if not circuit.acts:
        return None
    gradient = np.full(net.neuron_start[-1], float(net.theta_b))
    gradient[net.neuron_start[net.crossbars] :] = net.theta_n
    forward = np.full(len(gradient), float(net.theta))
    (own,) = seed.spawn(1)
    return draw_circuit(
        circuit, forward, gradient, pairs=net.coupled, cycles=net.geometry.cycles, seed=own
    )
