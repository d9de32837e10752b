"""Steps interpolated between given ones, evenly spaced over the range (PiecewiseStepDevice)."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.compiled import compiled, inner
from rpu_ssnn.devices.common_parameters import STEP, WRITE_NOISE
from rpu_ssnn.devices.device_record import Device
from rpu_ssnn.devices.fit_form import FOLLOWS_STEP, NODES, PIECEWISE, FitForm
from rpu_ssnn.devices.law import Law, UpDown, Values, number, single_array
from rpu_ssnn.devices.law_parameter import LawParameter
from rpu_ssnn.devices.shared import PerDevice, Shared, shared_of

PARAMETERS = {
    f"step_factors_{direction}": LawParameter(
        description=f"The {direction} steps at evenly spaced weights from w_min to w_max, between "
        "which they are interpolated. At most 1e6 times the step at zero.",
        unit=STEP, aihwkit_name=f"piecewise_{direction}", kind="numbers", limits=(0.0, 1e6),
        required=True, imperfection="nonlinearity", off=(1.0, 1.0),
    )
    for direction in ("up", "down")
} | WRITE_NOISE  # fmt: skip

_SECTIONS, _MIDDLE = NODES - 1, NODES // 2
_NODE_NAMES = tuple(f"log_factor_{n}" for n in range(NODES) if n != _MIDDLE)
_NUMBERS = 2 * len(_NODE_NAMES)


@compiled
def step(shared: Shared, device: Device, w: np.float32, up: bool, noise: np.float32) -> np.float32:
    """Returns the change of state by a pulse at state w; noise is a standard normal number, or
    zero."""
    one, nothing = np.float32(1.0), np.float32(0.0)
    span = device.high - device.low
    if not span > nothing:
        return nothing
    sections = len(shared.numbers) // 2 - 1
    place = max((w - device.low) / span * np.float32(sections), nothing)
    index = min(math.floor(place), sections - 1)
    t = min(place - np.float32(index), one)
    at_zero = device.up
    if not up:
        index += sections + 1
        at_zero = device.down
    factor: np.float32 = (one - t) * shared.numbers[index] + t * shared.numbers[index + 1]
    size = at_zero * factor * (one + shared.noise * noise)
    return size if up else -size


@inner
def fit_factor(up: bool, v: float, local: np.ndarray, shape: np.ndarray) -> UpDown:
    """Returns the step at weight v over that in the middle of the bounds, and its derivative by v
    (see `laws.fit_factor`)."""
    low, span = local[5], max(local[4] - local[5], 1e-6)
    place = min(max((v - low) / span, 0.0), 1.0) * _SECTIONS
    node = min(int(place), _SECTIONS - 1)
    share = place - node
    first = 0 if up else _SECTIONS
    here, after = math.exp(_node(shape, first, node)), math.exp(_node(shape, first, node + 1))
    return (1.0 - share) * here + share * after, (after - here) * _SECTIONS / span


@inner
def _node(shape: np.ndarray, first: int, node: int) -> float:
    """Returns the logarithm of the factor at a node; the factor of the middle one is 1."""
    if node == _MIDDLE:
        return 0.0
    return float(shape[first + node - (1 if node > _MIDDLE else 0)])


def factors(values: Values, weight: float) -> UpDown:
    """Returns the steps of the mean device at a weight, over ``step``."""

    def factor(name: str) -> float:
        given = values[name]
        assert isinstance(given, tuple)
        nodes = np.linspace(number(values, "w_min"), number(values, "w_max"), len(given))
        return float(np.interp(weight, nodes, given))

    return factor("step_factors_up"), factor("step_factors_down")


def check(where: str, values: Values) -> None:
    """Refuses lists of different lengths."""
    up, down = values["step_factors_up"], values["step_factors_down"]
    if isinstance(up, tuple) and isinstance(down, tuple) and len(up) != len(down):
        allowed = f"must be {len(up)} numbers, as step_factors_up"
        raise InputError(where, "step_factors_down", down, allowed)


def native(config: Any, hidden: Mapping[str, PerDevice]) -> tuple[Shared, dict[str, PerDevice]]:
    """Returns the noises and the factors, up then down, which all devices share."""
    numbers = single_array(*config.piecewise_up, *config.piecewise_down)
    return shared_of(config)._replace(numbers=numbers), {}


LAW = Law(
    name="piecewise", aihwkit="PiecewiseStepDevice", code=PIECEWISE, step=step, own=PARAMETERS,
    factors=factors, shape=("step_factors_up", "step_factors_down"), check=check, native=native,
    fits=(
        FitForm(
            name="piecewise", code=PIECEWISE, law="piecewise", noise=FOLLOWS_STEP,
            shape=tuple(f"{way}_{node}" for way in ("up", "down") for node in _NODE_NAMES),
            low=(-6.0,) * _NUMBERS, high=(4.0,) * _NUMBERS, start=(0.0,) * _NUMBERS,
            flat=(0.0,) * _NUMBERS,
        ),
    ),
)  # fmt: skip
