"""Charge traps on aihwkit tiles: step parameters by block of slots, charge by writes."""

import numpy as np
import pytest

from device_presets import Preset, get_preset
from rpu_ssnn.synapses import Crossbar
from rpu_ssnn.synapses.native.synapses import NativeSynapses
from rpu_ssnn.synapses.tile import TileSynapses
from rpu_ssnn.tile_spec import ReferenceSpec, TileSpec
from support.charge_traps import charge_trap
from support.networks import make_block, make_crossbar, random_trains

SLOT = 5e-6
SPEC = TileSpec(weight_range=4.0, slot_seconds=SLOT)
SCALE = 4.0 * 0.25  # weight of state 1: range x he_std of `make_crossbar`
UNTHINNED = 1e6


def tile(device: Preset, crossbar: Crossbar | None = None, spec: TileSpec = SPEC) -> TileSynapses:
    return TileSynapses(crossbar or make_crossbar(), device, spec, UNTHINNED)


def both(device: Preset) -> tuple[TileSynapses, NativeSynapses]:
    return tile(device), NativeSynapses(make_crossbar(), device, SPEC, UNTHINNED)


@pytest.mark.parametrize("width", [3e-6, 1e-6])
def test_one_way_trains_move_each_device_as_the_exact_one(width: float) -> None:
    """Up pulses at the same step everywhere: the mean step of a block is all that counts."""
    on_tile, exact = both(charge_trap(levels=1000, loss_per_decade=0.0, pulse_width_s=width))
    for seed in range(3):
        pre, positive, negative = random_trains(500, rate=0.2, seed=seed)
        block = make_block(pre, positive, negative & False, np.repeat(np.arange(10), 50))
        for synapses in (on_tile, exact):
            synapses.update(block)
            synapses.commit(range(10))
            synapses.end_batch()
    moved = exact.linear_read() - make_crossbar().initial
    assert moved.mean() > 10 * exact.device_step
    np.testing.assert_allclose(on_tile.linear_read(), exact.linear_read(), atol=1e-4)
    factor = exact.statistics()["step_factor"]
    assert factor > (1.01 if width == 3e-6 else 1.5)
    assert on_tile.statistics()["step_factor"] == pytest.approx(factor)
    constant, _ = both(charge_trap(levels=1000, gap_time_constant_s=0.0, pulse_width_s=width))
    assert constant.device_step == on_tile.device_step


def test_two_way_trains_differ_from_the_exact_ones_by_a_small_part_of_the_gap_s_effect() -> None:
    device = get_preset("charge_trap_pulsed", {"cycle_to_cycle": 0.0, "loss_per_decade": 0.0})
    isolated = get_preset(
        "charge_trap_pulsed",
        {"cycle_to_cycle": 0.0, "loss_per_decade": 0.0, "gap_time_constant_s": 0.0},
    )
    made = [*both(device), tile(isolated)]
    for seed in range(4):
        pre, positive, negative = random_trains(500, rate=0.1, seed=seed)
        block = make_block(pre, positive, negative, np.repeat(np.arange(10), 50))
        for synapses in made:
            synapses.update(block)
            synapses.commit(range(10))
            synapses.end_batch()
    on_tile, exact, without = (synapses.linear_read() for synapses in made)
    effect = np.abs(without - exact).mean()
    assert effect > 1e-4
    assert np.abs(on_tile - exact).mean() < 0.03 * effect


def test_the_drawn_steps_are_back_after_each_batch_and_rewrites_are_counted() -> None:
    synapses = tile(get_preset("charge_trap_pulsed"))
    drawn = synapses.tiles[0].get_hidden_parameters()
    synapses.update(make_block(*random_trains(300)))
    during = synapses.tiles[0].get_hidden_parameters()
    synapses.end_batch()
    after = synapses.tiles[0].get_hidden_parameters()
    for name, values in drawn.items():
        np.testing.assert_array_equal(values, after[name])
        assert (name in ("dwmin_up", "dwmin_down", "slope_up", "slope_down")) == bool(
            (values != during[name]).any()
        ), name
    found = synapses.statistics()
    assert found["step_rewrites"] == 2, "300 slots, 256 rows at a time"
    assert found["charge_writes"] == 0


def test_a_pair_s_second_device_gets_the_other_direction_s_steps() -> None:
    """Two up pulses in a row, one far down pulse: the mirror takes the same sizes the other way."""
    pair = TileSpec(
        weight_range=4.0, slot_seconds=SLOT, reference=ReferenceSpec(scheme="differential_pair")
    )
    crossbar = Crossbar(**{**vars(make_crossbar(1, 1)), "initial": np.zeros((1, 1), "f4")})
    synapses = tile(charge_trap(loss_per_decade=0.0), crossbar, pair)
    pre, up, down = (np.zeros((50, 1), bool) for _ in range(3))
    pre[[10, 11, 45]] = up[[10, 11]] = down[45] = True
    synapses.update(make_block(pre, up, down))
    first, second = (t.tile.get_weights().item() for t in synapses.tiles)
    assert first == pytest.approx(-second, rel=1e-5)
    assert first > 0.002


@pytest.mark.parametrize("rest_state", [0.0, -1.0])
def test_charge_is_taken_off_between_batches_and_in_storage_in_closed_form(
    rest_state: float,
) -> None:
    device = charge_trap(loss_onset_s=1e-3, reset_level=rest_state)
    on_tile, exact = both(device)
    start = make_crossbar().initial.astype(float)
    for _ in range(40):
        for synapses in (on_tile, exact):
            synapses.end_batch()
    seconds = 40 * 500 * SLOT
    kept = 1.0 - 0.02 * np.log10(1.0 + seconds / 1e-3)
    zero = rest_state * SCALE
    # What waits to be written is below 1e-4 of the charge.
    np.testing.assert_allclose(on_tile.linear_read(), zero + (start - zero) * kept, atol=4e-4)
    np.testing.assert_allclose(on_tile.linear_read(), exact.linear_read(), atol=4e-4)
    assert 5 < on_tile.statistics()["charge_writes"] <= 40
    changes = on_tile.changes
    on_tile.rest(1e5)
    kept = 1.0 - 0.02 * np.log10(1.0 + (seconds + 1e5) / 1e-3)
    assert on_tile.changes > changes
    np.testing.assert_allclose(on_tile.linear_read(), zero + (start - zero) * kept, atol=1e-5)
    assert on_tile.statistics()["charge_kept"] == pytest.approx(kept, rel=1e-4)


def test_pulsed_devices_lose_charge_as_the_exact_ones() -> None:
    device = get_preset("charge_trap_pulsed", {"cycle_to_cycle": 0.0, "loss_onset_s": 1e-3})
    on_tile, exact = both(device)
    for seed in range(20):
        block = make_block(*random_trains(500, rate=0.05, seed=seed), np.repeat(np.arange(10), 50))
        for synapses in (on_tile, exact):
            synapses.update(block)
            synapses.commit(range(10))
            synapses.end_batch()
    kept = exact.statistics()["charge_kept"]
    assert kept < 0.9
    assert on_tile.statistics()["charge_kept"] == pytest.approx(kept, rel=1e-6)
    gap = on_tile.linear_read() - exact.linear_read()
    assert np.abs(gap).max() < 0.01 * np.abs(exact.linear_read()).max()


def test_stuck_devices_keep_their_charge() -> None:
    stuck = TileSpec(weight_range=4.0, stuck_share=1.0)
    synapses = tile(charge_trap(), spec=stuck)
    before = synapses.linear_read().copy()
    synapses.update(make_block(*random_trains(100)))
    synapses.rest(1e6)
    np.testing.assert_array_equal(synapses.linear_read(), before)
