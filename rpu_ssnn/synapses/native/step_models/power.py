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
    nothing, span = np.float32(0.0), device.high - device.low
    if span == nothing:
        return nothing
    share = np.float32(1.0) + rules.noise * noise
    # A loss of charge may leave a device beyond its bound by a rounding.
    if up:
        return device.up * (max(device.high - w, nothing) / span) ** device.a * share
    return -(device.down * (max(w - device.low, nothing) / span) ** device.b * share)
