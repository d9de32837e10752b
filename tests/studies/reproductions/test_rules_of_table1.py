"""Compares BP-STDP and conversion with their rules written out in full, and trains them."""

from typing import Any

import numpy as np
import pytest

from rpu_ssnn.baselines.ann import AnnSpec
from rpu_ssnn.data import Dataset, load_dataset
from rpu_ssnn.spec import EncodingSpec, InhibitionSpec, NetworkSpec, NeuronSpec, TrainingSpec
from rpu_ssnn.synapses import rate_synapses
from studies.declaration.update_rules.loading import rule_class
from studies.reproductions.training.bp_stdp import WINDOW, train_bp_stdp, weight_steps
from studies.reproductions.training.conversion import balanced, train_and_convert
from support.commands import refused
from support.rpu_ssnn.equations import SIZES, presentations, some_weights
from support.rpu_ssnn.networks import KeptStates, with_first
from support.rpu_ssnn.passes import make_network

FLAT = EncodingSpec(front_loading=0.0)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset("digits", n_train=None, n_test=None, validation_share=0.1, seed=0)


def test_the_rule_is_equations_of_its_paper_window_by_window() -> None:
    rng = np.random.default_rng(0)
    windows = [rng.poisson(0.6, (3, 5, n)).astype(np.float32) for n in SIZES]
    labels, theta = np.array([2, 0, 2]), 5.0
    weights = list(some_weights())
    w1, w2 = np.zeros(weights[0].shape), np.zeros(weights[1].shape)
    for b in range(3):
        for t in range(5):
            x, h, y = (w[b, t] for w in windows)
            xi = np.zeros(4)
            for j in range(4):
                if j == labels[b]:
                    xi[j] = 1.0 if y[j] == 0 else 0.0
                else:
                    xi[j] = -1.0 if y[j] > 0 else 0.0
            for i in range(9):
                hidden = sum(xi[j] * weights[1][i, j] / theta for j in range(4)) * (h[i] > 0)
                w2[i] += xi * h[i]
                w1[:, i] += hidden * x
    steps = weight_steps(windows, weights, labels, theta)
    np.testing.assert_allclose(steps[0], w1, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(steps[1], w2, rtol=1e-5, atol=1e-4)
    assert np.abs(w1).max() > 1


def test_windows_hold_every_spike_once() -> None:
    spec, shown = NetworkSpec(hidden=(9,), T=42), presentations(1)
    of = spec, rate_synapses(1.0), TrainingSpec()
    with make_network(*of, initial=list(some_weights())) as network:
        counts = network.spike_counts(shown.rates, np.random.default_rng(1), WINDOW)
        seen = network.infer(shown.rates, np.random.default_rng(1))
    assert counts.shape == (1, -(-spec.slots // WINDOW), sum(SIZES))
    assert counts.max() <= WINDOW
    edges = np.cumsum(SIZES)[:-1]
    by_layer = [part.sum() for part in np.split(counts, edges, axis=2)]
    np.testing.assert_array_equal(by_layer, seen.spikes[0])
    np.testing.assert_array_equal(counts[0, :, edges[-1] :].sum(axis=0), seen.output_counts[0])


def test_bp_stdp_learns_digits(digits: Dataset) -> None:
    neuron = NeuronSpec(reset="zero", kernel_fraction=0.02)
    spec = NetworkSpec(hidden=(64,), encoding=FLAT, neuron=neuron)
    with train_bp_stdp(spec, TrainingSpec(epochs=6), 0.02, digits, seed=0) as trained:
        assert trained.accuracy(digits.test_images, digits.test_labels) > 0.85
        assert trained.epochs[-1].train_accuracy > 0.85


def test_bp_stdp_goes_on_where_it_was(digits: Dataset) -> None:
    few = with_first(digits, 200)
    spec, training = NetworkSpec(hidden=(16,), encoding=FLAT), TrainingSpec(epochs=3)
    states = KeptStates()
    with train_bp_stdp(spec, training, 0.02, few, seed=0, on_epoch=states) as whole:
        with train_bp_stdp(spec, training, 0.02, few, seed=0, start=states[0]) as again:
            for one, two in zip(whole.network.synapses, again.network.synapses, strict=True):
                np.testing.assert_array_equal(one.linear_read(), two.linear_read())
        assert [row.epoch for row in again.epochs] == [0, 1, 2]


@pytest.mark.parametrize(
    ("network", "training", "field"),
    [
        ({"inference_T": 100}, {}, "network.inference_T"),
        ({"inhibition": InhibitionSpec(strength=0.1, passes=1)}, {}, "network.inhibition.passes"),
        ({}, {"dropout_input": 0.1}, "training.dropout_input"),
    ],
)
def test_bp_stdp_refuses_other_slots_and_outputs_and_dropout(
    network: dict[str, Any], training: dict[str, Any], field: str
) -> None:
    rule = rule_class("bp_stdp")(update="bp_stdp")
    with refused("study", field, "BP-STDP"):
        rule.prepared(NetworkSpec(**network), TrainingSpec(**training))


def test_balanced_weights_bring_the_largest_activation_to_one_spike_a_slot() -> None:
    rng = np.random.default_rng(0)
    weights = [rng.normal(0.2, 1.0, s).astype(np.float32) for s in ((12, 9), (9, 4))]
    shares, spec = rng.random((50, 12)).astype(np.float32), NetworkSpec()
    rates, activity = shares * spec.encoding.input_rate, shares
    for w, v in zip(weights, balanced(weights, shares, spec, 100.0), strict=True):
        rates, activity = np.maximum(rates @ v / 5.0, 0), np.maximum(activity @ w, 0)
        assert rates.max() == pytest.approx(1.0, rel=1e-5)
        np.testing.assert_allclose(rates * activity.max(), activity, rtol=1e-4, atol=1e-4)


def test_layers_that_are_never_active_keep_finite_weights() -> None:
    weights = [-np.ones((3, 2), np.float32), np.ones((2, 2), np.float32)]
    for balance in balanced(weights, np.ones((4, 3), np.float32), NetworkSpec(), 100.0):
        assert np.isfinite(balance).all()


def test_a_percentile_of_silent_neurons_is_refused() -> None:
    shares = np.array([[1.0, 0.0], [0.5, 0.0]], dtype=np.float32)
    weights = [np.array([[1.0, -1.0, -1.0], [0.0, 0.0, 0.0]], dtype=np.float32)]
    with refused("conversion", "percentile", "60.0", "must be larger", "layer 1"):
        balanced(weights, shares, NetworkSpec(), 60.0)
    assert np.isfinite(balanced(weights, shares, NetworkSpec(), 100.0)[0]).all()


def test_a_converted_network_answers_nearly_as_its_float_network(digits: Dataset) -> None:
    spec = NetworkSpec(hidden=(64,), T=200, encoding=FLAT, neuron=NeuronSpec(kernel_fraction=0.01))
    ann = AnnSpec(epochs=10)
    with train_and_convert(spec, ann, digits, seed=0) as converted:
        spiking = converted.accuracy(digits.test_images, digits.test_labels)
    assert spiking > 0.93
