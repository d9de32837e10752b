"""A law is fitted to all devices at once; its likelihood can be asked at any numbers.

The likelihood of a device depends on what all devices share and on its own numbers only.
"""

import math
from dataclasses import dataclass

import numpy as np

from device_presets.fitting.model.layout import Layout
from device_presets.fitting.model.likelihood import run_filter
from device_presets.fitting.model.preparation import Prepared
from device_presets.fitting.model.series import Series, Trace, empty_trace

_NO_TRACE = empty_trace(0)

type Arguments = tuple[Series, int, int, np.ndarray, np.ndarray, np.ndarray]
"""The series, code and law of the step, [devices, 6] own numbers, shape, [NOISES] noises."""


@dataclass(frozen=True)
class JointFit:
    """A joint fit is a model with its fitted numbers.

    Args:
        layout: which numbers were fitted.
        shared: [NOISES + shape + effects] logs of the noises, shape, effects.
        local: [devices, 6].
        log_likelihood: [devices] of the counted rows.
        prepared: the data, with bounds that turned out unreached no longer clipping.
    """

    layout: Layout
    shared: np.ndarray
    local: np.ndarray
    log_likelihood: np.ndarray
    prepared: Prepared

    @property
    def n_free(self) -> int:
        """Returns how many numbers were fitted in all."""
        return int(self.layout.shared_free.sum() + self.layout.local_free.sum())

    @property
    def total(self) -> float:
        """Returns the log-likelihood of all devices; minus infinity where it is no finite
        number."""
        total = float(self.log_likelihood.sum())
        return total if math.isfinite(total) else -math.inf

    @property
    def shape(self) -> np.ndarray:
        """These numbers of the step are shared by all devices."""
        return self.layout.shape_of(self.shared)

    @property
    def series(self) -> Series:
        """Returns the data with what the fitted effects make of their times and widths."""
        return self.arguments[0]

    @property
    def arguments(self) -> Arguments:
        """Returns the arguments that the filter, and all that looks at the data, take first."""
        return LogLikelihood(self.prepared, self.layout).arguments(self.shared, self.local)

    def trace(self) -> Trace:
        """Returns the filter's prediction for every row."""
        trace = empty_trace(len(self.prepared.device))
        LogLikelihood(self.prepared, self.layout)(self.shared, self.local, trace)
        return trace


class LogLikelihood:
    """Log-likelihood of each device's counted rows (None: all) as a function of the fitted numbers.

    The conditions are applied to the data only when a number of the effects has moved: most moves
    of a search are of other numbers.
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
        """Returns the log-likelihood [devices] at shared and local numbers; fills the trace where
        there is one."""
        found, arguments = np.empty(len(local)), self.arguments(shared, local)
        run_filter(*arguments, self._counted, _NO_TRACE if trace is None else trace, found)
        return found

    def arguments(self, shared: np.ndarray, local: np.ndarray) -> Arguments:
        """Returns the arguments that the filter takes first."""
        layout, prepared = self._layout, self._prepared
        numbers = layout.effects_of(shared)
        if self._last is None or not np.array_equal(self._last[0], numbers):
            series = layout.effects.applied(prepared.series, prepared.timing, numbers)
            self._last = numbers.copy(), series
        noise = np.array([math.exp(shared[0]), math.exp(shared[1]) if prepared.noisy else 0.0])
        shape, model = layout.shape_of(shared), layout.model
        return self._last[1], model.code, model.noise, local, shape, noise


def fit_at(
    prepared: Prepared,
    layout: Layout,
    shared: np.ndarray,
    local: np.ndarray,
    counted: np.ndarray | None = None,
) -> JointFit:
    """Returns a fit that stands at these numbers, over the counted rows; None: all rows."""
    likelihood = LogLikelihood(prepared, layout, counted)(shared, local)
    return JointFit(layout, shared, local, likelihood, prepared)
