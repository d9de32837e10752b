"""Charge-trap devices, whose step follows pulse width, gap and state, and which lose charge.

The sources (Shrivastava 2023, arXiv 2307.06088; 2019, arXiv 1902.09417; Bhatt 2020, arXiv
2004.11120) say in words how the threshold shift depends on these, and give no coefficients. The
forms here are the project's own, as few parameters as those sentences need; every parameter is an
assumption, and docs/explanation/devices.md names the sentence behind each.

    step(width, gap, w) = step0 * f_width(width) * f_gap(gap) * f_state(w)

    eta(width)  = 1 / (1 + (knee / width)^steepness)       share of an isolated pulse that is used
    f_width     = width eta(width) / (width0 eta(width0))  step0 is that of an isolated width0
    f_gap       = 1 + (1 / eta(width) - 1) exp(-gap / tau_gap)
    f_state     = 1 - slope * w / bound                    (aihwkit's LinearStepDevice)

With a steepness of 0 or above, a pulse injects charge only once something has built up in the
stack, which takes about `knee` and fades within tau_gap: a pulse that comes at once after another
(gap 0) has eta = 1, so that n pulses without gaps shift as much as one pulse n times as long. With
a steepness below 0, a pulse longer than about `knee` loses its effect while it lasts, and its shift
grows with width^(1 + steepness). No source says what such a pulse does to the next one.

Charge loss in log-time: what has been stored for t seconds is, as a share of what was written,

    kept(t) = 1 - loss_per_decade * log10(1 + t / onset)   (and never below 0)
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Float64

from rpu_ssnn.common.errors import InputError, require
from rpu_ssnn.devices.common_parameters import (
    LONGEST_PULSE_S,
    MOST_LEVELS,
    PULSE_FACTS,
    PULSE_LIMITS,
    SHARE,
    SHORTEST_PULSE_S,
)
from rpu_ssnn.devices.law import Law, Values, number
from rpu_ssnn.devices.law_parameter import LawParameter
from rpu_ssnn.devices.laws import linear

_LONGEST = "At most 1e9, some decades."

PARAMETERS = {
    **{
        name: LawParameter(
            description=f"{meaning}. {PULSE_LIMITS}",
            unit="s", limits=(SHORTEST_PULSE_S, LONGEST_PULSE_S), required=True,
        )
        for name, meaning in (
            ("pulse_width_s", "The duration of a pulse, on which the step depends"),
            ("step_width_s", "The width of the isolated pulse whose step is `step`"),
        )
    },
    "width_knee_s": LawParameter(
        description="The width of isolated pulses that use half of their on-time; at 0, all pulses "
        "use all of it. At most 1e4, the longest pulse.",
        unit="s", limits=(0.0, LONGEST_PULSE_S), required=True,
    ),
    "width_steepness": LawParameter(
        description="The exponent s of the share 1 / (1 + (width_knee_s / width)^s) of its on-time "
        "that an isolated pulse uses. If it is below 0, longer pulses use a smaller share, and "
        "steps grow with the power 1 + s of the width above the knee. At most 100, at which the "
        "share goes from 0 to 1 within a few percent of the knee.",
        unit=SHARE, limits=(-1.0, 100.0), above_low=True, required=True,
    ),
    "gap_time_constant_s": LawParameter(
        description="The time constant with which a pulse's preparation of the next one fades in "
        "the gap between them; 0 means at once. " + _LONGEST,
        unit="s", limits=(0.0, 1e9), required=True, imperfection="gap_dependence",
    ),
    "loss_per_decade": LawParameter(
        description="The share of the charge that is lost per decade of time after loss_onset_s.",
        unit=SHARE, limits=(0.0, 1.0), required=True, imperfection="charge_loss",
    ),
    "loss_onset_s": LawParameter(
        description="The time t0 in the share 1 - loss_per_decade log10(1 + t / t0) of the charge "
        "that is kept after the time t. From 1e-12, the shortest pulse, to 1e9, some decades.",
        unit="s", limits=(1e-12, 1e9), required=True,
    ),
}  # fmt: skip

MOST_STEEP = 100.0
"""A share of exp(-100) is negligible, and its inverse is still a number."""

type Times = Float64[np.ndarray, "*times"]
"""Times in seconds."""


@dataclass(frozen=True)
class ChargeTrapPhysics:
    """Describes the step and the charge loss of a preset's mean device.

    Args:
        pulse_width_s: width of every pulse (s).
        pulse_period_s: shortest time from pulse to pulse (s), or None if only the width limits it.
        step_width_s: width (s) of the isolated pulse that makes the preset's `step`.
        width_knee_s: isolated pulses of this width (s) use half of their on-time.
        width_steepness: how abruptly that share falls below the knee, or, if it is negative, above
            the knee (1).
        gap_time_constant_s: how fast a pulse's preparation of the next fades (s); 0: at once.
        loss_per_decade: share of the stored charge lost a decade of time after the onset.
        loss_onset_s: when the loss begins to show (s).
        rest_state: weight of a device without stored charge.
    """

    pulse_width_s: float
    pulse_period_s: float | None
    step_width_s: float
    width_knee_s: float
    width_steepness: float
    gap_time_constant_s: float
    loss_per_decade: float
    loss_onset_s: float
    rest_state: float

    @property
    def remembers(self) -> bool:
        """Returns whether a step depends on the gap since the last pulse, or charge fades in
        log-time."""
        return self.gap_time_constant_s > 0.0 or self.loss_per_decade > 0.0

    @property
    def shortest_slot_s(self) -> float:
        """Returns the shortest time (s) from pulse to pulse."""
        return max(self.pulse_width_s, self.pulse_period_s or 0.0)

    def used_share(self, width_s: float) -> float:
        """Returns eta, the share of an isolated pulse's on-time (s) that shifts the threshold."""
        if self.width_knee_s == 0.0:
            return 1.0
        steep = self.width_steepness * math.log(self.width_knee_s / width_s)
        return 1.0 / (1.0 + math.exp(min(steep, MOST_STEEP)))

    def width_factor(self, width_s: float | None = None) -> float:
        """Returns the step of an isolated pulse over the preset's `step`.

        Args:
            width_s: the width of the pulse (s); None is the preset's own.
        """
        width = self.pulse_width_s if width_s is None else width_s
        standard = self.step_width_s * self.used_share(self.step_width_s)
        return width * self.used_share(width) / standard

    @property
    def recovery(self) -> float:
        """Returns the share by which a pulse without a gap before it exceeds an isolated one."""
        if self.gap_time_constant_s == 0.0:
            return 0.0
        return 1.0 / self.used_share(self.pulse_width_s) - 1.0


def charge_trap_physics(values: Mapping[str, Any]) -> ChargeTrapPhysics:
    """Returns the physics that a preset's values describe."""
    given = {**values, "rest_state": values["reset_level"]}
    return ChargeTrapPhysics(
        **{field.name: given[field.name] for field in fields(ChargeTrapPhysics)}
    )


def share_kept(age_s: Times, loss_per_decade: float, onset_s: float) -> Times:
    """Returns the share of charge, in [0, 1], left after a time (s) without a pulse."""
    return np.maximum(0.0, 1.0 - loss_per_decade * np.log10(1.0 + age_s / onset_s))


def check(where: str, values: Values) -> None:
    """Refuses what cannot be simulated together with a loss or a memory of pulses, and pulses that
    are too weak or too strong."""
    physics = charge_trap_physics(values)
    kept, gap = physics.loss_per_decade == 0.0, physics.gap_time_constant_s
    noise, tau = values["write_noise"], values["leak_time_constant_s"]
    allowed = (
        "must be 0, since every loss of charge between pulses would draw this noise anew "
        "(tile.reads.read_noise is noise of reads)"
    )
    require(kept or noise == 0, where, "write_noise", noise, allowed)
    allowed = "must be .inf: this law loses charge by loss_per_decade"
    require(kept or tau == math.inf, where, "leak_time_constant_s", tau, allowed)
    allowed = "must be 0, since no law of gaps is known for a width_steepness below 0"
    require(
        gap == 0.0 or physics.width_steepness >= 0.0, where, "gap_time_constant_s", gap, allowed
    )
    levels = number(values, "levels") / physics.width_factor()
    without_gaps = levels / (1.0 + physics.recovery)
    if not (levels <= MOST_LEVELS and without_gaps >= 1.0):
        allowed = (
            f"must make 1 to {MOST_LEVELS:g} levels; this width makes {levels:.3g} of isolated "
            f"pulses, and {without_gaps:.3g} of pulses without gaps"
        )
        raise InputError(where, "pulse_width_s", physics.pulse_width_s, allowed)


def step_scale(values: Values) -> float:
    """Returns the step of an isolated pulse of the preset's own width, over ``step``."""
    return charge_trap_physics(values).width_factor()


def to_aihwkit(values: Values) -> dict[str, Any]:
    """Returns the step of a pulse of the preset's own width, in a device with linear steps. Their
    write noise is a share of that step, and the preset's is one of `step`."""
    scale = step_scale(values)
    own = {"dw_min": number(values, "step") * scale}
    return (
        linear.to_aihwkit(values) | own | {"write_noise_std": number(values, "write_noise") / scale}
    )


LAW = Law(
    name="charge_trap",
    aihwkit="LinearStepDevice",  # gaps and loss are simulated around it
    code=linear.LAW.code,
    step=linear.step,
    own=linear.PARAMETERS,
    facts=PULSE_FACTS | PARAMETERS,
    factors=linear.factors,
    step_scale=step_scale,
    pulse_physics=charge_trap_physics,
    shape=linear.LAW.shape,
    divides_by_w_min=True,
    check=check,
    to_aihwkit=to_aihwkit,
    native=linear.native,
    step_fields=linear.LAW.step_fields,
)  # fmt: skip
