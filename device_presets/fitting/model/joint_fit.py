"""Fits one step model to all devices at once: shared shape and noise, each device's own numbers.

The likelihood of a device depends on what is shared and on its own numbers only, so one more
evaluation of all devices gives the derivative by the k-th own number of each of them.
"""

import itertools
import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import Bounds, minimize
from threadpoolctl import ThreadpoolController

from device_presets.fitting.model.first_guess import LOW, NOISES, Layout, first_guess
from device_presets.fitting.model.history import NO_HISTORY, History
from device_presets.fitting.model.likelihood import Series, Trace, empty_trace, run_filter
from device_presets.fitting.model.step_functions import LINEAR, LOCAL, SOFT_BOUNDS, StepModel
from device_presets.fitting.model.weights import Prepared

_LIBRARIES = ThreadpoolController()
"""BLAS threads cost more than they save in a search over a few numbers."""

_NO_TRACE = empty_trace(0)
_CURVATURE_STEP = 1e-3
_DIFFERENCE = 1e-3
_LEAST_CURVATURE = 25.0
_FLAT_BOUND = 3.0
"""A bound is unreached where moving it outward by a twentieth of the range costs less than this:
one number more to fit gains half a log-unit by chance, and then looks like a bound."""
_FLAT_UNDER_LOSS = 8.0
"""The same where the device loses weight between pulses: it then stays where pulses and loss agree,
and a bound just beyond gained up to 5 log-units in simulations without one."""


@dataclass(frozen=True)
class JointFit:
    """A fitted model.

    Args:
        layout: which numbers were fitted.
        shared: [NOISES + shape + history] logs of the noises, shape, history.
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
        """Fitted numbers in all."""
        return int(self.layout.shared_free.sum() + self.layout.local_free.sum())

    @property
    def shape(self) -> np.ndarray:
        """What all devices share of the step."""
        return self.layout.shape_of(self.shared)

    @property
    def series(self) -> Series:
        """The data with what the fitted history makes of their times, widths and amplitudes."""
        layout, prepared = self.layout, self.prepared
        numbers = layout.history_of(self.shared)
        return layout.history.applied(prepared.series, prepared.timing, numbers)


def noises(layout: Layout, prepared: Prepared, shared: np.ndarray) -> np.ndarray:
    """[4] what the filter takes; see ``run_filter``."""
    white = math.exp(shared[1]) if prepared.noisy else 0.0
    if not layout.memory:
        return np.array([math.exp(shared[0]), white, 0.0, 0.0])
    kept = math.exp(-math.exp(-shared[3]))
    return np.array([math.exp(shared[0]), white, math.exp(shared[2]), kept])


def evaluate(
    prepared: Prepared,
    layout: Layout,
    shared: np.ndarray,
    local: np.ndarray,
    counted: np.ndarray,
    trace: Trace | None = None,
) -> np.ndarray:
    """Log-likelihood of each device's counted rows."""
    found = np.empty(len(local))
    run_filter(
        layout.history.applied(prepared.series, prepared.timing, layout.history_of(shared)),
        layout.model.code,
        layout.model.law,
        np.ascontiguousarray(local),
        layout.shape_of(shared),
        noises(layout, prepared, shared),
        counted,
        trace if trace is not None else _NO_TRACE,
        trace is not None,
        found,
    )
    return found


def fit_model(
    prepared: Prepared, model: StepModel, counted: np.ndarray, constant: "JointFit | None" = None
) -> JointFit:
    """Maximum likelihood of one model over the counted rows.

    Args:
        prepared: the data.
        model: which model.
        counted: [rows] rows that count.
        constant: the fitted constant step, where there is one: the search also starts from there.
    """
    layout = layout_of(prepared, model)
    starts = [first_guess(prepared, layout)]
    if constant is not None and model.code != SOFT_BOUNDS:
        flat = np.array([*constant.shared[:NOISES], *model.flat])
        starts.append((flat, constant.local.copy()))
    fits = [JointFit(layout, *s, evaluate(prepared, layout, *s, counted), prepared) for s in starts]
    best = max(fits, key=lambda fit: _total(fit.log_likelihood))
    return settled(refit(best, counted), counted)


def with_memory(
    prepared: Prepared, white: JointFit, counted: np.ndarray, like: "JointFit | None" = None
) -> JointFit:
    """The model of ``white`` with read noise that has memory beside white read noise; only the
    noises are fitted, the rest is as in ``white``: where a fit of all numbers starts.

    Args:
        prepared: the data, with read noise.
        white: the fit without memory.
        counted: [rows] rows that count.
        like: a fit with memory of another model, where there is one: the search starts from its
            noises. Otherwise from several lengths of the memory, and from small cycle noise too.
    """
    layout = layout_of(prepared, white.layout.model, True, white.layout.history)
    bases = [(white.shared, white.local)]
    if not layout.history.terms:
        bases.append(first_guess(prepared, layout))
    step, other = white.layout.model, None if like is None else like.layout.model
    if like is not None and other is not None and other.code == step.code:
        bases += [(like.shared, like.local)] if other.shape == step.shape else []
    starts = []
    for shared, local in bases:
        if like is not None:
            starts.append((np.array([*like.shared[:NOISES], *shared[NOISES:]]), local))
            continue
        size = float(np.exp(local[:, :2].mean()))
        scatter = max(prepared.read_noise, size * math.exp(shared[0]), size)
        for share, pulses in itertools.product((1.0, 0.1), (3.0, 12.0, 50.0)):
            tried = shared.copy()
            tried[0] = max(tried[0] + math.log(share), LOW[0])
            tried[1] = math.log(max(0.5 * prepared.read_noise, 0.1 * size, 2e-6))
            tried[2], tried[3] = math.log(scatter), math.log(pulses)
            starts.append((tried, local))
    fits = [JointFit(layout, *s, evaluate(prepared, layout, *s, counted), prepared) for s in starts]
    fits.sort(key=lambda fit: -_total(fit.log_likelihood))
    noises_only = replace(
        layout,
        shared_free=layout.shared_free & (np.arange(len(layout.shared_free)) < NOISES),
        local_free=np.zeros_like(layout.local_free),
    )
    tried_fits = [refit(replace(fit, layout=noises_only), counted, 40) for fit in fits[:2]]
    best = max(tried_fits, key=lambda fit: _total(fit.log_likelihood))
    return replace(best, layout=layout)


def fit_with_memory(start: JointFit, counted: np.ndarray) -> JointFit:
    """Maximum likelihood of all numbers, from ``with_memory``."""
    return settled(refit(start, counted), counted)


def settled(fitted: JointFit, counted: np.ndarray) -> JointFit:
    """The fit without the bounds that the data turn out not to reach, fitted again."""
    loose = _without_flat_bounds(fitted, counted) if fitted.prepared.noisy else None
    return fitted if loose is None else refit(loose, counted)


def _total(likelihoods: np.ndarray) -> float:
    total = float(likelihoods.sum())
    return total if math.isfinite(total) else -math.inf


def refit(fit: JointFit, counted: np.ndarray, most_steps: int = 150) -> JointFit:
    """The same model from where ``fit`` stands, over other rows."""
    objective = _Objective(fit, counted)
    start = objective.pack(fit.shared, fit.local)
    unit = objective.units(start)
    low, high = objective.limits(fit.shared, fit.local)
    bounds = Bounds((low - start) / unit, (high - start) / unit)
    with _LIBRARIES.limit(limits=1, user_api="blas"):
        found = minimize(
            objective.value_and_gradient,
            np.zeros(len(start)),
            args=(start, unit),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": most_steps, "ftol": 1e-9, "gtol": 1e-3, "maxcor": 20},
        )
    shared, local = objective.unpack(start + unit * found.x)
    likelihood = evaluate(fit.prepared, fit.layout, shared, local, counted)
    return replace(fit, shared=shared, local=local, log_likelihood=likelihood)


def layout_of(
    prepared: Prepared, model: StepModel, memory: bool = False, history: History = NO_HISTORY
) -> Layout:
    """Which numbers a fit of these data has: none of what they do not reach or hold."""
    has_down = bool((prepared.series.pulse < 0).any())
    shape_free = np.ones(len(model.shape), dtype=bool)
    if not has_down:
        shape_free[len(model.shape) // 2 :] = False
    shared_free = np.concatenate(
        [
            [True, prepared.noisy, memory, memory],
            shape_free,
            np.ones(len(history.names), dtype=bool),
        ]
    )
    local_free = np.zeros((len(LOCAL), len(prepared.highest)), dtype=bool)
    local_free[0], local_free[1] = True, has_down
    if model.code == LINEAR and not model.shape:
        local_free[2], local_free[3] = True, has_down
    for side, clips in ((4, prepared.series.clips_high), (5, prepared.series.clips_low)):
        asymptote = model.code == SOFT_BOUNDS and (side == 4 or has_down)
        local_free[side] = clips if prepared.noisy else asymptote & ~clips
        if asymptote:
            local_free[side] |= ~clips
    return Layout(model, memory, shared_free, local_free, history)


def _without_flat_bounds(fit: JointFit, counted: np.ndarray) -> JointFit | None:
    """The fit with the bounds the data never reach taken out; None where all are reached."""
    series = fit.prepared.series
    clips = np.array([series.clips_high, series.clips_low])
    least = _FLAT_UNDER_LOSS if fit.layout.history.has_loss else _FLAT_BOUND
    flat = np.zeros_like(clips)
    for side in (0, 1):
        column = 4 + side
        if fit.layout.model.code == SOFT_BOUNDS:
            continue  # an asymptote shapes every step
        moved = fit.local.copy()
        outward = 0.05 * np.abs(fit.local[:, 4] - fit.local[:, 5])
        moved[:, column] += outward if side == 0 else -outward
        loss = fit.log_likelihood - evaluate(fit.prepared, fit.layout, fit.shared, moved, counted)
        flat[side] = clips[side] & (np.abs(loss) < least)
    if not flat.any():
        return None
    clips &= ~flat
    prepared = replace(
        fit.prepared, series=series._replace(clips_high=clips[0], clips_low=clips[1])
    )
    local = fit.local.copy()
    local[flat[0], 4] = prepared.highest[flat[0]]
    local[flat[1], 5] = prepared.lowest[flat[1]]
    free = fit.layout.local_free.copy()
    free[4] &= ~flat[0]
    free[5] &= ~flat[1]
    return replace(fit, prepared=prepared, local=local, layout=replace(fit.layout, local_free=free))


class _Objective:
    """Minus the log-likelihood over the packed free numbers, with its gradient."""

    def __init__(self, fit: JointFit, counted: np.ndarray) -> None:
        self._fit = fit
        self._counted = counted
        self._shared_at = np.flatnonzero(fit.layout.shared_free)
        self._local_at = [np.flatnonzero(free) for free in fit.layout.local_free]

    def pack(self, shared: np.ndarray, local: np.ndarray) -> np.ndarray:
        parts = [local[at, column] for column, at in enumerate(self._local_at)]
        return np.concatenate([shared[self._shared_at], *parts])

    def unpack(self, packed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        shared, local = self._fit.shared.copy(), self._fit.local.copy()
        n = len(self._shared_at)
        shared[self._shared_at] = packed[:n]
        for column, at in enumerate(self._local_at):
            local[at, column] = packed[n : n + len(at)]
            n += len(at)
        return shared, local

    def limits(self, shared: np.ndarray, local: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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
        return self.pack(self._fit.layout.low, low), self.pack(self._fit.layout.high, high)

    def units(self, packed: np.ndarray) -> np.ndarray:
        """Size of each number's natural change, from the curvature: what scales the search."""
        step = np.full(len(packed), _CURVATURE_STEP)
        middle = self._of(*self.unpack(packed))
        up, down = self._moved(packed, step), self._moved(packed, -step)
        sums = np.concatenate([np.full(len(self._shared_at), middle.sum()), *self._picked(middle)])
        curvature = (up + down - 2 * sums) / step**2
        size: np.ndarray = np.maximum(np.abs(np.nan_to_num(curvature)), _LEAST_CURVATURE)
        return 1.0 / np.sqrt(size)

    def value_and_gradient(
        self, moves: np.ndarray, start: np.ndarray, unit: np.ndarray
    ) -> tuple[float, np.ndarray]:
        """Value and gradient at ``start + unit * moves``, by forward differences of a thousandth
        of a unit."""
        packed = start + unit * moves
        middle = self._of(*self.unpack(packed))
        sums = np.concatenate([np.full(len(self._shared_at), middle.sum()), *self._picked(middle)])
        gradient = (self._moved(packed, _DIFFERENCE * unit) - sums) / _DIFFERENCE
        value = float(middle.sum())
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return 1e15, np.zeros(len(packed))  # the search steps back
        return value, gradient

    def _of(self, shared: np.ndarray, local: np.ndarray) -> np.ndarray:
        likelihood: np.ndarray = -evaluate(
            self._fit.prepared, self._fit.layout, shared, local, self._counted
        )
        return likelihood

    def _picked(self, values: np.ndarray) -> list[np.ndarray]:
        return [values[at] for at in self._local_at]

    def _moved(self, packed: np.ndarray, step: np.ndarray) -> np.ndarray:
        """What each number's own move gives: the total for shared ones, its device's otherwise."""
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
