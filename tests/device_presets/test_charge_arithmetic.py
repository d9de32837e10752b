"""Presets with a known cell size must agree with its capacitance in electrons, energy and time."""

import math

import numpy as np
import pytest

from device_presets import get_preset

ELECTRON_C = 1.602176634e-19
_EPSILON_F_PER_M = 3.9 * 8.8541878128e-12  # silicon dioxide


def gate_capacitance_f(area_um2: float, oxide_nm: float) -> float:
    """Returns the capacitance (F) of a gate with this area and equivalent oxide thickness."""
    return _EPSILON_F_PER_M * area_um2 * 1e-12 / (oxide_nm * 1e-9)


def electrons_per_step(capacitance_f: float, window_v: float, levels: float) -> float:
    """Returns the electrons moved by one of ``levels`` equal steps over a window of threshold
    voltage."""
    return capacitance_f * window_v / levels / ELECTRON_C


def shot_noise(electrons: float) -> float:
    """Returns the relative deviation of a step of this many electrons (Poisson)."""
    return 1.0 / math.sqrt(electrons)


def switching_energy_j(capacitance_f: float, pulse_v: float) -> float:
    """Returns C V^2 (J), the energy a source supplies to charge the gate to the pulse's voltage."""
    return capacitance_f * pulse_v**2


def retention_s(capacitance_f: float, volts: float, leak_a: float) -> float:
    """Returns C V / I (s), the time in which a constant leak removes the charge; it is taken as the
    time constant of the decay."""
    return capacitance_f * volts / leak_a


WINDOW_V, OXIDE_NM = 1.0, 10.0

# preset: area (um2), volts of a pulse (None: the preset states no energy)
TRAPS = {
    "charge_trap": (1.0, None),
    "charge_trap_tunnelling": (1.0, None),
    "charge_trap_100um": (100.0**2, 10.0),
    "charge_trap_180nm": (0.18**2, 5.0),
}
# preset: leak (A) at 50 fF and 0.5 V
CAPACITORS = {"capacitor_10s": 2.5e-15, "capacitor_300ms": 83e-15, "capacitor_10ms": 2.5e-12}


@pytest.mark.parametrize("name", TRAPS)
def test_a_charge_trap_counts_whole_electrons_and_their_noise(name: str) -> None:
    area, volts = TRAPS[name]
    preset = get_preset(name)
    capacitance = gate_capacitance_f(area, OXIDE_NM)
    electrons = electrons_per_step(capacitance, WINDOW_V, preset.levels)
    assert electrons > 1
    assert preset.cycle_to_cycle >= 0.9 * shot_noise(electrons)
    if volts is not None:
        energy = switching_energy_j(capacitance, volts)
        assert preset.number("energy_per_pulse_j") == pytest.approx(energy, rel=0.1)


def test_steps_shrink_as_the_tunnelling_current_does() -> None:
    """The reference is d ln J / dV of J ~ E^2 exp(-B/E), in which a stored shift reduces the
    voltage over the oxide."""
    b, field, oxide_cm = 254.0, 10.0, OXIDE_NM * 1e-7  # MV/cm, MV/cm, cm
    change = 1e-3  # V

    def log_current(shift_v: float) -> float:
        e = field - shift_v * 1e-6 / oxide_cm
        return 2.0 * math.log(e) - b / e

    v0 = -2.0 * change / (log_current(change) - log_current(-change))
    preset = get_preset("charge_trap_tunnelling")
    for name, sign in (("step_factors_up", -1.0), ("step_factors_down", 1.0)):
        factors = preset.value(name)
        weights = np.linspace(-1.0, 1.0, len(factors))
        expected = np.exp(sign * weights * WINDOW_V / 2.0 / v0)
        np.testing.assert_allclose(factors, expected, rtol=1e-3)
        between = (np.array(factors[1:]) + factors[:-1]) / 2.0
        mid = np.exp(sign * (weights[1:] + weights[:-1]) / 2.0 * WINDOW_V / 2.0 / v0)
        np.testing.assert_allclose(between, mid, rtol=5e-3)  # Interpolation causes this error.


def test_the_joined_numbers_of_2019_are_no_one_device() -> None:
    """The 10^4 levels belong to a cell of 100 um and the 3 fJ to one of 180 nm; no single size
    allows both."""
    joined = get_preset("charge_trap_2019")
    small, large = (gate_capacitance_f(area, OXIDE_NM) for area in (0.18**2, 100.0**2))
    assert electrons_per_step(small, WINDOW_V, joined.levels) < 0.1
    assert switching_energy_j(large, 1.0) > 1e3 * joined.number("energy_per_pulse_j")
    assert "no one device" in joined.description


@pytest.mark.parametrize("name", CAPACITORS)
def test_a_capacitor_keeps_its_charge_as_long_as_its_leak_says(name: str) -> None:
    seconds = retention_s(50e-15, 0.5, CAPACITORS[name])
    preset = get_preset(name)
    assert preset.number("leak_time_constant_s") == pytest.approx(seconds, rel=0.01)
    other = get_preset("capacitor")
    kept = {n: p.value for n, p in preset.parameters.items() if n != "leak_time_constant_s"}
    assert kept == {n: other.parameters[n].value for n in kept}
