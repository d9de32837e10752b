"""Computes covariances of the fitted numbers from the curvature of the log-likelihood at its
maximum, corrects noises for the numbers fitted to each device, and fits resampled cycles."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from device_presets.fitting.model.joint_fit import JointFit, LogLikelihood
from device_presets.fitting.model.layout import NOISES
from device_presets.fitting.model.maximum_likelihood import refit
from device_presets.fitting.model.moments import fitted_to_moments
from device_presets.fitting.model.series import LOCAL
from rpu_ssnn.devices.fit_form import PIECEWISE

_STEP_IN_ERRORS = 0.3
_MOST_LOSS = 0.5
"""A piecewise step has corners, which make the likelihood rough. If a finite difference over a step
four times as long halves the curvature and costs at most this (log-units), it is taken."""

_AT_LIMIT = 1e-6
_LOG_STEP = 0.1

_LEAST_EIGENVALUE = 1e-4
"""Smaller eigenvalues of a curvature in the numbers' units are raised to this."""

_FLAT = 1e-3

_DRAWS = 20
"""This many draws of cycles give the intervals of a law that does not describe the data."""

_LOOSE = 1.0
"""A number is loosely known beyond this standard error, of its logarithm or in weight."""

_MOST_MOVE = 0.5
"""The logarithm of a noise moves by at most this, since one Newton step is not reliable further."""


@dataclass(frozen=True)
class Uncertainty:
    """Holds covariances of the fitted numbers, from the curvature of the likelihood.

    Args:
        shared: [shared, shared] covariance of the shared numbers; 0 for one that was not fitted.
        local: [devices, 6, 6] covariance of each device's own numbers, given the shared numbers.
        response: [devices, 6, shared] slope of each device's refitted own numbers in the shared
            ones: an error of these moves all devices in the same way.
        at_top: [devices] whether the device's own numbers are at a smooth maximum of its
            likelihood, and stay there as the noises move by a tenth. A device at a limit or an
            edge, with loosely known numbers, or with a bound that could as well be elsewhere, is
            not used for the shared numbers.
        noise_slope: [NOISES] slope of the adjusted profile likelihood in the log noises, at the
            maximum of the likelihood; see `with_unbiased_noise`.
        shared_at_top: Whether the shared numbers, except loosely known ones, are at a smooth
            maximum.
    """

    shared: np.ndarray
    local: np.ndarray
    response: np.ndarray
    at_top: np.ndarray
    noise_slope: np.ndarray
    shared_at_top: bool


def uncertainty(fit: JointFit) -> Uncertainty:
    """Returns covariances from second derivatives, computed by finite differences of a third of a
    standard error."""
    n_shared, n_devices = len(fit.shared), len(fit.local)
    free = _own_numbers(fit)
    free[:, :n_shared] = _inside(fit)
    hessian = _hessians(fit, free)
    parts = []
    local = np.zeros((n_devices, len(LOCAL), len(LOCAL)))
    response = np.zeros((n_devices, len(LOCAL), n_shared))
    at_top = np.ones(n_devices, dtype=np.bool_)
    for device in range(n_devices):
        own = np.flatnonzero(free[device, n_shared:])
        curvature = hessian[device][np.ix_(n_shared + own, n_shared + own)]
        inverse, coupling = _inverse(curvature), hessian[device][:n_shared][:, n_shared + own]
        at_top[device] = n_devices == 1 or _is_top(curvature)
        parts.append(hessian[device][:n_shared, :n_shared] - coupling @ inverse @ coupling.T)
        local[device][np.ix_(own, own)] = inverse
        response[device][own] = -inverse @ coupling.T
    slopes = _determinant_slopes(fit, np.where(at_top[:, None, None], response, 0.0))
    at_top &= np.isfinite(slopes).all(axis=0)
    schur = np.array(parts)[at_top].sum(axis=0)
    shared = np.zeros((n_shared, n_shared))
    shared_free = np.flatnonzero(free[0, :n_shared])
    at = np.ix_(shared_free, shared_free)
    shared[at] = _inverse(schur[at])
    noise_slope = -0.5 * slopes[:, at_top].sum(axis=1)
    sharp = np.flatnonzero(np.abs(np.diag(schur)) > _LOOSE**-2)
    shared_at_top = _is_top(schur[np.ix_(sharp, sharp)])
    return Uncertainty(shared, local, response, at_top, noise_slope, shared_at_top)


def with_unbiased_noise(fit: JointFit) -> tuple[JointFit, Uncertainty]:
    """Returns the fit with its noises corrected for the bias of maximum likelihood, and its errors.

    Maximum likelihood underestimates noise, since each device's own numbers follow part of it.
    Without read noise, each number takes about the share of one pulse. Under read noise, a device's
    cycle noise shows only in its slow wandering, of which four or six fitted numbers take a good
    part. The adjusted profile likelihood (Cox, Reid 1987; for a normal law the restricted
    likelihood) subtracts half the log-determinant of the own numbers' curvature; this is one Newton
    step to its maximum. A loosely known noise stays as it is. The errors are those at the new
    noises, or, if the curvature there is not that of a maximum, at the maximum of the likelihood.
    """
    errors = uncertainty(fit)
    known = np.flatnonzero(np.diag(errors.shared)[:NOISES] <= _LOOSE**2)
    moves = errors.shared[np.ix_(known, known)] @ errors.noise_slope[known]
    shared = fit.shared.copy()
    shared[known] += np.clip(moves, -_MOST_MOVE, _MOST_MOVE)
    unbiased = replace(fit, shared=shared)
    errors_there = uncertainty(unbiased)
    return unbiased, errors_there if errors_there.shared_at_top else errors


def drawn(fit: JointFit, larger: float, number: int) -> list[JointFit]:
    """Returns fits whose numbers scatter by their errors, within their limits, except for loosely
    known ones.

    Args:
        larger: The variances are this many times those of a fit to all rows.
        number: The number of fits.
    """
    errors, rng = uncertainty(fit), np.random.default_rng(8)

    def moves(covariance: np.ndarray) -> np.ndarray:
        known = np.diag(covariance) <= _LOOSE**2
        part = larger * covariance * np.outer(known, known)
        return rng.multivariate_normal(np.zeros(len(known)), part, number, method="eigh")

    shared, own = moves(errors.shared), np.stack([moves(one) for one in errors.local], axis=1)
    own += np.einsum("dls,ns->ndl", errors.response, shared)
    shared = np.clip(fit.shared + shared, *fit.layout.limits)
    own = np.where(fit.layout.local_free.T, np.clip(fit.local + own, *fit.own_limits), fit.local)
    return [replace(fit, shared=s, local=o) for s, o in zip(shared, own, strict=True)]


def resampled(fit: JointFit) -> list[JointFit]:
    """Returns fits to cycles drawn with replacement from all devices and cycles with the same
    pulses; their scatter shows the errors of a wrong law. With a single cycle it is empty.

    Args:
        fit: A fit to all rows, by likelihood or to its mean curve.
    """
    alike, rng = fit.prepared.alike[:, 1:], np.random.default_rng(5)
    moments, likely = partial(fitted_to_moments, simulated=10_000), partial(refit, most_steps=40)
    again, found = moments if fit.layout.how else likely, []
    for _ in range(_DRAWS if len(alike) > 1 else 0):
        rows = (fit.prepared.series.pulse == 0).astype(np.float64)
        rows[alike] = rng.multinomial(len(alike), np.full(len(alike), 1 / len(alike)))[:, None]
        found.append(again(fit, rows))
    return found


def _determinant_slopes(fit: JointFit, response: np.ndarray) -> np.ndarray:
    """Returns [NOISES, devices] slopes of each device's log-determinant in the log noises; 0 for a
    noise that was not fitted, NaN if the own numbers are not at a maximum at both ends.

    The own numbers follow each noise by `response`. If they were held fixed, residuals would be too
    small or too large for the noise, which changes the curvature of a step whose noise is a share
    of the step.
    """
    slopes = np.zeros((NOISES, len(fit.local)))
    for k in np.flatnonzero(_inside(fit)[:NOISES]):
        ends = []
        for way in (1.0, -1.0):
            shared = fit.shared.copy()
            shared[k] += way * _LOG_STEP
            local = fit.local + way * _LOG_STEP * response[:, :, k]
            ends.append(_log_determinants(replace(fit, shared=shared, local=local)))
        slopes[k] = (ends[0] - ends[1]) / (2 * _LOG_STEP)
    return slopes


def _log_determinants(fit: JointFit) -> np.ndarray:
    """Returns [devices] log-determinants of the curvature of each device's own numbers; NaN if they
    are not at a maximum."""
    free = _own_numbers(fit)
    found = np.full(len(fit.local), np.nan)
    for device, hessian in enumerate(_hessians(fit, free)):
        curvature = hessian[np.ix_(free[device], free[device])]
        if len(fit.local) == 1 or _is_top(curvature):
            scale, values, _ = _scaled(curvature)
            values = np.maximum(values, _LEAST_EIGENVALUE)
            found[device] = np.log(values).sum() - 2.0 * np.log(scale).sum()
    return found


def _own_numbers(fit: JointFit) -> np.ndarray:
    """Returns [devices, shared + 6] flags of the devices' own numbers that were fitted."""
    shared = np.zeros((len(fit.local), len(fit.shared)), dtype=bool)
    return np.hstack([shared, fit.layout.local_free.T])


def _inside(fit: JointFit) -> np.ndarray:
    """Returns [shared] flags of the shared numbers that were fitted and did not end at a limit."""
    low, high = fit.layout.limits
    inside = (fit.shared > low + _AT_LIMIT) & (fit.shared < high - _AT_LIMIT)
    return np.asarray(fit.layout.shared_free & inside)


def _hessians(fit: JointFit, free: np.ndarray) -> np.ndarray:
    """Returns [devices, numbers, numbers] second derivatives of minus the log-likelihood."""
    n_shared = len(fit.shared)
    n_devices, n = free.shape
    likelihood = LogLikelihood(fit.prepared, fit.layout)

    def minus(moves: np.ndarray) -> np.ndarray:
        # A shared number moves for all devices at once, so its step is the same in every row.
        shared = fit.shared + moves[0, :n_shared]
        local = fit.local + moves[:, n_shared:]
        return np.negative(likelihood(shared, local))

    middle, size = minus(np.zeros((n_devices, n))), np.zeros((n_devices, n))
    columns = [k for k in range(n) if free[:, k].any()]

    def curvature(k: int, step: np.ndarray) -> np.ndarray:
        """Returns [devices] the curvature in a number, by a step of this size."""
        moves = np.zeros((n_devices, n))
        moves[:, k] = step * free[:, k]
        loss = minus(moves) + minus(-moves) - 2 * middle
        loss = np.full(n_devices, loss.sum()) if k < n_shared else loss
        return np.asarray(np.maximum(np.nan_to_num(loss / step**2), 1e-2))

    for k in columns:  # A step is a third of a standard error; a shared number has one for all.
        step = np.full(n_devices, 1e-3)
        for _ in range(2):
            step = np.clip(_STEP_IN_ERRORS / np.sqrt(curvature(k, step)), 1e-6, 0.05)
        for _ in range(4 if fit.layout.model.code == PIECEWISE else 0):
            longer = curvature(k, 4 * step)
            rough = (longer < curvature(k, step) / 2) & (longer * (4 * step) ** 2 < _MOST_LOSS)
            step = np.where(rough, 4 * step, step)
        size[:, k] = step
    hessian = np.zeros((n_devices, n, n))
    for i, a in enumerate(columns):
        for b in columns[: i + 1]:
            total = np.zeros(n_devices)
            for first, second in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
                moves = np.zeros((n_devices, n))
                moves[:, a] += first * size[:, a] * free[:, a]
                moves[:, b] += second * size[:, b] * free[:, b]
                total += first * second * minus(moves)
            both = free[:, a] & free[:, b]
            steps = np.where(both, 4 * size[:, a] * size[:, b], 1.0)
            hessian[:, a, b] = hessian[:, b, a] = np.where(both, total / steps, 0.0)
    return hessian


def _inverse(matrix: np.ndarray) -> np.ndarray:
    """Returns the inverse of a curvature; directions in which it is not positive count as loosely
    known."""
    scale, values, vectors = _scaled(matrix)
    values = np.maximum(values, _LEAST_EIGENVALUE)
    return np.asarray((vectors / values) @ vectors.T * np.outer(scale, scale))


def _is_top(curvature: np.ndarray) -> bool:
    """Returns whether every number is known to within 1, in its logarithm or in weight."""
    sharp = (np.diag(curvature) > _LOOSE**-2).all()
    return bool(sharp and (_scaled(curvature)[1] > _FLAT).all())


def _scaled(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the units of the numbers, and eigenvalues and vectors of the matrix in these units.

    A curvature that is not finite, at the edge of what a model allows, counts as 0, or unknown.
    """
    matrix = np.nan_to_num(matrix, nan=0.0, posinf=0.0, neginf=0.0)
    scale = 1.0 / np.sqrt(np.maximum(np.diag(matrix), 1e-6))
    scaled = matrix * np.outer(scale, scale)
    values, vectors = np.linalg.eigh((scaled + scaled.T) / 2)
    return scale, values, vectors
