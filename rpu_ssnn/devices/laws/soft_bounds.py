"""Steps that vanish at the bound they move to (aihwkit's SoftBounds devices).

The step up is step (1 - w / w_max), and the step down is step (1 - w / w_min). A device with a
reference (SoftBoundsReferenceDevice) has it as `a`: it is subtracted from the device's own state,
and added again before a step is taken.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from rpu_ssnn.compiled import compiled, inner
from rpu_ssnn.devices.common_parameters import (
    FLAG,
    MOST_WEIGHT,
    NOISE_SCALING,
    WEIGHT,
    WRITE_NOISE,
    slope_spreads,
)
from rpu_ssnn.devices.device_record import Device
from rpu_ssnn.devices.fit_form import SOFT_BOUNDS, with_both_noises
from rpu_ssnn.devices.law import Law, UpDown, Values, number, shares_of_asymmetry
from rpu_ssnn.devices.law_parameter import LawParameter
from rpu_ssnn.devices.laws import linear
from rpu_ssnn.devices.shared import PerDevice, Shared, shared_of

_REFERENCE = {
    **slope_spreads(
        "the {} slope from device to device, as a share of it", "slope_{}_dtod", required=False
    ),
    "subtract_symmetry_point": LawParameter(
        description="Whether a reference device at each device's symmetry point is subtracted.",
        unit=FLAG, aihwkit_name="subtract_symmetry_point", kind="flag", neutral=False,
    ),
    "reference": LawParameter(
        description="The mean weight of the reference device, in addition to the symmetry point. "
        "At most 1000 either way, as for the bounds.",
        unit=WEIGHT, aihwkit_name="reference_mean", limits=(-MOST_WEIGHT, MOST_WEIGHT),
        imperfection="device_reference",
    ),
    "reference_spread": LawParameter(
        description="The deviation of the reference device from the weight that it should hold. "
        "At most 1000, as for the bounds.",
        unit=WEIGHT, aihwkit_name="reference_std", limits=(0.0, MOST_WEIGHT),
        imperfection="device_reference",
    ),
}  # fmt: skip


@compiled
def step(shared: Shared, device: Device, w: np.float32, up: bool, noise: np.float32) -> np.float32:
    """Returns the change of state by a pulse at state w, which includes the reference; noise is a
    standard normal number, or zero."""
    one, nothing = np.float32(1.0), np.float32(0.0)
    if up:
        share = w / device.high if device.high > nothing else nothing
        at_zero = device.up
    else:
        share = w / device.low if device.low < nothing else nothing
        at_zero = device.down
    if shared.noise_follows_step:
        size = at_zero * (one - share) * (one + shared.noise * noise)
    else:
        size = at_zero * (one - share + shared.noise * noise)
    return size if up else -size


@inner
def fit_factor(up: bool, v: float, local: np.ndarray, shape: np.ndarray) -> UpDown:
    """Returns the step at weight v over that at 0, and its derivative by v (see
    `laws.fit_factor`)."""
    slope = -1.0 / max(local[4], 1e-3) if up else -1.0 / min(local[5], -1e-3)
    return 1.0 + slope * v, slope


def factors(values: Values, weight: float) -> UpDown:
    """Returns the steps of the mean device at a weight, over those at weight zero."""
    return 1.0 - weight / number(values, "w_max"), 1.0 - weight / number(values, "w_min")


def reference_weight(values: Values) -> float:
    """Returns the weight of the reference device, by which the bounds of the difference are shifted
    down."""
    reference = number(values, "reference")
    # Up and down steps are equal at the symmetry point.
    if values["subtract_symmetry_point"]:
        up, down = shares_of_asymmetry(values)
        reference += (up - down) / (up / number(values, "w_max") - down / number(values, "w_min"))
    return reference


def native(config: Any, hidden: Mapping[str, PerDevice]) -> tuple[Shared, dict[str, PerDevice]]:
    """Returns the numbers that all devices share, and the reference of each device."""
    common = shared_of(config)._replace(noise_follows_step=config.mult_noise, has_reference=True)
    return common, {"a": hidden["reference"]}


_AS_LINEAR: Values = {
    "slope_up": 1.0, "slope_down": 1.0, "slope_up_spread": 0.0, "slope_down_spread": 0.0,
    "slope_from_mean_bounds": False,
}  # fmt: skip

WITHOUT_REFERENCE = Law(
    # aihwkit gives each of these devices the slopes of a linear step.
    name="soft_bounds", aihwkit="SoftBoundsDevice", code=linear.LAW.code, step=linear.step,
    own={**NOISE_SCALING, **WRITE_NOISE}, factors=factors, shape=("w_max", "w_min"),
    as_linear=_AS_LINEAR, divides_by_w_min=True, native=linear.native,
    step_fields=linear.LAW.step_fields,
)  # fmt: skip

LAW = Law(
    name="soft_bounds_reference",
    aihwkit="SoftBoundsReferenceDevice",
    code=SOFT_BOUNDS,
    step=step,
    own={**NOISE_SCALING, **_REFERENCE, **WRITE_NOISE},
    factors=lambda values, weight: factors(values, weight + reference_weight(values)),
    reference_weight=reference_weight,
    divides_by_w_min=True,
    native=native,
    shape=("w_max", "w_min"),
    as_linear=_AS_LINEAR,
    fits=with_both_noises("soft bounds", SOFT_BOUNDS, "soft_bounds_reference"),
)  # fmt: skip
