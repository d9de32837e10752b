"""Fits one step model to all devices at once: shared shape and noise, own numbers of each device.

One evaluation over all devices gives each device's derivative in its k-th own number.
"""

import math
from dataclasses import replace

import numpy as np
from scipy.optimize import Bounds, minimize
from threadpoolctl import ThreadpoolController

from device_presets.fitting.model.effects import LEAK, LOG_LOSS, Effects
from device_presets.fitting.model.joint_fit import JointFit, LogLikelihood, fit_at
from device_presets.fitting.model.layout import HIGH, LOW, NOISES, Layout
from device_presets.fitting.model.moments import on_the_curve
from device_presets.fitting.model.preparation import Prepared
from device_presets.fitting.model.series import LOCAL
from rpu_ssnn.devices.fit_form import PIECEWISE, SOFT_BOUNDS, FitForm

_LIBRARIES = ThreadpoolController()
"""BLAS threads cost more than they save in a search over a few numbers."""

_LEAST_STEP = 1e-3
"""A search starts from a step of at least this share of the range."""

_OUTWARD = 0.05
_FLAT_BOUND = 3.0
"""A bound counts as not reached if moving it outward by a twentieth of the range costs less than
this: one more fitted number gains half a log-unit by chance, and then looks like a bound."""
_FLAT_UNDER_LOSS = 8.0
"""This is required if the device loses weight between pulses: it stays where pulses and loss
balance, and in simulations without a bound, one just beyond gained up to 5 log-units."""

_AS_LIKELY = 10.0
"""The read noise that the readings show is kept if it costs at most this (log-units), since a rough
likelihood has peaks by chance where there is almost no read noise."""

_CURVATURE_STEP = 1e-3
_DIFFERENCE = 1e-3
_LEAST_CURVATURE = 25.0


class Objective:
    """Computes minus the log-likelihood of the packed free numbers, and its gradient."""

    def __init__(self, fit: JointFit, counted: np.ndarray | None) -> None:
        self._fit = fit
        self._likelihood = LogLikelihood(fit.prepared, fit.layout, counted)
        self._shared_at = np.flatnonzero(fit.layout.shared_free)
        self._local_at = [np.flatnonzero(free) for free in fit.layout.local_free]

    def pack(self, shared: np.ndarray, local: np.ndarray) -> np.ndarray:
        """Returns [numbers] the free ones of [shared] and [devices, 6]: shared numbers first, then
        the devices' own numbers, column by column."""
        parts = [local[at, column] for column, at in enumerate(self._local_at)]
        return np.concatenate([shared[self._shared_at], *parts])

    def unpack(self, packed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns all numbers [shared] and [devices, 6]; those not free come from the fit."""
        shared, local = self._fit.shared.copy(), self._fit.local.copy()
        n = len(self._shared_at)
        shared[self._shared_at] = packed[:n]
        for column, at in enumerate(self._local_at):
            local[at, column] = packed[n : n + len(at)]
            n += len(at)
        return shared, local

    def limits(self) -> list[np.ndarray]:
        """Returns [numbers] lower and [numbers] upper limits of the packed numbers."""
        both = zip(self._fit.layout.limits, self._fit.own_limits, strict=True)
        return [self.pack(shared, own) for shared, own in both]

    def units(self, packed: np.ndarray) -> np.ndarray:
        """Returns a typical change of each number, from the curvature, to scale the search."""
        step = np.full(len(packed), _CURVATURE_STEP)
        middle = self._of(*self.unpack(packed))
        up, down = self._moved(packed, step), self._moved(packed, -step)
        curvature = (up + down - 2 * self._sums(middle)) / step**2
        size = np.maximum(np.abs(np.nan_to_num(curvature)), _LEAST_CURVATURE)
        return np.asarray(1.0 / np.sqrt(size))

    def value_and_gradient(
        self, moves: np.ndarray, start: np.ndarray, unit: np.ndarray
    ) -> tuple[float, np.ndarray]:
        """Returns value and gradient at ``start + unit * moves``, from forward differences of a
        thousandth of a unit."""
        packed = start + unit * moves
        middle = self._of(*self.unpack(packed))
        gradient = (self._moved(packed, _DIFFERENCE * unit) - self._sums(middle)) / _DIFFERENCE
        value = float(middle.sum())
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return 1e15, np.zeros(len(packed))  # This makes the search step back.
        return value, gradient

    def _of(self, shared: np.ndarray, local: np.ndarray) -> np.ndarray:
        return np.negative(self._likelihood(shared, local))

    def _sums(self, values: np.ndarray) -> np.ndarray:
        """Returns the total for each shared number, and the device's value for each own number."""
        picked = [values[at] for at in self._local_at]
        return np.concatenate([np.full(len(self._shared_at), values.sum()), *picked])

    def _moved(self, packed: np.ndarray, step: np.ndarray) -> np.ndarray:
        """Returns the same as `_sums`, with each number moved by itself."""
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


def fit_model(prepared: Prepared, model: FitForm, constant: JointFit | None = None) -> JointFit:
    """Fits one model by maximum likelihood.

    Args:
        constant: The fitted constant step, which is also tried as a start; None without one.
    """
    layout = layout_of(prepared, model)
    fits = [*_first_guesses(prepared, layout)]
    if constant is not None and model.code != SOFT_BOUNDS:
        effects = constant.layout.effects_of(constant.shared)
        flat = np.array([*constant.shared[:NOISES], *model.flat, *effects])
        fits.append(fit_at(prepared, layout, flat, constant.local))
    return _with_read_noise(fitted_from(max(fits, key=lambda fit: fit.total)))


def _with_read_noise(fit: JointFit) -> JointFit:
    """Returns the fit, or one that starts from the read noise seen in the readings, if the fit has
    less than half of it.

    The likelihood hardly changes with the logarithm of a small read noise, so a search that has
    once gone there stays, and takes read noise for cycle noise.
    """
    seen = fit.prepared.read_noise
    if 2.0 * np.exp(fit.shared[1]) > seen:
        return fit
    shared = np.array([fit.shared[0], np.log(seen), *fit.shared[2:]])
    other = refit(replace(fit, shared=shared))
    return other if other.total > fit.total - _AS_LIKELY else fit


def _first_guesses(prepared: Prepared, layout: Layout) -> tuple[JointFit, JointFit]:
    """Returns two fits to start from: the mean moves of each device, and these fitted to the mean
    curve."""
    series, (highest, lowest) = prepared.series, prepared.ends
    span = highest - lowest
    change = np.diff(series.weight, prepend=series.weight[:1])
    local = np.zeros((len(span), len(LOCAL)))
    for column, way in ((0, 1), (1, -1)):
        mine = series.pulse == way
        moves = np.bincount(prepared.device[mine], way * change[mine], len(span))
        moves = moves / np.maximum(np.bincount(prepared.device[mine], minlength=len(span)), 1)
        local[:, column] = np.log(np.maximum(moves, _LEAST_STEP * span))
    local[:, 4], local[:, 5] = highest, lowest
    if layout.model.code == SOFT_BOUNDS:
        high = np.maximum(highest + 0.05 * span, 0.1 * span)
        low = np.minimum(lowest - 0.05 * span, -0.1 * span)
        local[:, 4:] = np.where(layout.local_free[4:].T, np.array([high, low]).T, local[:, 4:])
    step = float(np.exp(local[:, :2].mean()))
    scatter = float(np.var(change[series.pulse != 0])) - 2 * prepared.read_noise**2
    noises = np.log([max(np.sqrt(max(scatter, 0.0)) / step, 0.1), max(prepared.read_noise, 2e-6)])
    rests = series.rests & ~series.begins  # A loss and read noise both move readings.
    numbers = [math.log(max(np.sqrt(np.mean(change[rests] ** 2)), 1e-6))] if rests.any() else []
    shared = np.array([*np.clip(noises, LOW, HIGH), *layout.model.start, *numbers])
    first = fit_at(prepared, layout, shared, local)
    curve = on_the_curve(first, prepared.everything)
    return first, fit_at(prepared, layout, curve.shared, curve.local)


def fitted_from(start: JointFit, most_steps: int = 150) -> JointFit:
    """Fits all free numbers by maximum likelihood, in two searches, as the second one has units
    from where the first one ended; and again without bounds that the data do not reach."""
    fitted = refit(refit(start, most_steps=most_steps), most_steps=most_steps)
    loose = _without_flat_bounds(fitted) if fitted.prepared.noisy else None
    return fitted if loose is None else refit(loose)


def refit(fit: JointFit, counted: np.ndarray | None = None, most_steps: int = 150) -> JointFit:
    """Fits the model again, starting from the numbers of ``fit``.

    Args:
        counted: [rows] whether, or how often, a row counts; None for all.
    """
    objective = Objective(fit, counted)
    start = objective.pack(fit.shared, fit.local)
    unit = objective.units(start)
    low, high = objective.limits()
    bounds = Bounds((low - start) / unit, (high - start) / unit)
    with _LIBRARIES.limit(limits=1, user_api="blas"):
        found = minimize(
            objective.value_and_gradient, np.zeros(len(start)), args=(start, unit), jac=True,
            method="L-BFGS-B", bounds=bounds,
            options={"maxiter": most_steps, "ftol": 1e-9, "gtol": 1e-3, "maxcor": 20},
        )  # fmt: skip
    shared, local = objective.unpack(start + unit * found.x)
    return fit_at(fit.prepared, fit.layout, shared, local, counted)


def layout_of(prepared: Prepared, model: FitForm, effects: Effects | None = None) -> Layout:
    """Returns which numbers are free in a fit of these data: none that the data cannot show.

    Args:
        effects: The effects of the fit; None for one without terms of time and width.
    """
    effects = effects or Effects(rests=prepared.rests)
    has_down, of_effects = prepared.has_down, np.ones(len(effects.names), dtype=bool)
    shape_free = np.ones(len(model.shape), dtype=bool)
    if not has_down:
        shape_free[len(model.shape) // 2 :] = False
    shared_free = np.concatenate([[True, prepared.noisy], shape_free, of_effects])
    local_free = np.zeros((len(LOCAL), prepared.n_devices), dtype=bool)
    local_free[0], local_free[1] = True, has_down
    if model.own_slopes:
        local_free[2], local_free[3] = True, has_down
    for side, clips in enumerate(prepared.series.clips):
        asymptote = model.code == SOFT_BOUNDS and (side == 0 or has_down)
        local_free[4 + side] = (clips & prepared.noisy) | (~clips & asymptote)
    return Layout(model, shared_free, local_free, effects)


def is_a_node(fit: JointFit, side: int) -> bool:
    """Returns whether the upper (0) or lower (1) bounds of a fit by likelihood only place the nodes
    of a piecewise step: if they are moved outward, other steps between them fit as well."""
    free = fit.layout.local_free.copy()
    if fit.layout.how or fit.layout.model.code != PIECEWISE or not free[4 + side].all():
        return False
    free[4 + side] = False
    layout = replace(fit.layout, local_free=free)
    moved = refit(replace(fit, layout=layout, local=_outward(fit, side)))
    return fit.total - moved.total < _FLAT_BOUND


def _outward(fit: JointFit, side: int) -> np.ndarray:
    """Returns [devices, 6] the own numbers with one of the bounds further out."""
    moved = fit.local.copy()
    moved[:, 4 + side] += (1, -1)[side] * _OUTWARD * (fit.local[:, 4] - fit.local[:, 5])
    return moved


def _without_flat_bounds(fit: JointFit) -> JointFit | None:
    """Returns the fit without the bounds that the data never reach; None if all are reached."""
    clips = fit.prepared.series.clips
    least = _FLAT_UNDER_LOSS if {LEAK, LOG_LOSS} & set(fit.layout.effects.terms) else _FLAT_BOUND
    flat = np.zeros_like(clips)
    likelihood = LogLikelihood(fit.prepared, fit.layout)
    if fit.layout.model.code != SOFT_BOUNDS:  # A soft asymptote shapes every step.
        for side in (0, 1):
            loss = fit.log_likelihood - likelihood(fit.shared, _outward(fit, side))
            flat[side] = clips[side] & (np.abs(loss) < least)
    if not flat.any():
        return None
    prepared = replace(fit.prepared, series=fit.prepared.series._replace(clips=clips & ~flat))
    local = fit.local.copy()
    local[flat[0], 4] = prepared.ends[0][flat[0]]
    local[flat[1], 5] = prepared.ends[1][flat[1]]
    free = fit.layout.local_free.copy()
    free[4:] &= ~flat
    return replace(fit, prepared=prepared, local=local, layout=replace(fit.layout, local_free=free))
