"""Tests the contract that all synapses of `support.rpu_ssnn.implementations` fulfil."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from device_presets import get_preset
from rpu_ssnn.spec import SurrogateSpec
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses import (
    CoincidenceSynapses,
    RateSynapses,
    Synapses,
    coincidence_synapses,
    rate_synapses,
)
from rpu_ssnn.synapses.device_synapses import device_synapses
from support.commands import refused
from support.rpu_ssnn.exact_tiles import STEP
from support.rpu_ssnn.implementations import IMPLEMENTATIONS
from support.rpu_ssnn.networks import make_block, make_crossbar, random_trains


@pytest.fixture(params=IMPLEMENTATIONS)
def synapses(request: pytest.FixtureRequest) -> Synapses:
    return IMPLEMENTATIONS[request.param](make_crossbar())


def identity_read(synapses: Synapses) -> np.ndarray:
    """Returns the weights as seen by forward reads of one line at a time."""
    return synapses.currents(np.eye(synapses.shape[0], dtype=np.float32))


def test_starts_at_the_initial_weights(synapses: Synapses) -> None:
    assert synapses.shape == (20, 8)
    np.testing.assert_allclose(identity_read(synapses), make_crossbar().initial, atol=STEP)


def test_forward_and_transposed_reads_are_of_one_matrix(synapses: Synapses) -> None:
    weights = identity_read(synapses)
    rng = np.random.default_rng(0)
    spikes = (rng.random((5, 20)) < 0.3).astype(np.float32)
    net = rng.integers(-1, 2, (6, 8)).astype(np.float32)
    np.testing.assert_allclose(synapses.currents(spikes), spikes @ weights, atol=1e-5)
    np.testing.assert_allclose(synapses.currents(net, transposed=True), net @ weights.T, atol=1e-5)
    linear = synapses.linear_read()
    if linear is not None:
        np.testing.assert_allclose(linear, weights, atol=1e-5)


def test_coincidences_move_weights_the_right_way(synapses: Synapses) -> None:
    """They move up with the positive stream, down with the negative, and not without
    coincidences."""
    before = identity_read(synapses).copy()
    pre, positive, negative = (np.zeros((40, n), bool) for n in (20, 8, 8))
    pre[:, 2], positive[:, 3], negative[:, 5] = True, True, True
    changes = synapses.changes
    synapses.update(make_block(pre, positive, negative))
    synapses.commit(range(1))
    synapses.end_batch()
    assert synapses.changes > changes
    moved = identity_read(synapses) - before
    assert moved[2, 3] > 10 * STEP * 0.1
    np.testing.assert_allclose(moved[2, 5], -moved[2, 3], rtol=1e-4)
    moved[2, [3, 5]] = 0.0
    np.testing.assert_allclose(moved, 0.0, atol=1e-6)


def test_step_scale_scales_what_follows(synapses: Synapses) -> None:
    pre, positive, negative = random_trains(400)
    negative[:] = False

    def mean_move(scale: float) -> float:
        synapses.set_step_scale(scale)
        before = identity_read(synapses).copy()
        synapses.update(make_block(pre, positive, negative))
        synapses.commit(range(1))
        return float((identity_read(synapses) - before).mean())

    full, small = mean_move(1.0), mean_move(1e-9)
    assert full > 0
    assert abs(small) < 0.05 * full


def test_reads_see_pulses_from_the_commit_on(synapses: Synapses) -> None:
    """This also holds if reads are calls within a batch, between two groups of presentations."""
    if synapses.linear_read() is not None:
        return  # The network reads a copy.
    before = identity_read(synapses)
    synapses.update(make_block(*random_trains(50)))
    synapses.settle()
    np.testing.assert_array_equal(identity_read(synapses), before)
    synapses.commit(range(1))
    assert np.abs(identity_read(synapses) - before).max() > STEP


def test_a_restored_state_knows_nothing_of_an_interrupted_batch(synapses: Synapses) -> None:
    before, state = identity_read(synapses), synapses.state()
    synapses.update(make_block(*random_trains(50)))
    synapses.restore(state)
    synapses.commit(range(1))
    np.testing.assert_allclose(identity_read(synapses), before, rtol=0, atol=1e-7)


@pytest.mark.parametrize("rate", [-1.0, np.nan, np.inf, "4"])
def test_a_rate_by_which_nothing_can_be_thinned(rate: Any) -> None:
    ideal, native = get_preset("ideal"), TileSpec(simulator="native")
    for factory in (
        rate_synapses(rate), coincidence_synapses(rate),
        device_synapses(ideal, TileSpec(), rate), device_synapses(ideal, native, rate),
    ):  # fmt: skip
        with refused("synapses", "learning_rate", f"{rate}", "finite number, 0 or above"):
            factory(make_crossbar())


@pytest.mark.parametrize("simulator", ["aihwkit", "native"])
@pytest.mark.parametrize("seconds", [-1.0, np.nan])
def test_time_does_not_go_back(simulator: Any, seconds: float) -> None:
    tile = TileSpec(simulator=simulator)
    synapses = device_synapses(get_preset("capacitor"), tile, 1.0)(make_crossbar())
    with refused("synapses", "seconds", f"{seconds}", "finite number, 0 or above"):
        synapses.rest(seconds)


# --- ideal ------------------------------------------------------------------------------------


def test_eq_10_is_the_sum_of_coincidences() -> None:
    crossbar = make_crossbar(T=50, batch=10)
    synapses = CoincidenceSynapses(crossbar, learning_rate=0.3)
    pre, positive, negative = random_trains(500)
    synapses.update(make_block(pre, positive, negative))
    synapses.commit(range(10))
    expected = pre.T.astype(int) @ (positive.astype(int) - negative)
    change = synapses.linear_read() - crossbar.initial
    np.testing.assert_allclose(change, 0.3 / (10 * 50) * expected, atol=1e-6)


def test_eq_9_is_the_product_of_rates() -> None:
    crossbar = make_crossbar(T=50, batch=10)
    synapses = RateSynapses(crossbar, learning_rate=0.3)
    pre, positive, negative = random_trains(500)
    sample = np.repeat(np.arange(10), 50)
    synapses.update(make_block(pre, positive, negative, sample))
    synapses.commit(range(10))
    x = pre.reshape(10, 50, 20).sum(axis=1)
    delta = positive.reshape(10, 50, 8).sum(axis=1) - negative.reshape(10, 50, 8).sum(axis=1)
    np.testing.assert_allclose(
        synapses.linear_read() - crossbar.initial, 0.3 / 10 * (x / 50).T @ (delta / 50), atol=1e-6
    )


@pytest.mark.parametrize("T_s", [25.0, 400.0])
def test_surrogate_noise_has_the_size_of_the_coincidences_it_stands_for(T_s: float) -> None:
    """Over many draws with the same trains, Eq. 9 with noise spreads as Eq. 10 does over redrawn
    trains."""
    rates = np.array([0.1, 0.4]), np.array([0.0, 0.2, 0.5])
    draws, noisy = 2000, []
    crossbar = make_crossbar(2, 3, batch=1, T=100)
    crossbar.initial[:] = 0.0
    for seed in range(draws):
        synapses = RateSynapses(replace(crossbar, seed=seed), 1.0, SurrogateSpec(T_s=T_s))
        pre, post = (np.arange(100)[:, None] < 100 * r[None, :] for r in rates)
        synapses.update(make_block(pre, post, np.zeros_like(post)))
        synapses.commit(range(1))
        noisy.append(synapses.linear_read())
    product = np.outer(*rates)
    np.testing.assert_allclose(np.mean(noisy, axis=0), product, atol=5 * 0.5 / np.sqrt(T_s * draws))
    spread = np.sqrt(product * (1 - product) / T_s)
    np.testing.assert_allclose(np.std(noisy, axis=0), spread, rtol=0.06)
    assert np.ptp(np.array(noisy)[:, :, 0]) == 0.0, "a zero product gets no noise"
