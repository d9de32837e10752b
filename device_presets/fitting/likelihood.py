"""Likelihood of measured conductances under a device model: a filter over the pulses.

The state is the device's true weight. A pulse moves it by the mean step at that weight plus noise
(cycle to cycle) and clips it at the bounds; what is measured is the weight plus read or write
noise, new at each pulse. Given all earlier rows, the next one is a mixture of a normal density
inside the bounds and one point at each bound, blurred by the read noise. The filter computes that
density exactly from a normal state, and keeps mean and variance of the state after it (an
assumed-density filter; a Kalman filter away from the bounds). Without read noise the state is
what was measured, and the density is the exact one of independent steps, with clipped ones
censored.

The mean steps stand in the same file as the filter: numba's cache sees changes in one file only.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

_ROOT_TWO = math.sqrt(2.0)
_LOG_ROOT_TWO_PI = 0.5 * math.log(2.0 * math.pi)
_LEAST = 1e-280
_FLOOR = 1e-18  # variance that keeps divisions defined


class Series(NamedTuple):
    """What the filter reads; see ``Measurement`` for the rows.

    Args:
        weight: [rows] measured.
        pulse: [rows] +1, -1, or 0 where a stretch begins.
        start: [devices + 1] first row of each device.
        clips_high, clips_low: [devices] whether the device is seen at that bound, so that the
            bound clips; an unreached one does not.
        resolution: read noise below which two weights are the same.
    """

    weight: np.ndarray
    pulse: np.ndarray
    start: np.ndarray
    clips_high: np.ndarray
    clips_low: np.ndarray
    resolution: float


class Trace(NamedTuple):
    """What the filter saw, a row each; NaN where a stretch begins.

    Args:
        expected: predicted weight. variance: of the prediction. state: filtered weight before.
        log_density: of the measured weight.
    """

    expected: np.ndarray
    variance: np.ndarray
    state: np.ndarray
    log_density: np.ndarray


@njit(cache=True, error_model="numpy")
def mean_step(
    code: int, up: bool, v: float, local: np.ndarray, shape: np.ndarray
) -> tuple[float, float]:
    """Size of a pulse's mean step at weight v (at least 0), and its derivative by v."""
    scale = math.exp(local[0] if up else local[1])
    high, low = local[4], local[5]
    span = max(high - low, 1e-6)
    factor, slope = 1.0, 0.0
    if code == 1:  # LINEAR
        if len(shape) == 2:
            slope = -shape[0] if up else shape[1]
        else:
            slope = -local[2] if up else local[3]
        factor = 1.0 + slope * v
    elif code == 2:  # SOFT_BOUNDS
        slope = -1.0 / max(high, 1e-3) if up else -1.0 / min(low, -1e-3)
        factor = 1.0 + slope * v
    elif code == 3:  # EXPONENTIAL
        first = 0 if up else 2
        share, rate = shape[first], shape[first + 1] * 2.0 / span
        grown = share * math.exp(min(rate * v, 50.0))
        factor, slope = 1.0 - share + grown, rate * grown
    elif code == 4:  # POWER
        way = 1.0 if up else -1.0
        left = 2.0 * (high - v if up else v - low) / span
        if left > 1e-9:
            exponent = shape[0] if up else shape[1]
            factor = left**exponent
            slope = -way * exponent * factor / left * 2.0 / span
        else:
            factor = 0.0
    elif code == 5:  # PIECEWISE
        place = min(max((v - low) / span, 0.0), 1.0) * 4.0
        node = min(int(place), 3)
        share = place - node
        first = 0 if up else 4
        values = (
            math.exp(_node(shape, first, node)),
            math.exp(_node(shape, first, node + 1)),
        )
        factor = (1.0 - share) * values[0] + share * values[1]
        slope = (values[1] - values[0]) * 4.0 / span
    if factor <= 0.0:
        return 0.0, 0.0
    return scale * factor, scale * slope


@njit(cache=True, error_model="numpy")
def _node(shape: np.ndarray, first: int, node: int) -> float:
    """Log of the factor at a node; the middle one is the reference."""
    if node == 2:
        return 0.0
    return float(shape[first + node - (1 if node > 2 else 0)])


@njit(cache=True, error_model="numpy")
def _below(z: float) -> float:
    """Share of a standard normal below z."""
    return 0.5 * math.erfc(-z / _ROOT_TWO)


@njit(cache=True, error_model="numpy")
def _density(x: float, mean: float, variance: float) -> float:
    return math.exp(-0.5 * (x - mean) ** 2 / variance) / math.sqrt(2.0 * math.pi * variance)


@njit(cache=True, error_model="numpy")
def _clipped_update(
    y: float, mean: float, variance: float, noise: float, high: float, low: float
) -> tuple[float, float, float]:
    """Density of y, and mean and variance of the state after it, near a bound."""
    deviation = math.sqrt(variance)
    at_high = (1.0 - _below((high - mean) / deviation)) * _density(y, high, noise)
    at_low = _below((low - mean) / deviation) * _density(y, low, noise)
    gain = variance / (variance + noise)
    inner = mean + gain * (y - mean)
    spread = math.sqrt(variance * noise / (variance + noise))
    a, b = (low - inner) / spread, (high - inner) / spread
    mass = _below(b) - _below(a)
    inside = _density(y, mean, variance + noise) * mass
    total = at_high + at_low + inside
    if total < _LEAST:
        return _LEAST, min(max(y, low), high), noise
    first, second = 0.0, 0.0
    if mass > 1e-12:
        density_a = math.exp(-0.5 * a * a) / math.sqrt(2.0 * math.pi)
        density_b = math.exp(-0.5 * b * b) / math.sqrt(2.0 * math.pi)
        shift = (density_a - density_b) / mass
        trimmed = 1.0 - shift * shift
        if density_a > 0.0:
            trimmed += a * density_a / mass
        if density_b > 0.0:
            trimmed -= b * density_b / mass
        first = inner + spread * shift
        second = spread * spread * max(trimmed, 0.0) + first * first
    after = (at_high * high + at_low * low + inside * first) / total
    square = (at_high * high * high + at_low * low * low + inside * second) / total
    return total, after, max(square - after * after, _FLOOR)


@njit(cache=True, error_model="numpy")
def run_filter(
    series: Series,
    code: int,
    additive: bool,
    local: np.ndarray,
    shape: np.ndarray,
    noise: np.ndarray,
    counted: np.ndarray,
    trace: Trace,
    keep: bool,
) -> np.ndarray:
    """Log-likelihood of each device's counted rows, given all rows before each.

    Args:
        series: the measurement.
        code, additive: of the ``StepModel``.
        local: [devices, 6], see ``step_functions.LOCAL``.
        shape: what all devices share of the step.
        noise: cycle-to-cycle noise as share of the step; read noise in weights.
        counted: [rows] which rows add to the result.
        trace: filled where ``keep`` is set.

    Returns:
        [devices].
    """
    n_devices = len(series.start) - 1
    result = np.zeros(n_devices)
    cycle_noise = noise[0]
    read = noise[1] ** 2 + series.resolution**2
    for device in range(n_devices):
        own = local[device]
        high = own[4] if series.clips_high[device] else 1e9
        low = own[5] if series.clips_low[device] else -1e9
        mean, variance = 0.0, 0.0
        for row in range(series.start[device], series.start[device + 1]):
            y = series.weight[row]
            way = series.pulse[row]
            if way == 0:
                mean, variance = min(max(y, low), high), read
                continue
            up = way > 0
            step, slope = mean_step(code, up, mean, own, shape)
            size = math.exp(own[0] if up else own[1]) if additive else step
            before = mean
            grow = 1.0 + way * slope
            mean += way * step
            variance = grow * grow * variance + (cycle_noise * size) ** 2 + _FLOOR
            expected, predicted = mean, variance + read
            room = 6.0 * math.sqrt(predicted)
            if mean + room < high and mean - room > low and y + room < high and y - room > low:
                gain = variance / predicted
                log_density = -0.5 * (y - mean) ** 2 / predicted - 0.5 * math.log(predicted)
                log_density -= _LOG_ROOT_TWO_PI
                mean += gain * (y - mean)
                variance = variance * read / predicted
            else:
                total, mean, variance = _clipped_update(y, mean, variance, read, high, low)
                log_density = math.log(total)
            if counted[row]:
                result[device] += log_density
            if keep:
                trace.expected[row] = expected
                trace.variance[row] = predicted
                trace.state[row] = before
                trace.log_density[row] = log_density
    return result


def empty_trace(rows: int) -> Trace:
    """A trace of NaN for ``rows`` rows; 0 where none is kept."""
    return Trace(*(np.full(rows, np.nan) for _ in range(4)))
