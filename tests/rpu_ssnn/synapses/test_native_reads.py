"""Compares the disturbance of devices by reads, and their noise in reads, with closed forms."""

from dataclasses import replace

import numpy as np
import pytest

from device_presets import get_preset
from rpu_ssnn.network import Network
from rpu_ssnn.spec import NetworkSpec, TrainingSpec, connect
from rpu_ssnn.synapses.device_synapses import device_synapses
from rpu_ssnn.synapses.native.synapses import NativeSynapses
from support.commands import refused
from support.rpu_ssnn.native_devices import SCALE, native, native_spec, on_lines, pulse
from support.rpu_ssnn.networks import make_block, make_crossbar, random_trains

BATCH_S = 10 * 50 * 5e-7
STEP = 0.002
IDEAL = get_preset("ideal", {"levels": 1000})


def moved(synapses: NativeSynapses, *lines: list[int]) -> np.ndarray:
    """Returns the change of each weight, in states, over 500 slots in which those lines spike."""
    return pulse(synapses, on_lines(500, *lines))


# --- read disturb -------------------------------------------------------------------------------


def test_forward_and_transposed_reads_disturb_the_lines_that_spike() -> None:
    disturb = {"forward_up": 0.01, "transposed_down": 0.02}
    synapses = native(IDEAL, read_disturb=disturb)
    expected = np.zeros((20, 8))
    expected[3] += 0.01 * 500 * STEP
    np.testing.assert_allclose(moved(synapses, [3], [], []), expected, atol=2e-6)
    expected[3] = 0.0
    expected[:, [2, 5]] = -0.02 * 500 * STEP
    np.testing.assert_allclose(moved(synapses, [], [2], [5]), expected, atol=2e-6)
    steps = 0.01 * 500 / 20 + 0.02 * 500 * 2 / 8
    assert synapses.statistics()["read_disturb_steps"] == pytest.approx(steps)
    assert synapses.pulses.sum() == 0


def test_thinned_spikes_are_read_all_the_same() -> None:
    tile = {"read_disturb": {"transposed_up": 0.01}, "half_select": {"gradient": 0.01}}
    synapses = native(IDEAL, rate=0.25 * STEP * SCALE * 10 * 50, **tile)
    assert synapses.keep == pytest.approx(0.25)
    moved(synapses, [], [2], [])
    statistics = synapses.statistics()
    assert statistics["read_disturb_steps"] == pytest.approx(0.01 * 500 / 8)
    assert statistics["disturb_steps"] == pytest.approx(0.25 * 0.01 * 500 / 8, rel=0.2)


def test_reads_of_training_disturb_and_those_of_inference_do_not() -> None:
    """No gradient is read through the first crossbar, so only forward spikes disturb it."""
    spec = native_spec(read_disturb={"transposed_up": 0.01, "forward_up": 0.01})
    training, make = TrainingSpec(batch=4), device_synapses(IDEAL, spec, 0.0)
    sizes, rates = (8, 6, 2), np.full((4, 8), 0.4, np.float32)
    layers = connect((6,), 8, 2)
    seed, rng = np.random.SeedSequence(0), np.random.default_rng(0)
    with Network(NetworkSpec(hidden=(6,), T=40), training, layers, make, seed) as network:
        shown = network.train_batch(rates, np.arange(4) % 2, rng)
        first, second = (each.statistics()["read_disturb_steps"] for each in network.synapses)
        forward = [0.01 * shown.spikes[:, layer].sum() / sizes[layer] for layer in (0, 1)]
        transposed = 0.01 * shown.gradient_spikes[:, 2].sum() / sizes[2]
        assert first == pytest.approx(forward[0])
        assert second == pytest.approx(forward[1] + transposed)
        assert transposed > 0.0
        before = [np.array(each.linear_read()) for each in network.synapses]
        network.infer(rates, rng)
        for each, old in zip(network.synapses, before, strict=True):
            np.testing.assert_array_equal(each.linear_read(), old)


def test_reads_that_come_before_their_pulses_cannot_disturb() -> None:
    device, delayed = get_preset("charge_trap"), replace(make_crossbar(), delay=3)
    with refused("network", "gradient.delay", "not when they are read"):
        native(device, delayed, read_disturb={"forward_up": 0.1})
    native(device, delayed, half_select={"forward_up": 0.1})


@pytest.mark.parametrize("name", ["half_select", "read_disturb"])
def test_devices_with_memory_cannot_be_disturbed(name: str) -> None:
    with refused("tile", name, "remembers its pulses"):
        native(get_preset("charge_trap_pulsed"), **{name: {"forward_up": 0.1}})


# --- white noise of devices ---------------------------------------------------------------------


def noisy(side: int = 20, batch: int = 10, **tile: object) -> NativeSynapses:
    return native(IDEAL, replace(make_crossbar(side, 8), batch=batch), **tile)


@pytest.mark.parametrize("transposed", [False, True])
def test_white_noise_of_lines_that_spike_adds_up_in_squares(transposed: bool) -> None:
    """With the nominal range of 2 states a device has a deviation of 0.02, which a single line
    sees."""
    synapses = noisy(device_read_noise={"white_of_range": 0.01})
    assert synapses.linear_read() is None
    weights = synapses.weights().T if transposed else synapses.weights()
    for active in (1, 5):
        lines = np.zeros((4000, len(weights)), np.float32)
        lines[:, :active] = np.where(transposed & np.arange(active) % 2, -1, 1)
        error = synapses.currents(lines, transposed) - lines @ weights
        expected = 0.02 * SCALE * np.sqrt(active)
        assert error.std() == pytest.approx(expected, rel=0.02)
        assert abs(error.mean()) < 4 * expected / np.sqrt(error.size)
        assert abs(np.corrcoef(error[:, 0], error[:, 1])[0, 1]) < 0.06


def test_device_noise_and_output_noise_are_independent() -> None:
    synapses = noisy(reads={"read_noise": 0.03}, device_read_noise={"white_of_range": 0.02})
    lines = np.ones((4000, 20), np.float32)
    error = synapses.currents(lines) - lines @ synapses.weights()
    assert error.std() == pytest.approx(np.hypot(0.03, 0.04 * np.sqrt(20)), rel=0.02)


@pytest.mark.parametrize("ratio", [None, 4.0])
@pytest.mark.parametrize("transposed", [False, True])
def test_white_noise_grows_with_the_conductance(ratio: float | None, transposed: bool) -> None:
    """The conductance is G/G_max = 1/R + (1 - 1/R) (w + 1) / 2, and as a weight it is 2 G / G_max
    of the range, whatever R is."""
    reference = {"on_off_ratio": ratio}
    synapses = noisy(reference=reference, device_read_noise={"white_of_current": 0.05})
    off = 1.0 / ratio if ratio else 0.0
    window = SCALE * (1.0 - off)
    conductance = off + (1.0 - off) * (synapses.weights() / window + 1.0) / 2.0
    assert conductance.max() > 1.5 * conductance.min()
    weights = synapses.weights()
    if transposed:
        weights, conductance = weights.T, conductance.T
    lines = np.zeros((4000, len(weights)), np.float32)
    lines[:, [1, 4]] = 1
    error = synapses.currents(lines, transposed) - lines @ weights
    expected = np.hypot(conductance[1], conductance[4])
    np.testing.assert_allclose(error.std(axis=0), 0.05 * 2.0 * SCALE * expected, rtol=0.05)


def test_noises_of_range_and_of_current_add_in_squares_in_both_devices_of_a_pair() -> None:
    noise = {"white_of_range": 0.02, "white_of_current": 0.1}
    synapses = noisy(reference={"scheme": "differential_pair"}, device_read_noise=noise)
    up, down = (state[3] + 1.0 for state in synapses.states())
    lines = np.zeros((4000, 20), np.float32)
    lines[:, 3] = 1
    error = synapses.currents(lines) - lines @ synapses.weights()
    expected = np.sqrt(2 * 0.04**2 + 0.1**2 * (up**2 + down**2)) / 2.0
    np.testing.assert_allclose(error.std(axis=0), expected, rtol=0.05)


# --- slow noise of devices ----------------------------------------------------------------------


def errors(synapses: NativeSynapses) -> np.ndarray:
    """Returns the difference between reads and weights, in states [devices]."""
    read = synapses.linear_read()
    error: np.ndarray = ((read - synapses.weights()) / SCALE).ravel()
    return error


@pytest.mark.parametrize("levels", ["many", "two"])
def test_slow_noise_is_stationary_and_its_correlation_is_exponential(levels: str) -> None:
    slow = {"slow_of_range": 0.01, "slow_time_s": 4 * BATCH_S, "slow_levels": levels}
    synapses = noisy(2000, device_read_noise=slow)
    seen = [errors(synapses)]
    for _ in range(6):
        synapses.end_batch()
        seen.append(errors(synapses))
    synapses.rest(8 * BATCH_S)
    seen.append(errors(synapses))
    for k in (0, 6):
        assert seen[k].std() == pytest.approx(0.02, rel=0.03)
        assert abs(seen[k].mean()) < 4 * 0.02 / np.sqrt(16000)
    if levels == "two":
        np.testing.assert_allclose(np.abs(seen[3]), 0.02, rtol=1e-3)
    for a, b, batches in ((0, 1, 1), (1, 5, 4), (2, 6, 4), (6, 7, 8)):
        r = np.corrcoef(seen[a], seen[b])[0, 1]
        assert r == pytest.approx(np.exp(-batches / 4), abs=4 / np.sqrt(16000))


def test_slow_noise_is_frozen_within_a_batch_and_leaves_the_states_alone() -> None:
    synapses = noisy(device_read_noise={"slow_of_range": 0.01, "slow_time_s": 1.0})
    quiet = noisy()
    block = make_block(*random_trains(300))
    before = errors(synapses)
    for each in (synapses, quiet):
        pulse(each, block)
    np.testing.assert_allclose(errors(synapses), before, atol=1e-6)
    synapses.end_batch()
    assert np.abs(errors(synapses) - before).max() > 1e-5
    np.testing.assert_array_equal(synapses.weights(), quiet.weights())


def test_slow_noise_is_the_same_for_calls_and_products() -> None:
    slow = {"slow_of_range": 0.01}
    by_product, by_call = noisy(device_read_noise=slow), noisy(device_read_noise=slow, reads={})
    lines = np.eye(20, dtype=np.float32)
    read = by_product.linear_read()
    np.testing.assert_allclose(by_call.currents(lines), read, atol=1e-6)
    turned = by_call.currents(np.eye(8, dtype=np.float32), transposed=True)
    np.testing.assert_allclose(turned, read.T, atol=1e-6)


def test_slow_noise_of_current_follows_the_states() -> None:
    slow = {"slow_of_current": 0.05, "slow_levels": "two"}
    synapses = noisy(reference={"on_off_ratio": 4.0}, device_read_noise=slow)
    for _ in range(2):
        states = synapses.states()[0]
        spread = np.abs(errors(synapses)).reshape(20, 8) / (1.0 - 0.25)  # The window is smaller.
        np.testing.assert_allclose(spread, 0.05 * (states + 5.0 / 3.0), rtol=1e-3)
        moved(synapses, [3], [2], [5])


def test_resistive_lines_weaken_slow_noise_as_they_do_currents() -> None:
    lines = {"ohm_per_cell": 100.0, "on_resistance": 1e5, "voltage_constant": 0.1}
    slow = {"slow_of_range": 0.01}
    weak = errors(noisy(device_read_noise=slow, lines=lines)).reshape(20, 8)
    full = errors(noisy(device_read_noise=slow)).reshape(20, 8)
    share = weak / full
    assert share[-1, 0] > share[0, -1] > 0.1
    assert share.max() < 1.0


def test_few_changes_do_not_hide_slow_noise_from_reads() -> None:
    for slow, enough in ((0.0, True), (0.01, False)):
        synapses = noisy(device_read_noise={"slow_of_range": slow})
        synapses.linear_read()
        seen = synapses.changes
        pulse(synapses, on_lines(1, [3], [2], []))
        into = np.zeros((20, 8), "f4"), np.zeros((8, 20), "f4")
        assert synapses.write_changes(seen, *into) is enough
