"""The profile likelihood limits the cycle noise where its curvature is no guide.

Under read noise a small cycle noise is known from above only: the likelihood is flat down to zero.
Each device's own numbers follow some of the noise, so the profile is that of the marginal
likelihood, in which they are integrated out.
"""

from dataclasses import replace

import numpy as np
from scipy import stats

from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.layout import HIGH, LOW
from device_presets.fitting.model.maximum_likelihood import refit
from device_presets.fitting.model.uncertainty import integrated

_WITHIN = float(stats.chi2.ppf(0.95, 1)) / 2  # of a log-likelihood
_FIRST = np.log(0.02)
_HALVINGS = 5


def cycle_noise_limits(fit: JointFit) -> tuple[float, float]:
    """Returns the 95 % interval of the log cycle noise, all other numbers fitted again at each
    value.

    Returns:
        Lower and upper end; -inf where no cycle noise is within the interval.
    """
    free = fit.layout.shared_free.copy()
    free[0] = False
    start = replace(fit, layout=replace(fit.layout, shared_free=free))
    profile = _Profile(start, integrated(refit(fit, most_steps=40)))
    inside = max(float(fit.shared[0]), float(LOW[0]))
    outside = max(inside + 0.3, _FIRST)
    while profile.loss(outside) <= _WITHIN:
        inside, outside = outside, outside + 0.7
        if outside > HIGH[0]:
            return -np.inf, float(HIGH[0])
    upper = _border(profile, inside, outside)
    profile.last = start
    if profile.loss(float(LOW[0])) <= _WITHIN:
        return -np.inf, upper
    profile.last = start
    lowest = float(LOW[0])
    return _border(profile, max(float(fit.shared[0]), lowest), lowest), upper


class _Profile:
    """Loss of the marginal likelihood where the cycle noise is held and the rest is fitted again.

    Args:
        last: Where the next search begins. top: The likelihood that the loss counts from; a
            higher one that is found replaces it.
    """

    def __init__(self, last: JointFit, top: float) -> None:
        self.last, self._top = last, top

    def loss(self, value: float) -> float:
        """Returns the loss at a log cycle noise; the search begins where the last one ended."""
        shared = self.last.shared.copy()
        shared[0] = value
        self.last = refit(replace(self.last, shared=shared), most_steps=30)
        found = integrated(self.last)
        self._top = max(self._top, found)
        return self._top - found


def _border(profile: _Profile, inside: float, outside: float) -> float:
    """Bisection finds where the loss leaves the interval; this is the outer end of the last
    bracket."""
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        if profile.loss(middle) <= _WITHIN:
            inside = middle
        else:
            outside = middle
    return outside
