"""What one pulse does to a charge-trap device: a step by pulse width, gap and state; charge loss.

The sources (Shrivastava 2023, arXiv 2307.06088; 2019, arXiv 1902.09417; Bhatt 2020, arXiv
2004.11120) say in words how the threshold shift depends on these, and give no coefficients. The
forms here are the project's own, as few parameters as those sentences need; every parameter is an
assumption, and docs/explanation/devices.md says which sentence each is for.

    step(width, gap, w) = step0 * f_width(width) * f_gap(gap) * f_state(w)

    eta(width)  = 1 / (1 + (knee / width)^steepness)       share of an isolated pulse that is used
    f_width     = width eta(width) / (width0 eta(width0))  step0 is that of an isolated width0
    f_gap       = 1 + (1 / eta(width) - 1) exp(-gap / tau_gap)
    f_state     = 1 - slope * w / bound                    (aihwkit's LinearStepDevice)

A pulse injects charge only once something has built up in the stack, which takes about `knee` and
fades within tau_gap: a pulse that comes at once after another (gap 0) has eta = 1, so that n
pulses without gaps shift as much as one pulse n times as long.

Charge loss in log-time: what has been stored for t seconds is, as a share of what was written,

    kept(t) = 1 - loss_per_decade * log10(1 + t / onset)   (and never below 0)
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Float64

MOST_STEEP = 100.0
"""Where a share of exp(-100) is negligible, and its inverse still a number."""

type Times = Float64[np.ndarray, "*times"]
"""Seconds."""


@dataclass(frozen=True)
class ChargeTrapPhysics:
    """Step and charge loss of one preset's mean device.

    Args:
        pulse_width_s: width of every pulse (s).
        pulse_period_s: shortest time from pulse to pulse (s); None: only the width limits it.
        step_width_s: width (s) of the isolated pulse that makes the preset's `step`.
        width_knee_s: isolated pulses of this width (s) use half of their on-time.
        width_steepness: how abruptly that share falls below the knee (1).
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
        """Whether a step depends on the gap since the last pulse, or charge fades in log-time."""
        return self.gap_time_constant_s > 0.0 or self.loss_per_decade > 0.0

    @property
    def shortest_slot_s(self) -> float:
        """Least time (s) from pulse to pulse."""
        return max(self.pulse_width_s, self.pulse_period_s or 0.0)

    def used_share(self, width_s: float) -> float:
        """eta: share of an isolated pulse's on-time (s) that shifts the threshold, in (0, 1)."""
        if self.width_knee_s == 0.0:
            return 1.0
        steep = self.width_steepness * math.log(self.width_knee_s / width_s)
        return 1.0 / (1.0 + math.exp(min(steep, MOST_STEEP)))

    def width_factor(self, width_s: float | None = None) -> float:
        """Step of an isolated pulse over the preset's `step`; None: of the preset's own width."""
        width = self.pulse_width_s if width_s is None else width_s
        reference = self.step_width_s * self.used_share(self.step_width_s)
        return width * self.used_share(width) / reference

    @property
    def recovery(self) -> float:
        """By how much a pulse without a gap before it exceeds an isolated one, share of that."""
        return 1.0 / self.used_share(self.pulse_width_s) - 1.0

    def step_factor(self, gap_s: Times) -> Times:
        """Step of a pulse over that of an isolated one of the same width.

        Args:
            gap_s: from the end of the device's last pulse, of either polarity, to the start of
                this one (s).
        """
        if self.gap_time_constant_s == 0.0:
            return np.ones_like(gap_s)
        return 1.0 + self.recovery * np.exp(-gap_s / self.gap_time_constant_s)

    def kept(self, age_s: Times) -> Times:
        """Share of the charge that is left after that time (s) without a pulse, in [0, 1]."""
        return share_kept(age_s, self.loss_per_decade, self.loss_onset_s)


def charge_trap_physics(values: Mapping[str, Any]) -> ChargeTrapPhysics:
    """The physics that a preset's values (of model ChargeTrapDevice) describe."""
    given = {**values, "rest_state": values["reset_level"]}
    return ChargeTrapPhysics(
        **{field.name: given[field.name] for field in fields(ChargeTrapPhysics)}
    )


def share_kept(age_s: Times, loss_per_decade: float, onset_s: float) -> Times:
    """Share of the charge that is left after that time (s) without a pulse, in [0, 1]."""
    return np.maximum(0.0, 1.0 - loss_per_decade * np.log10(1.0 + age_s / onset_s))
