"""Steps that fall off exponentially (aihwkit's ExpStepDevice).

The step's factor is max(0, 1 - A exp(d gamma z)), z = 2 a w / (high - low) + b, d = +1 up, -1
down. Where `offset` or `slope` is given, noise is that share of (step + offset + slope |w|).
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from rpu_ssnn.common.errors import PresetError
from rpu_ssnn.compiled import compiled
from rpu_ssnn.devices import single_precision
from rpu_ssnn.devices.common_parameters import MOST_WEIGHT, SHARE, WEIGHT, WRITE_NOISE
from rpu_ssnn.devices.device_record import Device
from rpu_ssnn.devices.fit_form import EXPONENTIAL, FOLLOWS_STEP, FitForm
from rpu_ssnn.devices.law import Law, UpDown, Values, number, single
from rpu_ssnn.devices.law_parameter import LawParameter
from rpu_ssnn.devices.shared import PerDevice, Shared, shared_of
from rpu_ssnn.devices.single_precision import MOST_EXPONENT

_FORMULA = (
    "step factor max(0, 1 - A exp(d gamma z)), z = 2 a w / (w_max - w_min) + b, d = +1 up, -1 down"
)
PARAMETERS = {
    **{
        name: LawParameter(
            unit=SHARE,
            description=f"{_FORMULA}; at most {most:g} either way, {why}",
            aihwkit_name=name,
            limits=(-most, most),
            required=True,
            imperfection="nonlinearity" if name.startswith("A_") else "",
        )
        for name, most, why in (
            ("A_up", 1e6, "a step a million times the others"),
            ("A_down", 1e6, "a step a million times the others"),
            ("gamma_up", float(MOST_EXPONENT), "or the exponential leaves single precision"),
            ("gamma_down", float(MOST_EXPONENT), "or the exponential leaves single precision"),
            ("a", 100.0, "a hundred times the range"),
            ("b", 100.0, "a hundred times the range"),
        )
    },
    "cycle_to_cycle_offset": LawParameter(
        unit=WEIGHT,
        description="cycle-to-cycle noise is cycle_to_cycle * (this + local step + slope * |w|)"
        "; at most 1000, as the bounds",
        aihwkit_name="dw_min_std_add",
        limits=(0.0, MOST_WEIGHT),
    ),
    "cycle_to_cycle_slope": LawParameter(
        unit=SHARE,
        description="cycle-to-cycle noise is cycle_to_cycle * (offset + local step + this * |w|)"
        "; at most 1000, as the bounds",
        aihwkit_name="dw_min_std_slope",
        limits=(0.0, MOST_WEIGHT),
    ),
    **WRITE_NOISE,
}


@compiled
def step(shared: Shared, device: Device, w: np.float32, up: bool, noise: np.float32) -> np.float32:
    """Change of state by a pulse at state w; noise is a standard normal number, or zero."""
    one, nothing = np.float32(1.0), np.float32(0.0)
    span = device.high - device.low
    if not span > nothing:
        return nothing
    numbers = shared.numbers
    z = np.float32(2.0) * w / span * numbers[4] + numbers[5]
    at_zero, A, power = (
        (device.up, numbers[0], numbers[2] * z)
        if up
        else (device.down, numbers[1], numbers[3] * -z)
    )
    grown = single_precision.exponential(min(max(power, -MOST_EXPONENT), MOST_EXPONENT))
    factor: np.float32 = max(one - A * grown, nothing)
    if numbers[6] > nothing or numbers[7] > nothing:
        step = factor * at_zero
        spread: np.float32 = shared.noise * (abs(step) + numbers[6] + numbers[7] * abs(w))
        return (step if up else -step) + spread * noise
    step = factor * (one + shared.noise * noise) * at_zero
    return step if up else -step


@compiled
def fit_factor(up: bool, v: float, local: np.ndarray, shape: np.ndarray) -> UpDown:
    """Step at weight v over that at 0, and its derivative by v (see `laws.fit_factor`)."""
    first = 0 if up else 2
    share, rate = shape[first], shape[first + 1] * 2.0 / max(local[4] - local[5], 1e-6)
    grown = share * math.exp(min(rate * v, 50.0))
    return 1.0 - share + grown, rate * grown


def factors(values: Values, weight: float) -> UpDown:
    """Steps of the mean device at a weight, over ``step``."""
    span = number(values, "w_max") - number(values, "w_min")
    z = 2.0 * number(values, "a") * weight / span + number(values, "b")
    up = 1.0 - number(values, "A_up") * math.exp(number(values, "gamma_up") * z)
    down = 1.0 - number(values, "A_down") * math.exp(-number(values, "gamma_down") * z)
    return max(0.0, up), max(0.0, down)


def check(where: str, values: Values) -> None:
    """Refuses numbers for which exp(gamma z) leaves single precision between the bounds."""
    low, high, a, b = (number(values, name) for name in ("w_min", "w_max", "a", "b"))
    ends = [2.0 * a * weight / (high - low) + b for weight in (low, high)]
    for name, sign in (("gamma_up", 1.0), ("gamma_down", -1.0)):
        gamma = number(values, name)
        largest = max(sign * gamma * z for z in ends)
        if largest > MOST_EXPONENT:
            allowed = (
                f"must leave the exponent at {MOST_EXPONENT:g} or below; with a and b it goes up "
                f"to {largest:.4g}, and the exponential leaves single precision"
            )
            raise PresetError(where, name, gamma, allowed)


def native(config: Any, hidden: Mapping[str, PerDevice]) -> tuple[Shared, dict[str, PerDevice]]:
    """The noises and the numbers of the curve, which all devices share."""
    numbers = single(
        config.A_up, config.A_down, config.gamma_up, config.gamma_down, config.a, config.b,
        config.dw_min_std_add, config.dw_min_std_slope,
    )  # fmt: skip
    return shared_of(config)._replace(numbers=numbers), {}


LAW = Law(
    name="exponential",
    aihwkit="ExpStepDevice",
    code=EXPONENTIAL,
    step=step,
    own=PARAMETERS,
    factors=factors,
    shape=("A_up", "A_down", "gamma_up", "gamma_down", "a", "b"),
    check=check,
    native=native,
    notes=(
        "asymmetry, nonlinearity: up and down steps at mid-range follow from both in this "
        "device model, so that switching one alone moves them too; read the two together",
    ),
    fits=(
        FitForm(
            name="exponential",
            code=EXPONENTIAL,
            law="exponential",
            noise=FOLLOWS_STEP,
            shape=("share_up", "rate_up", "share_down", "rate_down"),
            low=(-15.0, -8.0, -15.0, -8.0),
            high=(0.99, 8.0, 0.99, 8.0),
            start=(0.5, -1.0, 0.5, 1.0),
            flat=(0.0, -1.0, 0.0, 1.0),
        ),
    ),
)
