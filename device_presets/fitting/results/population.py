"""Computes the means over devices and the spreads between them, which a preset needs."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.likelihood import mean_step
from device_presets.fitting.model.maximum_likelihood import is_a_node
from device_presets.fitting.model.preparation import LEAST_READ_NOISE
from device_presets.fitting.model.uncertainty import Uncertainty
from device_presets.fitting.results.intervals import (
    Quantity,
    is_log_normal,
    spread_interval,
    student_factor,
)

_UNKNOWN_ERRORS = "the errors of each device's own number could not be determined"
_LEFT_OPEN = "the interval is wider than four orders of magnitude"

_WIDEST = 5.0
"""An interval of a logarithm is not given if it is wider than this on one side."""

_LOOSE = 1.0
"""The data do not determine a number if its variance, of the logarithm or in weight, is larger."""

_UNKNOWN = 1e6
"""This is the variance of a number whose error is unknown."""

_BEYOND = 0.1
"""A bound counts as extrapolated if it is further out by this share of the measured range."""

_LONGEST = 5.0
"""A draw takes deviations for at most this many times those that were estimated."""

_FEWEST_DEVICES = 3
"""The scatter of fewer devices hardly shows the error of a mean over all such devices, so intervals
of means are then of these devices alone."""

_TOO_FEW = "fewer than two devices show it"
_TWO_DEVICES = "two devices may be alike by chance, so the spread has no interval"


@dataclass(frozen=True)
class MeanDevice:
    """Describes the mean device of a population.

    Args:
        local: [6] numbers of the device, in the order of ``LOCAL``.
        shape: The numbers of the model's shape.
        cycle_noise: The cycle noise, as a share of the step at weight zero.
        read_noise: The deviation of one reading, in weight; 0 if it is too small to be resolved.
        effects: The numbers of the effects, by the names of ``Effects.values``.
    """

    local: np.ndarray
    shape: np.ndarray
    cycle_noise: float
    read_noise: float
    effects: dict[str, float]


type OfDevice = Callable[[MeanDevice], float]
"""A number that a mean device has."""


class Population:
    """Holds means over devices with their covariance, and gives functions of them with intervals.

    Args:
        fit: The fit of one model.
        errors: The covariances of its numbers.
        draws: Fits of the same model to resampled cycles, of which there are at least two; if there
            are any draws, their scatter gives the covariance instead of the curvature of the
            likelihood, which says nothing of a fit to the mean curve.
    """

    def __init__(self, fit: JointFit, errors: Uncertainty, draws: Sequence[JointFit] = ()) -> None:
        self.fit, self.has_down, self.n_devices = fit, fit.prepared.has_down, len(fit.local)
        self.of_these_devices = self.n_devices < _FEWEST_DEVICES
        self._steps = np.exp(fit.local[:, : 2 if self.has_down else 1])
        self._nodes = [is_a_node(fit, side) for side in (0, 1)]
        self.log_normal = is_log_normal(self._steps.mean(axis=1))
        self._known = errors.at_top
        # Errors of steps and bounds are proportional to the cycle noise, variances to its square.
        self._doubt = 4.0 * float(errors.shared[0, 0])
        # These are derivatives of the numbers by those that were fitted, the logarithms of steps.
        slope = np.hstack([np.exp(fit.local[:, :2]), np.ones((self.n_devices, 4))])
        self._within = errors.local * slope[:, :, None] * slope[:, None, :]
        self._mean = self._vector(fit)
        self._covariance, self._own_degrees = (
            self._of_draws(draws) if draws else self._of_curvature(errors, slope)
        )
        self._between = np.zeros_like(self._covariance)
        if not self.of_these_devices:  # Draws move all devices together, without their scatter.
            self._between[-6:, -6:] = np.cov(self._values(fit), rowvar=False) / self.n_devices
            self._covariance = self._covariance + self._between
        self._degrees = self.n_devices - 1.0 if self.n_devices > 1 else self._own_degrees

    def _of_draws(self, draws: Sequence[JointFit]) -> tuple[np.ndarray, float]:
        """Returns the covariance of the means, and its degrees of freedom, from the scatter of
        draws: draws of m cycles scatter about their mean as m - 1 independent numbers do."""
        cycles = len(self.fit.prepared.alike)
        scatter: np.ndarray = np.cov([self._vector(fit) for fit in draws], rowvar=False)
        return scatter * (cycles / (cycles - 1)), min(cycles, len(draws)) - 1.0

    def _of_curvature(self, errors: Uncertainty, slope: np.ndarray) -> tuple[np.ndarray, float]:
        """Returns the same from the curvature of the likelihood, where an error of the shared
        numbers changes the numbers of all devices; a single mean curve does not show its error."""
        fit = self.fit
        degrees = max(float((fit.prepared.series.pulse != 0).sum()) - fit.n_free, 1.0)
        if fit.layout.how:
            return _UNKNOWN * np.eye(len(self._mean)), degrees
        own = np.ones_like(slope) if self.log_normal else slope
        known = errors.at_top | (not errors.at_top.any())
        moved = (own[:, :, None] * errors.response)[known].mean(axis=0)
        follows = np.vstack([np.eye(len(fit.shared)), moved])
        covariance: np.ndarray = follows @ errors.shared @ follows.T
        if self.of_these_devices:
            covariance[-6:, -6:] += self._within.mean(axis=0) / self.n_devices
        return covariance, degrees

    def _values(self, fit: JointFit) -> np.ndarray:
        values = fit.local.copy()
        if not self.log_normal:
            values[:, :2] = np.exp(values[:, :2])
        for column, high, outer in ((4, True, np.maximum), (5, False, np.minimum)):
            if (reached := self.reached(high)).any():  # Others show only that it is further out.
                mean = values[reached, column].mean()
                values[~reached, column] = outer(values[~reached, column], mean)
        return values

    def _vector(self, fit: JointFit) -> np.ndarray:
        """Returns the shared numbers, then the means of the six own numbers of the devices."""
        return np.concatenate([fit.shared, self._values(fit).mean(axis=0)])

    def device(self, mean: np.ndarray | None = None) -> MeanDevice:
        """Returns the mean device, or the device for another vector of means."""
        vector, layout = self._mean if mean is None else mean, self.fit.layout
        shared, local = np.split(vector.copy(), [len(self.fit.shared)])
        if not self.log_normal:
            local[:2] = np.log(np.maximum(local[:2], 1e-12))
        read_noise = math.exp(shared[1]) if self.fit.prepared.noisy else 0.0
        read_noise = read_noise if read_noise > LEAST_READ_NOISE else 0.0
        effects = layout.effects.values(layout.effects_of(shared))
        return MeanDevice(local, layout.shape_of(shared), math.exp(shared[0]), read_noise, effects)

    def drawn(self, rng: np.random.Generator) -> tuple[MeanDevice, float]:
        """Returns a mean device drawn by the errors of the fit, and the factor by which deviations
        between devices were taken larger than estimated.

        Few devices or cycles also leave these errors uncertain, so numbers scatter by Student's t,
        as their intervals do. They stay within the limits of the law; those that the data do not
        determine stay at their best estimates.
        """
        moved, factor, n = np.zeros(len(self._mean)), 1.0, len(self.fit.shared)
        known = np.diag(self._covariance) < _LOOSE
        shared, between = self._covariance - self._between, self._between
        for degrees, part in ((self._own_degrees, shared), (self._degrees, between)):
            factor = min(math.sqrt(degrees / rng.chisquare(degrees)), _LONGEST)
            part = part * np.outer(known, known)
            moved += factor * rng.multivariate_normal(np.zeros(len(moved)), part, method="eigh")
        vector = self._mean + moved
        if not self.log_normal:  # A step stays positive.
            steps = self._mean[n : n + 2]
            vector[n : n + 2] = steps * np.exp(moved[n : n + 2] / steps)
        vector[:n] = np.clip(vector[:n], *self.fit.layout.limits)
        vector[n + 5] = max(vector[n + 5], self.fit.prepared.floor)
        return self.device(vector), factor

    def quantity(self, name: str, unit: str, function: OfDevice, note: str = "") -> Quantity:
        """Returns a function of the mean device with its interval, by linearisation."""
        value, half = self._with_error(function)
        return Quantity(name, value, value - half, value + half, unit, note)

    def positive(self, name: str, unit: str, function: OfDevice, note: str = "") -> Quantity:
        """Returns a positive number with an interval computed for its logarithm, which is closer to
        normal; an interval of more than about four orders of magnitude is left out."""
        log, half = self._with_error(lambda device: math.log(function(device)))
        value, low, high = (math.exp(log + way * min(half, _WIDEST)) for way in (0, -1, 1))
        one = Quantity(name, value, low, high, unit, note)
        return one.opened().noted(_LEFT_OPEN) if half > _WIDEST else one

    def _with_error(self, function: OfDevice) -> tuple[float, float]:
        """Returns a function of the mean device, and half of its 95 % interval."""
        value = function(self.device())
        gradient = np.zeros(len(self._mean))
        deviations = np.sqrt(np.maximum(np.diag(self._covariance), 0.0))
        for k in np.flatnonzero(deviations):
            size = 0.1 * min(float(deviations[k]), 1.0)
            move = size * (np.arange(len(deviations)) == k)
            up, down = (self.device(self._mean + sign * move) for sign in (1, -1))
            gradient[k] = (function(up) - function(down)) / (2 * size)
        variance = float(gradient @ self._covariance @ gradient)
        # As in Welch and Satterthwaite, the two parts have their own degrees of freedom.
        local = max(float(gradient @ self._between @ gradient), 0.0)
        shared = max(variance - local, 0.0)
        degrees = self._own_degrees
        if local > 0:
            degrees = variance**2 / (local**2 / self._degrees + shared**2 / self._own_degrees)
        return value, student_factor(degrees) * math.sqrt(max(variance, 0.0))

    def step_at(self, device: MeanDevice, up: bool, weight: float) -> float:
        """Returns the mean step of a device at a weight."""
        code = self.fit.layout.model.code
        return mean_step(code, up, weight, device.local, device.shape)[0]

    def step(self, device: MeanDevice) -> float:
        """Returns the mean of the up and the down step at weight zero.

        It is not the larger one (aihwkit's dw_min), because a maximum of two noisy numbers is
        biased upward.
        """
        up = self.step_at(device, True, 0.0)
        return (up + self.step_at(device, False, 0.0)) / 2 if self.has_down else up

    def reached(self, high: bool) -> np.ndarray:
        """Returns [devices] whether the data show the device at this bound."""
        side = 0 if high else 1
        shown = self.fit.prepared.series.clips[side] | self.fit.layout.local_free[4 + side]
        return np.asarray(shown & (high or self.has_down))  # Up pulses cannot show a lower bound.

    def measured(self, high: bool) -> float:
        """Returns the mean upper or lower end of the measured range."""
        return float(self.fit.prepared.ends[0 if high else 1].mean())

    def extrapolated(self, high: bool) -> bool:
        """Returns whether a bound follows from the law alone, although all devices show one: the
        mean bound lies outside the measured range by more than a tenth of it, where falling steps
        would end, or it only places the nodes of a piecewise step."""
        bound, room = float(self.device().local[4 if high else 5]), _BEYOND * self.fit.prepared.span
        beyond = (bound - self.measured(high)) * (1 if high else -1)
        return bool(self.reached(high).all()) and (beyond > room or self._nodes[0 if high else 1])

    def shown(self, weight: float) -> str:
        """Returns the conductance of a weight in the user's unit, and says if it is none."""
        scale, none = self.fit.prepared.scale, ", which is no conductance"
        shown = scale.shown(scale.zero + weight * scale.span)
        return shown + (none if weight < self.fit.prepared.floor - 1e-9 else "")

    def spreads(self) -> list[Quantity]:
        """Returns every device-to-device deviation."""
        device, ways = self.device(), self._steps.shape[1]
        step = float(np.exp(device.local[:ways]).max())
        middle, within = self._steps.mean(axis=1), self._within[:, :ways, :ways]
        sizes, scale = (np.log(middle), middle) if self.log_normal else (middle / step, step)
        errors = within.mean(axis=(1, 2)) / scale**2
        every = np.ones(self.n_devices, dtype=np.bool_)
        found = [self._spread("step_spread", "step", sizes, errors, every, not self.log_normal)]
        if self.has_down:
            half = (self._steps[:, 0] - self._steps[:, 1]) / 2 / step
            apart = (within[:, 0, 0] + within[:, 1, 1] - 2 * within[:, 0, 1]) / 4 / step**2
            found.append(self._spread("asymmetry_spread", "step", half, apart, every, False))
        high, low = np.abs(device.local[4:])
        own = [
            ("w_max_spread", "w_max", 4, 1 / high, self.reached(True), True),
            ("w_min_spread", "w_min", 5, 1 / low, self.reached(False), True),
            ("slope_up_spread", "1", 2, high, every, False),
            ("slope_down_spread", "1", 3, low, every, False),
        ]
        n = 2 + ways * self.fit.layout.model.own_slopes
        for name, unit, column, factor, asked, relative in own[:n]:
            values = factor * self.fit.local[:, column]
            errors = factor**2 * self._within[:, column, column]
            found.append(self._spread(name, unit, values, errors, asked, relative))
        return found

    def _spread(
        self,
        name: str,
        unit: str,
        values: np.ndarray,
        errors: np.ndarray,
        asked: np.ndarray,
        relative: bool,
    ) -> Quantity:
        """Returns the spread of the devices `asked`, from their values and the variances of their
        fits; a device with an unknown variance gets the mean of the others."""
        known = asked & self._known
        if np.count_nonzero(known) < 2:
            why = _TOO_FEW if np.count_nonzero(asked) < 2 else _UNKNOWN_ERRORS
            return Quantity(name, None, None, None, unit, why)
        errors = np.where(self._known, errors, errors[known].mean())
        ends = spread_interval(values[asked], errors[asked], relative, self._doubt)
        one = Quantity(name, *ends, unit)
        return one if asked.sum() >= _FEWEST_DEVICES else one.opened().noted(_TWO_DEVICES)
