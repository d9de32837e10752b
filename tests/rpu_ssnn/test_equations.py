"""Compares the compiled pass with the paper's equations, spike by spike."""

import numpy as np
import pytest

from rpu_ssnn.spec import GradientSpec, InhibitionSpec, NetworkSpec, NeuronSpec
from support.rpu_ssnn.equations import (
    Trace,
    coupled,
    eps_response,
    inhibited,
    integrate_and_fire,
    separate,
    some_weights,
    winner_takes_all,
)


@pytest.mark.parametrize("reset", ["subtract", "zero"])
@pytest.mark.parametrize("kernel_fraction", [0.02, 0.1, 0.4])
def test_forward_pass_is_eq_1_written_as_convolutions(kernel_fraction: float, reset: str) -> None:
    neuron = NeuronSpec(kernel_fraction=kernel_fraction, reset=reset)  # type: ignore[arg-type]
    spec, (w1, w2) = NetworkSpec(hidden=(9,), T=60, neuron=neuron), some_weights()
    trace = Trace(spec, (w1, w2))
    tau, theta = spec.tau, neuron.theta
    hidden = eps_response(trace.trains[0] @ w1, tau)
    output = eps_response(trace.trains[1] @ w2, tau)
    assert trace.trains[1].sum() > 20
    start = trace.start
    for part, driven, train in ((slice(9), hidden, 1), (slice(9, None), output, 2)):
        fired = integrate_and_fire(start[part], driven, theta, reset)
        np.testing.assert_array_equal(trace.trains[train], fired)


@pytest.mark.parametrize("kernel_fraction", [0.02, 0.1])
def test_label_relays_are_two_unit_gain_neurons(kernel_fraction: float) -> None:
    neuron = NeuronSpec(kernel_fraction=kernel_fraction)
    spec = NetworkSpec(hidden=(9,), T=60, neuron=neuron)
    trace = Trace(spec, some_weights())
    label = np.array(trace.label_train, float)[:, None]
    assert 15 < label.sum() < 45
    assert label[spec.T :].sum() == 0
    for start in trace.relay_start:
        label = integrate_and_fire(
            np.array([start]), eps_response(neuron.theta * label, spec.tau), neuron.theta
        )
    np.testing.assert_array_equal(trace.label_at_output, label)


@pytest.mark.parametrize("branches", ["coupled", "floored", "unbounded"])
def test_gradient_streams_are_eq_4_to_7_written_as_convolutions(branches: str) -> None:
    switch = "hold" if branches == "coupled" else "first_spike"
    gradient = GradientSpec(branches=branches, switch=switch)  # type: ignore[arg-type]
    neuron = NeuronSpec(theta_b=0.5)
    spec = NetworkSpec(hidden=(9,), T=60, gradient=gradient, neuron=neuron)
    w1, w2 = some_weights()
    trace = Trace(spec, (w1, w2))
    label = np.zeros_like(trace.trains[2])
    label[:, trace.label] = trace.label_at_output[:, 0]
    always = np.ones((spec.slots, 4), bool)
    opened = np.cumsum(trace.trains[1], axis=0) > 0
    error = eps_response(label - trace.trains[2], spec.tau)
    back = eps_response((trace.up[2] - trace.down[2]) @ w2.T, spec.tau)
    for layer, drive, is_open, theta, place in (
        (2, error, always, neuron.theta_n, slice(9, 13)),
        (1, back, opened, neuron.theta_b, slice(0, 9)),
    ):
        up, down = trace.up[layer], trace.down[layer]
        assert up.sum() > 5
        assert down.sum() > 5
        if branches == "coupled":
            net = coupled(trace.positive_start[place], drive, theta, is_open)
            np.testing.assert_array_equal(up - down, net)
            assert not np.any(up * down)
            continue
        floored = branches == "floored"
        for stream, start, sign in (
            (up, trace.positive_start, 1),
            (down, trace.negative_start, -1),
        ):
            expected = separate(start[place], sign * drive, theta, is_open, floored)
            np.testing.assert_array_equal(stream, expected)


def test_inhibition_in_the_time_loop_lowers_the_other_outputs() -> None:
    spec = NetworkSpec(hidden=(9,), T=60, inhibition=InhibitionSpec(strength=0.3))
    w1, w2 = some_weights()
    trace = Trace(spec, (w1, w2))
    drive = eps_response(trace.trains[1] @ w2, spec.tau)
    expected = inhibited(trace.start[9:], drive, spec.neuron.theta, 0.3)
    assert expected.sum() > 10
    np.testing.assert_array_equal(trace.trains[2], expected)
    free = integrate_and_fire(trace.start[9:], drive, spec.neuron.theta)
    assert expected.sum() < free.sum()


def test_clocked_inhibition_lets_the_highest_membrane_spike_once_a_label_spike() -> None:
    spec = NetworkSpec(hidden=(9,), T=200, inhibition=InhibitionSpec(clocked=True))
    w1, w2 = some_weights()
    trace = Trace(spec, (w1, w2))
    clock = trace.label_at_output[:, 0]
    drive = eps_response(trace.trains[1] @ w2, spec.tau)
    expected = winner_takes_all(trace.start[9:], drive, spec.neuron.theta, clock)
    np.testing.assert_array_equal(trace.trains[2], expected)
    np.testing.assert_array_equal(trace.trains[2].sum(axis=1), clock)
    assert 80 < clock.sum() < 120
    assert (trace.trains[2].sum(axis=0) > 0).sum() > 1


def test_inhibition_passes_are_eq_2_iterated() -> None:
    spec = NetworkSpec(hidden=(9,), T=60, inhibition=InhibitionSpec(strength=0.05, passes=2))
    trace = Trace(spec, some_weights())
    theta = spec.neuron.theta
    for phase in (3, 4):
        before = trace.trains[phase - 1]
        others = before.sum(axis=1, keepdims=True) - before
        drive = eps_response(theta * (before - 0.05 * others), spec.tau)
        start = trace.start[9 + 4 * (phase - 2) : 13 + 4 * (phase - 2)]
        np.testing.assert_array_equal(trace.trains[phase], integrate_and_fire(start, drive, theta))
    assert trace.trains[4].sum() > 5
