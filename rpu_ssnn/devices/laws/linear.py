"""Steps that change linearly with the state (aihwkit's LinearStepDevice).

The step up is step (1 - slope_up w / w_max), and the step down is step (1 - slope_down w / w_min).
`device.a` is the change of the up step per unit of state, and `device.b` that of the down step.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from rpu_ssnn.compiled import compiled, inner
from rpu_ssnn.devices.common_parameters import (
    FLAG,
    NOISE_SCALING,
    SHARE,
    WRITE_NOISE,
    slope_spreads,
)
from rpu_ssnn.devices.device_record import Device
from rpu_ssnn.devices.fit_form import LINEAR, with_both_noises
from rpu_ssnn.devices.law import Law, UpDown, Values, number
from rpu_ssnn.devices.law_parameter import LawParameter
from rpu_ssnn.devices.shared import PerDevice, Shared, shared_of

_GROWS = (
    "If it is negative, the step grows toward that bound, and the slopes of single devices may "
    "have either sign. At -1 the step at the opposite bound is zero."
)

PARAMETERS = {
    **NOISE_SCALING,
    **{
        f"slope_{direction}": LawParameter(
            description=f"The share by which the {direction} step is smaller at {bound} than at "
            f"zero. {_GROWS}",
            unit=SHARE, aihwkit_name=f"gamma_{direction}", limits=(-1.0, 1.0), required=True,
            imperfection="nonlinearity",
        )
        for direction, bound in (("up", "w_max"), ("down", "w_min"))
    },
    **slope_spreads("slope_{} from device to device", "gamma_{}_dtod", required=True),
    "slope_from_mean_bounds": LawParameter(
        description="Whether slopes refer to the mean bounds instead of each device's own.",
        unit=FLAG, aihwkit_name="mean_bound_reference", kind="flag", neutral=True,
    ),
    **WRITE_NOISE,
}  # fmt: skip


@compiled
def step(shared: Shared, device: Device, w: np.float32, up: bool, noise: np.float32) -> np.float32:
    """Returns the change of state by a pulse at state w; noise is a standard normal number, or
    zero."""
    at_zero, slope = (device.up, device.a) if up else (device.down, device.b)
    share = np.float32(1.0) + shared.noise * noise
    if shared.noise_follows_step:
        size = (slope * w + at_zero) * share
    else:
        size = slope * w + at_zero * share
    return size if up else -size


@inner
def fit_factor(up: bool, v: float, local: np.ndarray, shape: np.ndarray) -> UpDown:
    """Returns the step at weight v over that at 0, and its derivative by v (see
    `laws.fit_factor`)."""
    up_and_down = shape if len(shape) == 2 else local[2:4]
    slope = -up_and_down[0] if up else up_and_down[1]
    return 1.0 + slope * v, slope


def factors(values: Values, weight: float) -> UpDown:
    """Returns the steps of the mean device at a weight, over those at weight zero."""
    up = 1.0 - number(values, "slope_up") * weight / number(values, "w_max")
    return up, 1.0 - number(values, "slope_down") * weight / number(values, "w_min")


def to_aihwkit(values: Values) -> dict[str, Any]:
    """Allows growing steps; otherwise aihwkit takes the absolute value of each device's slope."""
    grows = min(number(values, "slope_up"), number(values, "slope_down")) < 0
    return {"allow_increasing": True} if grows else {}


def native(config: Any, hidden: Mapping[str, PerDevice]) -> tuple[Shared, dict[str, PerDevice]]:
    """Returns the numbers that all devices share, and the slopes of each device."""
    common = shared_of(config)._replace(noise_follows_step=config.mult_noise)
    return common, {"a": hidden["slope_up"], "b": hidden["slope_down"]}


LAW = Law(
    name="linear", aihwkit="LinearStepDevice", code=LINEAR, step=step, own=PARAMETERS,
    factors=factors, shape=("slope_up", "slope_down"), divides_by_w_min=True, to_aihwkit=to_aihwkit,
    native=native, step_fields={"up": ("up", "a"), "down": ("down", "b")},
    fits=(
        *with_both_noises("linear", LINEAR, "linear"),
        *with_both_noises(
            "linear, one slope", LINEAR, "linear", shape=("bend_up", "bend_down"), low=(-3.0, -3.0),
            high=(5.0, 5.0), start=(0.2, 0.2), flat=(0.0, 0.0),
        ),
    ),
)  # fmt: skip
