"""Tests tiles alone: every coincidence is a pulse, and the row reports the other device effects."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from device_presets import get_device, get_preset
from rpu_ssnn.spec.array_physics import WearSpec
from rpu_ssnn.spec.tile import ReadSpec, ReferenceSpec, TileSpec
from rpu_ssnn.synapses import SynapsesFactory
from rpu_ssnn.synapses.base import PulseBlock
from rpu_ssnn.synapses.native.synapses import NativeSynapses
from rpu_ssnn.synapses.tiles.pulse_rows import RowWriter
from rpu_ssnn.synapses.tiles.synapses import TileSynapses
from support.commands import refused
from support.device_presets.tile_steps import steps_at_zero
from support.rpu_ssnn.exact_tiles import EXACT_DEVICE, STEP, on_native, on_tile
from support.rpu_ssnn.native_devices import all_at, on_all
from support.rpu_ssnn.networks import deliver, make_block, make_crossbar, random_trains


def test_one_coincidence_is_exactly_one_device_pulse() -> None:
    """Pulses are counted independently, and since steps are powers of two the result is exact."""
    crossbar = make_crossbar(step=STEP)
    synapses = on_tile()(crossbar)
    pre, positive, negative = random_trains(3000, rate=0.2)
    deliver(synapses, make_block(pre, positive, negative))
    up, down = pre.T.astype(int) @ positive, pre.T.astype(int) @ negative
    np.testing.assert_array_equal(list(synapses.pulse_counts().values()), [up, down])
    np.testing.assert_array_equal(synapses.weights(), crossbar.initial + STEP * (up - down))


def test_both_streams_in_one_slot_pulse_up_then_down() -> None:
    """The order shows on a device at its upper bound: up (clipped at the bound), then down."""
    for start, expected in ((1.0, 1.0 - STEP), (-1.0, -1.0)):
        synapses = on_tile()(all_at(start, 1, 1))
        deliver(synapses, make_block(*np.ones((3, 1, 1), bool)))
        assert synapses.weights()[0, 0] == expected
        assert [counts[0, 0] for counts in synapses.pulse_counts().values()] == [1, 1]


def test_settings_of_the_other_simulator() -> None:
    """Effects that tiles do not have come with the simulator `native` only, which tiles refuse."""
    tile = TileSpec(simulator="native", wear=WearSpec(half_window_pulses=10.0))
    with refused("tile", "simulator", "'native'", "must be aihwkit"):
        TileSynapses(make_crossbar(), get_preset("ideal"), tile, 1.0)


@pytest.mark.parametrize("name", ["ideal", "capacitor", "charge_trap", "reram_es", "reram_sb"])
def test_every_device_takes_every_pulse(name: str) -> None:
    """aihwkit thins no line, so the mean change is that of the pulses sent."""
    noiseless = {"cycle_to_cycle": 0.0, "step_spread": 0.0, "asymmetry_spread": 0.0}
    if name.startswith("reram"):
        noiseless["write_noise"] = 0.0
    device = get_preset(name, noiseless)
    synapses = TileSynapses(all_at(0.0, 100, 50), device, TileSpec(weight_range=4.0), 1e6)
    before = synapses.weights().copy()
    deliver(synapses, on_all(1, True, 100, 50))
    moved = (synapses.weights() - before) / (4 * 0.25)
    up, _ = steps_at_zero(get_preset(name, noiseless))
    assert moved.mean() == pytest.approx(up, rel=0.1)
    assert np.all(moved > 0.3 * up)
    assert np.all(moved < 1.7 * up), "one pulse, not two"


def test_differential_pair_shares_the_weight_between_two_devices() -> None:
    crossbar = make_crossbar(step=STEP)
    synapses = on_tile(reference=ReferenceSpec(scheme="differential_pair"))(crossbar)
    pre, positive, negative = random_trains(200)
    deliver(synapses, make_block(pre, positive, negative))
    up, down = pre.T.astype(int) @ positive, pre.T.astype(int) @ negative
    np.testing.assert_allclose(synapses.weights(), crossbar.initial + STEP * (up - down), atol=1e-6)
    statistics = synapses.statistics()
    assert statistics["devices_total"] == 2 * 20 * 8
    each = (up + down).sum()
    assert statistics["pulses_up_total"] == statistics["pulses_down_total"] == each


def test_finite_on_off_ratio_narrows_the_window() -> None:
    """A weight that is pulsed to its bound reaches (1 - 1/R) of the weight range."""
    for ratio, share in ((None, 1.0), (10.0, 0.9), (2.0, 0.5)):
        synapses = on_tile(reference=ReferenceSpec(on_off_ratio=ratio))(make_crossbar())
        deliver(synapses, on_all(3000))
        np.testing.assert_allclose(synapses.weights(), share * 4 * 0.25, rtol=1e-5)
        assert synapses.statistics()["saturated_total"] == 160


def test_reference_spread_shifts_the_window_more_at_low_on_off_ratio() -> None:
    def upper_ends(ratio: float) -> np.ndarray:
        reference = ReferenceSpec(scheme="reference_device", spread=0.1, on_off_ratio=ratio)
        synapses = on_tile(reference=reference)(make_crossbar())
        deliver(synapses, on_all(3000))
        return synapses.weights()

    wide, narrow = upper_ends(100.0), upper_ends(2.0)
    assert wide.std() == pytest.approx(0.1 * 1.01, rel=0.2)
    assert narrow.std() == pytest.approx(0.1 * 1.5, rel=0.2)


@pytest.mark.parametrize("where", ["low", "high", "anywhere"])
def test_stuck_devices_never_move(where: str) -> None:
    synapses = on_tile(stuck_share=0.3, stuck_at=where)(make_crossbar())
    before = synapses.weights().copy()
    for sign in (1, -1):
        deliver(synapses, on_all(50, sign > 0))
        if sign > 0:
            middle = synapses.weights().copy()
    stuck = (middle == before) & (synapses.weights() == before)
    assert stuck.mean() == pytest.approx(0.3, abs=0.12)
    assert synapses.statistics()["saturated_total"] == 0
    values = before[stuck] / (4 * 0.25)
    if where == "anywhere":
        assert np.ptp(values) > 1.0
    else:
        np.testing.assert_allclose(values, -1.0 if where == "low" else 1.0, rtol=1e-6)


def test_read_noise_and_converters_act_on_reads_only() -> None:
    spikes = np.ones((2000, 20), np.float32)
    noisy = on_tile(reads=ReadSpec(read_noise=0.5))(make_crossbar())
    currents = noisy.currents(spikes)
    assert currents.std(axis=0).mean() == pytest.approx(0.5 * 4 * 0.25, rel=0.05)
    coarse = on_tile(reads=ReadSpec(adc_bits=3, adc_bound=4.0))(make_crossbar())
    spikes = np.random.default_rng(0).integers(0, 2, (500, 20)).astype(np.float32)
    levels = np.unique(coarse.currents(spikes))
    assert 3 <= len(levels) <= 7
    assert np.abs(levels).max() <= 4.0 * 4 * 0.25 * 1.01
    np.testing.assert_array_equal(noisy.weights(), make_crossbar().initial)
    np.testing.assert_array_equal(coarse.weights(), make_crossbar().initial)
    back = noisy.currents(np.ones((2000, 8), np.float32), transposed=True)
    assert back.std(axis=0).mean() == pytest.approx(0.5 * 4 * 0.25, rel=0.05)


def test_transposed_reads_may_have_a_bound_of_their_own() -> None:
    reads = ReadSpec(adc_bits=8, adc_bound=100.0, adc_bound_transposed=0.25)
    synapses = on_tile(reads=reads)(make_crossbar())
    assert np.abs(synapses.currents(np.ones((1, 20), np.float32))).max() > 0.3
    assert np.abs(synapses.currents(np.ones((1, 8), np.float32), transposed=True)).max() <= 0.2501


def test_pulsed_start_counts_its_pulses() -> None:
    synapses = on_tile(initial="pulsed")(make_crossbar())
    expected = np.abs(np.rint(make_crossbar().initial / STEP)).sum()
    assert synapses.statistics()["initial_pulses_total"] == expected
    assert synapses.pulse_counts()["pulses_up"].sum() == 0


def test_open_loop_pulses_do_not_know_the_reference_s_error() -> None:
    """Programming cancels the offset of a reference; a counted number of pulses cannot."""

    def error(initial: str) -> float:
        reference = ReferenceSpec(scheme="reference_device", spread=0.1)
        synapses = on_tile(reference=reference, initial=initial)(make_crossbar())
        return float((synapses.weights() - make_crossbar().initial).std())

    assert error("programmed") < 1e-6
    assert error("pulsed") == pytest.approx(0.1, rel=0.2)


def test_clipped_weights_are_those_beyond_each_device_s_own_bounds() -> None:
    device = get_preset("ideal", EXACT_DEVICE | {"w_max_spread": 0.3, "w_min_spread": 0.3})
    synapses = TileSynapses(make_crossbar(), device, TileSpec(weight_range=1.0), 1.0)
    lost = np.abs(synapses.weights() - make_crossbar().initial) > 1e-6
    assert synapses.statistics()["initial_clipped_total"] == lost.sum() > 0


@pytest.mark.parametrize("kind", [TileSynapses, NativeSynapses])
@pytest.mark.parametrize("name", ["ideal", "four_device_cell(ideal)"])
@pytest.mark.parametrize("scheme", ["ideal_reference", "differential_pair"])
def test_a_narrow_range_clips_initial_weights_and_says_how_many(
    kind: type[TileSynapses | NativeSynapses], name: str, scheme: str
) -> None:
    spec = TileSpec.model_validate({"weight_range": 1.0, "reference": {"scheme": scheme}})
    synapses = kind(make_crossbar(), get_device(name, EXACT_DEVICE), spec, 1.0)
    largest = np.abs(synapses.weights()).max()
    clipped = (np.abs(make_crossbar().initial) > largest).sum()
    assert clipped > 0
    assert synapses.statistics()["initial_clipped_total"] == clipped


def test_a_step_that_cannot_be_reached_shows_in_the_row() -> None:
    device = get_preset("ideal", EXACT_DEVICE)
    synapses = TileSynapses(make_crossbar(), device, TileSpec(weight_range=4.0), 2 * STEP * 500)
    row = synapses.statistics()
    assert row["step_wanted"] / row["device_step"] == pytest.approx(2.0)
    assert row["thinning"] == 1.0
    synapses.set_step_scale(0.25)
    assert synapses.statistics()["thinning_last"] == pytest.approx(0.5)


def test_the_busiest_devices_are_counted_up_plus_down() -> None:
    synapses = on_tile()(make_crossbar())
    pre, positive = np.zeros((7, 20), bool), np.zeros((7, 8), bool)
    negative = np.zeros_like(positive)
    pre[:, 3] = True
    positive[:4, 5] = True  # The device (3, 5) gets four pulses up,
    negative[:, 5] = True  # and seven down.
    positive[:3, 6] = True  # Its neighbour gets three.
    deliver(synapses, make_block(pre, positive, negative))
    statistics = synapses.statistics()
    assert statistics["pulses_max"] == 11
    # 158 devices have no pulse, two have 3 and 11; the rank is 0.99 x 159 = 157.41 of 0...159.
    assert statistics["pulses_p99"] == pytest.approx(0.41 * 3)


def test_a_device_may_get_more_pulses_than_sixteen_bits_count() -> None:
    rows, calls = 256, 300
    ends = np.arange(rows + 1, dtype=np.int32)
    lines = np.zeros(rows, dtype=np.int32)
    block = PulseBlock(
        sample=lines,
        slot=lines,
        pre_start=ends,
        pre=lines,
        post_start=ends,
        post=lines,
        sign=np.ones(rows, dtype=np.int8),
    )
    writer, kept = RowWriter(2, 3), np.ones(rows, dtype=np.bool_)
    for _ in range(calls):
        row = 0
        while row < rows:
            row, x, _ = writer.write(block, kept, row)
            assert len(x) > 0
    assert writer.up[0, 0] == rows * calls > 65_535
    assert writer.up.sum() == rows * calls
    assert writer.down.sum() == 0


@pytest.mark.parametrize(
    "make",
    [
        on_tile(reads=ReadSpec(), reference=ReferenceSpec(scheme="reference_device")),
        on_native(device_read_noise={"white_of_range": 0.01}),
    ],
    ids=["reference of a tile", "noise of native devices"],
)
def test_currents_do_not_depend_on_the_threads_of_matrix_products(make: SynapsesFactory) -> None:
    """Two threads would sum 784 lines in another order than one, with other roundings."""
    lines = (np.random.default_rng(0).random((50, 784)) < 0.1).astype(np.float32)
    currents = []
    for threads in (1, 2):
        synapses = make(make_crossbar(784, 256))
        with threadpool_limits(threads):
            currents.append(synapses.currents(lines))
    np.testing.assert_array_equal(*currents)
