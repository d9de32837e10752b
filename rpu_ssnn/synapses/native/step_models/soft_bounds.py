"""Steps that vanish at the bound they move to (aihwkit's SoftBoundsReferenceDevice).

a: the reference, which is subtracted from the device's own state; `cells.moved` adds it before.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from rpu_ssnn.compiled import compiled_inside
from rpu_ssnn.synapses.native.device_record import Device
from rpu_ssnn.synapses.native.step_models.rules import PerDevice, Rules, rules_of

AIHWKIT = "SoftBoundsReferenceDevice"


def rules(config: Any, hidden: Mapping[str, PerDevice]) -> tuple[Rules, dict[str, PerDevice]]:
    """Common rules, and the further parameters of each device."""
    common = rules_of(config)._replace(noise_follows_step=config.mult_noise, has_reference=True)
    return common, {"a": hidden["reference"]}


@compiled_inside
def change(rules: Rules, device: Device, w: np.float32, up: bool, noise: np.float32) -> np.float32:
    """As `constant.change`; w: with the reference."""
    one, nothing = np.float32(1.0), np.float32(0.0)
    if up:
        share = w / device.high if device.high > nothing else nothing
        at_zero = device.up
    else:
        share = w / device.low if device.low < nothing else nothing
        at_zero = device.down
    if rules.noise_follows_step:
        step = at_zero * (one - share) * (one + rules.noise * noise)
    else:
        step = at_zero * (one - share + rules.noise * noise)
    return step if up else -step
