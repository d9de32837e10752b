"""Steps that follow a power of the way left to the bound (aihwkit's PowStepDevice).

a, b: exponent up, down.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from rpu_ssnn.compiled import compiled_inside
from rpu_ssnn.synapses.native.device_record import Device
from rpu_ssnn.synapses.native.step_models.rules import PerDevice, Rules, rules_of

AIHWKIT = "PowStepDevice"


def rules(config: Any, hidden: Mapping[str, PerDevice]) -> tuple[Rules, dict[str, PerDevice]]:
    """Common rules, and the further parameters of each device."""
    return rules_of(config), {"a": hidden["gamma_up"], "b": hidden["gamma_down"]}


@compiled_inside
def change(rules: Rules, device: Device, w: np.float32, up: bool, noise: np.float32) -> np.float32:
    """As `constant.change`."""
    span = device.high - device.low
    if span == np.float32(0.0):
        return np.float32(0.0)
    share = np.float32(1.0) + rules.noise * noise
    if up:
        return device.up * ((device.high - w) / span) ** device.a * share
    return -(device.down * ((w - device.low) / span) ** device.b * share)
