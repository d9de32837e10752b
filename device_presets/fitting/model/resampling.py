"""A fit as cycles drawn anew would have made it: what a wrong law leaves open shows there."""

import numpy as np

from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.maximum_likelihood import refit
from device_presets.fitting.model.moments import FEWEST_CYCLES, fitted_to_moments
from device_presets.fitting.model.simulation import alike_stretches


def resampled(fit: JointFit, draws: int) -> list[JointFit]:
    """Returns the fit to cycles drawn anew, with replacement, among all devices and cycles with the
    same pulses; none where these are fewer than three.

    Args:
        fit: A fit to all rows, by likelihood or to its mean curve.
        draws: How many.
    """
    alike, rng = alike_stretches(fit.prepared)[:, 1:], np.random.default_rng(5)
    found: list[JointFit] = []
    for _ in range(draws if len(alike) >= FEWEST_CYCLES else 0):
        rows = np.zeros(len(fit.prepared.device))
        rows[alike] = rng.multinomial(len(alike), np.full(len(alike), 1 / len(alike)))[:, None]
        again = fitted_to_moments(fit, rows) if fit.layout.how else refit(fit, rows, most_steps=40)
        found.append(again)
    return found
