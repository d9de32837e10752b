"""Step models: what one pulse does to a device, by its state; one file each, and this table.

A new one is its file, its line in `MODELS` and its line in `change`.
"""

from types import ModuleType

import numpy as np

from rpu_ssnn.compiled import compiled_inside
from rpu_ssnn.synapses.native.device_record import Device
from rpu_ssnn.synapses.native.step_models import (
    constant,
    exponential,
    jump_table,
    linear,
    piecewise,
    power,
    soft_bounds,
)
from rpu_ssnn.synapses.native.step_models.rules import Rules

MODELS: tuple[ModuleType, ...] = (
    constant, linear, soft_bounds, exponential, power, piecewise, jump_table,
)  # fmt: skip
"""By number, as `change` takes it."""

JUMP_TABLE = 6
"""Number of the model whose noise is a uniform number; that of the others is a normal one."""

NUMBERS = {model.AIHWKIT: number for number, model in enumerate(MODELS)}
"""aihwkit's class of device -> number of its model."""


def step_fields(model: int) -> dict[str, tuple[str, ...]]:
    """What of a device is proportional to its steps up and down; a model may name more."""
    fields: dict[str, tuple[str, ...]] = {"up": ("up",), "down": ("down",)}
    return getattr(MODELS[model], "STEP_FIELDS", fields)


@compiled_inside
def change(
    model: int, rules: Rules, device: Device, w: np.float32, up: bool, noise: np.float32
) -> np.float32:
    """Change of a device's state by one pulse, before its bounds act."""
    if model == 0:
        return constant.change(rules, device, w, up, noise)
    if model == 1:
        return linear.change(rules, device, w, up, noise)
    if model == 2:
        return soft_bounds.change(rules, device, w, up, noise)
    if model == 3:
        return exponential.change(rules, device, w, up, noise)
    if model == 4:
        return power.change(rules, device, w, up, noise)
    if model == 5:
        return piecewise.change(rules, device, w, up, noise)
    if model == 6:
        return jump_table.change(rules, device, w, up, noise)
    return np.float32(0.0)
