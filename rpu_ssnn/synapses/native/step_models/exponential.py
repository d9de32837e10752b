"""Steps that fall off exponentially (aihwkit's ExpStepDevice).

The step's factor is max(0, 1 - A exp(d gamma z)), z = 2 a w / (high - low) + b, d = +1 up, -1
down. Where `offset` or `slope` is given, noise is that share of (step + offset + slope |w|).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from rpu_ssnn.compiled import compiled_inside
from rpu_ssnn.synapses.native.device_record import Device
from rpu_ssnn.synapses.native.random_numbers import exponential
from rpu_ssnn.synapses.native.step_models.rules import PerDevice, Rules, rules_of

AIHWKIT = "ExpStepDevice"

_STEEPEST = np.float32(80.0)
"""Exponents beyond this are cut: single precision holds no more."""


def rules(config: Any, hidden: Mapping[str, PerDevice]) -> tuple[Rules, dict[str, PerDevice]]:
    """Common rules with the numbers of the curve, and no further parameters of each device."""
    numbers = (
        config.A_up, config.A_down, config.gamma_up, config.gamma_down, config.a, config.b,
        config.dw_min_std_add, config.dw_min_std_slope,
    )  # fmt: skip
    return rules_of(config)._replace(numbers=np.array(numbers, dtype=np.float32)), {}


@compiled_inside
def change(rules: Rules, device: Device, w: np.float32, up: bool, noise: np.float32) -> np.float32:
    """As `constant.change`."""
    one, nothing = np.float32(1.0), np.float32(0.0)
    span = device.high - device.low
    if not span > nothing:
        return nothing
    numbers = rules.numbers
    z = np.float32(2.0) * w / span * numbers[4] + numbers[5]
    at_zero, A, power = (
        (device.up, numbers[0], numbers[2] * z)
        if up
        else (device.down, numbers[1], numbers[3] * -z)
    )
    factor: np.float32 = max(one - A * exponential(min(max(power, -_STEEPEST), _STEEPEST)), nothing)
    if numbers[6] > nothing or numbers[7] > nothing:
        step = factor * at_zero
        spread: np.float32 = rules.noise * (abs(step) + numbers[6] + numbers[7] * abs(w))
        return (step if up else -step) + spread * noise
    step = factor * (one + rules.noise * noise) * at_zero
    return step if up else -step
