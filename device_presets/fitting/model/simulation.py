"""Simulates the fitted model under the measured pulses.

Each device is simulated with its own fitted numbers, from the conductance that was measured where
each stretch or cycle begins. The fitted model is simulated, not the preset.
"""

from dataclasses import replace

import numpy as np
from numba import njit

from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.likelihood import run_simulation
from device_presets.fitting.model.preparation import Prepared, with_read_noise, without_read_noise

LAGS = (1, 2, 5, 10, 20, 50, 100, 200)
"""Changes over these numbers of pulses are compared."""

SIMULATED_SETS = 199

_RUNS_A_LAG = 3
"""A run of one polarity counts for lags up to its number of readings divided by this."""

_CURVES = 64
"""The mean curve is the mean of this many simulations."""


def simulate(
    fit: JointFit,
    seed: int | None,
    sets: int = SIMULATED_SETS,
    begins: np.ndarray | None = None,
    mirrored: bool = False,
) -> list[np.ndarray]:
    """Returns simulations, [rows] weights as read.

    Args:
        seed: The seed of the noise; None for none.
        sets: The number of simulations.
        begins: [rows] whether the weight is the measured one here; by default it is where each
            stretch or cycle begins.
        mirrored: Whether every second simulation has the noise of the one before with the other
            sign, so that most of it cancels in their mean.
    """
    series, code, law, local, shape, noise = fit.arguments
    series = series._replace(begins=fit.prepared.beginnings if begins is None else begins)
    rng, found = np.random.default_rng(seed), []
    normal = np.zeros((len(series.weight), 2))
    for number in range(sets):
        if seed is not None:
            normal = -normal if mirrored and number % 2 else rng.standard_normal(normal.shape)
        found.append(np.empty(len(normal)))
        run_simulation(series, code, law, local, shape, noise, normal, found[-1])
    return found


def mean_curve(fit: JointFit) -> np.ndarray:
    """Returns [rows] mean weights over simulations from where each stretch or cycle begins. Near a
    bound, noise keeps the mean away from the bound."""
    return np.asarray(np.mean(simulate(fit, 6, _CURVES, mirrored=True), axis=0))


def structures(fit: JointFit) -> tuple[np.ndarray, np.ndarray]:
    """Returns [lags] the structure function of the measured weights, and [sets, lags] those of
    simulated ones."""
    runs = fit.prepared.runs.copy()
    runs[:, 1] -= fit.prepared.beginnings[runs[:, 1]]  # a cycle's last reading begins the next one
    weights = [fit.prepared.series.weight, *simulate(fit, 0)]
    measured, *simulated = (structure_of(weight, runs) for weight in weights)
    return measured, np.array(simulated)


def at_one_level(prepared: Prepared) -> Prepared:
    """Returns the data of a device without its drift and its jumps: its `alike`
    stretches are shifted to the mean level of their device, and begin after their first pulse."""
    rows, series = prepared.alike[:, 1:], prepared.series
    weight, begins = series.weight.copy(), np.append(series.begins, True)
    device, level = prepared.device[rows[:, 0]], weight[rows].mean(axis=1)
    mean = np.bincount(device, level) / np.maximum(np.bincount(device), 1)
    for own, shift in zip(rows, mean[device] - level, strict=True):
        for part in np.split(own, np.flatnonzero(series.begins[own])):  # A sweep may begin anew.
            weight[part[0] : part[-1] + 1] += shift
            begins[[part[0], part[-1] + 1]] = True
    pulse = np.where(begins[:-1], 0, series.pulse)
    series = series._replace(weight=weight, pulse=pulse, begins=begins[:-1])
    levelled = replace(prepared, series=series, noisy=False)
    return with_read_noise(levelled) if prepared.noisy else without_read_noise(levelled)


@njit(cache=True)
def structure_of(weight: np.ndarray, runs: np.ndarray) -> np.ndarray:
    """Returns the structure function of weights: [lags] the variance of changes over that many
    pulses of one polarity, within runs; NaN if no run is long enough.

    Args:
        runs: [runs, 2] as `runs_of` returns them.
    """
    found = np.full(len(LAGS), np.nan)
    for at, lag in enumerate(LAGS):
        total, count = 0.0, 0
        for k in range(len(runs)):
            first, last = runs[k]
            n = last - first + 1 - lag
            if last + 1 - first < _RUNS_A_LAG * lag or n < 4:
                continue
            changes = weight[first + lag : last + 1] - weight[first : last + 1 - lag]
            total += n * np.var(changes)
            count += n
        if count > 0:
            found[at] = total / count
    return found
