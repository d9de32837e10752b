"""The steps of a preset's mean device, from the formulas of its law.

The list of all presets needs neither torch nor aihwkit, which take seconds to import. A test
compares the formulas with steps measured on a tile.
"""

import math

import numpy as np

from device_presets.library.preset import Preset
from rpu_ssnn.devices.law import number


def mean_steps(preset: Preset, weight: float = 0.0) -> tuple[float, float]:
    """Returns the size of one isolated pulse up and down at a weight, of the mean device without
    noise.

    Returns:
        Both 0 or more, in units of weight; the down step is NaN where there is no gradual one.
    """
    up, down = preset.law.mean_steps(preset.values, weight)
    return up, down if preset.bidirectional else math.nan


def noise_at_zero(preset: Preset) -> tuple[float, float]:
    """Returns the deviation of an up and of a down pulse from pulse to pulse, at weight zero, over
    the mean step there; NaN where there is no such step."""
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
    """Returns the deviation from reading to reading over the larger step at weight zero; NaN
    without a step.

    The parameter `write_noise` is a share of `step`, which a model may multiply at weight zero.
    """
    larger = float(np.nanmax(mean_steps(preset)))
    return preset.number("write_noise") * preset.step / larger if larger else math.nan


def states_at_zero(preset: Preset) -> tuple[float, float]:
    """Returns the range over the step up and the step down at weight zero, to a tenth, as all lists
    show; infinite where there is no step, NaN without a gradual down step."""
    span = preset.w_max - preset.w_min
    up, down = (span / step if step else math.inf for step in mean_steps(preset))
    return round(up, 1), round(down, 1)


def asymmetry_at_zero(preset: Preset) -> float:
    """Returns `asymmetry_of` the steps at weight zero, to four places, as all lists show."""
    return round(asymmetry_of(*mean_steps(preset)), 4)


def shrinkage_at_bounds(preset: Preset) -> tuple[float, float]:
    """Returns the share by which the up step is smaller at `w_max`, and the down step at `w_min`,
    than at weight zero; negative: the step is larger there. NaN where there is no step at weight
    zero."""
    up, down = mean_steps(preset)
    held = preset.law.held(preset.values)
    at_high, at_low = (mean_steps(preset, b - held) for b in (preset.w_max, preset.w_min))
    pairs = ((up, at_high[0]), (down, at_low[1]))
    first, second = (1.0 - there / here if here else math.nan for here, there in pairs)
    return first, second


def asymmetry_of(up: float, down: float) -> float:
    """Returns how much smaller one step is than the other, in the sign of the parameter
    `asymmetry`.

    Where it is positive the down step is smaller, by this share of the up step; where it is
    negative the up step is.
    """
    if up < down:
        return up / down - 1.0
    return 1.0 - down / up if up else 0.0
