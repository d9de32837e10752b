"""Fits a law to what many pulses do together: the mean curve, and the scatter around it.

The likelihood judges the next pulse. If a law does not describe the data, its most likely numbers
may be far off over a sweep. Here least squares fit the curve that the law draws by itself, from the
beginning of each cycle, to the mean curve. The noises follow from the scatter of changes over 1 to
200 pulses, and of cycles around their mean: read noise counts once per reading, and cycle noise
adds up. A linear step draws NeuroSim's formula B (1 - exp(-pulse / A)).
"""

from dataclasses import replace

import numpy as np
from scipy.optimize import least_squares

from device_presets.fitting.model.joint_fit import JointFit, fit_at
from device_presets.fitting.model.layout import HIGH, LOW, NOISES
from device_presets.fitting.model.simulation import (
    LAGS,
    mean_curve,
    noise_free_curve,
    simulate,
    structure_of,
)

_SETS, _PARTS = 16, 8
_ROUNDS, _MOST_EVALUATIONS, _ENOUGH = 3, 40, 1e-5

_OF_STEP, _OF_BOUND = 5.0, 0.5
"""The logarithm of a step may move by the first, a bound by the second (a share of the range)."""

_FEWEST_CYCLES, _LEAST = 3, 1e-18
BY_MOMENTS = ", fitted to the mean curve"


def mean_gaps(fit: JointFit, curve: np.ndarray, rows: np.ndarray) -> list[np.ndarray]:
    """Returns the measured mean curve minus that of the model, at up and at down pulses.

    Args:
        fit: Any fit of the measurement.
        curve: [rows] weights of the model, from the beginning of each cycle.
        rows: [rows] how often a row counts; the mean is over devices and cycles with the same
            pulses.
    """
    series, inside = fit.prepared.series, fit.prepared.alike[:, 1:]
    off = series.weight[inside] - curve[inside]
    gaps = []
    for way in (1, -1):
        mine = rows[inside] * (series.pulse[inside] == way)
        share = mine.sum(axis=0)
        gaps.append((mine * off).sum(axis=0)[share > 0] / share[share > 0])
    return gaps


def on_the_curve(fit: JointFit, rows: np.ndarray, shift: np.ndarray | float = 0.0) -> JointFit:
    """Returns the law of a fit, fitted to the mean curve.

    Args:
        fit: The start of the search; differences between devices stay as they are.
        rows: [rows] how often a row counts.
        shift: [rows] the mean change that noise makes to the weights of the law without noise.
    """
    columns = np.flatnonzero(fit.layout.local_free.any(axis=1))
    shape = NOISES + np.flatnonzero(fit.layout.shared_free[NOISES : NOISES + len(fit.shape)])
    span = fit.prepared.span
    room = np.where(columns < 4, _OF_STEP, _OF_BOUND * span)
    low, high = fit.layout.limits
    start = np.clip(fit.shared[shape], low[shape] + 1e-6, high[shape] - 1e-6)

    def moved(numbers: np.ndarray) -> JointFit:
        shared, local = fit.shared.copy(), fit.local.copy()
        local[:, columns] += numbers[: len(columns)]
        local[:, 5] = np.maximum(local[:, 5], fit.prepared.floor)
        shared[shape] = numbers[len(columns) :]
        return replace(fit, shared=shared, local=local)

    def off(numbers: np.ndarray) -> np.ndarray:
        there = moved(numbers)
        gaps = mean_gaps(there, noise_free_curve(there) + shift, rows)
        return np.concatenate([gap / np.sqrt(max(len(gap), 1)) for gap in gaps]) / span

    found = least_squares(
        off,
        np.concatenate([np.zeros(len(columns)), start]),
        bounds=(np.append(-room, low[shape]), np.append(room, high[shape])),
        x_scale=np.append(np.where(columns < 4, 0.1, 0.1 * span), np.full(len(shape), 0.1)),
        max_nfev=_MOST_EVALUATIONS,
        ftol=_ENOUGH,
        xtol=_ENOUGH,
    )
    return moved(found.x)


def fitted_to_moments(fit: JointFit, rows: np.ndarray) -> JointFit:
    """Returns the law of a fit, fitted to the mean curve and to the scatter.

    Noise moves the mean near a bound, so the curve is fitted again with the change that the noise
    found makes to it. Bounds also cut off noise, so the scatter is simulated again with the noise
    found. The closest of these fits is taken.

    Args:
        fit: The start of the search; differences between devices stay as they are.
        rows: [rows] how often a row counts.
    """
    layout, made, best, least = replace(fit.layout, how=BY_MOMENTS), fit, fit, np.inf
    shift: np.ndarray | float = 0.0
    for _ in range(_ROUNDS):
        still = on_the_curve(made, rows, shift)
        shared = _with_noises_of_scatter(still, rows)
        made = fit_at(fit.prepared, layout, shared, still.local)
        curve = mean_curve(made)
        error = max(float(np.mean(g**2)) for g in mean_gaps(made, curve, rows) if len(g))
        best, least = (made, error) if error < least else (best, least)
        shift = curve - noise_free_curve(made)
    return best


def _with_noises_of_scatter(fit: JointFit, rows: np.ndarray) -> np.ndarray:
    """Returns the shared numbers with noises fitted to the scatter.

    Three variances add up: those of the curve without noise, of cycle noise and of read noise.
    """
    series, shared = fit.prepared.series, fit.shared.copy()
    runs, alike = (
        np.repeat(found, rows[found[:, 1]].astype(int), axis=0)
        for found in (fit.prepared.runs, fit.prepared.alike)
    )

    def scatter(weight: np.ndarray) -> np.ndarray:
        parts = np.array_split(weight[alike[:, 1:]].var(axis=0), _PARTS)
        around = [part.mean() if len(alike) >= _FEWEST_CYCLES else np.nan for part in parts]
        return np.append(structure_of(weight, runs), around)

    measured = scatter(series.weight)
    known = measured > 0.0
    if not known.any():
        return shared
    shared[1] = LOW[1]  # These simulations have practically no read noise.
    quiet = replace(fit, shared=shared)
    smooth = scatter(noise_free_curve(quiet))
    sets = [scatter(weight) for weight in simulate(quiet, 4, _SETS)]
    of_cycle = np.maximum(np.mean(sets, axis=0) - smooth, 0.0)
    of_reading = np.repeat([2.0, 1.0], [len(LAGS), _PARTS]) * fit.prepared.noisy

    def off(logs: np.ndarray) -> np.ndarray:
        cycle, read = np.exp(2.0 * logs)
        made = smooth + cycle * of_cycle + read * of_reading + _LEAST
        return np.asarray(np.log(made[known] / measured[known]))

    least, within = max(float(np.sqrt(measured[known].min() / 2.0)), 1e-6), (LOW - 2.0, HIGH)
    start = np.clip([0.0, np.log(least)], LOW - 1, HIGH)
    logs = least_squares(off, start, bounds=within, x_scale=0.3, max_nfev=_MOST_EVALUATIONS).x
    shared[:NOISES] = np.clip(logs + np.array([shared[0], 0.0]), LOW, HIGH)
    return shared
