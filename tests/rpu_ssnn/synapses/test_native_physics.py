"""Compares the effects of an array on devices, other than their pulses, with closed forms."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from device_presets import Preset, get_device, get_preset
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses.native.synapses import NativeSynapses
from rpu_ssnn.synapses.tiles.synapses import TileSynapses
from support.commands import refused
from support.device_presets.charge_traps import charge_trap
from support.rpu_ssnn.native_devices import SCALE, all_at, native, on_all, on_lines, pulse
from support.rpu_ssnn.networks import make_block, make_crossbar, random_trains

ALIKE = {
    "cycle_to_cycle": 0.0, "step_spread": 0.0, "asymmetry_spread": 0.0, "w_max_spread": 0.0,
    "w_min_spread": 0.0, "slope_up_spread": 0.0, "slope_down_spread": 0.0,
}  # fmt: skip
IDEAL = get_preset("ideal", {"levels": 1000})


def moved(synapses: NativeSynapses, rows: int, *lines: Iterable[int]) -> np.ndarray:
    """Returns the change of each weight, in states, over `rows` slots."""
    return pulse(synapses, on_lines(rows, *lines))


# --- symmetry point -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["charge_trap_2019", "ecram", "two_device_pair(charge_trap_2019)"])
def test_pulses_in_turn_take_devices_to_the_weight_zero_of_a_symmetry_point(name: str) -> None:
    """This is zero shifting (Kim 2019); with the exact mid conductance each device would end
    elsewhere."""
    device = get_device(name, {"cycle_to_cycle": 0.0})
    turns = np.arange(60_000)[:, None] % 2 == np.zeros(8)
    block, ends = make_block(np.ones((60_000, 20), bool), turns, ~turns), []
    for reference in ({"scheme": "symmetry_point", "spread": 0.0}, {}):
        synapses = native(device, reference=reference)
        np.testing.assert_allclose(synapses.weights(), make_crossbar().initial, atol=1e-6)
        pulse(synapses, block)
        ends.append(np.abs(synapses.weights()) / SCALE)
    assert ends[0].max() < 0.01 < 2 * ends[1].mean()


def test_tiles_of_aihwkit_have_no_symmetry_point() -> None:
    with refused("tile", "reference.scheme", "symmetry_point"):
        spec = TileSpec(reference={"scheme": "symmetry_point"})
        TileSynapses(make_crossbar(), get_preset("ecram"), spec, 1.0)


# --- half select --------------------------------------------------------------------------------


def test_forward_spikes_disturb_their_row_by_a_share_of_the_local_step() -> None:
    """The equation is dw/dn = h (step + slope w), whose solution is an exponential."""
    device = get_preset("charge_trap", ALIKE | {"slope_up": 0.5})
    synapses = native(device, half_select={"forward_up": 0.01})
    start, n = make_crossbar().initial[3] / SCALE, 4000
    change = moved(synapses, n, [3], [], [])
    step, slope = 0.002, -0.5 * 0.002
    grown = np.exp(slope * 0.01 * n) - 1.0
    np.testing.assert_allclose(change[3], (start + step / slope) * grown, rtol=2e-3)
    assert change[3].min() > 0.05
    np.testing.assert_array_equal(np.delete(change, 3, axis=0), 0.0)
    assert synapses.statistics()["disturb_steps"] == pytest.approx(0.01 * n / 20)
    assert synapses.pulses.sum() == 0


def test_gradient_spikes_disturb_their_column_by_their_stream() -> None:
    synapses = native(IDEAL, half_select={"gradient": 0.01})
    change = moved(synapses, 500, [], [2], [5])
    np.testing.assert_allclose(change[:, 2], 0.01 * 500 * 0.002, rtol=1e-3)
    np.testing.assert_allclose(change[:, 5], -0.01 * 500 * 0.002, rtol=1e-3)
    np.testing.assert_array_equal(np.delete(change, [2, 5], axis=1), 0.0)


def test_gradient_spikes_that_thinning_takes_disturb_nothing() -> None:
    step = 0.002 * SCALE
    synapses = native(IDEAL, rate=0.25 * step * 10 * 50, half_select={"gradient": 0.01})
    assert synapses.keep == pytest.approx(0.25)
    change = moved(synapses, 4000, [], [2], [])
    assert change[0, 2] == pytest.approx(0.25 * 0.01 * 4000 * 0.002, rel=0.1)


def test_a_pair_of_equal_devices_cancels_what_its_row_disturbs() -> None:
    pair = {"scheme": "differential_pair"}
    synapses = native(IDEAL, reference=pair, half_select={"forward_up": 0.01})
    np.testing.assert_allclose(moved(synapses, 500, [3], [], []), 0.0, atol=1e-6)
    synapses = native(IDEAL, reference=pair, half_select={"gradient": 0.01})
    change = moved(synapses, 500, [], [2], [])
    np.testing.assert_allclose(change[:, 2], 0.01 * 500 * 0.002, rtol=1e-3)


def test_a_disturb_of_both_directions_is_the_step_s_asymmetry() -> None:
    device = get_preset("ideal", {"levels": 1000, "asymmetry": 0.1})
    synapses = native(device, half_select={"forward_up": 0.01, "forward_down": 0.01})
    change = moved(synapses, 500, [3], [], [])
    np.testing.assert_allclose(change[3], 0.1 * 0.01 * 500 * 0.002, rtol=5e-3)


@pytest.mark.parametrize("disturb", ["half_select", "read_disturb"])
def test_devices_are_disturbed_once_a_commit_however_often_pulses_are_applied(disturb: str) -> None:
    """Threads and memory determine how often `Synapses.settle` is called; no result may depend on
    it."""
    settings = {disturb: {"forward_up": 0.01}}
    once, often = (native(get_preset("reram_es"), **settings) for _ in range(2))
    for seed in range(3):
        for synapses in (once, often):
            synapses.update(make_block(*random_trains(100, seed=seed), np.full(100, seed)))
        often.settle()
    for synapses in (once, often):
        synapses.commit(range(3))
    np.testing.assert_array_equal(often.weights(), once.weights())
    assert often.statistics() == once.statistics()


# --- spread that lines share --------------------------------------------------------------------


def steps(spread: dict[str, float], side: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Returns steps up and down [n_in, n_out] over the mean step, for otherwise equal devices."""
    crossbar = replace(make_crossbar(side, side), seed=3)
    records = native(get_preset("charge_trap", ALIKE), crossbar, line_spread=spread).records[0]
    for direction, slope in (("up", "a"), ("down", "b")):
        assert np.ptp(records[slope] / records[direction]) < 1e-4, "slopes go with their steps"
    return records["up"] / 0.002, records["down"] / 0.002


def test_lines_share_their_spread() -> None:
    for field, axis in (("step_by_input_line", 1), ("step_by_output_line", 0)):
        up, down = steps({field: 0.2})
        np.testing.assert_allclose(up, down, rtol=1e-5)
        assert np.ptp(up, axis=axis).max() < 1e-5
        assert up.mean(axis=axis).std() == pytest.approx(0.2, rel=0.15)


def test_the_gradient_goes_over_the_array() -> None:
    up, _ = steps({"step_gradient": 0.3})
    np.testing.assert_allclose(up[[0, -1]].mean(axis=1), [0.85, 1.15], rtol=1e-5)
    np.testing.assert_allclose(np.diff(up.mean(axis=1)), 0.3 / 199, rtol=1e-2)


@pytest.mark.parametrize("name", ["line_spread", "half_select", "read_disturb", "lines"])
def test_what_acts_on_lines_is_refused_in_several_arrays(name: str) -> None:
    several = replace(make_crossbar(), replicas=2, at_once=True)
    settings = {
        "line_spread": {"step_gradient": 0.1},
        "lines": {"ohm_per_cell": 1.0, "on_resistance": 1e5, "voltage_constant": 0.1},
    }
    with refused("positions: 'at_once'", f"tile.{name} acts on the lines of one array"):
        native(get_preset("ideal"), several, **{name: settings.get(name, {"forward_up": 0.01})})


def test_lines_share_an_asymmetry() -> None:
    for field, axis in (("asymmetry_by_input_line", 1), ("asymmetry_by_output_line", 0)):
        up, down = steps({field: 0.2})
        np.testing.assert_allclose(up + down, 2.0, rtol=1e-5)
        assert np.ptp(up - down, axis=axis).max() < 1e-5
        assert (up - down).mean(axis=axis).std() == pytest.approx(0.2, rel=0.15)


def test_a_common_asymmetry_is_one_draw_for_the_array() -> None:
    up, down = steps({"asymmetry_common": 0.2})
    assert np.ptp(up - down) < 1e-5
    assert 0.001 < abs((up - down).mean()) < 0.8


# --- noise of pulses ----------------------------------------------------------------------------


def one_pulse(device: Preset, start: float, up: bool, **tile: object) -> np.ndarray:
    """Returns the changes of state [devices] of 10,000 devices by one pulse from that state."""
    synapses = native(device, all_at(start, 100, 100), **tile)
    return pulse(synapses, on_all(1, up, 100, 100)).ravel()


@pytest.mark.parametrize("up", [True, False])
@pytest.mark.parametrize("start", [-0.3, 0.4])
def test_noise_of_the_range_is_the_same_at_all_states_both_ways(start: float, up: bool) -> None:
    device = get_preset("charge_trap", ALIKE | {"slope_up": 0.5, "slope_down": 0.2})
    quiet = one_pulse(device, start, up)
    noisy = one_pulse(device, start, up, pulse_noise={"of_range": 0.02})
    assert (noisy - quiet).std() == pytest.approx(0.02 * 2.0, rel=0.03)
    assert (noisy - quiet).mean() == pytest.approx(0.0, abs=4 * 0.04 / 100)


@pytest.mark.parametrize("up", [True, False])
def test_poisson_noise_goes_with_the_square_root_of_the_step(up: bool) -> None:
    device = get_preset("charge_trap", ALIKE | {"slope_up": 0.8, "slope_down": 0.1})
    for start in (-0.5, 0.5):
        quiet = one_pulse(device, start, up)
        noisy = one_pulse(device, start, up, pulse_noise={"electrons_per_step": 20.0})
        expected = np.sqrt(np.abs(quiet.mean()) * 0.002 / 20.0)
        assert (noisy - quiet).std() == pytest.approx(expected, rel=0.03)


def test_the_further_noise_is_independent_of_the_preset_s_own() -> None:
    device, off = get_preset("charge_trap"), get_preset("charge_trap", {"cycle_to_cycle": 0.0})
    quiet = one_pulse(off, 0.0, True)
    own = one_pulse(device, 0.0, True) - quiet
    further = one_pulse(off, 0.0, True, pulse_noise={"of_range": 2e-4}) - quiet
    both = one_pulse(device, 0.0, True, pulse_noise={"of_range": 2e-4}) - quiet
    np.testing.assert_allclose(both, own + further, atol=2e-7)
    assert abs(np.corrcoef(own, further)[0, 1]) < 0.04


def test_a_step_that_a_gap_enlarges_has_the_shot_noise_of_its_own_size() -> None:
    device = charge_trap(levels=1000)  # The pulse is in the slot after the write, without a gap.
    quiet = one_pulse(device, 0.0, True)
    noisy = one_pulse(device, 0.0, True, pulse_noise={"electrons_per_step": 50.0})
    factor = 1.0 + (2 / 3) ** 4
    np.testing.assert_allclose(quiet, 0.002 * factor, rtol=1e-3)
    assert (noisy - quiet).std() == pytest.approx(0.002 * np.sqrt(factor / 50.0), rel=0.03)


# --- wear ---------------------------------------------------------------------------------------


def test_windows_close_with_the_device_s_own_pulses() -> None:
    """A device at its bound follows the closing bound; devices without pulses keep theirs."""
    device = get_preset("ideal", {"levels": 20})
    synapses = native(device, wear={"half_window_pulses": 100.0, "exponent": 2.0})
    before = synapses.weights().copy()
    sent = 0
    for rows in (50, 51, 200, 700):
        moved(synapses, rows, [3], [2], [])
        sent += rows
        window = 1.0 / (1.0 + ((sent - 1) / 100.0) ** 2)
        assert synapses.weights()[3, 2] / SCALE == pytest.approx(window, rel=1e-4)
    changed = np.argwhere(synapses.weights() != before)
    np.testing.assert_array_equal(changed, [[3, 2]])
    assert synapses.weights()[3, 2] / SCALE < 0.02, "dead"


def test_stuck_devices_do_not_wear() -> None:
    device = get_preset("ideal", {"levels": 20})
    synapses = native(device, stuck_share=1.0, wear={"half_window_pulses": 10.0})
    np.testing.assert_array_equal(moved(synapses, 200, [3], [2], []), 0.0)


def test_worn_steps_shrink_as_the_window_does() -> None:
    synapses = native(IDEAL, wear={"half_window_pulses": 40.0, "exponent": 1.0})
    change = moved(synapses, 40, [3], [2], [])
    expected = sum(0.002 / (1.0 + n / 40.0) for n in range(40))
    assert change[3, 2] == pytest.approx(expected, rel=1e-4)


def test_a_worn_device_is_disturbed_by_its_own_steps_up_to_its_own_bound() -> None:
    worn = {"half_window_pulses": 100.0, "exponent": 1.0}
    synapses = native(IDEAL, wear=worn, half_select={"forward_up": 0.01})
    moved(synapses, 100, [3], [], [2])  # Its line spikes during the 100 pulses down, too.
    window = 1.0 / (1.0 + 100 / 100.0)
    change = moved(synapses, 1000, [3], [], [])
    assert change[3, 2] == pytest.approx(0.01 * 1000 * window * 0.002, rel=1e-3)
    moved(synapses, 160_000, [3], [], [])
    assert synapses.weights()[3, 2] / SCALE == pytest.approx(window, rel=1e-4)
    assert synapses.statistics()["saturated_total"] == synapses.weights().shape[1]


def test_noise_of_the_range_is_of_the_worn_range() -> None:
    device = get_preset("ideal", {"levels": 1000, "cycle_to_cycle": 0.0})
    worn = {"half_window_pulses": 1.0, "exponent": 1.0}
    noisy, quiet = (native(device, wear=worn, pulse_noise={"of_range": s}) for s in (0.005, 0.0))
    for synapses in (noisy, quiet):  # 100 pulses take every device into its worn window.
        moved(synapses, 100, range(20), range(8), [])
        assert np.abs(synapses.weights() / SCALE).max() < 0.011
    last = [moved(synapses, 1, range(20), [], range(8)) / SCALE for synapses in (noisy, quiet)]
    assert 0.2 * 1e-4 < np.std(last[0] - last[1]) < 2e-4
