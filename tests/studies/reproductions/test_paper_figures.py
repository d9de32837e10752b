"""Compares the numbers of the paper's figures with direct calculation, and draws the figures."""

import efficiency
import figure5
import numpy as np
import pytest
import temporal_bias

from rpu_ssnn.data import load_dataset
from rpu_ssnn.network import Network
from rpu_ssnn.network.inputs import input_lines
from rpu_ssnn.network.trace import trace
from rpu_ssnn.spec import EncodingSpec, InhibitionSpec, NetworkSpec, TrainingSpec, connect
from rpu_ssnn.synapses import rate_synapses
from rpu_ssnn.training import Trained
from support.rpu_ssnn.equations import SIZES, Trace, presentations, some_weights
from support.rpu_ssnn.passes import make_network
from support.studies.harness import RATE, small_study


def test_a_trace_holds_the_trains_that_training_sees() -> None:
    spec, weights = NetworkSpec(hidden=(9,), T=60), list(some_weights())
    shown = presentations(1)
    expected = Trace(spec, (weights[0], weights[1]), shown)
    shown = presentations(1)
    trains = trace(spec, weights, shown.rates[0], int(shown.labels[0]), int(shown.keys[0]))
    assert trains.forward[0].shape == (spec.slots, SIZES[0])
    for layer in range(3):
        np.testing.assert_array_equal(trains.forward[layer], expected.trains[layer])
    for layer in (1, 2):
        np.testing.assert_array_equal(trains.positive[layer - 1], expected.up[layer])
        np.testing.assert_array_equal(trains.negative[layer - 1], expected.down[layer])
        assert trains.positive[layer - 1].any()
        assert trains.negative[layer - 1].any()


def test_figure_5_compares_the_same_weights_with_and_without_inhibition() -> None:
    data = load_dataset("digits", n_train=300, n_test=200, validation_share=0.0, seed=0)
    inhibition, encoding = InhibitionSpec(clocked=True), EncodingSpec(input_rate=0.5)
    spec = NetworkSpec(hidden=(10,), encoding=encoding, inhibition=inhibition)
    rng, seed = np.random.default_rng(0), np.random.SeedSequence(0)
    weights = [rng.normal(0.3, 1.0, s).astype(np.float32) for s in ((64, 10), (10, 10))]
    layers = connect((10,), 64, 10)
    network = Network(spec, TrainingSpec(), layers, rate_synapses(1.0), seed, initial=weights)
    with Trained(network, input_lines("none", data), seed) as shown:
        table = figure5.numbers(shown, data.test_images)
    for name in figure5.NAMES:
        assert table[name].sum() == pytest.approx(1.0)
        assert (np.diff(table[name]) <= 0).all()
    assert table["winner takes all"].iloc[0] > table["raw"].iloc[0]
    by_hand = 0.5 * (table["winner takes all"] - table["softmax of raw"]).abs().sum()
    assert table["distance"].iloc[0] == pytest.approx(by_hand)
    assert figure5.draw(table).axes


def test_shares_are_sorted_by_row_and_silent_rows_left_out() -> None:
    values = np.array([[1.0, 3.0, 0.0], [0.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
    np.testing.assert_allclose(figure5.sorted_share(values), [0.875, 0.125, 0.0])
    np.testing.assert_allclose(figure5.softmax(np.log([[1.0, 3.0]])), [[0.25, 0.75]])


def test_noise_is_swept_only_where_a_case_has_it() -> None:
    study = small_study(
        cases=[RATE, {**RATE, "label": "noise", "surrogate": {}}],
        reference="rate",
        sweep={"surrogate.T_s": [50, 100]},
    )
    assert [(p.label, p.sweep) for p in study.points()] == [
        ("rate", ()),
        ("noise", (("surrogate.T_s", 50),)),
        ("noise", (("surrogate.T_s", 100),)),
    ]


def test_efficiency_counts_what_a_sample_costs() -> None:
    table = efficiency.numbers(None, "digits", epochs=1)
    values = table.set_index(["quantity", "of"])["value"]
    forward = values["forward spikes a sample"]
    assert list(forward.index) == ["input", "hidden 1", "output"]
    # The label line has 0.5 spikes per slot, of which some have no effect before the end.
    assert 20 < forward["output"] <= 26
    coincidences = values["coincidences a weight and sample"]
    # At most, every gradient spike meets all lines in a slot with forward spikes.
    most = values["gradient spikes a sample"]["hidden 1"] / 256
    assert 0 < coincidences["crossbar 1"] < most
    curve = values["test accuracy after slot"]
    assert len(curve) == 65
    assert curve[1] < 20
    assert curve[65] > 80
    assert efficiency.draw(table).axes


def test_the_last_decision_is_that_of_inference() -> None:
    spec = NetworkSpec(hidden=(9,), T=40, inhibition=InhibitionSpec(clocked=True))
    shown = presentations(30)
    of = spec, rate_synapses(1.0), TrainingSpec()
    with make_network(*of, initial=list(some_weights())) as network:
        leading = efficiency.decisions(network, shown.rates, np.random.default_rng(1))
        counts = network.infer(shown.rates, np.random.default_rng(1)).output_counts
    np.testing.assert_array_equal(leading[:, -1], counts.argmax(axis=1))
    assert len(np.unique(leading[:, -1])) > 1
    assert (leading[:, 0] != leading[:, -1]).any()


@pytest.mark.slow
def test_temporal_bias_falls_with_T_under_the_remedies_and_not_without() -> None:
    table = temporal_bias.numbers(("default", "literal"), (50, 400), trials=300)
    assert len(table) == 2 * 2 * 2 * 2
    at = table.set_index(["reading", "update", "crossbar", "T"])["bias"]
    for crossbar in (1, 2):
        assert at["default", "rate", crossbar, 400] < 0.8 * at["default", "rate", crossbar, 50]
        assert at["literal", "rate", crossbar, 400] > 2 * at["default", "rate", crossbar, 400]
    np.testing.assert_allclose(table["spread"], table["noise"] * np.sqrt(300))
    assert len(temporal_bias.draw(table).axes) == 2
