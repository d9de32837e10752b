"""Whether readings scatter at low and at high conductance as the fit says.

A fit has read noise that is alike at every state, and may have one in proportion to the current
beside. This check tells of noise that grows faster. A fit takes a part of such noise as noise of
the pulses, and may fail without saying why.

Noise of a reading shows in neighbouring changes, which share a reading: their covariance is minus
its variance. Noise of the pulses gives none. What a local mean takes away gives the same covariance
at a distance of two to four changes, where no reading is shared, and is subtracted.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.stats import t

from device_presets.fitting.checks.questions import Check
from device_presets.fitting.model.series import Series

_QUESTION = "Do readings scatter at low and high conductance as the fit says?"
_WINDOW = 11  # changes of a local mean
_MIDDLE = _WINDOW // 2
_NEAR = (-1, 1)  # from the middle change of a window: changes that share a reading with it
_FAR = (-4, -3, -2, 2, 3, 4)  # changes that share none
_STEEPEST = 0.3  # of the range, in one window: the local mean then does not follow
_BLOCK = 20  # windows that are taken as one for the error
_FEWEST_BLOCKS = 6  # of a part of the range
_PARTS = ((0.1, 0.5), (0.5, 0.9))
"""Of the range: away from the bounds, which clip noise."""

MOST_RATIO = 2.0
"""Of the variances: noise in proportion to the current reaches it over an on/off ratio of 2.5."""

_CHANCE = 0.001  # of an alarm where the noise is the same
_ADVICE = "; fit the part of the range that you use, or a table (--table)"


def noise_law_checks(
    series: Series, lowest: np.ndarray, highest: np.ndarray, fitted: np.ndarray
) -> list[Check]:
    """One check of the scatter in a lower and an upper part of the range; none without long sweeps.

    Args:
        series: measured weights and pulses.
        lowest, highest: [devices] ends of the measured range (weights).
        fitted: [rows] deviation of a reading without memory by the fit (weights); 0: none.
    """
    mean = float(np.mean(fitted**2))
    relative = fitted**2 / mean if mean > 0.0 else np.ones_like(fitted)
    product, expected, place, block = _products(series, lowest, highest, relative)
    found, shown = [], []
    span = float(np.mean(highest - lowest))
    for low, high in _PARTS:
        inside = (place > low) & (place < high)
        found.append(_mean_and_error(product[inside] / expected[inside], block[inside]))
        measured = float(product[inside].mean()) if inside.any() else 0.0
        shown.append(f"{100 * math.sqrt(max(measured, 0.0)) / span:.2g}")
    (lower, lower_error, lower_n), (upper, upper_error, upper_n) = found
    fewest = min(lower_n, upper_n)
    if fewest < _FEWEST_BLOCKS:
        return []
    larger, smaller = max(lower, upper), max(min(lower, upper), 0.0)
    errors = float(t.isf(_CHANCE / 2, fewest - 1))
    apart = abs(upper - lower) > errors * math.hypot(lower_error, upper_error)
    unequal = apart and larger > MOST_RATIO * smaller
    answer = "lower part {} %, upper part {} % of the range".format(*shown)
    return [Check(_QUESTION, answer + _ADVICE * unequal, "open" if unequal else "ok")]


def _products(
    series: Series, lowest: np.ndarray, highest: np.ndarray, relative: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of each window of changes in one direction: an estimate of the variance of a reading, the
    mean of `relative`, the mean place in the device's range (0 to 1), and a number of its block.
    """
    change = np.diff(series.weight, prepend=np.nan)
    device = np.repeat(np.arange(len(series.start) - 1), np.diff(series.start))
    place = (series.weight - lowest[device]) / (highest - lowest)[device]
    parts = []
    for way in (1, -1):
        usable = (series.pulse == way) & ~series.begins
        if len(usable) < _WINDOW:
            continue
        rows = np.flatnonzero(sliding_window_view(usable, _WINDOW).all(axis=1))
        ends = place[rows + _WINDOW - 1] - place[rows]
        rows = rows[np.abs(ends) < _STEEPEST]
        if not len(rows):
            continue
        window = sliding_window_view(change, _WINDOW)[rows]
        window = window - window.mean(axis=1, keepdims=True)
        near, far = (window[:, np.add(_MIDDLE, at)].mean(axis=1) for at in (_NEAR, _FAR))
        run = np.cumsum(np.diff(rows, prepend=-1) > 1)  # windows of one sweep follow each other
        first = rows[np.unique(run, return_index=True)[1]]
        block = (rows - first[run - run.min()]) // _BLOCK
        parts.append(
            (
                window[:, _MIDDLE] * (far - near),
                sliding_window_view(relative, _WINDOW)[rows].mean(axis=1),
                sliding_window_view(place, _WINDOW)[rows].mean(axis=1),
                (run * len(usable) + block) * 2 + (way > 0),
            )
        )
    empty = np.empty(0)
    if not parts:
        return empty, empty, empty, empty
    product, expected, place, block = map(np.concatenate, zip(*parts, strict=True))
    return product, expected, place, block


def _mean_and_error(product: np.ndarray, block: np.ndarray) -> tuple[float, float, int]:
    """Mean, its standard error by blocks, and their number."""
    names, at = np.unique(block, return_inverse=True)
    n = len(names)
    if n < _FEWEST_BLOCKS:
        return math.nan, math.nan, n
    mean = float(product.mean())
    sums = np.bincount(at, product - mean)
    return mean, math.sqrt(n / (n - 1) * float(np.sum(sums**2))) / len(product), n
