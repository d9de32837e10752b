"""The search of a fit minimises this objective; it has a gradient, limits and natural units.

One more evaluation of all devices gives the derivative by the k-th own number of each of them.
"""

import numpy as np

from device_presets.fitting.model.joint_fit import JointFit, LogLikelihood
from rpu_ssnn.devices.fit_form import SOFT_BOUNDS

_CURVATURE_STEP = 1e-3
_DIFFERENCE = 1e-3
_LEAST_CURVATURE = 25.0


class Objective:
    """Minus the log-likelihood over the packed free numbers, with its gradient."""

    def __init__(self, fit: JointFit, counted: np.ndarray | None) -> None:
        self._fit = fit
        self._likelihood = LogLikelihood(fit.prepared, fit.layout, counted)
        self._shared_at = np.flatnonzero(fit.layout.shared_free)
        self._local_at = [np.flatnonzero(free) for free in fit.layout.local_free]

    def pack(self, shared: np.ndarray, local: np.ndarray) -> np.ndarray:
        """Returns [numbers] the free numbers of [shared] and [devices, 6]: shared ones first, then
        the own numbers, column by column."""
        parts = [local[at, column] for column, at in enumerate(self._local_at)]
        return np.concatenate([shared[self._shared_at], *parts])

    def unpack(self, packed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the numbers [shared] and [devices, 6]; those that are not free are the fit's."""
        shared, local = self._fit.shared.copy(), self._fit.local.copy()
        n = len(self._shared_at)
        shared[self._shared_at] = packed[:n]
        for column, at in enumerate(self._local_at):
            local[at, column] = packed[n : n + len(at)]
            n += len(at)
        return shared, local

    def limits(self, local: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns [numbers] lower and upper limits of the packed numbers.

        Args:
            local: [devices, 6] where the search starts: its steps are within the limits.
        """
        model = self._fit.layout.model
        highest, lowest = self._fit.prepared.highest, self._fit.prepared.lowest
        span = highest - lowest
        soft = model.code == SOFT_BOUNDS
        away = span * (1.0 if soft else 0.5)  # an asymptote beyond that is a linear step
        nearer = span * 0.3
        low, high = np.empty_like(local), np.empty_like(local)
        largest = np.log(span)[:, None]
        low[:, :2] = np.minimum(local[:, :2], largest) - 8.0
        high[:, :2] = np.maximum(local[:, :2], largest)
        low[:, 2:4], high[:, 2:4] = -3.0, 5.0
        low[:, 4] = np.maximum(highest - nearer, 1e-3)
        high[:, 4] = np.maximum(highest, 0) + away
        low[:, 5] = np.minimum(lowest, 0) - away
        high[:, 5] = np.minimum(lowest + nearer, -1e-3)
        lowest_shared, highest_shared = self._fit.layout.limits
        return self.pack(lowest_shared, low), self.pack(highest_shared, high)

    def units(self, packed: np.ndarray) -> np.ndarray:
        """Returns the size of each number's natural change, from the curvature; it scales the
        search."""
        step = np.full(len(packed), _CURVATURE_STEP)
        middle = self._of(*self.unpack(packed))
        up, down = self._moved(packed, step), self._moved(packed, -step)
        curvature = (up + down - 2 * self._sums(middle)) / step**2
        size: np.ndarray = np.maximum(np.abs(np.nan_to_num(curvature)), _LEAST_CURVATURE)
        return 1.0 / np.sqrt(size)

    def value_and_gradient(
        self, moves: np.ndarray, start: np.ndarray, unit: np.ndarray
    ) -> tuple[float, np.ndarray]:
        """Value and gradient at ``start + unit * moves``, by forward differences of a thousandth
        of a unit."""
        packed = start + unit * moves
        middle = self._of(*self.unpack(packed))
        gradient = (self._moved(packed, _DIFFERENCE * unit) - self._sums(middle)) / _DIFFERENCE
        value = float(middle.sum())
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return 1e15, np.zeros(len(packed))  # the search steps back
        return value, gradient

    def _of(self, shared: np.ndarray, local: np.ndarray) -> np.ndarray:
        return np.negative(self._likelihood(shared, local))

    def _sums(self, values: np.ndarray) -> np.ndarray:
        """Each shared number gets the total, and each own number the value of its device."""
        picked = [values[at] for at in self._local_at]
        return np.concatenate([np.full(len(self._shared_at), values.sum()), *picked])

    def _moved(self, packed: np.ndarray, step: np.ndarray) -> np.ndarray:
        """Each number is moved by itself: a shared one gives the total, an own one its device's
        value."""
        shared, local = self.unpack(packed)
        n = len(self._shared_at)
        results = []
        for at, own_step in zip(self._shared_at, step[:n], strict=True):
            moved = shared.copy()
            moved[at] += own_step
            results.append(np.array([self._of(moved, local).sum()]))
        for column, devices in enumerate(self._local_at):
            if not len(devices):
                continue
            moved = local.copy()
            moved[devices, column] += step[n : n + len(devices)]
            results.append(self._of(shared, moved)[devices])
            n += len(devices)
        return np.concatenate(results)
