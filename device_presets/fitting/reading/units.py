"""Defines the units of measured columns, and the range of possible conductances."""

from typing import Final

ARBITRARY = "a.u."
"""The unit of normalised conductances, which may be any finite number, even a negative one."""

SIEMENS: Final = {"S": 1.0, "mS": 1e-3, "uS": 1e-6, "nS": 1e-9, "pS": 1e-12, ARBITRARY: 1.0}
SECONDS: Final = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
AMPERES: Final = {"A": 1.0, "mA": 1e-3, "uA": 1e-6, "nA": 1e-9, "pA": 1e-12}
VOLTS: Final = {"V": 1.0, "mV": 1e-3}

MOST_VOLTS = 1000.0
"""This is the assumed upper limit of pulses on a single memory device."""

LEAST_SIEMENS = 1e-15
"""This is the assumed lower limit of readings: an electrometer resolves 0.1 fA, here at 0.1 V."""


def in_unit(siemens: float, unit: str) -> str:
    """Returns a conductance as ``12.5 uS``, to six digits at most.

    Args:
        siemens: The conductance.
        unit: A key of ``SIEMENS``.
    """
    return f"{siemens / SIEMENS[unit]:.6g} {unit}"
