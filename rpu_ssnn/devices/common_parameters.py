"""The parameters that every device law has.

Weights are normalised conductances. A "step" is the mean change of weight that a pulse makes at
weight zero, before nonlinearity. A "spread" is from device to device: it is drawn once, when an
array is built. A noise is drawn at every pulse.

Left out on purpose, though aihwkit has them, are ``diffusion`` and ``drift`` (which it counts in
mini-batches, and for which no preset has numbers) and stuck devices that are all low or all high:
aihwkit's "corrupt devices" lie uniformly around zero, so such stuck devices belong to the array
that is built from a preset (``tile.stuck_share``). ``failed_share`` is the share of stuck devices
as aihwkit places them, which one source measured.
"""

import math

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.devices.law_parameter import LawParameter, Value

WEIGHT = "weight"
STEP = "step"
"""A value in this unit is a multiple of the mean step."""

SHARE = "1"
FLAG = "yes/no"

# Ranges. Each is wider than any published device needs, and ends where no device can have the
# number; the descriptions say why. Ranges without a source are assumptions.
MOST_WEIGHT = 1000.0
_NORMALISED = "At most 1000: weights are normalised, so that 1 is within the device's range."
MOST_LEVELS = 1e7
_SINGLE = "At most 1e7 levels, since aihwkit's single precision loses finer steps."
MOST_SPREAD = 2.0
_MOST_SPREAD = (
    "At most 2. aihwkit takes the absolute value of what it draws, so that from about 0.5 on the "
    "devices differ by less than this and are larger on average (at 1 they differ by 0.7 to 0.8 "
    "and are a sixth larger)."
)
MOST_STEP_SPREAD = 10.0
MOST_CYCLE_NOISE = 100.0
"""This is 20 times the noisiest published fit (Gong 2018: 5 steps). A larger number must be a
percentage, given by mistake."""

SHORTEST_PULSE_S, LONGEST_PULSE_S = 1e-12, 1e4
PULSE_LIMITS = "From 1 ps, the fastest electronics, to some hours."

STEP_AND_RANGE = {
    "step": LawParameter(
        description="The mean change of the weight by a pulse. Give this or levels. " + _SINGLE,
        unit=WEIGHT, aihwkit_name="dw_min", limits=(0.0, 2 * MOST_WEIGHT), above_low=True,
    ),
    "levels": LawParameter(
        description="The ratio (w_max - w_min) / step. Give this or step. " + _SINGLE,
        unit="states", limits=(1.0, MOST_LEVELS), swept=(0.0, 2.0),
    ),
    "w_max": LawParameter(
        description="The mean upper bound. " + _NORMALISED,
        unit=WEIGHT, aihwkit_name="w_max", limits=(0.0, MOST_WEIGHT), above_low=True, required=True,
    ),
    "w_min": LawParameter(
        description="The mean lower bound. " + _NORMALISED,
        unit=WEIGHT, aihwkit_name="w_min", limits=(-MOST_WEIGHT, 0.0), required=True,
    ),
    **{
        f"{bound}_spread": LawParameter(
            description=f"The deviation of the {side} bound from device to device, as a share of "
            f"{bound}. {_MOST_SPREAD}",
            unit=bound, aihwkit_name=f"{bound}_dtod", limits=(0.0, MOST_SPREAD), required=True,
            imperfection="bounds_spread",
        )
        for bound, side in (("w_max", "upper"), ("w_min", "lower"))
    },
}  # fmt: skip

VARIATION = {
    "cycle_to_cycle": LawParameter(
        description="The deviation of one device's step from pulse to pulse, as a share of the "
        "step. At most 100, which is 20 times that of the noisiest published fit.",
        unit=STEP, example="0.3 is 30 % of a step", aihwkit_name="dw_min_std",
        limits=(0.0, MOST_CYCLE_NOISE), required=True, imperfection="cycle_to_cycle",
        swept=(1e-2, 10.0),
    ),
    "step_spread": LawParameter(
        description="The deviation of the step from device to device, as a share of the step. "
        "At most 10. aihwkit takes the absolute value of what it draws, as for w_max_spread.",
        unit=STEP, aihwkit_name="dw_min_dtod", limits=(0.0, MOST_STEP_SPREAD), required=True,
        imperfection="step_spread", swept=(1e-2, 0.5),
    ),
    "step_spread_log_normal": LawParameter(
        description="Whether the step spread is log-normal instead of normal.",
        unit=FLAG, aihwkit_name="dw_min_dtod_log_normal", kind="flag", neutral=False,
    ),
    # aihwkit's text says 1 +/- up_down; its code only ever shrinks one direction.
    "asymmetry": LawParameter(
        description="The share by which the down step is smaller than the up step; if negative, "
        "the share by which the up step is smaller than the down step.",
        unit=STEP, aihwkit_name="up_down", limits=(-1.0, 1.0), required=True,
        imperfection="asymmetry", swept=(1e-3, 0.9),
    ),
    "asymmetry_spread": LawParameter(
        description="The deviation from device to device of a share that is added to the up step "
        "and taken from the down step, so that their ratio spreads by twice as much. At most 2, "
        "which is far more than that of any device.",
        unit=STEP, aihwkit_name="up_down_dtod", limits=(0.0, MOST_SPREAD), required=True,
        imperfection="asymmetry_spread", swept=(1e-3, 1.0),
    ),
    "failed_share": LawParameter(
        description="The share of failed devices, which stay at a random weight around zero.",
        unit=SHARE, aihwkit_name="corrupt_devices_prob", limits=(0.0, 1.0),
        imperfection="failed_devices",
    ),
    "failed_range": LawParameter(
        description="Failed devices lie uniformly within plus or minus this weight, but inside "
        "their bounds. " + _NORMALISED,
        unit=WEIGHT, aihwkit_name="corrupt_devices_range", limits=(0.0, MOST_WEIGHT), neutral=0.1,
    ),
}  # fmt: skip

RETENTION = {
    "leak_time_constant_s": LawParameter(
        description="The time tau of the decay exp(-t / tau) of a weight that is left alone; "
        "infinite means no leak. At least 1 ns, else the weight is gone before a pulse ends.",
        unit="s", limits=(1e-9, math.inf), neutral=math.inf, imperfection="leak", off=math.inf,
    ),
    "leak_time_constant_spread": LawParameter(
        description="The deviation of the leak time constant from device to device, as a share of "
        "it. " + _MOST_SPREAD,
        unit="leak_time_constant_s", aihwkit_name="lifetime_dtod", limits=(0.0, MOST_SPREAD),
        imperfection="leak",
    ),
    "reset_level": LawParameter(
        description="The weight after a reset, to which a leak also decays. " + _NORMALISED,
        unit=WEIGHT, aihwkit_name="reset", limits=(-MOST_WEIGHT, MOST_WEIGHT),
    ),
    "reset_spread": LawParameter(
        description="The deviation of the reset level from device to device. " + _NORMALISED,
        unit=WEIGHT, aihwkit_name="reset_dtod", limits=(0.0, MOST_WEIGHT),
    ),
}  # fmt: skip

PULSE_FACTS = {
    "pulse_width_s": LawParameter(
        description="The duration of a pulse. " + PULSE_LIMITS,
        unit="s", limits=(SHORTEST_PULSE_S, LONGEST_PULSE_S), neutral=None,
    ),
    "pulse_period_s": LawParameter(
        description="The time from the start of a pulse to the start of the next. From 1 ps, the "
        "fastest electronics, to some days.",
        unit="s", limits=(1e-12, 1e6), neutral=None,
    ),
    "energy_per_pulse_j": LawParameter(
        description="The energy that a pulse takes in the device. From 1e-21, which is below the "
        "heat of one bit (Landauer, 3e-21 J), to 1, at which the device would melt.",
        unit="J", limits=(1e-21, 1.0), neutral=None,
    ),
    "endurance_cycles": LawParameter(
        description="The number of full swings, up and down, that the device survives. At most "
        "1e18; ten years at 1 GHz are 3e17.",
        unit="cycles", limits=(1.0, 1e18), neutral=None,
    ),
    "longest_wait_s": LawParameter(
        description="The longest time without a pulse over which the loss of the device was "
        "measured; over longer times the loss is extrapolated. At most 1e9, some decades.",
        unit="s", limits=(0.0, 1e9), above_low=True, neutral=None,
    ),
    "on_off_ratio": LawParameter(
        description="The ratio of the largest to the smallest conductance; a study's tile sets its "
        "own. At most 1e15, the ratio of 1 S, a short, to what leaks past a device.",
        unit="1", limits=(1.0, 1e15), above_low=True, neutral=None,
    ),
}  # fmt: skip


def refuse_pulses_that_overlap(where: str, width_s: Value, period_s: Value) -> None:
    """Refuses pulses that begin before the last one ends.

    Raises:
        InputError: both times are known, and the period is shorter than the width.
    """
    if isinstance(width_s, float) and isinstance(period_s, float) and period_s < width_s:
        allowed = f"must be at least the pulse width, {width_s:g} s"
        raise InputError(where, "pulse_period_s", period_s, allowed)


WRITE_NOISE = {
    "write_noise": LawParameter(
        description="The deviation of the weight that is read from the stored one, drawn anew at "
        "each pulse. At most 1e5 steps, which is more than the range of a device.",
        unit=STEP, aihwkit_name="write_noise_std", limits=(0.0, 1e5), imperfection="write_noise",
        swept=(0.1, 1e3),
    ),
}  # fmt: skip

NOISE_SCALING = {
    "noise_scales_with_step": LawParameter(
        description="Whether cycle_to_cycle is a share of the local step instead of that at zero.",
        unit=FLAG, aihwkit_name="mult_noise", kind="flag", required=True,
    ),
}  # fmt: skip

WRONG_SIGN = "At most 2, at which three devices in ten would have the wrong sign."


def slope_spreads(what: str, aihwkit_name: str, required: bool) -> dict[str, LawParameter]:
    """Returns the deviations of a slope up and a slope down between devices.

    In both texts, {} is replaced by the direction.
    """
    return {
        f"slope_{direction}_spread": LawParameter(
            description=f"The deviation of {what.format(direction)}. {WRONG_SIGN}",
            unit=SHARE, aihwkit_name=aihwkit_name.format(direction), limits=(0.0, MOST_SPREAD),
            required=required, imperfection="nonlinearity",
        )
        for direction in ("up", "down")
    }  # fmt: skip
