"""Fits a law to what many pulses do together: the mean curve, and the scatter around it.

The likelihood judges the next pulse. If a law does not describe the data, its most likely numbers
may be far off over a sweep. Here simulations of the law, from the beginning of each cycle, come as
near as they can to the measured mean curve and to the measured scatter (the method of simulated
moments, McFadden 1989): the scatter of changes over 1 to 200 pulses, and that of cycles around
their mean. Read noise counts once per reading, and cycle noise adds up. Without noise, a linear
step draws NeuroSim's formula B (1 - exp(-pulse / A)).
"""

from dataclasses import replace

import numpy as np
from scipy.optimize import least_squares

from device_presets.fitting.model.joint_fit import JointFit, fit_at
from device_presets.fitting.model.layout import NOISES
from device_presets.fitting.model.simulation import simulate, structure_of

_PARTS = 8
"""Cycles scatter in this many parts of a cycle."""

_MOST_EVALUATIONS, _ENOUGH, _ENOUGH_AT_RANDOM = 40, 1e-5, 1e-3
"""A search ends at a relative change below the second; with simulations, below the third."""

_OF_STEP, _OF_BOUND = 5.0, 0.5
"""The logarithm of a step may move by the first, a bound by the second (a share of the range)."""

_OF_SCATTER = 0.05
"""This share of the error in the logarithm of a deviation counts as an error of the mean curve."""

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


def on_the_curve(fit: JointFit, rows: np.ndarray) -> JointFit:
    """Returns the law of a fit, with its curve without noise fitted to the mean curve.

    Args:
        fit: The start of the search; differences between devices stay as they are.
        rows: [rows] how often a row counts.
    """
    return _nearest(fit, rows, 0)[0]


def fitted_to_moments(fit: JointFit, rows: np.ndarray, simulated: int = 50_000) -> JointFit:
    """Returns the law of a fit, fitted to the mean curve and to the scatter.

    The search starts from the fit, and from its curve without noise unless the fit was made in this
    way itself; the nearest end is taken. If there are too few cycles, the read noise stays that of
    the likelihood, since changes along a sweep of unequal steps hardly show it.

    Args:
        fit: The start of the search; differences between devices stay as they are.
        rows: [rows] how often a row counts.
        simulated: All simulations together have about this many rows.
    """
    starts = [fit] if fit.layout.how else [fit, on_the_curve(fit, rows)]
    free = fit.layout.shared_free.copy()
    free[1] &= len(fit.prepared.alike) >= _FEWEST_CYCLES
    layout = replace(fit.layout, shared_free=free, how=BY_MOMENTS)
    sets = 2 * max(simulated // len(rows) // 2, 1)
    ends = (_nearest(replace(start, layout=layout), rows, sets) for start in starts)
    best, _ = min(ends, key=lambda end: end[1])
    return fit_at(fit.prepared, layout, best.shared, best.local)


def _nearest(fit: JointFit, rows: np.ndarray, sets: int) -> tuple[JointFit, float]:
    """Returns the fit whose simulations are nearest to the data, and half the sum of its squared
    errors.

    Args:
        fit: The start of the search.
        rows: [rows] how often a row counts.
        sets: The even number of simulations; 0 compares the mean curve with that without noise, and
            keeps the noises.
    """
    columns = np.flatnonzero(fit.layout.local_free.any(axis=1))
    free = fit.layout.shared_free[: NOISES + len(fit.shape)].copy()
    free[:NOISES] &= sets > 0
    shared = np.flatnonzero(free)
    span = fit.prepared.span
    room = np.where(columns < 4, _OF_STEP, _OF_BOUND * span)
    low, high = fit.layout.limits
    start = np.clip(fit.shared[shared], low[shared] + 1e-6, high[shared] - 1e-6)
    measured = _scatter(fit, fit.prepared.series.weight, rows)
    known = (measured > 0.0) & (sets > 0)

    def moved(numbers: np.ndarray) -> JointFit:
        there, local = fit.shared.copy(), fit.local.copy()
        local[:, columns] += numbers[: len(columns)]
        local[:, 5] = np.maximum(local[:, 5], fit.prepared.floor)
        there[shared] = numbers[len(columns) :]
        return replace(fit, shared=there, local=local)

    def off(numbers: np.ndarray) -> np.ndarray:
        there = moved(numbers)
        trains = simulate(there, 6, sets, mirrored=True) if sets else simulate(there, None, 1)
        gaps = [gap / span for gap in mean_gaps(there, np.mean(trains, axis=0), rows)]
        made = np.mean([_scatter(there, train, rows) for train in trains], axis=0)[known]
        gaps.append(_OF_SCATTER * np.log((made + _LEAST) / measured[known]) / 2.0)
        return np.concatenate([gap / np.sqrt(max(len(gap), 1)) for gap in gaps])

    enough = _ENOUGH_AT_RANDOM if sets else _ENOUGH
    found = least_squares(
        off,
        np.concatenate([np.zeros(len(columns)), start]),
        bounds=(np.append(-room, low[shared]), np.append(room, high[shared])),
        x_scale=np.append(np.where(columns < 4, 0.1, 0.1 * span), np.full(len(shared), 0.1)),
        max_nfev=_MOST_EVALUATIONS,
        ftol=enough,
        xtol=enough,
    )
    return moved(found.x), float(found.cost)


def _scatter(fit: JointFit, weight: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Returns the variances of changes over the lags, and the `cycle_scatter` in each part of a
    cycle, which is 0 if there are too few cycles; NaN where too few pulses show one.
    """
    runs, alike = (
        np.repeat(found, rows[found[:, 1]].astype(int), axis=0)
        for found in (fit.prepared.runs, fit.prepared.alike)
    )
    around = cycle_scatter(weight[alike[:, 1:]], fit.prepared.device[alike[:, -1]])
    parts = np.array_split(around * (len(alike) >= _FEWEST_CYCLES), _PARTS)
    return np.append(structure_of(weight, runs), [part.mean() for part in parts])


def cycle_scatter(cycles: np.ndarray, device: np.ndarray) -> np.ndarray:
    """Returns [rows] the mean variance of the cycles of a device, without their levels, or that of
    all cycles if each device has only one.

    Args:
        cycles: [cycles, rows] weights.
        device: [cycles] the device of each cycle.
    """
    alone = cycles - cycles.mean(axis=1, keepdims=True)
    several = [alone[device == one] for one in np.unique(device) if np.sum(device == one) > 1]
    return np.mean([own.var(axis=0) for own in several or [alone]], axis=0)
