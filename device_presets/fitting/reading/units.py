"""This file holds the units of measured columns, and which conductances a device can have."""

from typing import Final

ARBITRARY = "a.u."
"""Unit of conductances that were normalised: any finite number is one, also a negative one."""

SIEMENS: Final = {"S": 1.0, "mS": 1e-3, "uS": 1e-6, "nS": 1e-9, "pS": 1e-12, ARBITRARY: 1.0}
SECONDS: Final = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
VOLTS: Final = {"V": 1.0, "mV": 1e-3}

MOST_SIEMENS = 1.0
"""We assume that no single memory device conducts more: the wires to it have about 1 ohm, and a
quantum of conductance is 77.5 uS."""

LEAST_SIEMENS = 1e-15
"""We assume that no device is read below it: an electrometer's floor is 0.1 fA at 0.1 V."""


def in_unit(siemens: float, unit: str) -> str:
    """Returns a conductance as ``12.5 uS``, to six digits at most.

    Args:
        siemens: The conductance.
        unit: A key of ``SIEMENS``.
    """
    return f"{siemens / SIEMENS[unit]:.6g} {unit}"
