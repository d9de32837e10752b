"""This file says where a fit starts, and which of a law's numbers it fits."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from device_presets.fitting.model.effects import LEAK, NO_EFFECTS, Effects
from device_presets.fitting.model.likelihood import mean_step
from device_presets.fitting.model.preparation import Blocks, Prepared
from device_presets.fitting.model.series import LOCAL
from device_presets.fitting.rows import selected
from rpu_ssnn.devices.fit_form import CONSTANT, LINEAR, SOFT_BOUNDS, FitForm

_MARGIN = 0.03  # share of the range next to a bound whose averaged steps are cut short


@dataclass(frozen=True)
class Layout:
    """A layout says which numbers of a model are fitted.

    Args:
        shared_free: [shared] flags for the shared numbers: noises, shape, effects.
        local_free: [6, devices] flags for ``LOCAL``.
        effects: The terms of time, width and amplitude that the fit has.
        how: What the name says of the way of fitting, where it was not by the likelihood.
    """

    model: FitForm
    shared_free: np.ndarray
    local_free: np.ndarray
    effects: Effects = NO_EFFECTS
    how: str = ""

    @property
    def name(self) -> str:
        """The name says which step, noise and effects the fit has."""
        terms = "".join(f", {term}" for term in self.effects.terms)
        return self.model.name + terms + self.how

    @property
    def limits(self) -> np.ndarray:
        """Returns [2, shared] lower and upper limits."""
        of_shape = zip(self.model.low, self.model.high, strict=True)
        return np.array([*zip(LOW, HIGH, strict=True), *of_shape, *self.effects.limits]).T

    @property
    def as_charge_trap(self) -> bool:
        """This says whether the preset is a ``ChargeTrapDevice``: its step is linear (with soft
        bounds: of slope 1), and it has no exponential leak."""
        linear = self.model.code in (CONSTANT, LINEAR, SOFT_BOUNDS)
        return linear and self.effects.has_charge_trap and LEAK not in self.effects.terms

    @property
    def held_by_preset(self) -> bool:
        """This says whether a preset holds all terms of time and width."""
        return self.as_charge_trap or not self.effects.has_charge_trap

    def shape_of(self, shared: np.ndarray) -> np.ndarray:
        """Returns the model's shape among the shared numbers."""
        return np.ascontiguousarray(shared[NOISES : NOISES + len(self.model.shape)])

    def effects_of(self, shared: np.ndarray) -> np.ndarray:
        """Returns the numbers of the effects among the shared numbers."""
        return shared[NOISES + len(self.model.shape) :]


NOISES = 2
"""Shared numbers before the shape, both logarithms: cycle noise (as its law says) and read noise
(weights)."""

LOW, HIGH = np.log([1e-4, 1e-6]), np.log([100.0, 2.0])
"""Limits of the noises."""


def first_guess(prepared: Prepared, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Returns the shared and local numbers to start from, out of averaged steps away from the
    bounds."""
    model, blocks = layout.model, _away_from_bounds(prepared)
    n_devices = len(prepared.highest)
    local = np.zeros((n_devices, len(LOCAL)))
    overall = max(float(np.mean(np.abs(blocks.step))), 1e-6)
    for device in range(n_devices):
        mine = blocks.device == device
        for column, up in ((0, True), (1, False)):
            steps = blocks.step[mine & (blocks.up == up)]
            large = steps[steps >= np.median(steps)] if len(steps) else steps
            guess = float(large.mean()) if len(large) else overall
            local[device, column] = np.log(max(guess, 0.05 * overall))
    local[:, 4], local[:, 5] = prepared.highest, prepared.lowest
    span = local[:, 4] - local[:, 5]
    if model.code == SOFT_BOUNDS:
        high = np.maximum(prepared.highest + 0.05 * span, 0.1 * span)
        low = np.minimum(prepared.lowest - 0.05 * span, -0.1 * span)
        local[:, 4] = np.where(layout.local_free[4], high, prepared.highest)
        local[:, 5] = np.where(layout.local_free[5], low, prepared.lowest)
    steps = np.diff(prepared.series.weight)[prepared.series.pulse[1:] != 0]
    total = float(np.var(np.abs(steps)) if not prepared.noisy else np.var(steps))
    own = max(total - 2 * prepared.read_noise**2, (0.1 * overall) ** 2, 1e-14)
    cycle_noise = np.log(np.clip(np.sqrt(own) / overall, 1e-3, 30.0))
    read_noise = np.log(max(prepared.read_noise, 2e-6))
    shape = _shape_guess(prepared, layout, local)
    return np.concatenate([[cycle_noise, read_noise], shape]), local


def _shape_guess(prepared: Prepared, layout: Layout, local: np.ndarray) -> np.ndarray:
    """Returns the shape that fits the averaged steps of all devices best, each in units of its
    own."""
    model, blocks = layout.model, _away_from_bounds(prepared)
    if not model.shape:
        return np.zeros(0)
    scale = np.exp(np.where(blocks.up, local[blocks.device, 0], local[blocks.device, 1]))
    relative = blocks.step / scale
    weight = np.sqrt(blocks.pulses)
    mean_device = np.array([0.0, 0.0, 0.0, 0.0, *local[:, 4:].mean(axis=0)])

    def residuals(numbers: np.ndarray) -> np.ndarray:
        own = mean_device.copy()
        own[:2] = numbers[:2]
        shape = np.ascontiguousarray(numbers[2:])
        model_steps = [
            mean_step(model.code, bool(up), float(v), own, shape)[0]
            for up, v in zip(blocks.up, blocks.weight, strict=True)
        ]
        difference: np.ndarray = weight * (np.array(model_steps) - relative)
        return difference

    start = np.concatenate([[0.0, 0.0], model.start])
    low = np.concatenate([[-5.0, -5.0], model.low])
    high = np.concatenate([[5.0, 5.0], model.high])
    found = least_squares(
        residuals, start, bounds=(low, high), x_scale=0.3, max_nfev=60, loss="soft_l1"
    )
    shape: np.ndarray = found.x[2:]
    return np.where(layout.shared_free[NOISES:], shape, np.array(model.start))


def _away_from_bounds(prepared: Prepared) -> Blocks:
    blocks = prepared.blocks
    high, low = prepared.highest[blocks.device], prepared.lowest[blocks.device]
    room = np.where(blocks.up, high - blocks.weight, blocks.weight - low) / (high - low)
    needed = _MARGIN + 0.5 * np.abs(blocks.step) * blocks.pulses / (high - low)
    clips = prepared.series.clips[np.where(blocks.up, 0, 1), blocks.device]
    keep = ~clips | (room > needed)
    for up in (True, False):  # never all of a polarity
        if not keep[blocks.up == up].any():
            keep |= blocks.up == up
    return selected(blocks, keep)
