"""Holds a law fitted to all devices at once, and computes its likelihood at any numbers.

The likelihood of a device depends only on the shared numbers and on its own numbers.
"""

import math
from dataclasses import dataclass

import numpy as np

from device_presets.fitting.model.layout import Layout
from device_presets.fitting.model.likelihood import run_filter
from device_presets.fitting.model.preparation import Prepared
from device_presets.fitting.model.series import Series, Trace, empty_trace
from rpu_ssnn.devices.fit_form import SOFT_BOUNDS

_NO_TRACE = empty_trace(0)

type Arguments = tuple[Series, int, int, np.ndarray, np.ndarray, np.ndarray]
"""These are the series, the codes of the step and its noise, [devices, 6] own numbers, the shape,
and [3] noises, see `run_filter`."""


@dataclass(frozen=True)
class JointFit:
    """Holds a model with its fitted numbers.

    Args:
        layout: The numbers that were fitted.
        shared: [NOISES + shape + effects] logs of the noises, shape, effects.
        local: [devices, 6] each device's own numbers, see ``LOCAL``.
        log_likelihood: [devices] log-likelihood of the counted rows.
        prepared: The data, in which bounds found not to be reached no longer clip.
    """

    layout: Layout
    shared: np.ndarray
    local: np.ndarray
    log_likelihood: np.ndarray
    prepared: Prepared

    @property
    def n_free(self) -> int:
        """Returns the total number of fitted numbers."""
        return int(self.layout.shared_free.sum() + self.layout.local_free.sum())

    @property
    def total(self) -> float:
        """Returns the log-likelihood of all devices; minus infinity if it is not finite."""
        total = float(self.log_likelihood.sum())
        return total if math.isfinite(total) else -math.inf

    @property
    def shape(self) -> np.ndarray:
        """Returns the numbers of the step that all devices share."""
        return self.layout.shape_of(self.shared)

    @property
    def own_limits(self) -> np.ndarray:
        """Returns [2, devices, 6] lower and upper limits of the devices' own numbers; the logs of
        their steps are always within."""
        highest, lowest = self.prepared.ends
        span, (low, high) = highest - lowest, np.empty((2, *self.local.shape))
        # A linear step describes asymptotes that are further away.
        away = span * (1.0 if self.layout.model.code == SOFT_BOUNDS else 0.5)
        largest = np.log(span)[:, None]
        low[:, :2] = np.minimum(self.local[:, :2], largest) - 8.0
        high[:, :2] = np.maximum(self.local[:, :2], largest)
        low[:, 2:4], high[:, 2:4] = -3.0, 5.0
        low[:, 4] = np.maximum(highest - 0.3 * span, 1e-3)
        high[:, 4] = np.maximum(highest, 0) + away
        low[:, 5] = np.maximum(np.minimum(lowest, 0) - away, self.prepared.floor)
        high[:, 5] = np.minimum(lowest + 0.3 * span, -1e-3)
        return np.array([low, high])

    @property
    def arguments(self) -> Arguments:
        """Returns the first arguments of the filter and of the simulation."""
        return LogLikelihood(self.prepared, self.layout).arguments(self.shared, self.local)

    def trace(self) -> Trace:
        """Returns the filter's prediction for every row."""
        trace = empty_trace(len(self.prepared.device))
        LogLikelihood(self.prepared, self.layout)(self.shared, self.local, trace)
        return trace


class LogLikelihood:
    """Computes the log-likelihood of each device's counted rows (None: all) at any numbers.

    Times and widths are applied to the data only when a number of the effects has changed, since a
    search mostly changes other numbers.
    """

    def __init__(
        self, prepared: Prepared, layout: Layout, counted: np.ndarray | None = None
    ) -> None:
        self._prepared, self._layout = prepared, layout
        self._counted = prepared.everything if counted is None else counted
        self._last: tuple[np.ndarray, Series] | None = None

    def __call__(
        self, shared: np.ndarray, local: np.ndarray, trace: Trace | None = None
    ) -> np.ndarray:
        """Returns [devices] log-likelihoods at shared and local numbers, and fills the trace if one
        is given."""
        found, arguments = np.empty(len(local)), self.arguments(shared, local)
        run_filter(*arguments, self._counted, _NO_TRACE if trace is None else trace, found)
        return found

    def arguments(self, shared: np.ndarray, local: np.ndarray) -> Arguments:
        """Returns the first arguments of the filter."""
        layout, prepared = self._layout, self._prepared
        numbers = layout.effects_of(shared)
        if self._last is None or not np.array_equal(self._last[0], numbers):
            series = layout.effects.applied(prepared.series, prepared.timing, numbers)
            self._last = numbers.copy(), series
        read = math.exp(shared[1]) if prepared.noisy else 0.0
        noise = np.array([math.exp(shared[0]), read, layout.effects.rest_noise(numbers)])
        shape, model = layout.shape_of(shared), layout.model
        return self._last[1], model.code, model.noise, local, shape, noise


def fit_at(
    prepared: Prepared,
    layout: Layout,
    shared: np.ndarray,
    local: np.ndarray,
    counted: np.ndarray | None = None,
) -> JointFit:
    """Returns a fit with these numbers, and its likelihood over the counted rows (None: all)."""
    likelihood = LogLikelihood(prepared, layout, counted)(shared, local)
    return JointFit(layout, shared, local, likelihood, prepared)
