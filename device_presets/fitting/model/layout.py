"""Describes which of a law's numbers a fit has, and their limits."""

from dataclasses import dataclass

import numpy as np

from device_presets.fitting.model.effects import LEAK, Effects
from rpu_ssnn.devices.fit_form import CONSTANT, LINEAR, SOFT_BOUNDS, FitForm


@dataclass(frozen=True)
class Layout:
    """Describes which numbers of a model are fitted.

    Args:
        shared_free: [shared] flags for the shared numbers: noises, shape, effects.
        local_free: [6, devices] flags for ``LOCAL``.
        effects: The terms of time and width that the fit has.
        how: The end of the name, which gives the way of fitting; empty for the likelihood.
    """

    model: FitForm
    shared_free: np.ndarray
    local_free: np.ndarray
    effects: Effects
    how: str = ""

    @property
    def name(self) -> str:
        """Returns a name with the step, noise and effects of the fit."""
        terms = "".join(f", {term}" for term in self.effects.terms)
        return self.model.name + terms + self.how

    @property
    def limits(self) -> np.ndarray:
        """Returns [2, shared] lower and upper limits."""
        of_shape = zip(self.model.low, self.model.high, strict=True)
        return np.array([*zip(LOW, HIGH, strict=True), *of_shape, *self.effects.limits]).T

    @property
    def as_charge_trap(self) -> bool:
        """Returns whether the preset has the law `charge_trap`: it has a term that only this law
        has, and its step is linear (with soft bounds: of slope 1)."""
        linear = self.model.code in (CONSTANT, LINEAR, SOFT_BOUNDS)
        return linear and not set(self.effects.terms) <= {LEAK}

    @property
    def held_by_preset(self) -> bool:
        """Returns whether a preset can hold all terms of time and width."""
        return self.as_charge_trap or set(self.effects.terms) <= {LEAK}

    def shape_of(self, shared: np.ndarray) -> np.ndarray:
        """Returns the model's shape among the shared numbers."""
        return np.ascontiguousarray(shared[NOISES : NOISES + len(self.model.shape)])

    def effects_of(self, shared: np.ndarray) -> np.ndarray:
        """Returns the numbers of the effects among the shared numbers."""
        return shared[NOISES + len(self.model.shape) :]


NOISES = 2
"""This many shared numbers come before the shape, both logarithms: cycle noise (as its law defines
it) and read noise (weights)."""

LOW, HIGH = np.log([1e-4, 1e-6]), np.log([100.0, 2.0])
"""The logarithms of the noises stay within these limits."""
