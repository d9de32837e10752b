"""Computes the likelihood of measured conductances under a device model, by a filter over pulses.

The state is the device's true weight. If the fit has a leak (see ``effects``), the weight first
moves toward its rest. A pulse then moves it by the mean step at that weight plus cycle noise, and
the bounds clip it. The reading is the weight plus read noise, which is new at each pulse. Given all
earlier rows, the density of the next reading is a mixture of a normal density inside the bounds and
one component at each bound, blurred by the read noise. The filter computes it exactly from a normal
state, and keeps the mean and the variance of the state after it (an assumed-density filter; a
Kalman filter away from the bounds). Without read noise the state is the measured weight, and the
density is the exact one of independent steps, with clipped steps censored.
"""

import math

import numpy as np

from device_presets.fitting.model.series import Series, Trace
from rpu_ssnn.compiled import compiled, inner
from rpu_ssnn.devices.laws import fit_factor

type State = tuple[float, float]
"""A state is the mean and the variance of the weight."""

_ROOT_TWO = math.sqrt(2.0)
_LOG_ROOT_TWO_PI = 0.5 * math.log(2.0 * math.pi)
_LEAST = 1e-280

_FLOOR = 1e-18
"""Variances are at least this, so that divisions are defined."""


@compiled
def mean_step(
    code: int, up: bool, v: float, local: np.ndarray, shape: np.ndarray
) -> tuple[float, float]:
    """Returns the size (at least 0) of a pulse's mean step at weight v, and its derivative in v."""
    factor, slope = fit_factor(code, up, v, local, shape)
    if factor <= 0.0:
        return 0.0, 0.0
    scale = math.exp(local[0] if up else local[1])
    return scale * factor, scale * slope


@compiled
def pulse_step(
    code: int, law: int, up: bool, v: float, local: np.ndarray, shape: np.ndarray
) -> tuple[float, float, float]:
    """Returns both numbers of `mean_step`, and the step of which the cycle noise is a share.

    Args:
        local: [6] the device's own numbers, see ``LOCAL``.
    """
    step, slope = mean_step(code, up, v, local, shape)
    size = step
    if law == 1:  # the law of the noise is OF_DIRECTION
        size = math.exp(local[0] if up else local[1])
    return step, slope, size


@inner
def _below(z: float) -> float:
    """Returns the share of a standard normal below z."""
    return 0.5 * math.erfc(-z / _ROOT_TWO)


@inner
def _normal(z: float) -> float:
    return math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


@inner
def _clipped_update(
    y: float, state: State, white: float, high: float, low: float
) -> tuple[float, State]:
    """Returns the density of a reading y near a bound, and the state after it."""
    mean, var = state
    predicted, miss = var + white, y - mean
    gain = var / predicted
    inner, left = mean + gain * miss, max(var - gain * gain * predicted, _FLOOR)
    spread, deviation, blur = math.sqrt(left), math.sqrt(max(var, _FLOOR)), math.sqrt(white)
    a, b = (low - inner) / spread, (high - inner) / spread
    mass = _below(b) - _below(a)
    inside = _normal(miss / math.sqrt(predicted)) / math.sqrt(predicted) * mass
    at_high = _below((mean - high) / deviation) * _normal((y - high) / blur) / blur
    at_low = _below((low - mean) / deviation) * _normal((y - low) / blur) / blur
    total = at_high + at_low + inside
    if total < _LEAST:
        return _LEAST, (min(max(y, low), high), white)
    first, trimmed = 0.0, 1.0
    if mass > 1e-12:
        density_a, density_b = _normal(a), _normal(b)
        first = (density_a - density_b) / mass
        trimmed = 1.0 - first * first
        if density_a > 0.0:
            trimmed += a * density_a / mass
        if density_b > 0.0:
            trimmed -= b * density_b / mass
        trimmed = max(trimmed, 0.0)
    within = inner + spread * first
    p_high, p_low, p_in = at_high / total, at_low / total, inside / total
    w = p_high * high + p_low * low + p_in * within
    ww = p_high * (high - w) ** 2 + p_low * (low - w) ** 2
    ww += p_in * (left * trimmed + (within - w) ** 2)
    return total, (w, max(ww, _FLOOR))


@inner
def _moved(
    state: State, code: int, law: int, series: Series, row: int, own: np.ndarray,
    shape: np.ndarray, cycle_noise: float,
) -> tuple[State, float, float]:  # fmt: skip
    """Returns the state after the elapsed time and the pulse of a row, before clipping and reading;
    also the pulse's mean step, and the step of which its cycle noise is a share."""
    mean, var = state
    left, way = series.kept[row], series.pulse[row]
    if left != 1.0:
        mean, var = series.rest + left * (mean - series.rest), left * left * var
    if way == 0:
        return (mean, var + _FLOOR), 0.0, 0.0
    factor = series.factor[row]
    step, slope, size = pulse_step(code, law, way > 0, mean, own, shape)
    grow, step, size = 1.0 + way * (factor * slope), factor * step, factor * size
    state = mean + way * step, grow * grow * var + (cycle_noise * size) ** 2 + _FLOOR
    return state, step, size


@compiled
def run_filter(
    series: Series, code: int, law: int, local: np.ndarray, shape: np.ndarray, noise: np.ndarray,
    counted: np.ndarray, trace: Trace, found: np.ndarray,
) -> None:  # fmt: skip
    """Computes the log-likelihood of each device's counted rows, given all earlier rows.

    Args:
        code, law: The codes of the step and of its noise, as in ``FitForm``.
        local: [devices, 6], see ``LOCAL``.
        shape: The numbers of the step that all devices share.
        noise: [3] cycle-to-cycle noise as its law defines it, and read noise (weights) in stretches
            with and without pulses.
        counted: [rows] whether, or how often, a row adds to the result.
        trace: Filled if it has rows.
        found: [devices] filled with the result.
    """
    keep = len(trace.expected) > 0
    for device in range(len(series.start) - 1):
        found[device] = 0.0
        own = local[device]
        high = own[4] if series.clips[0, device] else 1e9
        low = own[5] if series.clips[1, device] else -1e9
        state = (0.0, 0.0)
        for row in range(series.start[device], series.start[device + 1]):
            y, rests = series.weight[row], series.rests[row]
            white = noise[2 if rests else 1] ** 2 + series.resolution**2
            if series.begins[row]:
                state = (y if rests else min(max(y, low), high), white)
                continue
            before = state[0]
            state, step, size = _moved(state, code, law, series, row, own, shape, noise[0])
            mean, var = state
            predicted, miss = var + white, y - mean
            gain = var / predicted
            after = mean + gain * miss
            room = 6.0 * math.sqrt(var)
            inside = max(mean, after) + room < high and min(mean, after) - room > low
            if rests or inside:
                log_density = -0.5 * miss * miss / predicted - 0.5 * math.log(predicted)
                log_density -= _LOG_ROOT_TWO_PI
                state = (after, max(var - gain * gain * predicted, _FLOOR))
            else:
                total, state = _clipped_update(y, state, white, high, low)
                log_density = math.log(total)
            found[device] += counted[row] * log_density
            if keep:
                trace.expected[row] = mean
                trace.variance[row] = predicted
                trace.state[row] = before
                trace.log_density[row] = log_density
                trace.step[row], trace.noisy_step[row] = step, size


@compiled
def run_simulation(
    series: Series, code: int, law: int, local: np.ndarray, shape: np.ndarray, noise: np.ndarray,
    normal: np.ndarray, found: np.ndarray,
) -> None:  # fmt: skip
    """Simulates weights of random devices under the pulses of a series.

    Args:
        normal: [rows, 2] standard normal numbers for the pulse and for the reading.
        found: [rows] filled with readings, or with the measured weight where a stretch begins.
    """
    for device in range(len(series.start) - 1):
        own = local[device]
        high = own[4] if series.clips[0, device] else 1e9
        low = own[5] if series.clips[1, device] else -1e9
        weight = 0.0
        for row in range(series.start[device], series.start[device + 1]):
            way, left = series.pulse[row], series.kept[row]
            rests = series.rests[row]
            read = noise[2 if rests else 1] * normal[row, 1]
            if series.begins[row]:
                weight = series.weight[row] - read
                weight = weight if rests else min(max(weight, low), high)
                found[row] = series.weight[row]
                continue
            if left != 1.0:
                weight = series.rest + left * (weight - series.rest)
            if way != 0:
                step, _, size = pulse_step(code, law, way > 0, weight, own, shape)
                factor = series.factor[row]
                weight += way * factor * step + noise[0] * factor * size * normal[row, 0]
            weight = weight if rests else min(max(weight, low), high)
            found[row] = weight + read
