"""Steps of one size at every state (aihwkit's ConstantStepDevice)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from rpu_ssnn.compiled import compiled_inside
from rpu_ssnn.synapses.native.device_record import Device
from rpu_ssnn.synapses.native.step_models.rules import PerDevice, Rules, rules_of

AIHWKIT = "ConstantStepDevice"


def rules(config: Any, hidden: Mapping[str, PerDevice]) -> tuple[Rules, dict[str, PerDevice]]:
    """Common rules, and the further parameters of each device, `a` and `b` (none here)."""
    return rules_of(config), {}


@compiled_inside
def change(rules: Rules, device: Device, w: np.float32, up: bool, noise: np.float32) -> np.float32:
    """Change of state by a pulse; noise: a standard normal number, or zero."""
    share = np.float32(1.0) + rules.noise * noise
    return share * device.up if up else -(share * device.down)
