"""The step of a preset's mean device at a weight, from the formulas of aihwkit's models.

Only formulas: a table of all presets needs neither torch nor aihwkit, which take seconds to
import. A test compares them with steps measured on a tile.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np

from device_presets.preset import Preset

type Factors = tuple[float, float]
"""Step up and step down as shares of `step`, before asymmetry."""


def mean_steps(preset: Preset, weight: float = 0.0) -> tuple[float, float]:
    """Size of one isolated pulse up and down at a weight, of the mean device without noise.

    Returns:
        Both 0 or more, in units of weight; the down step is NaN where there is no gradual one.
    """
    up, down = _FACTORS.get(preset.model, _constant)(preset, weight)
    scale_up, scale_down = _scales(preset)
    return scale_up * up, scale_down * down if preset.bidirectional else math.nan


def noise_at_zero(preset: Preset) -> tuple[float, float]:
    """Deviation of an up and of a down pulse from pulse to pulse, at weight zero, over the mean
    step there; NaN where there is no such step."""
    values, steps = preset.values, mean_steps(preset)
    additive = values.get("noise_scales_with_step") is False
    sizes = _scales(preset) if additive else steps
    offset = preset.number("cycle_to_cycle_offset") if preset.model == "ExpStepDevice" else 0.0
    up, down = (
        preset.cycle_to_cycle * (size + offset) / step if step else math.nan
        for size, step in zip(sizes, steps, strict=True)
    )
    return up, down


def reading_noise_at_zero(preset: Preset) -> float:
    """Deviation from reading to reading over the larger step at weight zero; NaN without a step.

    The parameter `write_noise` is a share of `step`, which a model may multiply at weight zero.
    """
    larger = float(np.nanmax(mean_steps(preset)))
    return preset.number("write_noise") * preset.step / larger if larger else math.nan


def states_at_zero(preset: Preset) -> tuple[float, float]:
    """Range over the step up and the step down at weight zero, to a tenth, as all tables show;
    infinite where there is no step, NaN without a gradual down step."""
    span = preset.w_max - preset.w_min
    up, down = (span / step if step else math.inf for step in mean_steps(preset))
    return round(up, 1), round(down, 1)


def asymmetry_at_zero(preset: Preset) -> float:
    """`asymmetry_of` the steps at weight zero, to four places, as all tables show."""
    return round(asymmetry_of(*mean_steps(preset)), 4)


def shrinkage_at_bounds(preset: Preset) -> tuple[float, float]:
    """Share by which the up step is smaller at `w_max`, and the down step at `w_min`, than at
    weight zero; negative: the step is larger there. NaN where there is no step at weight zero."""
    up, down = mean_steps(preset)
    held = _held(preset) if preset.model == "SoftBoundsReferenceDevice" else 0.0
    at_high, at_low = (mean_steps(preset, b - held) for b in (preset.w_max, preset.w_min))
    pairs = ((up, at_high[0]), (down, at_low[1]))
    first, second = (1.0 - there / here if here else math.nan for here, there in pairs)
    return first, second


def asymmetry_of(up: float, down: float) -> float:
    """How much smaller one step is than the other, in the sign of the parameter `asymmetry`.

    Positive: the down step is smaller, by this share of the up step; negative: the up step is.
    """
    if up < down:
        return up / down - 1.0
    return 1.0 - down / up if up else 0.0


def _shares(preset: Preset) -> Factors:
    """What asymmetry leaves of the two steps."""
    asymmetry = preset.number("asymmetry")
    return 1.0 + min(asymmetry, 0.0), 1.0 - max(asymmetry, 0.0)


def _scales(preset: Preset) -> Factors:
    """What the factors multiply, in units of weight."""
    up, down = _shares(preset)
    physics, step = preset.pulse_physics, preset.step
    if physics is not None:  # the preset's own width may be another than that of `step`
        step *= physics.width_factor()
    return step * up, step * down


def _constant(preset: Preset, weight: float) -> Factors:
    return 1.0, 1.0


def _linear(preset: Preset, weight: float) -> Factors:
    up = 1.0 - preset.number("slope_up") * weight / preset.w_max
    return up, 1.0 - preset.number("slope_down") * weight / preset.w_min


def _soft_bounds(preset: Preset, weight: float) -> Factors:
    return 1.0 - weight / preset.w_max, 1.0 - weight / preset.w_min


def _less_reference(preset: Preset, weight: float) -> Factors:
    """Soft bounds of a device from which a reference is subtracted."""
    return _soft_bounds(preset, weight + _held(preset))


def _held(preset: Preset) -> float:
    """Weight of the reference device, by which the bounds of the difference lie lower."""
    held = preset.number("reference")
    if preset.value("subtract_symmetry_point"):  # where up and down steps are equal
        up, down = _shares(preset)
        held += (up - down) / (up / preset.w_max - down / preset.w_min)
    return held


def _exponential(preset: Preset, weight: float) -> Factors:
    span = preset.w_max - preset.w_min
    z = 2.0 * preset.number("a") * weight / span + preset.number("b")
    up = 1.0 - preset.number("A_up") * math.exp(preset.number("gamma_up") * z)
    down = 1.0 - preset.number("A_down") * math.exp(-preset.number("gamma_down") * z)
    return max(0.0, up), max(0.0, down)


def _power(preset: Preset, weight: float) -> Factors:
    span = preset.w_max - preset.w_min
    exponent, asymmetry = preset.number("exponent"), preset.number("exponent_asymmetry")
    up = ((preset.w_max - weight) / span) ** (exponent * (1.0 + min(asymmetry, 0.0)))
    down = ((weight - preset.w_min) / span) ** (exponent * (1.0 - max(asymmetry, 0.0)))
    return up, down


def _piecewise(preset: Preset, weight: float) -> Factors:
    def factor(name: str) -> float:
        factors = preset.value(name)
        assert isinstance(factors, tuple)
        nodes = np.linspace(preset.w_min, preset.w_max, len(factors))
        return float(np.interp(weight, nodes, factors))

    return factor("step_factors_up"), factor("step_factors_down")


_FACTORS: Mapping[str, Callable[[Preset, float], Factors]] = {
    "LinearStepDevice": _linear,
    "ChargeTrapDevice": _linear,
    "SoftBoundsDevice": _soft_bounds,
    "SoftBoundsReferenceDevice": _less_reference,
    "ExpStepDevice": _exponential,
    "PowStepDevice": _power,
    "PiecewiseStepDevice": _piecewise,
}
