"""Finds where a loss measured at a few values crosses the wanted one, with an interval.

Values are given as harm, a coordinate that grows as the device gets worse (the logarithm of the
parameter, with its sign reversed for levels). Between measured values, each seed's loss is
interpolated linearly in harm.

- The crossing is that of the mean loss, after it has been made monotone by isotonic regression.
- Its interval contains every harm at which the 95 % interval of the mean loss (Student t over the
  seeds, paired with the reference) contains the wanted loss. It also contains the two measured
  values between which the mean crosses, since a loss that grows with harm may cross anywhere
  between them. At a value outside, the loss could be distinguished from the wanted one. A side is
  open if the measured values end before that.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.optimize import isotonic_regression

from studies.common.statistics import FEWEST_SEEDS, describe, t_quantile
from studies.sensitivity.device_question import BySeed

GRID = 200
"""The interval is sought at this many points between two measured values."""

type Losses = Mapping[float, BySeed]
"""This maps each harm to the losses (points) of the seeds."""


@dataclass(frozen=True)
class ThresholdCrossing:
    """Gives the harm at which the loss is the wanted one.

    Attributes:
        low, high: ends of the interval; None for an open end, beyond the measured values.
    """

    harm: float
    low: float | None
    high: float | None


def side(losses: BySeed, threshold: float) -> int:
    """Returns -1 if the loss is surely below the wanted one, 1 if above, and 0 if unknown."""
    sample = describe(losses.values())
    if sample.n < FEWEST_SEEDS:
        return 0
    low, high = sample.mean - sample.half_width, sample.mean + sample.half_width
    return int(low > threshold) - int(high < threshold)


def bracket(losses: Losses, threshold: float) -> tuple[float, float] | None:
    """Returns the neighbouring values between which the monotone mean crosses, or None."""
    harms, means = _monotone(losses)
    if len(harms) < 2 or means[0] > threshold or means[-1] <= threshold:
        return None
    above = int(np.argmax(means > threshold))
    return float(harms[above - 1]), float(harms[above])


def threshold_crossing(losses: Losses, threshold: float) -> ThresholdCrossing | None:
    """Returns the crossing of the measured losses, or None if they stay on one side."""
    between = bracket(losses, threshold)
    if between is None:
        return None
    harms, means = _monotone(losses)
    at = np.searchsorted(harms, between)
    low_loss, high_loss = means[at]
    share = (threshold - low_loss) / (high_loss - low_loss)
    harm = between[0] + float(share) * (between[1] - between[0])
    low, high = _interval(losses, threshold)
    return ThresholdCrossing(
        harm,
        None if low is None else min(low, between[0]),
        None if high is None else max(high, between[1]),
    )


def _monotone(losses: Losses) -> tuple[np.ndarray, np.ndarray]:
    """Returns the harms in order, and their mean losses made monotone."""
    measured = sorted(harm for harm, by_seed in losses.items() if by_seed)
    if not measured:
        return np.empty(0), np.empty(0)
    means = [describe(losses[harm].values()).mean for harm in measured]
    return np.array(measured), isotonic_regression(means).x


def _interval(losses: Losses, threshold: float) -> tuple[float | None, float | None]:
    measured = sorted(harm for harm, by_seed in losses.items() if by_seed)
    seeds = sorted(set.intersection(*(set(losses[harm]) for harm in measured)))
    if len(seeds) < FEWEST_SEEDS:
        return None, None
    harms = np.unique(np.concatenate([np.linspace(a, b, GRID) for a, b in pairwise(measured)]))
    curves = np.array(
        [np.interp(harms, measured, [losses[harm][seed] for harm in measured]) for seed in seeds]
    )
    quantile = float(t_quantile(len(seeds) - 1))
    half = quantile * curves.std(axis=0, ddof=1) / math.sqrt(len(seeds))
    mean = curves.mean(axis=0)
    reached = np.flatnonzero(mean + half >= threshold)
    below = np.flatnonzero(mean - half <= threshold)
    low = None if not len(reached) or reached[0] == 0 else float(harms[reached[0]])
    high = None if not len(below) or below[-1] == len(harms) - 1 else float(harms[below[-1]])
    return low, high
