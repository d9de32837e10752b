"""Nothing is read or written outside its array, whatever a specification asks for."""

import numpy as np
import pytest

from rpu_ssnn.engine.parameters import draw_neurons, make_parameters
from rpu_ssnn.engine.pulses import make_buffers, one_buffer
from rpu_ssnn.engine.state import make_worker_state, one_state
from rpu_ssnn.spec import CircuitSpec, NetworkSpec, NeuronSpec, connect

NET = make_parameters(NetworkSpec(hidden=(9,), T=20), connect((9,), 12, 4))


def test_a_slice_of_each_field_is_of_that_field() -> None:
    """Several fields have the same type and shape, so they could be confused."""
    spec = NetworkSpec(hidden=(9,), neuron=NeuronSpec(circuit=CircuitSpec(delay_slots=2)))
    drawn = draw_neurons(spec, NET, np.random.SeedSequence(0))
    states = make_worker_state(NET._replace(circuit=drawn.circuit), (3,))
    buffers = make_buffers(NET, [True, False], (3,), rows=4)
    state, taken = one_state(states, 1), one_buffer(buffers, 1)
    parts = (*state[:-1], *state.circuits[1:], *taken.blocks, taken.rows, taken.all_spikes)
    wholes = (*states[:-1], *states.circuits[1:], *buffers.blocks, buffers.rows, buffers.all_spikes)
    for place, (part, whole) in enumerate(zip(parts, wholes, strict=True)):
        assert np.shares_memory(part, whole[1]) or part.size == 0, place


@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_neurons_that_fill_up_a_block_never_fire(reset: str) -> None:
    """The threshold is zero in single precision, and the unused neurons of a block start at it."""
    from rpu_ssnn.network import Network
    from rpu_ssnn.spec import TrainingSpec
    from rpu_ssnn.synapses import coincidence_synapses

    neuron = NeuronSpec.model_construct(
        theta=5.0, theta_b=0.0, theta_n=0.0, kernel_fraction=0.1, reset=reset, random_start=True
    )
    spec = NetworkSpec.model_construct(**{**vars(NetworkSpec(hidden=(9,), T=20)), "neuron": neuron})
    layers, rng = connect((9,), 12, 4), np.random.default_rng(0)
    rates = np.full((5, 12), 0.4, np.float32)
    factory = coincidence_synapses(1.0)
    seed = np.random.SeedSequence(0)
    with Network(spec, TrainingSpec(batch=5), layers, factory, seed) as network:
        shown = network.train_batch(rates, np.zeros(5, np.int64), rng)
    slots = spec.slots
    assert (shown.gradient_spikes[:, 1] <= 9 * slots).all()
    assert (shown.gradient_spikes[:, 2] == 4 * slots).all()
