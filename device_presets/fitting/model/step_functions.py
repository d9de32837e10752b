"""The mean steps of aihwkit's device models, in the form they are fitted in.

Weights v are conductances shifted and scaled so that 0 is the weight zero and the measured range
is about two wide. Each device has six numbers (``LOCAL``); what all devices share of a model's
shape is in a second vector. The equations are those of aihwkit's ``rpu_*step_device.cpp``, tested
against tiles; they are written so that a device's own numbers are steps at a weight, not
aihwkit's scales, which keeps them independent of the shape.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from device_presets.fitting.model.likelihood import FOLLOWS_STEP, OF_DIRECTION, OF_RANGE

LOCAL: Final = ("log_up", "log_down", "bend_up", "bend_down", "w_max", "w_min")
"""A device's numbers: log of the up and down step at the reference weight of the model (0, or the
middle of the bounds), relative change of the step with weight (linear model), bounds."""

CONSTANT, LINEAR, SOFT_BOUNDS, EXPONENTIAL, POWER, PIECEWISE = range(6)

NODES: Final = 5
"""Weights at which a piecewise step is fitted, bounds included; odd, so one is in the middle."""


@dataclass(frozen=True, kw_only=True)
class StepModel:
    """One candidate.

    Args:
        name: for reports.
        code: which mean step, one of the constants above.
        aihwkit_class: device class that simulates it.
        law: of the cycle noise: ``FOLLOWS_STEP``; or alike at every weight (aihwkit's
            ``mult_noise`` off), as a share of each direction's step (``OF_DIRECTION``) or of the
            range (``OF_RANGE``).
        shape: names of the numbers all devices share, up first, then down.
        low, high, start: limits of ``shape`` and where a fit starts.
    """

    name: str
    code: int
    aihwkit_class: str
    law: int
    shape: tuple[str, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    start: tuple[float, ...] = ()

    @property
    def additive(self) -> bool:
        """Whether the noise is alike at every weight."""
        return self.law != FOLLOWS_STEP

    @property
    def own_slopes(self) -> bool:
        """Whether each device has two slopes of its own."""
        return self.code == LINEAR and not self.shape

    @property
    def of_range(self) -> "StepModel | None":
        """The same with noise as a share of the range; None where its noise follows the step."""
        if self.law != OF_DIRECTION:
            return None
        name = self.name.replace(", constant noise", "") + ", noise of the range"
        return replace(self, name=name, law=OF_RANGE)

    @property
    def flat(self) -> tuple[float, ...]:
        """Shape under which the step is (nearly) the same everywhere."""
        if self.code == POWER:
            return self.low
        return (0.0, -1.0, 0.0, 1.0) if self.code == EXPONENTIAL else (0.0,) * len(self.shape)


def _both(name: str, code: int, aihwkit_class: str, **shape: Any) -> tuple[StepModel, StepModel]:
    """The same step with noise that follows it, and with noise alike at every weight."""
    follows = StepModel(
        name=f"{name}, noise follows step",
        code=code,
        aihwkit_class=aihwkit_class,
        law=FOLLOWS_STEP,
        **shape,
    )
    return follows, replace(follows, name=f"{name}, constant noise", law=OF_DIRECTION)


_NODE_NAMES = tuple(f"log_factor_{n}" for n in range(NODES) if n != NODES // 2)
_N = len(_NODE_NAMES)

MODELS: Final = (
    StepModel(name="constant", code=CONSTANT, aihwkit_class="ConstantStepDevice", law=OF_DIRECTION),
    *_both("soft bounds", SOFT_BOUNDS, "SoftBoundsReferenceDevice"),
    *_both("linear", LINEAR, "LinearStepDevice"),
    *_both(
        "linear, one slope",
        LINEAR,
        "LinearStepDevice",
        shape=("bend_up", "bend_down"),
        low=(-3.0, -3.0),
        high=(5.0, 5.0),
        start=(0.2, 0.2),
    ),
    StepModel(
        name="power",
        code=POWER,
        aihwkit_class="PowStepDevice",
        law=FOLLOWS_STEP,
        shape=("exponent_up", "exponent_down"),
        low=(0.2, 0.2),  # below, the step hardly changes away from the bounds: constant or linear
        high=(12.0, 12.0),
        start=(1.0, 1.0),
    ),
    StepModel(
        name="exponential",
        code=EXPONENTIAL,
        aihwkit_class="ExpStepDevice",
        law=FOLLOWS_STEP,
        shape=("share_up", "rate_up", "share_down", "rate_down"),
        low=(-15.0, -8.0, -15.0, -8.0),
        high=(0.99, 8.0, 0.99, 8.0),
        start=(0.5, -1.0, 0.5, 1.0),
    ),
    StepModel(
        name="piecewise",
        code=PIECEWISE,
        aihwkit_class="PiecewiseStepDevice",
        law=FOLLOWS_STEP,
        shape=tuple(f"{way}_{node}" for way in ("up", "down") for node in _NODE_NAMES),
        low=(-6.0,) * 2 * _N,
        high=(4.0,) * 2 * _N,
        start=(0.0,) * 2 * _N,
    ),
)
