"""The synapses must receive the pulses of every slot in physical order."""

import numpy as np
import pytest

from rpu_ssnn.engine.pulses import BUFFER_ROWS
from rpu_ssnn.spec import EncodingSpec, GradientSpec, NetworkSpec, TrainingSpec
from rpu_ssnn.synapses import rate_synapses
from support.rpu_ssnn.equations import presentations
from support.rpu_ssnn.passes import VARIANTS, Recorder, make_network


def test_pulses_come_in_bounded_blocks_and_in_physical_order() -> None:
    """Long trains are passed on in pieces, which together contain every spike of the layers."""
    spec = NetworkSpec(hidden=(9,), T=3000)
    network = make_network(spec, lambda c: Recorder(c, 1.0), TrainingSpec(batch=3))
    shown_in = presentations(3)
    with network:
        shown = network.train_batch(shown_in.rates, shown_in.labels, np.random.default_rng(1))
    for layer, synapses in enumerate(network.synapses):
        assert synapses.blocks > 3
        samples = [row[0] for row in synapses.rows]
        assert samples == sorted(samples)
        for b in range(3):
            pre = sum(len(row[1]) for row in synapses.rows if row[0] == b)
            post = sum(len(row[2]) for row in synapses.rows if row[0] == b)
            assert pre == shown.spikes[b, layer]
            assert post == shown.gradient_spikes[b, layer + 1]


def test_nothing_is_lost_when_the_buffers_fill_with_a_presentation_s_last_slot() -> None:
    spec = NetworkSpec(
        hidden=(9,),
        T=BUFFER_ROWS,
        encoding=EncodingSpec(front_loading=0.0, input_rate=0.95),
        gradient=GradientSpec(flush=0.0),
    )
    training = TrainingSpec(batch=2, schedule="presentation")
    network = make_network(spec, lambda c: Recorder(c, 1.0), training)
    with network:
        rates = np.full((2, 12), 0.95, np.float32)
        network.train_batch(rates, np.zeros(2, np.int64), np.random.default_rng(0))
    rows = len(network.synapses[0].rows)
    assert rows == 2 * BUFFER_ROWS, "each slot a row, so the buffers fill with the last"
    for synapses in network.synapses:
        assert synapses.commits == [range(0, 1), range(1, 2)]
        assert not synapses._forward.any()


def test_dropout_silences_neurons_and_lines_in_training_only() -> None:
    training = TrainingSpec(batch=200, dropout_input=0.25, dropout_hidden=0.5)
    spec = NetworkSpec(hidden=(9,), T=60)
    network = make_network(spec, lambda c: Recorder(c, 1e-9), training)
    rates = np.full((200, 12), 0.4, np.float32)
    with network:
        network.train_batch(rates, np.zeros(200, np.int64), np.random.default_rng(1))
        first = network.synapses[0].rows
        active = np.zeros((200, 12), bool)
        for sample, pre, _ in first:
            active[sample, list(pre)] = True
        assert active.mean() == pytest.approx(0.75, abs=0.05)
        trained = network.infer(rates, np.random.default_rng(2)).spikes
    assert trained[:, 0].mean() == pytest.approx(12 * 60 * 0.4, rel=0.02)


def test_rate_learning_refuses_the_slot_schedule() -> None:
    training = TrainingSpec(batch=10, schedule="slot")
    with pytest.raises(ValueError, match="schedule: 'slot' is not allowed"):
        make_network(VARIANTS["default"], rate_synapses(1.0), training)
