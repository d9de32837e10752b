"""Compares loss over time without a single time constant, and temperature, with closed forms."""

import math
from pathlib import Path

import numpy as np
import pytest

from device_presets import Preset, get_preset
from rpu_ssnn.spec.array_physics import BOLTZMANN_EV, RetentionSpec
from rpu_ssnn.synapses.native.effects.retention import charges
from rpu_ssnn.synapses.native.synapses import NativeSynapses
from support.commands import refused
from support.device_presets.own_presets import write_own_presets
from support.rpu_ssnn.native_devices import SCALE, all_at, native, on_all, on_lines, pulse

BATCH_S = 10 * 50 * 5e-7
LAWS = ({"loss_per_decade": 0.05}, {"exponent": 0.05}, {"exponent": 0.5})


def law(spec: RetentionSpec, seconds: float | np.ndarray) -> np.ndarray:
    """Returns the share of a charge that is left at that age."""
    age = 1.0 + np.asarray(seconds) / spec.from_s
    if spec.exponent > 0.0:
        return np.asarray(age**-spec.exponent)
    return np.asarray(1.0 - spec.loss_per_decade * np.log10(age))


def made(
    start: float, retention: dict[str, float], device: str | Preset = "ideal", **tile: object
) -> NativeSynapses:
    """Returns devices that all start in the same state."""
    preset = get_preset(device) if isinstance(device, str) else device
    return native(preset, all_at(start), retention=retention, **tile)


def states(synapses: NativeSynapses) -> np.ndarray:
    kept: np.ndarray = synapses.weights() / SCALE
    return kept


@pytest.mark.parametrize("from_s", [1e-9, 1e-5, 0.1, 1.0, 1e3])
@pytest.mark.parametrize("settings", LAWS)
def test_charges_follow_the_law_from_any_onset(settings: dict[str, float], from_s: float) -> None:
    spec = RetentionSpec(**settings, from_s=from_s)
    times, shares = charges(spec)
    assert shares.sum() == pytest.approx(1.0)
    assert shares.min() >= 0.0
    seconds = np.logspace(math.log10(from_s) - 2.0, 8.5, 200)
    left = np.exp(-seconds[:, None] / times) @ shares
    expected = law(spec, seconds)
    tolerance = 0.002 * spec.loss_per_decade + 0.005 * (spec.exponent > 0) * expected
    assert (np.abs(left - expected) <= tolerance).all()


def test_all_is_gone_where_the_decades_end() -> None:
    times, shares = charges(RetentionSpec(loss_per_decade=0.25))
    assert shares[-1] == pytest.approx(0.0, abs=1e-12)
    assert float(np.exp(-10.0 / times) @ shares) < 1e-4, "six decades of a quarter each"


@pytest.mark.parametrize("toward", [0.0, -0.8])
@pytest.mark.parametrize("settings", LAWS)
def test_states_lose_by_age_however_time_is_cut(settings: dict[str, float], toward: float) -> None:
    """There are many batches, then storage; a law without memory would repeat the fast early loss
    in each."""
    retention = {**settings, "toward_state": toward}
    synapses, spec = made(0.6, retention), RetentionSpec(**retention)
    seconds = 0.0
    for batches, stored in ((1, 0.0), (20, 0.0), (300, 0.0), (0, 10.0), (0, 3e7)):
        for _ in range(batches):
            synapses.commit(range(10))
            synapses.end_batch()
        synapses.rest(stored)
        seconds += batches * BATCH_S + stored
        expected = toward + (0.6 - toward) * law(spec, seconds)
        np.testing.assert_allclose(states(synapses), expected, atol=0.006)
        kept = synapses.statistics()["charge_kept"]
        assert kept == pytest.approx(float(law(spec, seconds)), rel=0.008)


def test_a_pulse_ages_by_itself() -> None:
    """A second charge of one device decays from its start, while the first charge of all devices
    decays as before.

    The second charge arrives evenly over its batch, so its loss is the mean over ages up to a
    batch.
    """
    settings = {"loss_per_decade": 0.1}
    synapses, spec = made(0.5, settings), RetentionSpec(**settings)
    synapses.end_batch()
    synapses.rest(100.0)
    pulse(synapses, on_lines(100, [3], [2], []))
    added = 100 * 2.0 / 1200
    assert states(synapses)[3, 2] == pytest.approx(states(synapses)[4, 2] + added, abs=1e-5)
    synapses.end_batch()
    lost = states(synapses)[4, 2] + added - states(synapses)[3, 2]
    u = BATCH_S / spec.from_s
    mean_loss = 0.1 * ((1.0 + 1.0 / u) * math.log10(1.0 + u) - math.log10(math.e))
    assert lost == pytest.approx(added * mean_loss, rel=0.01)
    synapses.rest(1e3)
    old, new = law(spec, 1e3 + 100.0 + 2 * BATCH_S), law(spec, 1e3)
    expected = 0.5 * float(old) + added * float(new)
    assert states(synapses)[3, 2] == pytest.approx(expected, abs=1e-3)


def test_what_a_pulse_takes_away_comes_back_by_the_law() -> None:
    """Fresh charge of the other sign is lost first, so the state relaxes back to where it was."""
    synapses = made(1.0, {"loss_per_decade": 0.1})
    synapses.rest(1e6)
    settled = states(synapses)[3, 2]
    pulse(synapses, on_all(200, up=False))
    pulsed = states(synapses)[3, 2]
    assert pulsed < settled - 0.3
    synapses.rest(1.0)
    assert pulsed + 0.1 < states(synapses)[3, 2] < settled


def test_arrhenius_scales_the_time_axis() -> None:
    """For 1.1 eV between 300 and 358 K it is exp(1.1 / 8.617e-5 (1/300 - 1/358)) = 986, by hand."""
    heat = {"temperature_k": 358.0, "activation_energy_ev": 1.1}
    acceleration = RetentionSpec(**heat).acceleration
    by_hand = math.exp(1.1 / BOLTZMANN_EV * (1 / 300 - 1 / 358))
    assert acceleration == pytest.approx(by_hand)
    assert acceleration == pytest.approx(986, rel=2e-3)
    hot, cold = made(0.6, {"exponent": 0.1, **heat}), made(0.6, {"exponent": 0.1})
    hot.rest(1e3)
    cold.rest(1e3 * acceleration)
    np.testing.assert_allclose(hot.weights(), cold.weights(), rtol=1e-6)
    assert RetentionSpec(temperature_k=250.0, activation_energy_ev=0.5).acceleration < 1.0


@pytest.mark.parametrize("name", ["capacitor", "charge_trap_pulsed"])
def test_heat_speeds_the_preset_s_own_loss(name: str) -> None:
    """200 s at 355 K have the effect of a longer time at 300 K."""
    heat = {"temperature_k": 355.0, "activation_energy_ev": 0.4}
    factor = RetentionSpec(**heat).acceleration
    assert factor > 10
    hot, cold, long = made(0.6, heat, name), made(0.6, {}, name), made(0.6, {}, name)
    hot.rest(200.0)
    cold.rest(200.0)
    long.rest(200.0 * factor)
    np.testing.assert_allclose(hot.weights(), long.weights(), rtol=1e-4, atol=1e-6)
    assert np.abs(hot.weights() - cold.weights()).max() > 0.01


@pytest.mark.parametrize("name", ["reram_es", "hfo2", "charge_trap"])
def test_no_loss_crosses_a_bound_and_stuck_devices_stay(name: str) -> None:
    retention = {"loss_per_decade": 0.2, "toward_state": -1.0}
    synapses = made(0.6, retention, name, stuck_share=0.3)
    records = synapses.records[0]
    stuck = records["low"] == records["high"]
    before = records["state"].copy()
    synapses.rest(1e8)
    np.testing.assert_array_equal(records["state"][stuck], before[stuck])
    shift = records["a"] if name == "hfo2" else 0.0
    moving = ~stuck
    ends = np.maximum(-1.0, (records["low"] - shift)[moving])
    np.testing.assert_allclose(records["state"][moving], ends, atol=1e-5)


def test_both_of_a_pair_lose() -> None:
    pair = {"scheme": "differential_pair"}
    synapses = made(0.6, {"exponent": 0.1, "toward_state": 0.5}, reference=pair)
    synapses.rest(1e5)
    left = float(law(RetentionSpec(exponent=0.1), 1e5))
    np.testing.assert_allclose(states(synapses), 0.6 * left, atol=0.006)


@pytest.mark.parametrize("settings", LAWS)
def test_rounding_beyond_a_bound_is_no_negative(settings: dict[str, float], tmp_path: Path) -> None:
    """Pulses move devices with a fractional power to either bound, and losses move them off it."""
    preset = get_preset(f"{write_own_presets(tmp_path)}:power", {"cycle_to_cycle": 0.0})
    retention = settings | {"from_s": 1e-3}
    synapses = native(preset, weight_range=1.0, retention=retention)
    for up in (True, False) * 5:
        pulse(synapses, on_all(500, up))
        synapses.end_batch()
    assert np.isfinite(synapses.weights()).all()


@pytest.mark.parametrize("name", ["capacitor", "charge_trap_pulsed"])
def test_a_second_law_beside_the_preset_s_own_is_refused(name: str) -> None:
    with refused("tile", "retention", "already loses charge"):
        made(0.1, {"exponent": 0.1}, name)


def test_a_charge_trap_that_loses_nothing_of_its_own_follows_the_law() -> None:
    own = get_preset("charge_trap_pulsed", {"loss_per_decade": 0.0})
    synapses = made(0.5, {"loss_per_decade": 0.1, "from_s": 1.0}, own)
    start = states(synapses)
    synapses.rest(99.0)
    np.testing.assert_allclose(states(synapses), 0.8 * start, rtol=0.01)


HOT = {"temperature_k": 350, "activation_energy_ev": 1.0}


def test_heat_makes_no_storage_longer_than_the_slowest_charge() -> None:
    hot = {"loss_per_decade": 0.05, "temperature_k": 450, "activation_energy_ev": 1.1}
    with refused("storage_seconds: 20000000.0", "at most 1e+12 s at the temperature where"):
        made(0.5, hot, storage_seconds=2e7)


@pytest.mark.parametrize("setting", [{"storage_seconds": 1.0}, {"retention": HOT}])
def test_time_and_heat_of_a_trap_that_loses_nothing_is_refused(setting: dict[str, object]) -> None:
    own = get_preset("charge_trap_pulsed", {"loss_per_decade": 0.0})
    with refused("tile", "needs a device that loses charge"):
        native(own, **setting)
