"""Fits one step model to all devices at once: shared shape and noise, each device's own numbers."""

from dataclasses import replace

import numpy as np
from scipy.optimize import Bounds, minimize
from threadpoolctl import ThreadpoolController

from device_presets.fitting.model.effects import NO_EFFECTS, Effects
from device_presets.fitting.model.first_guess import first_guesses
from device_presets.fitting.model.joint_fit import JointFit, LogLikelihood, fit_at
from device_presets.fitting.model.layout import NOISES, Layout
from device_presets.fitting.model.objective import Objective
from device_presets.fitting.model.preparation import Prepared
from device_presets.fitting.model.series import LOCAL
from rpu_ssnn.devices.fit_form import SOFT_BOUNDS, FitForm

_LIBRARIES = ThreadpoolController()
"""BLAS threads cost more than they save in a search over a few numbers."""

_OUTWARD = 0.05
_FLAT_BOUND = 3.0
"""A bound is unreached where moving it outward by a twentieth of the range costs less than this:
one number more to fit gains half a log-unit by chance, and then looks like a bound."""
_FLAT_UNDER_LOSS = 8.0
"""So much is asked where the device loses weight between pulses: it stays where pulses and loss
balance, and a bound just beyond gained up to 5 log-units in simulations without one."""


def fit_model(
    prepared: Prepared,
    model: FitForm,
    counted: np.ndarray | None = None,
    constant: "JointFit | None" = None,
) -> JointFit:
    """Fits one model by maximum likelihood over the counted rows.

    Args:
        counted: [rows] rows that count; None: all, as in the other fits here.
        constant: the fitted constant step, where there is one: the search also starts from there.
    """
    layout = layout_of(prepared, model)
    fits = [*first_guesses(prepared, layout, counted)]
    if constant is not None and model.code != SOFT_BOUNDS:
        flat = np.array([*constant.shared[:NOISES], *model.flat])
        fits.append(fit_at(prepared, layout, flat, constant.local, counted))
    return fitted_from(max(fits, key=lambda fit: fit.total), counted)


def fitted_from(
    start: JointFit, counted: np.ndarray | None = None, most_steps: int = 150
) -> JointFit:
    """Fits all free numbers by maximum likelihood, without the bounds that the data turn out
    not to reach."""
    fitted = refit(start, counted, most_steps)
    loose = _without_flat_bounds(fitted, counted) if fitted.prepared.noisy else None
    return fitted if loose is None else refit(loose, counted)


def refit(fit: JointFit, counted: np.ndarray | None = None, most_steps: int = 150) -> JointFit:
    """Returns the model of ``fit``, fitted again over other rows from where ``fit`` stands."""
    objective = Objective(fit, counted)
    start = objective.pack(fit.shared, fit.local)
    unit = objective.units(start)
    low, high = objective.limits(fit.local)
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
    return fit_at(fit.prepared, fit.layout, shared, local, counted)


def layout_of(prepared: Prepared, model: FitForm, effects: Effects = NO_EFFECTS) -> Layout:
    """Which numbers a fit of these data has: none of what they do not reach or hold."""
    has_down = prepared.has_down
    shape_free = np.ones(len(model.shape), dtype=bool)
    if not has_down:
        shape_free[len(model.shape) // 2 :] = False
    shared_free = np.concatenate(
        [
            [True, prepared.noisy],
            shape_free,
            np.ones(len(effects.names), dtype=bool),
        ]
    )
    local_free = np.zeros((len(LOCAL), len(prepared.highest)), dtype=bool)
    local_free[0], local_free[1] = True, has_down
    if model.own_slopes:
        local_free[2], local_free[3] = True, has_down
    for side, clips in enumerate(prepared.series.clips):
        asymptote = model.code == SOFT_BOUNDS and (side == 0 or has_down)
        local_free[4 + side] = clips if prepared.noisy else asymptote & ~clips
        if asymptote:
            local_free[4 + side] |= ~clips
    return Layout(model, shared_free, local_free, effects)


def _without_flat_bounds(fit: JointFit, counted: np.ndarray | None) -> JointFit | None:
    """Returns the fit with the bounds the data never reach taken out; None where all are
    reached."""
    clips = fit.prepared.series.clips
    least = _FLAT_UNDER_LOSS if fit.layout.effects.has_loss else _FLAT_BOUND
    flat = np.zeros_like(clips)
    likelihood = LogLikelihood(fit.prepared, fit.layout, counted)
    if fit.layout.model.code != SOFT_BOUNDS:  # there an asymptote shapes every step
        outward = _OUTWARD * np.abs(fit.local[:, 4] - fit.local[:, 5])
        for side, move in enumerate((outward, -outward)):
            moved = fit.local.copy()
            moved[:, 4 + side] += move
            found = likelihood(fit.shared, moved)
            loss = fit.log_likelihood - found
            flat[side] = clips[side] & (np.abs(loss) < least)
    if not flat.any():
        return None
    prepared = replace(fit.prepared, series=fit.prepared.series._replace(clips=clips & ~flat))
    local = fit.local.copy()
    local[flat[0], 4] = prepared.highest[flat[0]]
    local[flat[1], 5] = prepared.lowest[flat[1]]
    free = fit.layout.local_free.copy()
    free[4:] &= ~flat
    return replace(fit, prepared=prepared, local=local, layout=replace(fit.layout, local_free=free))
