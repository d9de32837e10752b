"""Runs the same tests for every cell; a new file in `compounds.kinds` is included by itself."""

import numpy as np
import pytest

from device_presets import COMPOUNDS, get_device
from rpu_ssnn.spec.tile import ReadSpec, TileSpec
from rpu_ssnn.synapses.native.synapses import NativeSynapses
from rpu_ssnn.synapses.tiles.synapses import TileSynapses
from studies.results.ledger import ledger_columns
from studies.workers.run_trial import run_trial
from support.device_presets.compounds import (
    ONE_SIDED,
    RATE,
    around,
    cell,
    equal_steps,
    hidden,
    trial_of,
)
from support.rpu_ssnn.exact_tiles import EXACT_DEVICE, STEP
from support.rpu_ssnn.native_devices import on_all
from support.rpu_ssnn.networks import deliver, make_block, make_crossbar, random_trains

every_compound = pytest.mark.parametrize("kind", COMPOUNDS)


@every_compound
def test_starts_at_the_initial_weights_and_reads_one_matrix(kind: str) -> None:
    rng = np.random.default_rng(0)
    spikes = (rng.random((5, 20)) < 0.3).astype(np.float32)
    net = rng.integers(-1, 2, (6, 8)).astype(np.float32)
    for reads in (None, ReadSpec()):
        synapses = cell(kind, reads=reads)
        weights = synapses.weights()
        np.testing.assert_allclose(weights, make_crossbar().initial, atol=1e-6)
        np.testing.assert_allclose(synapses.currents(spikes), spikes @ weights, atol=1e-5)
        back = synapses.currents(net, transposed=True)
    np.testing.assert_allclose(back, net @ weights.T, atol=1e-5)


@every_compound
def test_coincidences_move_weights_the_right_way(kind: str) -> None:
    """The slots suffice to transfer every line several times, and no other weight moves."""
    synapses = cell(kind)
    before = synapses.weights().copy()
    pre, positive, negative = (np.zeros((4000, n), bool) for n in (20, 8, 8))
    pre[:, 2], positive[:, 3], negative[:, 5] = True, True, True
    synapses.update(make_block(pre, positive, negative))
    synapses.commit(range(1))
    moved = synapses.weights() - before
    assert moved[2, 3] > 5 * synapses.device_step
    assert moved[2, 5] < -5 * synapses.device_step
    moved[2, [3, 5]] = 0.0
    np.testing.assert_allclose(moved, 0.0, atol=1e-6)


@every_compound
def test_each_coincidence_is_one_pulse_of_the_device_it_reaches(kind: str) -> None:
    """Pulses are counted independently on noiseless devices; in a digital sum each coincidence is
    one addend."""
    device = get_device(around(kind), equal_steps(kind))
    if "chop_probability" in device.parameters:  # A changed sign would hide the count.
        device = get_device(f"{kind}(ideal)", EXACT_DEVICE | {"chop_probability": 1e-9})
    transfers, sums = device.cell.takes_partner, device.cell.not_restored_because is not None
    pre, positive, negative = random_trains(300, rate=0.2)
    up, down = pre.T.astype(int) @ positive, pre.T.astype(int) @ negative
    net = STEP * (up - down)
    expected = RATE / (10 * 50) / (4.0 * 0.25) * (up - down)
    slopes = []
    # The digital memory sends randomly drawn pulses, which are right on average over many trains.
    for _ in range(16 if sums else 1):
        synapses = TileSynapses(make_crossbar(), device, TileSpec(weight_range=4.0), RATE)
        synapses.set_step_scale(0.5 if transfers else 1.0)
        before = synapses.weights().copy()
        deliver(synapses, make_block(pre, positive, negative))
        np.testing.assert_array_equal(list(synapses.pulse_counts().values()), [up, down])
        moved = (synapses.weights() - before) / (4.0 * 0.25)
        if transfers:
            np.testing.assert_allclose(hidden(synapses, "hidden_weights_0"), net, atol=1e-6)
        elif sums:
            left = hidden(synapses, "hidden_weights_chi")
            slopes.append(float((expected * (moved - left)).sum() / (expected**2).sum()))
        else:
            assert synapses.keep == 1.0
            np.testing.assert_allclose(moved, net, atol=1e-6)
    if slopes:
        assert np.mean(slopes) == pytest.approx(1.0, abs=0.03)


@every_compound
def test_learning_rate_scales_what_a_coincidence_does(kind: str) -> None:
    def moved(scale: float) -> float:
        synapses = cell(kind)
        synapses.set_step_scale(scale)
        before = synapses.weights().copy()
        pre, positive, negative = random_trains(4000)
        negative[:] = False
        synapses.update(make_block(pre, positive, negative))
        synapses.commit(range(1))
        return float((synapses.weights() - before).mean())

    assert 0 <= moved(1e-6) < 0.02 * moved(0.2)
    assert moved(0.02) < moved(0.2)


@every_compound
def test_stuck_devices_never_move_and_are_not_saturated(kind: str) -> None:
    synapses = cell(kind, stuck_share=1.0)
    before = synapses.weights().copy()
    deliver(synapses, make_block(*random_trains(2000)))
    np.testing.assert_array_equal(synapses.weights(), before)
    assert synapses.statistics()["saturated_total"] == 0
    assert np.ptp(before) > 0.5


@every_compound
def test_saturation_counts_every_device_of_the_cell(kind: str) -> None:
    overrides = equal_steps(kind)
    if "chop_probability" in COMPOUNDS[kind].settings:  # Chopping moves fast devices to and fro.
        overrides = overrides | {"chop_probability": 1e-9}
    synapses = cell(kind, overrides=overrides)
    deliver(synapses, on_all(9000))
    statistics = synapses.statistics()
    assert statistics["devices_total"] == len(synapses.tiles) * COMPOUNDS[kind].devices * 20 * 8
    if COMPOUNDS[kind].one_sided:  # The other device of each pair got no pulse.
        assert statistics["saturated_total"] == statistics["devices_total"] / 2
        return
    least = 0.5 if COMPOUNDS[kind].takes_partner else 1.0  # Transfers are slower than pulses.
    assert least <= statistics["saturated_total"] / statistics["devices_total"] <= 1.0


@every_compound
def test_every_device_of_the_cell_leaks(kind: str) -> None:
    leak = {"leak_time_constant_s": 2.0, "leak_time_constant_spread": 0.0}
    if COMPOUNDS[kind].one_sided:
        synapses = cell(kind, overrides=ONE_SIDED | leak)
    else:
        synapses = cell(kind, "capacitor", leak)
    synapses.rest(1.0)
    expected = make_crossbar().initial * np.exp(-0.5)
    np.testing.assert_allclose(synapses.weights(), expected, rtol=0.01)


def test_a_partner_that_does_not_leak_keeps_what_the_capacitor_forgets() -> None:
    device = get_device("tiki_taka(capacitor, ecram)", {"leak_time_constant_s": 2.0})
    synapses = TileSynapses(make_crossbar(), device, TileSpec(weight_range=4.0), RATE)
    deliver(synapses, make_block(*random_trains(500)))
    slow, fast = synapses.weights().copy(), hidden(synapses, "hidden_weights_0").copy()
    synapses.rest(20.0)
    np.testing.assert_array_equal(synapses.weights(), slow)
    assert np.abs(hidden(synapses, "hidden_weights_0")).max() < 0.05 * np.abs(fast).max()


@every_compound
def test_trains_a_network_and_its_row_says_what_it_did(kind: str) -> None:
    compound = COMPOUNDS[kind]
    given = {"overrides": ONE_SIDED} if compound.one_sided else {}
    trial = trial_of(around(kind), **given)
    result = run_trial(trial, None, 1)
    row, ledger = result.row, ledger_columns(trial, result)
    assert result.accuracy > 25, "chance is 10"
    assert row["beside_pulses"] == compound.beside_pulses
    assert trial.settings.method.is_replayable() == (compound.beside_pulses is None)
    if compound.unknown_pulses is not None:
        assert ledger["energy_j"] is None
        assert ledger["energy_blank_because"] == compound.unknown_pulses
        assert ledger["endurance_used"] is None
    if compound.takes_partner:
        assert row["transfer_reads_total"] > 100
        assert row["transfer_pulses_at_most_total"] >= 8 * row["transfer_reads_total"]
        assert row["pulsed_devices_total"] == row["devices_total"] / 2
    if kind == "one_sided_pair":
        assert row["refresh_checks_total"] > 10
        assert row["pulses_down_total"] == 0
    if kind.startswith("mixed_precision"):
        assert row["pulses_up_total"] is None
        assert row["pulses_per_device_mean"] is None
        assert ledger["pulses_up_per_device"] is None
        assert row["coincidences_total"] > 1000
    else:
        assert ledger["pulses_per_device_max"] >= ledger["pulses_up_per_device"] > 1


def test_transfer_reads_are_counted_as_aihwkit_makes_them() -> None:
    """The gain is so high that each line read moves by one pulse, so pulses count the reads."""
    synapses = cell("tiki_taka_v2", overrides={**EXACT_DEVICE, "transfer_gain": 1e6})
    before = synapses.weights().copy()
    deliver(synapses, on_all(1003))
    statistics = synapses.statistics()
    pulses = (synapses.weights() - before).sum() / synapses.device_step
    assert statistics["transfer_reads_total"] == 200
    assert pulses == pytest.approx(200 * 8, rel=1e-3)
    assert statistics["transfer_pulses_at_most_total"] == 200 * 8


def test_a_pulsed_start_counts_the_pulses_of_all_four() -> None:
    one = TileSynapses(
        make_crossbar(),
        get_device("ideal", EXACT_DEVICE),
        TileSpec(weight_range=4.0, initial="pulsed"),
        1,
    )
    four = cell("four_device_cell", initial="pulsed")
    pulses = [s.statistics()["initial_pulses_total"] for s in (one, four)]
    assert pulses[1] == 4 * pulses[0] > 0
    np.testing.assert_allclose(four.weights(), make_crossbar().initial, atol=STEP)


def test_a_pair_is_the_tile_s_own_differential_pair() -> None:
    trains = random_trains(200)
    weights = []
    for device, tile in (
        ("two_device_pair(ideal)", {}),
        ("ideal", {"reference": {"scheme": "differential_pair"}}),
    ):
        spec = TileSpec(weight_range=4.0, **tile)
        synapses = TileSynapses(make_crossbar(), get_device(device, EXACT_DEVICE), spec, 1e6)
        deliver(synapses, make_block(*trains))
        weights.append(synapses.weights())
    np.testing.assert_array_equal(*weights)


def test_a_pair_of_devices_that_lose_charge_loses_it() -> None:
    kept = []
    for device, tile in (
        ("two_device_pair(charge_trap_pulsed)", {}),
        ("charge_trap_pulsed", {"reference": {"scheme": "differential_pair"}}),
    ):
        spec = TileSpec(weight_range=4.0, simulator="native", **tile)
        synapses = NativeSynapses(make_crossbar(), get_device(device, EXACT_DEVICE), spec, 1e6)
        synapses.rest(1e6)
        kept.append(synapses.weights())
    np.testing.assert_array_equal(*kept)
    assert np.abs(kept[0]).sum() < 0.95 * np.abs(make_crossbar().initial).sum()
