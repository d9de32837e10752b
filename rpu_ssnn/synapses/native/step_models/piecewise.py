"""Steps interpolated between given ones, evenly spaced over the range (PiecewiseStepDevice)."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from rpu_ssnn.compiled import compiled_inside
from rpu_ssnn.synapses.native.device_record import Device
from rpu_ssnn.synapses.native.step_models.rules import PerDevice, Rules, rules_of

AIHWKIT = "PiecewiseStepDevice"


def rules(config: Any, hidden: Mapping[str, PerDevice]) -> tuple[Rules, dict[str, PerDevice]]:
    """Common rules with the factors, up then down, and no further parameters of each device."""
    numbers = np.array([*config.piecewise_up, *config.piecewise_down], dtype=np.float32)
    return rules_of(config)._replace(numbers=numbers), {}


@compiled_inside
def change(rules: Rules, device: Device, w: np.float32, up: bool, noise: np.float32) -> np.float32:
    """As `constant.change`."""
    one, nothing = np.float32(1.0), np.float32(0.0)
    span = device.high - device.low
    if not span > nothing:
        return nothing
    sections = len(rules.numbers) // 2 - 1
    place = max((w - device.low) / span * np.float32(sections), nothing)
    index = min(math.floor(place), sections - 1)
    t = min(place - np.float32(index), one)
    at_zero = device.up
    if not up:
        index += sections + 1
        at_zero = device.down
    factor: np.float32 = (one - t) * rules.numbers[index] + t * rules.numbers[index + 1]
    step = at_zero * factor * (one + rules.noise * noise)
    return step if up else -step
