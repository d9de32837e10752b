"""Limits of the cycle noise from the profile likelihood, where its curvature is no guide.

Under read noise a small cycle noise is known from above only: the likelihood is flat down to zero.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import stats

from device_presets.fitting.model.first_guess import HIGH, LOW
from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.maximum_likelihood import refit

_WITHIN = float(stats.chi2.ppf(0.95, 1)) / 2  # of a log-likelihood
_FIRST = np.log(0.02)
_HALVINGS = 5


def cycle_noise_limits(fit: JointFit, counted: np.ndarray) -> tuple[float, float]:
    """95 % interval of the log cycle noise, all other numbers fitted again at each.

    Returns:
        Lower and upper end; -inf where no cycle noise is within the interval.
    """
    layout = replace(
        fit.layout, shared_free=fit.layout.shared_free & (np.arange(len(fit.shared)) > 0)
    )
    free = replace(fit, layout=layout)
    top = float(refit(fit, counted, most_steps=40).log_likelihood.sum())
    last_fit = free

    def loss(log_noise: float) -> float:
        nonlocal last_fit, top
        shared = last_fit.shared.copy()
        shared[0] = log_noise
        last_fit = refit(replace(last_fit, shared=shared), counted, most_steps=30)
        total = float(last_fit.log_likelihood.sum())
        top = max(top, total)
        return top - total if np.isfinite(total) else np.inf

    inside = max(float(fit.shared[0]), float(LOW[0]))
    outside = max(inside + 0.3, _FIRST)
    while loss(outside) <= _WITHIN:
        inside, outside = outside, outside + 0.7
        if outside > HIGH[0]:
            return -np.inf, float(HIGH[0])
    upper = border(loss, _WITHIN, inside, outside, _HALVINGS)
    last_fit = free
    if loss(float(LOW[0])) <= _WITHIN:
        return -np.inf, upper
    last_fit, lowest = free, float(LOW[0])
    return border(loss, _WITHIN, max(float(fit.shared[0]), lowest), lowest, _HALVINGS), upper


def border(
    loss: Callable[[float], float], most: float, inside: float, outside: float, halvings: int
) -> float:
    """Where the loss passes the most that an interval allows; on the outer side of it."""
    for _ in range(halvings):
        middle = (inside + outside) / 2
        if loss(middle) <= most:
            inside = middle
        else:
            outside = middle
    return outside
