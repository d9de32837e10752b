"""Computes the steps of a preset's mean device from the formulas of its law.

This way the list of all presets needs neither torch nor aihwkit, which take seconds to import. A
test compares the formulas with steps measured on a tile.
"""

import math

import numpy as np

from device_presets.library.preset import Preset
from rpu_ssnn.devices.law import number


def mean_steps(preset: Preset, weight: float = 0.0) -> tuple[float, float]:
    """Returns the step sizes of the mean, noise-free device for isolated up and down pulses.

    Returns:
        Both are 0 or more, in units of weight; the down step is NaN if it is not gradual.
    """
    up, down = preset.law.mean_steps(preset.values, weight)
    return up, down if preset.bidirectional else math.nan


def noise_at_zero(preset: Preset) -> tuple[float, float]:
    """Returns the pulse-to-pulse deviation of up and down steps at weight zero, relative to the
    mean step there; NaN if there is no such step."""
    values, steps = preset.values, mean_steps(preset)
    additive = values.get("noise_scales_with_step") is False
    sizes = preset.law.scales(values) if additive else steps
    offset = number({"cycle_to_cycle_offset": 0.0, **values}, "cycle_to_cycle_offset")
    up, down = (
        preset.cycle_to_cycle * (size + offset) / step if step else math.nan
        for size, step in zip(sizes, steps, strict=True)
    )
    return up, down


def reading_noise_at_zero(preset: Preset) -> float:
    """Returns the deviation from reading to reading, relative to the larger step at weight zero;
    NaN without a step.

    The parameter `write_noise` is a share of `step`, from which the step at weight zero may differ.
    """
    larger = float(np.nanmax(mean_steps(preset)))
    return preset.number("write_noise") * preset.step / larger if larger else math.nan


def states_at_zero(preset: Preset) -> tuple[float, float]:
    """Returns the range divided by the up and by the down step at weight zero, rounded to a tenth
    as in all lists; infinite if the step is zero, NaN without a gradual down step."""
    span = preset.w_max - preset.w_min
    up, down = (span / step if step else math.inf for step in mean_steps(preset))
    return round(up, 1), round(down, 1)


def asymmetry_at_zero(preset: Preset) -> float:
    """Returns `asymmetry_of` the steps at weight zero, rounded to four places as in all lists."""
    return round(asymmetry_of(*mean_steps(preset)), 4)


def shrinkage_at_bounds(preset: Preset) -> tuple[float, float]:
    """Returns the shares by which the up step at `w_max` and the down step at `w_min` are smaller
    than at weight zero; a share is negative if the step is larger there, and NaN without a step at
    weight zero."""
    up, down = mean_steps(preset)
    subtracted = preset.law.reference_weight(preset.values)
    at_high, at_low = (mean_steps(preset, b - subtracted) for b in (preset.w_max, preset.w_min))
    pairs = ((up, at_high[0]), (down, at_low[1]))
    first, second = (1.0 - there / here if here else math.nan for here, there in pairs)
    return first, second


def asymmetry_of(up: float, down: float) -> float:
    """Returns how much smaller one step is than the other, with the sign of the parameter
    `asymmetry`.

    A positive value means that the down step is smaller, by this share of the up step; a negative
    value means that the up step is smaller, by this share of the down step.
    """
    if up < down:
        return up / down - 1.0
    return 1.0 - down / up if up else 0.0
