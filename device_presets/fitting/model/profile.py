"""Limits of the cycle noise from the profile likelihood, where its curvature is no guide.

Under read noise a small cycle noise is known from above only: the likelihood is flat down to zero.
Each device's own numbers follow some of the noise, so the profile is that of the marginal
likelihood, in which they are integrated out.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import stats

from device_presets.fitting.model.first_guess import HIGH, LOW
from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.maximum_likelihood import refit
from device_presets.fitting.model.uncertainty import integrated

_WITHIN = float(stats.chi2.ppf(0.95, 1)) / 2  # of a log-likelihood
_FIRST = np.log(0.02)
_HALVINGS = 5


class Profile:
    """Loss of a log-likelihood where one shared number is held, and all others are fitted again.

    Args:
        fit: where the search begins. at: place of the number among the shared ones.
        top: likelihood that the loss counts from; a higher one that is found replaces it.
        likelihood: of a fit.
    """

    def __init__(
        self,
        fit: JointFit,
        at: int,
        top: float,
        likelihood: Callable[[JointFit], float] = lambda fit: fit.total,
    ) -> None:
        free = fit.layout.shared_free.copy()
        free[at] = False
        self._start = self._last_fit = replace(fit, layout=replace(fit.layout, shared_free=free))
        self._at, self._top, self._likelihood = at, top, likelihood

    def loss(self, value: float) -> float:
        """At a value; the search begins where the last one ended."""
        shared = self._last_fit.shared.copy()
        shared[self._at] = value
        self._last_fit = refit(replace(self._last_fit, shared=shared), most_steps=30)
        found = self._likelihood(self._last_fit)
        self._top = max(self._top, found)
        return self._top - found

    def begin_anew(self) -> None:
        """The next search begins where the first did."""
        self._last_fit = self._start


def cycle_noise_limits(fit: JointFit) -> tuple[float, float]:
    """95 % interval of the log cycle noise, all other numbers fitted again at each.

    Returns:
        Lower and upper end; -inf where no cycle noise is within the interval.
    """
    profile = Profile(fit, 0, integrated(refit(fit, most_steps=40)), integrated)
    inside = max(float(fit.shared[0]), float(LOW[0]))
    outside = max(inside + 0.3, _FIRST)
    while profile.loss(outside) <= _WITHIN:
        inside, outside = outside, outside + 0.7
        if outside > HIGH[0]:
            return -np.inf, float(HIGH[0])
    upper = border(profile.loss, _WITHIN, inside, outside, _HALVINGS)
    profile.begin_anew()
    if profile.loss(float(LOW[0])) <= _WITHIN:
        return -np.inf, upper
    profile.begin_anew()
    lowest = float(LOW[0])
    inside = max(float(fit.shared[0]), lowest)
    return border(profile.loss, _WITHIN, inside, lowest, _HALVINGS), upper


def border(
    loss: Callable[[float], float], most: float, inside: float, outside: float, halvings: int
) -> float:
    """Where the loss exceeds ``most``, by bisection; the outer end of the last bracket.

    Args:
        loss: of a value, in log-units. most: loss at the border, in log-units.
        inside, outside: values with a smaller and with a larger loss.
        halvings: of the bracket.
    """
    for _ in range(halvings):
        middle = (inside + outside) / 2
        if loss(middle) <= most:
            inside = middle
        else:
            outside = middle
    return outside
