"""Steps of one size at every state (aihwkit's ConstantStepDevice)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from rpu_ssnn.compiled import compiled_inside
from rpu_ssnn.synapses.native.device_record import Device
from rpu_ssnn.synapses.native.step_models.rules import PerDevice, Rules, rules_of

AIHWKIT = "ConstantStepDevice"

STEP_FIELDS = {"up": ("up",), "down": ("down",)}
"""What of a device is proportional to its steps."""


def rules(config: Any, hidden: Mapping[str, PerDevice]) -> tuple[Rules, PerDevice, PerDevice]:
    """Common rules, and parameters `a` and `b` of each device (none here)."""
    none = np.zeros_like(hidden["max_bound"])
    return rules_of(config), none, none


@compiled_inside
def change(rules: Rules, device: Device, w: np.float32, up: bool, noise: np.float32) -> np.float32:
    """Change of state by a pulse; noise: a standard normal number, or zero."""
    share = np.float32(1.0) + rules.noise * noise
    return share * device.up if up else -(share * device.down)
