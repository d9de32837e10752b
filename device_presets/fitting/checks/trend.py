"""The slope that several stretches of readings share, under white and AR(1) noise.

Each stretch has a level of its own. Levels and slope follow by generalized least squares; the
noises are given, or follow by restricted maximum likelihood (REML; Patterson and Thompson 1971),
which does not take them too small for the levels and the slope that were fitted.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

_GROUPS = 40
_LEAST = 1e-24  # squared weights: readings without noise
_MOST_STRETCHES = 60
_STARTS = ((-3.0, 1.0), (1.0, 2.7))  # logit of the correlated share, log of its pulses
_LIMITS = ((-8.0, 8.0), (0.0, math.log(100.0)))


type Noise = tuple[float, float, float]
"""Variance of what is new at each reading, variance of the AR(1) noise, and the share of the latter
that the next reading keeps."""


def common_slope(stretches: list[np.ndarray], kept: float | None) -> tuple[float, float]:
    """Slope a reading and its standard error.

    Args:
        stretches: three or more readings each; averaged over neighbours where there are many.
        kept: share of the correlated noise that the next reading keeps; None: fitted too.
    """
    chosen = np.linspace(0, len(stretches) - 1, min(len(stretches), _MOST_STRETCHES))
    parts = [_grouped(stretches[k]) for k in np.unique(chosen.astype(int))]
    limits = list(_LIMITS)
    if kept is not None:
        pulses = float(np.clip(-math.log(-math.log(kept)), *limits[1])) if kept > 0 else 0.0
        limits[1] = (pulses, pulses)

    def loss(numbers: np.ndarray) -> float:
        sums = _sums(parts, _shares(numbers))
        return 0.5 * (sums.log_det + math.log(sums.xx) + (sums.n - 1) * math.log(sums.variance))

    tried = [
        minimize(loss, np.clip(start, *np.transpose(limits)), bounds=limits) for start in _STARTS
    ]
    sums = _sums(parts, _shares(min(tried, key=lambda one: float(one.fun)).x))
    return sums.xy / sums.xx, math.sqrt(sums.variance / sums.xx)


@dataclass(frozen=True)
class _Sums:
    """Whitened squares of time and reading without the levels; log-determinant; degrees."""

    xx: float
    xy: float
    yy: float
    log_det: float
    n: int

    @property
    def variance(self) -> float:
        """Of a reading about levels and slope, over that of the noise assumed."""
        return max(self.yy - self.xy**2 / self.xx, _LEAST) / (self.n - 1)


def _sums(parts: list[tuple[np.ndarray, np.ndarray, int]], noise: Noise) -> _Sums:
    xx = xy = yy = log_det = 0.0
    n = 0
    for time, reading, size in parts:
        root = np.linalg.cholesky(_covariance(len(time), size, noise))
        one, x, y = np.linalg.solve(root, np.stack([np.ones_like(time), time, reading], 1)).T
        level = float(one @ one)
        x, y = x - one * (one @ x) / level, y - one * (one @ y) / level
        xx, xy, yy = xx + float(x @ x), xy + float(x @ y), yy + float(y @ y)
        log_det += 2.0 * float(np.log(np.diag(root)).sum()) + math.log(level)
        n += len(time) - 1
    return _Sums(xx, xy, yy, log_det, n)


def _shares(numbers: np.ndarray) -> Noise:
    """Noise of variance 1 from the logit of the correlated share and the log of its pulses."""
    slow = 1.0 / (1.0 + math.exp(-float(numbers[0])))
    return 1.0 - slow, slow, math.exp(-math.exp(-float(numbers[1])))


def _grouped(readings: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Times of the groups' middles, their means, and readings in a group."""
    size = math.ceil(len(readings) / _GROUPS)
    n = len(readings) // size
    means = readings[: n * size].reshape(n, size).mean(axis=1)
    return size * (np.arange(n) - (n - 1) / 2), means, size


def _covariance(n: int, size: int, noise: Noise) -> np.ndarray:
    """[n, n] of means over groups of neighbouring readings."""
    white, slow, kept = noise
    k = np.arange(1, size)
    own = (size + 2.0 * float((size - k) @ kept**k)) / size**2
    # Of two groups: the sum of kept^(i - j) over both, a product of two geometric sums.
    lag = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    geometric = float(np.sum(kept ** np.arange(size))) / size
    between = geometric**2 * kept ** (np.maximum(size * (lag - 1), 0) + 1.0)
    covariance = slow * np.where(lag == 0, own, between)
    covariance[np.diag_indices(n)] += white / size
    return covariance
