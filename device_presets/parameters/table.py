"""The one table from the names users type to aihwkit's, a device model at a time.

Weights are normalised conductances. A "step" is the mean change of weight a pulse makes at weight
zero, before nonlinearity. A "spread" is device to device: drawn once, when an array is built. A
noise is drawn at every pulse.

Left out on purpose, though aihwkit has them: ``diffusion`` and ``drift`` (counted in mini-batches;
no preset has numbers for them), and stuck devices: aihwkit's corrupt devices lie uniformly
around zero and can be neither all low nor all high, so stuck devices belong to the array
that is built from a preset. ``failed_share`` is aihwkit's own notion, which one source measured.
"""

from collections.abc import Mapping
from types import MappingProxyType

from device_presets.parameters.charge_trap import CHARGE_TRAP
from device_presets.parameters.common import (
    FLAG,
    MOST_SPREAD,
    MOST_WEIGHT,
    PULSE_FACTS,
    RETENTION,
    SHARE,
    STEP,
    STEP_AND_RANGE,
    VARIATION,
    WEIGHT,
)
from device_presets.parameters.rule import ParameterRule as Rule

_WRITE_NOISE = {
    "write_noise": Rule(
        unit=STEP,
        description="deviation of the weight that is read from the one stored, new at each pulse"
        "; at most 1e5 steps: more than the range of a device",
        aihwkit_name="write_noise_std",
        limits=(0.0, 1e5),
    ),
}

_NOISE_SCALING = {
    "noise_scales_with_step": Rule(
        unit=FLAG,
        description="cycle-to-cycle noise follows the local step instead of the step at zero",
        aihwkit_name="mult_noise",
        kind="flag",
        required=True,
    ),
}

_GROWS = "it grows toward there, and a spread keeps its sign; at least -1: none is left elsewhere"
_WRONG_SIGN = "; at most 2: three devices in ten would then have the wrong sign"


def _slope_spreads(what: str, aihwkit_name: str, required: bool) -> dict[str, Rule]:
    return {
        f"slope_{direction}_spread": Rule(
            unit=SHARE,
            description=f"device-to-device deviation of {what.format(direction)}{_WRONG_SIGN}",
            aihwkit_name=aihwkit_name.format(direction),
            limits=(0.0, MOST_SPREAD),
            required=required,
        )
        for direction in ("up", "down")
    }


_LINEAR_STEP = {
    **{
        f"slope_{direction}": Rule(
            unit=SHARE,
            description=f"share by which the {direction} step is smaller at {bound} than at zero; "
            f"negative: {_GROWS}",
            aihwkit_name=f"gamma_{direction}",
            limits=(-1.0, 1.0),
            required=True,
        )
        for direction, bound in (("up", "w_max"), ("down", "w_min"))
    },
    **_slope_spreads("slope_{}, absolute", "gamma_{}_dtod", required=True),
    "slope_from_mean_bounds": Rule(
        unit=FLAG,
        description="slopes refer to the mean bounds instead of each device's own",
        aihwkit_name="mean_bound_reference",
        kind="flag",
        neutral=True,
    ),
}

_SOFT_BOUNDS_REFERENCE = {
    **_slope_spreads("the {} slope, share of it", "slope_{}_dtod", required=False),
    "subtract_symmetry_point": Rule(
        unit=FLAG,
        description="a reference device holds each device's symmetry point and is subtracted",
        aihwkit_name="subtract_symmetry_point",
        kind="flag",
        neutral=False,
    ),
    "reference": Rule(
        unit=WEIGHT,
        description="mean weight of the reference device, beside the symmetry point"
        "; at most 1000 either way, as the bounds",
        aihwkit_name="reference_mean",
        limits=(-MOST_WEIGHT, MOST_WEIGHT),
    ),
    "reference_spread": Rule(
        unit=WEIGHT,
        description="deviation of the reference device from what it should hold"
        "; at most 1000, as the bounds",
        aihwkit_name="reference_std",
        limits=(0.0, MOST_WEIGHT),
    ),
}

MOST_EXPONENT = 80.0
"""Of an exponential step: single precision ends at exp(88)."""

_EXP_STEP_FORMULA = (
    "step factor max(0, 1 - A exp(d gamma z)), z = 2 a w / (w_max - w_min) + b, d = +1 up, -1 down"
)
_EXP_STEP = {
    **{
        name: Rule(
            unit=SHARE,
            description=f"{_EXP_STEP_FORMULA}; at most {most:g} either way, {why}",
            aihwkit_name=name,
            limits=(-most, most),
            required=True,
        )
        for name, most, why in (
            ("A_up", 1e6, "a step a million times the others"),
            ("A_down", 1e6, "a step a million times the others"),
            ("gamma_up", MOST_EXPONENT, "or the exponential leaves single precision"),
            ("gamma_down", MOST_EXPONENT, "or the exponential leaves single precision"),
            ("a", 100.0, "a hundred times the range"),
            ("b", 100.0, "a hundred times the range"),
        )
    },
    "cycle_to_cycle_offset": Rule(
        unit=WEIGHT,
        description="cycle-to-cycle noise is cycle_to_cycle * (this + local step + slope * |w|)"
        "; at most 1000, as the bounds",
        aihwkit_name="dw_min_std_add",
        limits=(0.0, MOST_WEIGHT),
    ),
    "cycle_to_cycle_slope": Rule(
        unit=SHARE,
        description="cycle-to-cycle noise is cycle_to_cycle * (offset + local step + this * |w|)"
        "; at most 1000, as the bounds",
        aihwkit_name="dw_min_std_slope",
        limits=(0.0, MOST_WEIGHT),
    ),
}

_POW_STEP_FORMULA = (
    "up step = step ((w_max - w) / (w_max - w_min))^g, down step alike from w_min; larger g of both"
)
_POW_STEP = {
    "exponent": Rule(
        unit=SHARE,
        description=f"{_POW_STEP_FORMULA}; at most 100: at mid-range no step would be left",
        aihwkit_name="pow_gamma",
        limits=(0.0, 100.0),
        required=True,
    ),
    "exponent_spread": Rule(
        unit="exponent",
        description="device-to-device deviation of the exponent, share of it" + _WRONG_SIGN,
        aihwkit_name="pow_gamma_dtod",
        limits=(0.0, MOST_SPREAD),
        required=True,
    ),
    "exponent_asymmetry": Rule(
        unit="exponent",
        # as asymmetry: aihwkit's code only ever shrinks one direction
        description="positive: the down exponent is smaller by this share; negative: the up one",
        aihwkit_name="pow_up_down",
        limits=(-1.0, 1.0),
        required=True,
    ),
    "exponent_asymmetry_spread": Rule(
        unit="exponent",
        description="device-to-device deviation that adds to the up and takes from the down one"
        + _WRONG_SIGN,
        aihwkit_name="pow_up_down_dtod",
        limits=(0.0, MOST_SPREAD),
        required=True,
    ),
}

_PIECEWISE_STEP = {
    f"step_factors_{direction}": Rule(
        unit=STEP,
        description=f"{direction} step at evenly spaced weights from w_min to w_max, in between "
        "interpolated; at most 1e6: a step a million times the one at zero",
        aihwkit_name=f"piecewise_{direction}",
        kind="numbers",
        limits=(0.0, 1e6),
        required=True,
    )
    for direction in ("up", "down")
}


def _table(*own: Mapping[str, Rule], facts: Mapping[str, Rule] = PULSE_FACTS) -> Mapping[str, Rule]:
    merged = dict(STEP_AND_RANGE) | VARIATION
    for part in own:
        merged |= part
    return MappingProxyType(merged | RETENTION | dict(facts))


PARAMETERS: Mapping[str, Mapping[str, Rule]] = MappingProxyType(
    {
        "ConstantStepDevice": _table(),
        "LinearStepDevice": _table(_NOISE_SCALING, _LINEAR_STEP, _WRITE_NOISE),
        "SoftBoundsDevice": _table(_NOISE_SCALING, _WRITE_NOISE),
        "SoftBoundsReferenceDevice": _table(_NOISE_SCALING, _SOFT_BOUNDS_REFERENCE, _WRITE_NOISE),
        "ExpStepDevice": _table(_EXP_STEP, _WRITE_NOISE),
        "PowStepDevice": _table(_POW_STEP, _WRITE_NOISE),
        "PiecewiseStepDevice": _table(_PIECEWISE_STEP, _WRITE_NOISE),
        "ChargeTrapDevice": _table(
            _NOISE_SCALING, _LINEAR_STEP, _WRITE_NOISE, facts=PULSE_FACTS | CHARGE_TRAP
        ),
    }
)
"""Device model -> user's parameter name -> rule, in the order of display."""

AIHWKIT_CLASSES: Mapping[str, str] = MappingProxyType(
    {model: model for model in PARAMETERS} | {"ChargeTrapDevice": "LinearStepDevice"}
)
"""Device model -> aihwkit class that simulates it: where it is another, what that class cannot do
(memory of gaps, charge loss) is done around it, see docs/explanation/devices.md."""
