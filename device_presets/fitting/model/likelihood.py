"""Likelihood of measured conductances under a device model: a filter over the pulses.

The state is the device's true weight and that part of the read noise that has memory. Where the fit
has a leak (see ``effects``), the weight first goes toward its rest. A pulse moves
the weight by the mean step at that weight plus noise (cycle to cycle) and clips it at the bounds.
What is measured is the weight plus read noise: white (new at each pulse) and, where the model has
it, an autoregression of first order, AR(1), whose correlation falls to 1/e over a number of pulses.
Given all earlier rows, the next one is a mixture of a normal density inside the bounds and one
component at each bound, blurred by the read noise. The filter computes that density exactly from a
normal state, and keeps mean and covariance of the state after it (an assumed-density filter; a
Kalman filter away from the bounds). Without read noise the state is what was measured, and the
density is the exact one of independent steps, with clipped ones censored.
"""

import math

import numpy as np

from device_presets.fitting.model.series import Series, Trace
from rpu_ssnn.compiled import compiled
from rpu_ssnn.devices.laws import fit_factor

type State = tuple[float, float, float, float, float]
"""Mean of weight and of read noise with memory, variance of the weight, covariance, variance of
the noise."""

_ROOT_TWO = math.sqrt(2.0)
_LOG_ROOT_TWO_PI = 0.5 * math.log(2.0 * math.pi)
_LEAST = 1e-280
_FLOOR = 1e-18  # variance that keeps divisions defined


@compiled
def mean_step(
    code: int, up: bool, v: float, local: np.ndarray, shape: np.ndarray
) -> tuple[float, float]:
    """Returns the size of a pulse's mean step at weight v (at least 0), and its derivative by v."""
    factor, slope = fit_factor(code, up, v, local, shape)
    if factor <= 0.0:
        return 0.0, 0.0
    scale = math.exp(local[0] if up else local[1])
    return scale * factor, scale * slope


@compiled
def pulse_step(
    code: int, law: int, up: bool, v: float, local: np.ndarray, shape: np.ndarray
) -> tuple[float, float, float]:
    """Returns `mean_step` with the size that the cycle noise is a share of.

    Args:
        local: [6] the device's own numbers.
    """
    step, slope = mean_step(code, up, v, local, shape)
    size = step
    if law == 1:  # OF_DIRECTION
        size = math.exp(local[0] if up else local[1])
    return step, slope, size


@compiled
def _below(z: float) -> float:
    """Share of a standard normal below z."""
    return 0.5 * math.erfc(-z / _ROOT_TWO)


@compiled
def _normal(z: float) -> float:
    return math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


@compiled
def _at_bound(
    y: float,
    state: State,
    white: float,
    bound: float,
    way: float,
) -> tuple[float, float, float]:
    """Returns the density of y with the weight clipped at a bound, and mean and variance of the
    noise then."""
    mean, noise, var, cov, own = state
    total = own + white
    miss = y - bound - noise
    at, deviation = mean + cov / total * miss, math.sqrt(max(var - cov * cov / total, _FLOOR))
    after, left = noise + own / total * miss, own * white / total
    place = way * (bound - at) / deviation
    mass = _below(-place)
    density = mass * _normal(miss / math.sqrt(total)) / math.sqrt(total)
    if cov == 0.0 or mass < 1e-12:
        return density, after, left
    beyond = _normal(place) / mass
    slope = cov * white / total / deviation
    after += way * slope * beyond
    left = max(left - slope * slope * beyond * (beyond - place), 0.0)
    return density, after, left


@compiled
def _clipped_update(
    y: float,
    state: State,
    white: float,
    high: float,
    low: float,
) -> tuple[float, State]:
    """Returns the density of y, and the state after it, near a bound."""
    mean, noise, var, cov, own = state
    predicted = var + 2.0 * cov + own + white
    miss = y - mean - noise
    gain_w, gain_r = (var + cov) / predicted, (cov + own) / predicted
    inner_w, inner_r = mean + gain_w * miss, noise + gain_r * miss
    left_w = max(var - gain_w * gain_w * predicted, _FLOOR)
    left_c = cov - gain_w * gain_r * predicted
    left_r = max(own - gain_r * gain_r * predicted, 0.0)
    spread = math.sqrt(left_w)
    a, b = (low - inner_w) / spread, (high - inner_w) / spread
    mass = _below(b) - _below(a)
    inside = _normal(miss / math.sqrt(predicted)) / math.sqrt(predicted) * mass
    at_high, high_r, high_v = _at_bound(y, state, white, high, 1.0)
    at_low, low_r, low_v = _at_bound(y, state, white, low, -1.0)
    total = at_high + at_low + inside
    if total < _LEAST:
        place = min(max(y, low), high)
        return _LEAST, (place, 0.0, white + own, -own, own)
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
    share = left_c / left_w
    in_w = inner_w + spread * first
    in_r = inner_r + share * spread * first
    in_v = left_w * trimmed
    p_high, p_low, p_in = at_high / total, at_low / total, inside / total
    w = p_high * high + p_low * low + p_in * in_w
    r = p_high * high_r + p_low * low_r + p_in * in_r
    ww = p_high * (high - w) ** 2 + p_low * (low - w) ** 2 + p_in * (in_v + (in_w - w) ** 2)
    wr = p_high * (high - w) * (high_r - r) + p_low * (low - w) * (low_r - r)
    wr += p_in * (share * in_v + (in_w - w) * (in_r - r))
    rr = p_high * (high_v + (high_r - r) ** 2) + p_low * (low_v + (low_r - r) ** 2)
    rest = max(left_r - share * share * left_w, 0.0) + share * share * in_v
    rr += p_in * (rest + (in_r - r) ** 2)
    return total, (w, r, max(ww, _FLOOR), wr, rr)


@compiled
def _moved(
    state: State,
    code: int,
    law: int,
    series: Series,
    row: int,
    own: np.ndarray,
    shape: np.ndarray,
    noise: np.ndarray,
) -> State:
    """The state after the time and the pulse of a row, before bounds and before it is read."""
    mean, read, var, cov, own_var = state
    left, way = series.kept[row], series.pulse[row]
    if left != 1.0:
        mean = series.rest + left * (mean - series.rest)
        var, cov = left * left * var, left * cov
    kept = noise[3]
    read, own_var = kept * read, kept * kept * own_var + (1.0 - kept * kept) * noise[2] ** 2
    if way == 0:
        return mean, read, var + _FLOOR, kept * cov, own_var
    factor = series.factor[row]
    step, slope, size = pulse_step(code, law, way > 0, mean, own, shape)
    grow = 1.0 + way * (factor * slope)
    return (
        mean + way * (factor * step),
        read,
        grow * grow * var + (noise[0] * (factor * size)) ** 2 + _FLOOR,
        grow * kept * cov,
        own_var,
    )


@compiled
def run_filter(
    series: Series,
    code: int,
    law: int,
    local: np.ndarray,
    shape: np.ndarray,
    noise: np.ndarray,
    counted: np.ndarray,
    trace: Trace,
    found: np.ndarray,
) -> None:
    """Computes the log-likelihood of each device's counted rows, given all rows before
    each.

    Args:
        code, law: The codes of the step and of its noise, as in ``FitForm``.
        local: [devices, 6], see ``LOCAL``.
        shape: The numbers of the step that all devices share.
        noise: [4] cycle-to-cycle noise as its law says; white read noise and read noise with
            memory, in weights; the share of the latter that a pulse keeps.
        counted: [rows] which rows add to the result.
        trace: filled where it has rows.
        found: [devices] filled with the result.
    """
    keep = len(trace.expected) > 0
    white, slow = noise[1] ** 2 + series.resolution**2, noise[2] ** 2
    for device in range(len(series.start) - 1):
        found[device] = 0.0
        own = local[device]
        high = own[4] if series.clips[0, device] else 1e9
        low = own[5] if series.clips[1, device] else -1e9
        state = (0.0, 0.0, 0.0, 0.0, 0.0)
        for row in range(series.start[device], series.start[device + 1]):
            y = series.weight[row]
            if series.begins[row]:
                state = (min(max(y, low), high), 0.0, white + slow, -slow, slow)
                continue
            before = state[0]
            state = _moved(state, code, law, series, row, own, shape, noise)
            mean, read, var, cov, own_var = state
            expected, predicted = mean + read, var + 2.0 * cov + own_var + white
            miss = y - expected
            gain_w, gain_r = (var + cov) / predicted, (cov + own_var) / predicted
            after = mean + gain_w * miss
            room = 6.0 * math.sqrt(var)
            if max(mean, after) + room < high and min(mean, after) - room > low:
                log_density = -0.5 * miss * miss / predicted - 0.5 * math.log(predicted)
                log_density -= _LOG_ROOT_TWO_PI
                state = (
                    after,
                    read + gain_r * miss,
                    max(var - gain_w * gain_w * predicted, _FLOOR),
                    cov - gain_w * gain_r * predicted,
                    max(own_var - gain_r * gain_r * predicted, 0.0),
                )
            else:
                total, state = _clipped_update(y, state, white, high, low)
                log_density = math.log(total)
            if counted[row]:
                found[device] += log_density
            if keep:
                trace.expected[row] = expected
                trace.variance[row] = predicted
                trace.state[row] = before
                trace.log_density[row] = log_density


@compiled
def run_simulation(
    series: Series,
    code: int,
    law: int,
    local: np.ndarray,
    shape: np.ndarray,
    noise: np.ndarray,
    normal: np.ndarray,
    found: np.ndarray,
) -> None:
    """Simulates weights of random devices under the pulses of a series.

    Args:
        normal: [rows, 3] standard normal numbers: of the pulse, of both read noises.
        found: [rows] filled; the weights of the series themselves where a stretch begins.
    """
    for device in range(len(series.start) - 1):
        own = local[device]
        high = own[4] if series.clips[0, device] else 1e9
        low = own[5] if series.clips[1, device] else -1e9
        weight, slow = 0.0, 0.0
        for row in range(series.start[device], series.start[device + 1]):
            way, left = series.pulse[row], series.kept[row]
            if series.begins[row]:
                slow = noise[2] * normal[row, 1]
                weight = series.weight[row] - slow - noise[1] * normal[row, 2]
                weight = min(max(weight, low), high)
                found[row] = series.weight[row]
                continue
            if left != 1.0:
                weight = series.rest + left * (weight - series.rest)
            if way != 0:
                step, _, size = pulse_step(code, law, way > 0, weight, own, shape)
                factor = series.factor[row]
                weight += way * factor * step + noise[0] * factor * size * normal[row, 0]
            weight = min(max(weight, low), high)
            slow = noise[3] * slow + math.sqrt(1.0 - noise[3] ** 2) * noise[2] * normal[row, 1]
            found[row] = weight + slow + noise[1] * normal[row, 2]
