"""Compares the jumps of simulated devices with the measured table that they are drawn from."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

from device_presets import TableDevice, get_device
from device_presets.jump_tables.lookup_table import LookupTable
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.synapses.native import device_array
from rpu_ssnn.synapses.native.synapses import NativeSynapses
from support.commands import refused
from support.device_presets.jump_tables import measured_tables, write_table
from support.rpu_ssnn import native_devices
from support.rpu_ssnn.native_devices import all_at, on_all, pulse
from support.rpu_ssnn.networks import make_block, make_crossbar, random_trains

SIDE = 100
RANGE = 4e-5
"""The range of conductances (S) in the hand-made table."""


def native(device: TableDevice, start: float, **tile: object) -> NativeSynapses:
    """Returns 10,000 devices at one state, which is the weight."""
    return native_devices.native(device, all_at(start, SIDE, SIDE), **tile)


def pulsed(synapses: NativeSynapses, up: bool) -> np.ndarray:
    """Returns the states [devices] after one pulse on every device."""
    pulse(synapses, on_all(1, up, SIDE, SIDE))
    return synapses.weights().ravel().copy()


def small(
    tmp_path: Path, overrides: dict[str, float] | None = None, **table: object
) -> TableDevice:
    return get_device({"table": str(write_table(tmp_path / "small", **table))}, overrides)


def jumped(table: LookupTable, conductance: float, up: bool, shares: np.ndarray) -> np.ndarray:
    """Returns the same as `LookupTable.after` for many shares, by scipy's interpolation."""
    changes = table.up if up else table.down
    law = RegularGridInterpolator((table.points, table.conductance), changes)
    at = np.stack([shares, np.full_like(shares, conductance)], axis=1)
    return np.clip(conductance + law(at), table.conductance[0], table.conductance[-1])


def check_against(device: TableDevice, start: float) -> None:
    """Checks that mean and quantiles of 10,000 jumps agree with the table within four
    deviations."""
    table, (low, high) = device.tables[0], device.ends
    conductance = low + (start + 1.0) / 2.0 * (high - low)
    shares = (np.arange(SIDE * SIDE) + 0.5) / SIDE**2
    for up in (True, False):
        after = jumped(table, conductance, up, shares)
        expected = np.sort(2.0 * (after - low) / (high - low) - 1.0)
        jumps = np.sort(pulsed(native(device, start), up))
        assert jumps.mean() == pytest.approx(expected.mean(), abs=4 * expected.std() / SIDE + 1e-6)
        for share in (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98):
            error = 4.0 * np.sqrt(share * (1.0 - share)) / SIDE
            ends = np.quantile(expected, [max(0.0, share - error), min(1.0, share + error)])
            assert ends[0] - 1e-6 <= np.quantile(jumps, share) <= ends[1] + 1e-6, (up, share)


@pytest.mark.parametrize("start", [-1.0, -0.55, 0.0, 0.3, 0.96])
def test_jumps_have_the_law_of_a_hand_made_table(start: float, tmp_path: Path) -> None:
    """The table has uneven points and a slope; near the end many jumps stay at the bound."""
    check_against(small(tmp_path, slope=0.6, spread=2e-6, points=(0.0, 0.1, 0.2, 1.0)), start)


@pytest.mark.parametrize("folder", measured_tables(), ids=lambda folder: folder.name)
def test_jumps_have_the_law_of_a_measured_table(folder: Path) -> None:
    """This takes a second or two, as most files hold half a million numbers."""
    device = get_device({"table": str(folder)})
    for start in (-0.9, 0.0, 0.77):
        check_against(device, start)


def test_a_wrong_spread_is_told(tmp_path: Path) -> None:
    """The check must fail if the spread is 10 % larger than in the table."""
    wrong = small(tmp_path, {"jump_spread": 1.1}, spread=2e-6)
    with pytest.raises(AssertionError):
        check_against(wrong, 0.0)


def test_between_conductances_and_points_the_law_is_interpolated(tmp_path: Path) -> None:
    """The mean falls linearly with the conductance, so interpolation is exact."""
    device = small(tmp_path, {"jump_spread": 0.0}, slope=0.5, columns=3)
    for start in (-0.9, -0.3, 0.4, 0.8):
        for up, step in ((True, 1e-6), (False, -2e-6)):
            expected = 2.0 * step / RANGE * (1.0 - 0.5 * (start + 1.0) / 2.0)
            change = pulsed(native(device, start), up) - start
            np.testing.assert_allclose(change, expected, rtol=1e-3)


def test_nonlinearity_and_asymmetry_are_shares_of_the_measured_ones(tmp_path: Path) -> None:
    def step(start: float, up: bool, **shares: float) -> float:
        device = small(tmp_path, {"jump_spread": 0.0, **shares}, slope=0.5)
        return float((pulsed(native(device, start), up) - start).mean()) / (2e-6 / RANGE)

    assert step(0.5, True) == pytest.approx(1.0 * 0.625, rel=1e-3)
    assert step(0.5, True, jump_nonlinearity=0.0) == pytest.approx(0.75, rel=1e-3)
    assert step(0.5, True, jump_asymmetry=0.0) == pytest.approx(1.5 * 0.625, rel=1e-3)
    assert step(0.5, False, jump_asymmetry=0.0) == pytest.approx(-1.5 * 0.625, rel=1e-3)


def test_states_repeat_for_all_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_array, "LEAST_WORK", 1)
    device, block = small(tmp_path, spread=1e-6), make_block(*random_trains(300))

    def after(count: int, pool: ThreadPoolExecutor | None) -> np.ndarray:
        crossbar = replace(make_crossbar(), threads=count, pool=pool)
        return pulse(native_devices.native(device, crossbar), block)

    alone = after(1, None)
    with ThreadPoolExecutor(3) as pool:
        for count in (2, 3):
            np.testing.assert_array_equal(after(count, pool), alone)
    assert np.unique(alone).size > 50


def test_a_half_selected_device_moves_by_its_mean_jump(tmp_path: Path) -> None:
    device = small(tmp_path, spread=1e-6)
    synapses = native(device, 0.0, half_select={"forward_up": 0.01})
    every, none = np.ones((50, SIDE), bool), np.zeros((50, SIDE), bool)
    synapses.update(make_block(every, none, none))
    synapses.commit(range(1))
    np.testing.assert_allclose(synapses.weights(), 0.5 * 2e-6 / RANGE, rtol=1e-3)


# --- populations --------------------------------------------------------------------------------


def test_a_folder_of_folders_is_a_population(tmp_path: Path) -> None:
    """Each device is one table, with the range and the jumps of that table."""
    write_table(tmp_path / "many" / "a", spread=0.0)
    write_table(tmp_path / "many" / "b", spread=0.0, up=4e-6, low=3e-5, points=(0.0, 1.0))
    device = get_device({"table": str(tmp_path / "many")})
    low, high = 1e-5, 7e-5
    synapses = native(device, 0.1)
    assert synapses.device_step == pytest.approx((1.5 + 3.0) / 2.0 * 2e-6 / (high - low), rel=1e-3)
    change = pulsed(synapses, up=True) - 0.1
    small_step = change < 2.5e-6 * 2.0 / (high - low)
    assert 0.45 < small_step.mean() < 0.55
    np.testing.assert_allclose(change[small_step], 2e-6 / (high - low), rtol=1e-3)
    np.testing.assert_allclose(change[~small_step], 8e-6 / (high - low), rtol=1e-3)
    records = synapses.records[0]
    for first, last in ((1e-5, 5e-5), (3e-5, 7e-5)):
        ends = [2.0 * (g - low) / (high - low) - 1.0 for g in (first, last)]
        assert np.isclose(records["low"], ends[0]).any()
        assert np.isclose(records["high"], ends[1]).any()


def test_neither_folders_nor_their_order_change_a_device(tmp_path: Path) -> None:
    folders = [write_table(tmp_path / name, up=up) for name, up in (("a", 1e-6), ("b", 3e-6))]
    moved = [write_table(tmp_path / name, up=up) for name, up in (("y", 3e-6), ("z", 1e-6))]
    first, second = (get_device({"table": [str(f) for f in each]}) for each in (folders, moved))
    assert first.name.split("sha256=")[1] == second.name.split("sha256=")[1]
    states = (pulsed(native(device, 0.0), True) for device in (first, second))
    np.testing.assert_array_equal(*states)


def test_stuck_devices_stay_within_their_own_range(tmp_path: Path) -> None:
    synapses = native(small(tmp_path, spread=1e-6), 0.0, stuck_share=1.0)
    before = synapses.weights().ravel().copy()
    assert before.min() < -0.9
    assert before.max() > 0.9
    np.testing.assert_array_equal(pulsed(synapses, True), before)


# --- refusals -----------------------------------------------------------------------------------


def test_a_table_that_changes_is_no_longer_the_one_named(tmp_path: Path) -> None:
    device = small(tmp_path)
    assert get_device(device.name).name == device.name
    write_table(tmp_path / "small", up=3e-6)
    with refused("sha256", "must be", "the table has changed"):
        get_device(device.name)


@pytest.mark.parametrize(
    ("name", "overrides", "words"),
    [
        ({"table": []}, None, "must be a folder, or a list of folders"),
        ({"table": "a, b"}, None, "without a comma"),
        ({"tables": "a"}, None, "must be the name of a device, {table: FOLDER}"),
        ({"table": "small"}, {"cycle_to_cycle": 0.1}, "cycle_to_cycle.*must be one of jump_spread"),
        ({"table": "small"}, {"jump_spread": -1.0}, "jump_spread: -1.0.*at least 0"),
        ({"table": ["small", "wide"]}, None, "conductances: .* must be 1?[59], as in"),
        ({"table": "reversed"}, None, "mean jump at mid-range: -.*must be above 0"),
    ],
)
def test_bad_tables_are_one_line(
    name: object,
    overrides: dict[str, float] | None,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_table(Path("small"))
    write_table(Path("wide"), columns=15)
    write_table(Path("reversed"), up=-2e-6, down=1e-6)
    with pytest.raises(InputError, match=f"^[^\n]*{words}[^\n]*$"):
        get_device(name, overrides)
