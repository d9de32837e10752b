"""The rows of the parameter table that every device model has."""

import math

from device_presets.parameter_rule import ParameterRule as Rule

WEIGHT = "weight"
STEP = "step"  # a multiple of the mean step
SHARE = "1"
FLAG = "yes/no"

STEP_AND_RANGE = {
    "step": Rule(
        unit=WEIGHT,
        description="mean change of weight a pulse makes; give this or levels",
        aihwkit_name="dw_min",
        low=0.0,
        above_low=True,
    ),
    "levels": Rule(
        unit="states",
        description="(w_max - w_min) / step; give this or step",
        low=1.0,
    ),
    "w_max": Rule(
        unit=WEIGHT,
        description="mean upper bound",
        aihwkit_name="w_max",
        low=0.0,
        above_low=True,
        required=True,
    ),
    "w_min": Rule(
        unit=WEIGHT,
        description="mean lower bound",
        aihwkit_name="w_min",
        high=0.0,
        required=True,
    ),
    "w_max_spread": Rule(
        unit="w_max",
        description="device-to-device deviation of the upper bound, share of w_max",
        aihwkit_name="w_max_dtod",
        low=0.0,
        required=True,
    ),
    "w_min_spread": Rule(
        unit="w_min",
        description="device-to-device deviation of the lower bound, share of w_min",
        aihwkit_name="w_min_dtod",
        low=0.0,
        required=True,
    ),
}

VARIATION = {
    "cycle_to_cycle": Rule(
        unit=STEP,
        description="deviation of one device's step from pulse to pulse, share of the step",
        aihwkit_name="dw_min_std",
        low=0.0,
        required=True,
    ),
    "step_spread": Rule(
        unit=STEP,
        description="device-to-device deviation of the step, share of the step",
        aihwkit_name="dw_min_dtod",
        low=0.0,
        required=True,
    ),
    "step_spread_log_normal": Rule(
        unit=FLAG,
        description="the step spread is log-normal instead of normal",
        aihwkit_name="dw_min_dtod_log_normal",
        kind="flag",
        neutral=False,
    ),
    "asymmetry": Rule(
        unit=STEP,
        # aihwkit's text says 1 +/- up_down; its code only ever shrinks one direction.
        description="positive: down steps are smaller by this share; negative: up steps are",
        aihwkit_name="up_down",
        low=-1.0,
        high=1.0,
        required=True,
    ),
    "asymmetry_spread": Rule(
        unit=STEP,
        description="device-to-device deviation that adds to the up and takes from the down step",
        aihwkit_name="up_down_dtod",
        low=0.0,
        required=True,
    ),
    "failed_share": Rule(
        unit=SHARE,
        description="share of devices that never move, at a random weight around zero",
        aihwkit_name="corrupt_devices_prob",
        low=0.0,
        high=1.0,
    ),
    "failed_range": Rule(
        unit=WEIGHT,
        description="failed devices lie uniformly within plus or minus this, inside their bounds",
        aihwkit_name="corrupt_devices_range",
        low=0.0,
        neutral=0.1,
    ),
}

RETENTION = {
    "leak_time_constant_s": Rule(
        unit="s",
        description="a weight left alone decays as exp(-t / this); infinite: no leak",
        low=0.0,
        above_low=True,
        neutral=math.inf,
    ),
    "leak_time_constant_spread": Rule(
        unit="leak_time_constant_s",
        description="device-to-device deviation of the leak time constant, share of it",
        aihwkit_name="lifetime_dtod",
        low=0.0,
    ),
    "reset_level": Rule(
        unit=WEIGHT,
        description="weight after a reset, and the weight a leak decays to",
        aihwkit_name="reset",
    ),
    "reset_spread": Rule(
        unit=WEIGHT,
        description="device-to-device deviation of the reset level",
        aihwkit_name="reset_dtod",
        low=0.0,
    ),
}

PULSE_FACTS = {
    "pulse_width_s": Rule(
        unit="s",
        description="duration of a pulse",
        low=0.0,
        above_low=True,
        neutral=None,
        nullable=True,
    ),
    "pulse_period_s": Rule(
        unit="s",
        description="start of a pulse to the start of the next",
        low=0.0,
        above_low=True,
        neutral=None,
        nullable=True,
    ),
    "energy_per_pulse_j": Rule(
        unit="J",
        description="energy a pulse takes in the device",
        low=0.0,
        above_low=True,
        neutral=None,
        nullable=True,
    ),
    "endurance_cycles": Rule(
        unit="cycles",
        description="full swings up and down the device survives",
        low=0.0,
        above_low=True,
        neutral=None,
        nullable=True,
    ),
    "on_off_ratio": Rule(
        unit="1",
        description="largest over smallest conductance; a study's tile sets its own",
        low=1.0,
        above_low=True,
        neutral=None,
        nullable=True,
    ),
}
