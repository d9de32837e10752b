"""Computes NeuroSim's pulse curve and the label that NeuroSim gives to its nonlinearity.

The source is Chen, Peng, Yu, "NeuroSim", IEEE TCAD 37(12), 2018, and the MLP simulator of that
group (``Cell.cpp``, ``formula.cpp``). The conductance after a share p of the pulses, from 0 to 1,
is f(p) = (1 - exp(-p / A)) / (1 - exp(-1 / A)), with A looked up in a table by a label between 0
and 9. In that table the label is 1000/99 times the largest distance of f from the straight line
(to four digits over its whole range); this formula is used here instead. A negative label bends
the curve the other way. If the first pulses have the most effect, an increase has a positive label
and a decrease a negative one.
"""

import math

import numpy as np
from scipy.optimize import brentq, minimize_scalar

LABEL_PER_DISTANCE = 1000.0 / 99.0
LARGEST_LABEL = 9.0
STRAIGHT = 1e-3
"""Smaller labels count as a straight line."""


def curve(share: np.ndarray, label: float) -> np.ndarray:
    """Returns the conductance from 0 to 1 after each share of the pulses, for a label of either
    sign."""
    if abs(label) < STRAIGHT:
        return np.asarray(share, dtype=float)
    a = math.copysign(curvature(abs(label)), label)
    result: np.ndarray = np.expm1(-np.asarray(share) / a) / math.expm1(-1.0 / a)
    return result


def curvature(label: float) -> float:
    """Returns A, in units of the number of pulses, of a positive label up to ``LARGEST_LABEL``."""
    distance = label / LABEL_PER_DISTANCE
    return math.exp(brentq(lambda log_a: _distance(math.exp(log_a)) - distance, -6.0, 12.0))


def label_of(measured: np.ndarray) -> float:
    """Returns the label of a measured curve.

    Args:
        measured: [pulses + 1] conductances from first to last, in any unit.
    """
    scaled = (measured - measured[0]) / (measured[-1] - measured[0])
    share = np.linspace(0.0, 1.0, len(scaled))

    def misfit(label: float) -> float:
        return float(np.sum((curve(share, label) - scaled) ** 2))

    coarse = np.linspace(-LARGEST_LABEL, LARGEST_LABEL, 37)
    best = float(coarse[int(np.argmin([misfit(float(label)) for label in coarse]))])
    low, high = max(best - 0.5, -LARGEST_LABEL), min(best + 0.5, LARGEST_LABEL)
    minimum = minimize_scalar(misfit, bounds=(low, high), method="bounded", options={"xatol": 1e-5})
    return float(minimum.x)


def _distance(a: float) -> float:
    """Returns the largest distance of the curve with constant ``a`` from the straight line."""
    total = -math.expm1(-1.0 / a)
    at = -a * math.log(a * total)  # The distance is largest where the curve has slope one.
    return -math.expm1(-at / a) / total - at
