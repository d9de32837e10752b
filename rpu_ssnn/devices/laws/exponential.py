"""Steps that fall off exponentially (aihwkit's ExpStepDevice).

The step's factor is max(0, 1 - A exp(d gamma z)), z = 2 a w / (high - low) + b, d = +1 up, -1
down. Where `offset` or `slope` is given, noise is that share of (step + offset + slope |w|).
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from rpu_ssnn.common.errors import require
from rpu_ssnn.compiled import compiled
from rpu_ssnn.devices import single_precision
from rpu_ssnn.devices.common_parameters import MOST_WEIGHT, SHARE, WEIGHT, WRITE_NOISE
from rpu_ssnn.devices.device_record import Device
from rpu_ssnn.devices.fit_form import EXPONENTIAL
from rpu_ssnn.devices.law import BOTH_MOVE_THE_STEPS, Law, UpDown, Values, number, single_array
from rpu_ssnn.devices.law_parameter import LawParameter
from rpu_ssnn.devices.shared import PerDevice, Shared, shared_of
from rpu_ssnn.devices.single_precision import MOST_EXPONENT

_MOST = {
    "A_up": 1e6, "A_down": 1e6, "gamma_up": float(MOST_EXPONENT),
    "gamma_down": float(MOST_EXPONENT), "a": 100.0, "b": 100.0,
}  # fmt: skip
"""The numbers of the curve in the order in which the step reads them, and how large they may be.

With a larger gamma the exponential leaves single precision. The other limits are far beyond any
device: a step a million times the others, or a curve a hundred times as wide as the range.
"""

_FORMULA = (
    "max(0, 1 - A exp(d gamma z)) on the step, where z = 2 a w / (w_max - w_min) + b, and d is 1 "
    "for pulses up and -1 for pulses down"
)

PARAMETERS = {
    **{
        name: LawParameter(
            description=f"{name} in the factor {_FORMULA}. At most {most:g} either way.",
            unit=SHARE, aihwkit_name=name, limits=(-most, most), required=True,
            imperfection="nonlinearity" if name.startswith("A_") else "",
        )
        for name, most in _MOST.items()
    },
    **{
        f"cycle_to_cycle_{name}": LawParameter(
            description="The deviation of a step from pulse to pulse is cycle_to_cycle x (local "
            "step + cycle_to_cycle_offset + cycle_to_cycle_slope |w|). At most 1000.",
            unit=unit, aihwkit_name=f"dw_min_std_{short}", limits=(0.0, MOST_WEIGHT),
        )
        for name, short, unit in (("offset", "add", WEIGHT), ("slope", "slope", SHARE))
    },
    **WRITE_NOISE,
}  # fmt: skip


@compiled
def step(shared: Shared, device: Device, w: np.float32, up: bool, noise: np.float32) -> np.float32:
    """Returns the change of state by a pulse at state w; noise is a standard normal number, or
    zero."""
    one, nothing = np.float32(1.0), np.float32(0.0)
    span = device.high - device.low
    if not span > nothing:
        return nothing
    numbers = shared.numbers
    z = np.float32(2.0) * w / span * numbers[4] + numbers[5]
    if up:
        at_zero, A, power = device.up, numbers[0], numbers[2] * z
    else:
        at_zero, A, power = device.down, numbers[1], numbers[3] * -z
    grown = single_precision.exponential(min(max(power, -MOST_EXPONENT), MOST_EXPONENT))
    factor: np.float32 = max(one - A * grown, nothing)
    if numbers[6] > nothing or numbers[7] > nothing:
        size = factor * at_zero
        spread: np.float32 = shared.noise * (abs(size) + numbers[6] + numbers[7] * abs(w))
        return (size if up else -size) + spread * noise
    size = factor * (one + shared.noise * noise) * at_zero
    return size if up else -size


def _z(values: Values, weight: float) -> float:
    span = number(values, "w_max") - number(values, "w_min")
    return 2.0 * number(values, "a") * weight / span + number(values, "b")


def factors(values: Values, weight: float) -> UpDown:
    """Returns the steps of the mean device at a weight, over ``step``."""
    z = _z(values, weight)
    up = 1.0 - number(values, "A_up") * math.exp(number(values, "gamma_up") * z)
    down = 1.0 - number(values, "A_down") * math.exp(-number(values, "gamma_down") * z)
    return max(0.0, up), max(0.0, down)


def check(where: str, values: Values) -> None:
    """Refuses numbers for which exp(gamma z) leaves single precision between the bounds."""
    ends = [_z(values, number(values, bound)) for bound in ("w_min", "w_max")]
    for name, sign in (("gamma_up", 1.0), ("gamma_down", -1.0)):
        largest = max(sign * number(values, name) * z for z in ends)
        allowed = f"must keep gamma z at most {MOST_EXPONENT:g}, but it is up to {largest:.4g}"
        require(not (largest > MOST_EXPONENT), where, name, values[name], allowed)


def native(config: Any, hidden: Mapping[str, PerDevice]) -> tuple[Shared, dict[str, PerDevice]]:
    """Returns the noises and the numbers of the curve, which all devices share."""
    names = (*_MOST, "dw_min_std_add", "dw_min_std_slope")
    return shared_of(config)._replace(
        numbers=single_array(*(getattr(config, n) for n in names))
    ), {}


LAW = Law(
    name="exponential", aihwkit="ExpStepDevice", code=EXPONENTIAL, step=step, own=PARAMETERS,
    factors=factors, shape=tuple(_MOST), check=check, native=native, notes=(BOTH_MOVE_THE_STEPS,),
)  # fmt: skip
