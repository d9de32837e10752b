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

from rpu_ssnn.common.errors import PresetError
from rpu_ssnn.devices.law_parameter import LawParameter, Value

WEIGHT = "weight"
STEP = "step"
"""A value in this unit is a multiple of the mean step."""

SHARE = "1"
FLAG = "yes/no"

# Ranges. Each is wider than any published device needs, and ends where no device can have the
# number; the descriptions say why. Ranges without a source are assumptions.
MOST_WEIGHT = 1000.0
_NORMALISED = "at most 1000: weights are normalised, and 1 is a conductance of the device's range"
MOST_LEVELS = 1e7
_SINGLE = "at most 1e7 levels: aihwkit's single precision loses finer steps"
MOST_SPREAD = 2.0
_MOST_SPREAD = (
    "at most 2. aihwkit takes the absolute value of what it draws: from about 0.5 on the devices "
    "differ by less than asked for and are larger on average (1: by 0.7 to 0.8, a sixth larger)"
)
MOST_STEP_SPREAD = 10.0
MOST_CYCLE_NOISE = 100.0
"""This is 20 times the noisiest published fit (Gong 2018: 5 steps). A larger number must be a
percentage, given by mistake."""

SHORTEST_PULSE_S, LONGEST_PULSE_S = 1e-12, 1e4
PULSE_LIMITS = "1 ps, the fastest electronics, to some hours"

STEP_AND_RANGE = {
    "step": LawParameter(
        description="mean change of weight a pulse makes; give this or levels; " + _SINGLE,
        unit=WEIGHT, aihwkit_name="dw_min", limits=(0.0, 2 * MOST_WEIGHT), above_low=True,
    ),
    "levels": LawParameter(
        description="(w_max - w_min) / step; give this or step; " + _SINGLE,
        unit="states", limits=(1.0, MOST_LEVELS), swept=(0.0, 2.0),
    ),
    "w_max": LawParameter(
        description="mean upper bound; " + _NORMALISED,
        unit=WEIGHT, aihwkit_name="w_max", limits=(0.0, MOST_WEIGHT), above_low=True, required=True,
    ),
    "w_min": LawParameter(
        description="mean lower bound; " + _NORMALISED,
        unit=WEIGHT, aihwkit_name="w_min", limits=(-MOST_WEIGHT, 0.0), required=True,
    ),
    **{
        f"{bound}_spread": LawParameter(
            description=f"device-to-device deviation of the {side} bound, share of {bound}; "
            + _MOST_SPREAD,
            unit=bound, aihwkit_name=f"{bound}_dtod", limits=(0.0, MOST_SPREAD), required=True,
            imperfection="bounds_spread",
        )
        for bound, side in (("w_max", "upper"), ("w_min", "lower"))
    },
}  # fmt: skip

VARIATION = {
    "cycle_to_cycle": LawParameter(
        description="deviation of one device's step from pulse to pulse, share of the step; "
        "at most 100, 20 times the noisiest published fit",
        unit=STEP, example="0.3 is 30 % of a step", aihwkit_name="dw_min_std",
        limits=(0.0, MOST_CYCLE_NOISE), required=True, imperfection="cycle_to_cycle",
        swept=(1e-2, 10.0),
    ),
    "step_spread": LawParameter(
        description="device-to-device deviation of the step, share of the step; "
        "at most 10, with aihwkit's absolute value of what it draws, as in w_max_spread",
        unit=STEP, aihwkit_name="dw_min_dtod", limits=(0.0, MOST_STEP_SPREAD), required=True,
        imperfection="step_spread", swept=(1e-2, 0.5),
    ),
    "step_spread_log_normal": LawParameter(
        description="the step spread is log-normal instead of normal",
        unit=FLAG, aihwkit_name="dw_min_dtod_log_normal", kind="flag", neutral=False,
    ),
    # aihwkit's text says 1 +/- up_down; its code only ever shrinks one direction.
    "asymmetry": LawParameter(
        description="positive: the down step is smaller, by this share of the up step; negative: "
        "the up step is, by this share of the down step",
        unit=STEP, aihwkit_name="up_down", limits=(-1.0, 1.0), required=True,
        imperfection="asymmetry", swept=(1e-3, 0.9),
    ),
    "asymmetry_spread": LawParameter(
        description="device-to-device deviation that adds to the up and takes from the down step, "
        "so that their ratio spreads by twice as much; at most 2: far more than any device",
        unit=STEP, aihwkit_name="up_down_dtod", limits=(0.0, MOST_SPREAD), required=True,
        imperfection="asymmetry_spread", swept=(1e-3, 1.0),
    ),
    "failed_share": LawParameter(
        description="share of stuck devices, which never move, at a random weight around zero",
        unit=SHARE, aihwkit_name="corrupt_devices_prob", limits=(0.0, 1.0),
        imperfection="failed_devices",
    ),
    "failed_range": LawParameter(
        description="failed devices lie uniformly within plus or minus this, inside their bounds; "
        + _NORMALISED,
        unit=WEIGHT, aihwkit_name="corrupt_devices_range", limits=(0.0, MOST_WEIGHT), neutral=0.1,
    ),
}  # fmt: skip

RETENTION = {
    "leak_time_constant_s": LawParameter(
        description="a weight left alone decays as exp(-t / this); infinite: no leak; "
        "at least 1 ns, else it is gone before a pulse ends",
        unit="s", limits=(1e-9, math.inf), neutral=math.inf, imperfection="leak", off=math.inf,
    ),
    "leak_time_constant_spread": LawParameter(
        description="device-to-device deviation of the leak time constant, share of it; "
        + _MOST_SPREAD,
        unit="leak_time_constant_s", aihwkit_name="lifetime_dtod", limits=(0.0, MOST_SPREAD),
        imperfection="leak",
    ),
    "reset_level": LawParameter(
        description="weight after a reset, and the weight a leak decays to; " + _NORMALISED,
        unit=WEIGHT, aihwkit_name="reset", limits=(-MOST_WEIGHT, MOST_WEIGHT),
    ),
    "reset_spread": LawParameter(
        description="device-to-device deviation of the reset level; " + _NORMALISED,
        unit=WEIGHT, aihwkit_name="reset_dtod", limits=(0.0, MOST_WEIGHT),
    ),
}  # fmt: skip

PULSE_FACTS = {
    "pulse_width_s": LawParameter(
        description="duration of a pulse; " + PULSE_LIMITS,
        unit="s", limits=(SHORTEST_PULSE_S, LONGEST_PULSE_S), neutral=None,
    ),
    "pulse_period_s": LawParameter(
        description="start of a pulse to the start of the next; "
        "1 ps, the fastest electronics, to some days",
        unit="s", limits=(1e-12, 1e6), neutral=None,
    ),
    "energy_per_pulse_j": LawParameter(
        description="energy a pulse takes in the device; "
        "1e-21, below the heat of one bit (Landauer, 3e-21 J), to 1: it would melt",
        unit="J", limits=(1e-21, 1.0), neutral=None,
    ),
    "endurance_cycles": LawParameter(
        description="full swings up and down the device survives; "
        "1 to 1e18: ten years at 1 GHz are 3e17",
        unit="cycles", limits=(1.0, 1e18), neutral=None,
    ),
    "on_off_ratio": LawParameter(
        description="largest over smallest conductance; a study's tile sets its own; "
        "at most 1e15: from 1 S, a short, to what leaks past a device",
        unit="1", limits=(1.0, 1e15), above_low=True, neutral=None,
    ),
}  # fmt: skip


def refuse_pulses_that_overlap(where: str, width_s: Value, period_s: Value) -> None:
    """Refuses pulses that begin before the last one ends.

    Raises:
        PresetError: both times are known, and the period is shorter than the width.
    """
    if isinstance(width_s, float) and isinstance(period_s, float) and period_s < width_s:
        allowed = f"must be at least the pulse width, {width_s:g} s"
        raise PresetError(where, "pulse_period_s", period_s, allowed)


WRITE_NOISE = {
    "write_noise": LawParameter(
        description="deviation of the weight that is read from the one stored, new at each pulse"
        "; at most 1e5 steps: more than the range of a device",
        unit=STEP, aihwkit_name="write_noise_std", limits=(0.0, 1e5), imperfection="write_noise",
        swept=(0.1, 1e3),
    ),
}  # fmt: skip

NOISE_SCALING = {
    "noise_scales_with_step": LawParameter(
        description="cycle-to-cycle noise follows the local step instead of the step at zero",
        unit=FLAG, aihwkit_name="mult_noise", kind="flag", required=True,
    ),
}  # fmt: skip

WRONG_SIGN = "; at most 2: three devices in ten would then have the wrong sign"


def slope_spreads(what: str, aihwkit_name: str, required: bool) -> dict[str, LawParameter]:
    """Returns the deviations of a slope up and a slope down between devices.

    In both texts, {} is replaced by the direction.
    """
    return {
        f"slope_{direction}_spread": LawParameter(
            description=f"device-to-device deviation of {what.format(direction)}{WRONG_SIGN}",
            unit=SHARE, aihwkit_name=aihwkit_name.format(direction), limits=(0.0, MOST_SPREAD),
            required=required, imperfection="nonlinearity",
        )
        for direction in ("up", "down")
    }  # fmt: skip
