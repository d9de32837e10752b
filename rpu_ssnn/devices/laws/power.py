"""Steps that follow a power of the way left to the bound (aihwkit's PowStepDevice).

The step up is step ((w_max - w) / (w_max - w_min))^g, and the step down has the same form
from w_min. `device.a` is the exponent of the up step, and `device.b` that of the down step.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from rpu_ssnn.compiled import compiled
from rpu_ssnn.devices.common_parameters import MOST_SPREAD, SHARE, WRITE_NOISE, WRONG_SIGN
from rpu_ssnn.devices.device_record import Device
from rpu_ssnn.devices.fit_form import POWER
from rpu_ssnn.devices.law import BOTH_MOVE_THE_STEPS, Law, UpDown, Values, number
from rpu_ssnn.devices.law_parameter import LawParameter
from rpu_ssnn.devices.shared import PerDevice, Shared, shared_of

_FORMULA = (
    "The larger of the two exponents g in the up step, step x ((w_max - w) / (w_max - w_min))^g, "
    "and in the down step, step x ((w - w_min) / (w_max - w_min))^g"
)
PARAMETERS = {
    "exponent": LawParameter(
        description=f"{_FORMULA}. At most 100, at which no step is left at mid-range.",
        unit=SHARE, aihwkit_name="pow_gamma", limits=(0.0, 100.0), required=True,
        imperfection="nonlinearity",
    ),
    "exponent_spread": LawParameter(
        description="The deviation of the exponent from device to device, as a share of it. "
        + WRONG_SIGN,
        unit="exponent", aihwkit_name="pow_gamma_dtod", limits=(0.0, MOST_SPREAD), required=True,
        imperfection="nonlinearity",
    ),
    # aihwkit's code only ever shrinks one direction, as it does for `asymmetry`.
    "exponent_asymmetry": LawParameter(
        description="The share by which the down exponent is smaller than the up exponent; if "
        "negative, the share by which the up exponent is smaller.",
        unit="exponent", aihwkit_name="pow_up_down", limits=(-1.0, 1.0), required=True,
        imperfection="nonlinearity",
    ),
    "exponent_asymmetry_spread": LawParameter(
        description="The deviation from device to device of a share that is added to the up "
        f"exponent and taken from the down exponent. {WRONG_SIGN}",
        unit="exponent", aihwkit_name="pow_up_down_dtod", limits=(0.0, MOST_SPREAD), required=True,
        imperfection="nonlinearity",
    ),
    **WRITE_NOISE,
}  # fmt: skip


@compiled
def step(shared: Shared, device: Device, w: np.float32, up: bool, noise: np.float32) -> np.float32:
    """Returns the change of state by a pulse at state w; noise is a standard normal number, or
    zero."""
    nothing, span = np.float32(0.0), device.high - device.low
    if span == nothing:
        return nothing
    share = np.float32(1.0) + shared.noise * noise
    # A loss of charge may leave a device beyond its bound by a rounding.
    if up:
        return device.up * (max(device.high - w, nothing) / span) ** device.a * share
    return -(device.down * (max(w - device.low, nothing) / span) ** device.b * share)


def factors(values: Values, weight: float) -> UpDown:
    """Returns the steps of the mean device at a weight, over ``step``."""
    low, high, exponent = (number(values, name) for name in ("w_min", "w_max", "exponent"))
    asymmetry, span = number(values, "exponent_asymmetry"), high - low
    up = ((high - weight) / span) ** (exponent * (1.0 + min(asymmetry, 0.0)))
    down = ((weight - low) / span) ** (exponent * (1.0 - max(asymmetry, 0.0)))
    return up, down


def native(config: Any, hidden: Mapping[str, PerDevice]) -> tuple[Shared, dict[str, PerDevice]]:
    """Returns the numbers that all devices share, and the exponents of each device."""
    return shared_of(config), {"a": hidden["gamma_up"], "b": hidden["gamma_down"]}


LAW = Law(
    name="power", aihwkit="PowStepDevice", code=POWER, step=step, own=PARAMETERS, factors=factors,
    shape=("exponent", "exponent_asymmetry"), native=native, notes=(BOTH_MOVE_THE_STEPS,),
)  # fmt: skip
