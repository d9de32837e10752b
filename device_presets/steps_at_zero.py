"""The step of a preset's mean device at weight zero, from the formulas of aihwkit's models.

Only formulas: a table of all presets needs neither torch nor aihwkit, which take seconds to
import. A test compares them with steps measured on a tile.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np

from device_presets.preset import Preset

type Factors = tuple[float, float]
"""Step up and step down at weight zero, as shares of `step`, before asymmetry."""


def mean_steps_at_zero(preset: Preset) -> tuple[float, float]:
    """Size of one up and of one down pulse at weight zero, of the mean device without noise.

    Returns:
        Both positive, in units of weight; the down step is NaN where there is no gradual one.
    """
    up, down = _FACTORS.get(preset.model, _one)(preset)
    asymmetry = preset.number("asymmetry")
    up *= preset.step * (1.0 + min(asymmetry, 0.0))
    down *= preset.step * (1.0 - max(asymmetry, 0.0))
    return up, down if preset.bidirectional else math.nan


def asymmetry_of(up: float, down: float) -> float:
    """How much smaller one step is than the other, in the sign of the parameter `asymmetry`.

    Positive: the down step is smaller, by this share of the up step; negative: the up step is.
    """
    return up / down - 1.0 if up < down else 1.0 - down / up


def _one(preset: Preset) -> Factors:
    """Constant, linear and soft-bounds steps are `step` at weight zero by definition."""
    return 1.0, 1.0


def _exponential(preset: Preset) -> Factors:
    z = preset.number("b")
    up = 1.0 - preset.number("A_up") * math.exp(preset.number("gamma_up") * z)
    down = 1.0 - preset.number("A_down") * math.exp(-preset.number("gamma_down") * z)
    return max(0.0, up), max(0.0, down)


def _power(preset: Preset) -> Factors:
    span = preset.w_max - preset.w_min
    exponent, asymmetry = preset.number("exponent"), preset.number("exponent_asymmetry")
    up = (preset.w_max / span) ** (exponent * (1.0 + min(asymmetry, 0.0)))
    down = (-preset.w_min / span) ** (exponent * (1.0 - max(asymmetry, 0.0)))
    return up, down


def _piecewise(preset: Preset) -> Factors:
    def at_zero(name: str) -> float:
        factors = preset.value(name)
        assert isinstance(factors, tuple)
        return float(np.interp(0.0, np.linspace(preset.w_min, preset.w_max, len(factors)), factors))

    return at_zero("step_factors_up"), at_zero("step_factors_down")


_FACTORS: Mapping[str, Callable[[Preset], Factors]] = {
    "ExpStepDevice": _exponential,
    "PowStepDevice": _power,
    "PiecewiseStepDevice": _piecewise,
}
