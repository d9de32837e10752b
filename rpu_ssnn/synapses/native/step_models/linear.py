"""Steps that change linearly with the state (aihwkit's LinearStepDevice); a, b: slope up, down."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from rpu_ssnn.compiled import compiled_inside
from rpu_ssnn.synapses.native.device_record import Device
from rpu_ssnn.synapses.native.step_models.rules import PerDevice, Rules, rules_of

AIHWKIT = "LinearStepDevice"

STEP_FIELDS = {"up": ("up", "a"), "down": ("down", "b")}
"""What of a device is proportional to its steps."""


def rules(config: Any, hidden: Mapping[str, PerDevice]) -> tuple[Rules, dict[str, PerDevice]]:
    """Common rules, and the further parameters of each device."""
    common = rules_of(config)._replace(noise_follows_step=config.mult_noise)
    return common, {"a": hidden["slope_up"], "b": hidden["slope_down"]}


@compiled_inside
def change(rules: Rules, device: Device, w: np.float32, up: bool, noise: np.float32) -> np.float32:
    """As `constant.change`."""
    at_zero, slope = (device.up, device.a) if up else (device.down, device.b)
    share = np.float32(1.0) + rules.noise * noise
    if rules.noise_follows_step:
        step = (slope * w + at_zero) * share
    else:
        step = slope * w + at_zero * share
    return step if up else -step
