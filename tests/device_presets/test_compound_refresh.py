"""Tests when pairs of devices that move one way only are refreshed, and what is then written."""

import numpy as np
import pytest

from device_presets import get_device
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses.tiles.synapses import TileSynapses
from support.device_presets.compounds import ONE_SIDED, hidden
from support.rpu_ssnn.native_devices import all_at
from support.rpu_ssnn.networks import deliver, make_block, make_crossbar


def together(synapses: TileSynapses, slots: int) -> None:
    """Sends both devices of every pair a pulse per slot, as lines of both streams spike at once."""
    pre, post = np.ones((slots, 20), bool), np.ones((slots, 8), bool)
    deliver(synapses, make_block(pre, post, post))


def one_sided(**settings: float) -> TileSynapses:
    """Returns pairs of noiseless devices with a step of 1/64 that all start at 0."""
    device = get_device("one_sided_pair(pcm)", ONE_SIDED | {"step": 2.0**-6} | settings)
    crossbar = all_at(0.0)
    return TileSynapses(crossbar, device, TileSpec(weight_range=4.0), 1e6)


@pytest.mark.parametrize(("slots", "checks", "refreshed"), [(29, 0, 0), (30, 1, 0), (60, 2, 1)])
def test_refresh_is_counted_as_its_thresholds_say(slots: int, checks: int, refreshed: int) -> None:
    """Each slot has one row per stream, so 60 slots make 60 of the 64 steps up to w_max."""
    synapses = one_sided(refresh_every=60)
    together(synapses, slots)
    statistics = synapses.statistics()
    assert statistics["refresh_checks_total"] == checks
    assert statistics["refreshed_weights_total"] == refreshed * 20 * 8
    assert hidden(synapses, "hidden_weights_0").max() < (0.1 if refreshed else 1.0)


@pytest.mark.parametrize(("upper", "lower"), [(0.95, 0.25), (0.75, 0.95)])
def test_a_pair_below_either_threshold_is_left_alone(upper: float, lower: float) -> None:
    thresholds = {"refresh_upper_threshold": upper, "refresh_lower_threshold": lower}
    synapses = one_sided(refresh_every=60, **thresholds)
    together(synapses, 60)
    assert synapses.statistics()["refreshed_weights_total"] == 0
    np.testing.assert_allclose(hidden(synapses, "hidden_weights_0"), 60 / 64, atol=1e-6)


@pytest.mark.parametrize(("pulses", "steps"), [(0, 20), (31, 20), (4, 4)])
def test_a_refresh_writes_the_difference_in_so_many_pulses_at_most(pulses: int, steps: int) -> None:
    """60 steps up and 40 down leave a difference of 20 steps, written after a noisy reset."""
    synapses = one_sided(refresh_every=100, rewrite_pulses=pulses)
    pre, post = np.ones((60, 20), bool), np.ones((60, 8), bool)
    down = np.arange(60)[:, None] < 40
    deliver(synapses, make_block(pre, post, down & post))
    statistics = synapses.statistics()
    assert statistics["refreshed_weights_total"] == 20 * 8
    # aihwkit's own scatter of a reset is 0.01, cut off below state 0.
    difference = hidden(synapses, "hidden_weights_1") - hidden(synapses, "hidden_weights_0")
    np.testing.assert_allclose(difference.mean(), steps / 64, atol=0.005)


@pytest.mark.parametrize(("transfers", "refreshed"), [(1, True), (1000, False)])
def test_a_pair_behind_a_sum_is_refreshed_by_its_transfers(transfers: int, refreshed: bool) -> None:
    """There are 60 of 64 steps up, then 40 down, ten at once; a refresh resets 20 of these 40."""
    settings = {"transfer_every": 10, "refresh_every": transfers, "rewrite_pulses": 0}
    device = get_device("mixed_precision_pair(pcm)", ONE_SIDED | {"step": 2.0**-6} | settings)
    crossbar = all_at(0.0)
    a_step_each = 2.0**-6 * crossbar.batch * crossbar.T
    synapses = TileSynapses(crossbar, device, TileSpec(weight_range=4.0), a_step_each)
    pre, post = np.ones((60, 20), bool), np.ones((60, 8), bool)
    deliver(synapses, make_block(pre, post, ~post))
    deliver(synapses, make_block(pre[:40], ~post[:40], post[:40]))
    down, up, waiting = (hidden(synapses, f"hidden_weights_{n}").mean() for n in (0, 1, "chi"))
    # aihwkit's own scatter of a reset is 0.01, cut off below state 0.
    assert up - down - waiting == pytest.approx(20 / 64, abs=0.01)
    assert (down < 22 / 64) == refreshed
    assert (up < 50 / 64) == refreshed


def test_a_restored_tile_refreshes_where_the_other_does() -> None:
    one, other = one_sided(refresh_every=60), one_sided(refresh_every=60)
    together(one, 40)
    other.restore(one.state())
    for synapses in (one, other):
        together(synapses, 19)
        assert synapses.statistics()["refresh_checks_total"] == 1
        together(synapses, 1)
        assert synapses.statistics()["refresh_checks_total"] == 2
        assert synapses.statistics()["refreshed_weights_total"] == 20 * 8


def test_a_leak_between_two_checks_leaves_their_slots_alone() -> None:
    """aihwkit's count of rows must not be shifted by the leak's empty row, or no pair would be
    refreshed."""
    synapses = one_sided(refresh_every=60, leak_time_constant_s=1e6)
    together(synapses, 45)
    synapses.rest(1.0)
    together(synapses, 15)
    assert synapses.statistics()["refreshed_weights_total"] == 20 * 8


def test_each_pulse_of_a_pulsed_start_goes_to_one_device_of_a_pair() -> None:
    device = get_device("one_sided_pair(pcm)", ONE_SIDED | {"step": 2.0**-6})
    spec = TileSpec(weight_range=4.0, initial="pulsed")
    synapses = TileSynapses(make_crossbar(step=2.0**-6), device, spec, 1e6)
    steps = np.abs(make_crossbar(step=2.0**-6).initial).sum() / synapses.device_step
    assert synapses.statistics()["initial_pulses_total"] == pytest.approx(steps)
