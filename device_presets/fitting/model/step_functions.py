"""The device laws in the form in which a measured device is fitted.

Weights v are conductances shifted and scaled so that 0 is the weight zero and the measured range
is about two wide. Each device has six numbers (``LOCAL``); what all devices share of a law's shape
is in a second vector. A device's own numbers are steps at a weight, not aihwkit's scales, which
keeps them independent of the shape.
"""

from typing import Final

from rpu_ssnn.devices.fit_form import (
    CONSTANT,
    EXPONENTIAL,
    FOLLOWS_STEP,
    LINEAR,
    NODES,
    OF_DIRECTION,
    OF_RANGE,
    PIECEWISE,
    POWER,
    SOFT_BOUNDS,
)
from rpu_ssnn.devices.fit_form import FitForm as StepModel
from rpu_ssnn.devices.laws import FIT_FORMS

__all__ = [
    "CONSTANT",
    "EXPONENTIAL",
    "FOLLOWS_STEP",
    "LINEAR",
    "LOCAL",
    "MODELS",
    "NODES",
    "OF_DIRECTION",
    "OF_RANGE",
    "PIECEWISE",
    "POWER",
    "SOFT_BOUNDS",
    "StepModel",
]

LOCAL: Final = ("log_up", "log_down", "bend_up", "bend_down", "w_max", "w_min")
"""A device's numbers: log of the up and down step at the reference weight of the law (0, or the
middle of the bounds), relative change of the step with weight (linear law), bounds."""

MODELS: Final = FIT_FORMS
