"""What the size of a charge-storing cell fixes: electrons a step, their noise, energy, retention.

A preset's numbers have to agree with these wherever its cell's size is known; the tests ask.
"""

import math

ELECTRON_C = 1.602176634e-19
_EPSILON_F_PER_M = 3.9 * 8.8541878128e-12  # silicon dioxide


def gate_capacitance_f(area_um2: float, oxide_nm: float) -> float:
    """Capacitance (F) of a gate of that area on that equivalent thickness of silicon dioxide."""
    return _EPSILON_F_PER_M * area_um2 * 1e-12 / (oxide_nm * 1e-9)


def electrons_per_step(capacitance_f: float, window_v: float, levels: float) -> float:
    """Electrons that one of ``levels`` equal steps over a window of threshold voltage moves."""
    return capacitance_f * window_v / levels / ELECTRON_C


def shot_noise(electrons: float) -> float:
    """Deviation of a step of so many electrons as a share of the step (Poisson)."""
    return 1.0 / math.sqrt(electrons)


def switching_energy_j(capacitance_f: float, pulse_v: float) -> float:
    """C V^2 (J): what a source gives to charge the gate to the pulse's voltage, once."""
    return capacitance_f * pulse_v**2


def retention_s(capacitance_f: float, volts: float, leak_a: float) -> float:
    """C V / I (s): when a constant leak has taken the charge; the time constant of a decay."""
    return capacitance_f * volts / leak_a
