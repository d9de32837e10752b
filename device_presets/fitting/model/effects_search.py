"""Finds the terms of time and width that the data need, one after the other."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from device_presets.fitting.model.effects import LEAK, LOG_LOSS, Timing, starts
from device_presets.fitting.model.joint_fit import JointFit, fit_at
from device_presets.fitting.model.layout import NOISES
from device_presets.fitting.model.maximum_likelihood import fitted_from, layout_of
from device_presets.fitting.model.preparation import LEAST_READ_NOISE, Prepared, with_read_noise

_LEAST_GAIN = 4.0
"""A term must gain this many log-units, plus one for each fitted number, since it is the best of
many tried times, widths and laws."""

_NOISE_GAIN = 8.0
"""Read noise that steps do not show by opposing each other must gain this many log-units."""

_CYCLE_NOISE = 0.3
"""The search for a term also starts from this cycle noise, beside the read noise that steps show:
unequal steps may have become cycle noise."""

_TRIED = 2
_MOST_STEPS = 60


def adjusted(fit: JointFit) -> float:
    """Returns the log-likelihood minus the number of fitted numbers (Akaike)."""
    return fit.total - fit.n_free


def with_effects(prepared: Prepared, fits: Sequence[JointFit]) -> list[JointFit]:
    """Returns the models of `fits` with the terms that make the constant or the best step more
    likely.

    Terms are added as long as one gains enough (`_LEAST_GAIN`); then all models get them. Bounds
    clip again until they are found flat, since a fit without a leak may take the weight at which
    leak and step balance for a bound.

    Args:
        fits: A fit of each model, the constant step first.

    Returns:
        The fits; none if the data need no term.
    """
    timing = prepared.timing
    if timing is None or not timing.asked:
        return []
    best = max(fits, key=adjusted)
    first = [fits[0]] if best is fits[0] else [fits[0], best]
    longer = [_with_terms(prepared, timing, fit) for fit in first]
    if not prepared.noisy:
        # Unequal steps may hide the read noise at first sight, so it is fitted.
        noisy = with_read_noise(prepared)
        bases = [with_white_noise(noisy, fit) for fit in first]
        others = [_with_terms(noisy, timing, fit) for fit in bases]
        if max(map(adjusted, others)) > max(map(adjusted, longer)) + _NOISE_GAIN:
            return _of_all_models(noisy, fits, bases, others)
    return _of_all_models(prepared, fits, first, longer)


def noisy_at_bounds(quiet: Prepared, fits: Sequence[JointFit]) -> Prepared:
    """Returns the data with the read noise of devices that stand at bounds, where readings scatter;
    or without read noise, if it does not show such bounds and make the fit far more likely.

    Args:
        quiet: The data, prepared for no read noise.
        fits: A fit of each model to them, the constant step first.
    """
    noisy, best = with_read_noise(quiet), max(fits, key=adjusted)
    found = max((with_white_noise(noisy, fit) for fit in (fits[0], best)), key=adjusted)
    noise, clips = float(np.exp(found.shared[1])), found.prepared.series.clips
    stands = noise > LEAST_READ_NOISE and (clips & ~quiet.series.clips).any()
    gains = adjusted(found) > adjusted(best) + _NOISE_GAIN
    return replace(noisy, read_noise=noise) if stands and gains else quiet


def with_white_noise(prepared: Prepared, fit: JointFit) -> JointFit:
    """Returns a fit without read noise, fitted again with read noise; the search starts from read
    noise of 0.3 steps.

    Args:
        prepared: The data, prepared for read noise.
    """
    shared = fit.shared.copy()
    shared[1] = np.log(0.3) + fit.local[:, :2].mean()
    return fitted_from(fit_at(prepared, layout_of(prepared, fit.layout.model), shared, fit.local))


def _of_all_models(
    prepared: Prepared,
    fits: Sequence[JointFit],
    bases: Sequence[JointFit],
    longer: Sequence[JointFit],
) -> list[JointFit]:
    """Returns the models of `fits` with the terms of the best of `longer`; none if it gains too
    little."""
    best = max(longer, key=adjusted)
    terms = best.layout.effects
    if not terms.terms or not adjusted(best) > max(map(adjusted, bases)) + _LEAST_GAIN:
        return []
    numbers, found = best.layout.effects_of(best.shared), []
    for fit in fits:
        model, constant = fit.layout.model, longer[0]
        starts_at = [
            (np.array([*best.shared[:NOISES], *fit.shape]), fit.local),
            (np.array([*constant.shared[:NOISES], *model.flat]), constant.local),
        ]
        layout = layout_of(prepared, model, terms)
        tried = [fit_at(prepared, layout, np.append(one, numbers), own) for one, own in starts_at]
        found.append(fitted_from(max(tried, key=adjusted)))
    return found


def _with_terms(prepared: Prepared, timing: Timing, fit: JointFit) -> JointFit:
    """Returns the model with as many terms, added one by one, as gain enough. The best numbers of a
    term may be elsewhere beside a later one, so those that it has are tried anew as well."""
    while True:
        terms = fit.layout.effects.terms
        # Two laws of one loss cannot be distinguished if both are fitted.
        other = {LEAK: LOG_LOSS, LOG_LOSS: LEAK}
        left = [t for t in timing.asked if other.get(t) not in terms]
        tried = [_with_term(prepared, timing, fit, term) for term in left]
        best = max(tried, key=adjusted, default=None)
        if best is None or not adjusted(best) > adjusted(fit) + _LEAST_GAIN:
            return fit
        fit = best


def _with_term(prepared: Prepared, timing: Timing, fit: JointFit, term: str) -> JointFit:
    old = fit.layout.effects
    terms = tuple(dict.fromkeys((*old.terms, term)))
    effects = replace(old, terms=terms, least_log_onset=timing.least_log_onset)
    layout = layout_of(prepared, fit.layout.model, effects)
    known = dict(zip(old.names, fit.layout.effects_of(fit.shared), strict=True))
    noises = [fit.shared[:NOISES]]
    if prepared.read_noise > 0.0:
        noises.append(np.log([_CYCLE_NOISE, prepared.read_noise]))
    every = (known | start for start in starts(effects, term, timing))
    pulsed, tried = prepared.series.pulse != 0, []
    before, limits = fit.arguments[0].factor[pulsed].mean(), np.transpose(effects.limits)
    for start, noise in itertools.product(every, noises):
        numbers = np.clip([start[name] for name in effects.names], *limits)
        # The mean pulse stays as it is; otherwise the starts nearest to no effect would win.
        factor, local = effects.applied(prepared.series, timing, numbers).factor, fit.local.copy()
        local[:, :2] -= np.log(factor[pulsed].mean() / before)
        shared = np.concatenate([noise, fit.shape, numbers])
        tried.append(fit_at(prepared, layout, shared, local))
    best = sorted(tried, key=adjusted)[-_TRIED:]
    return max((fitted_from(one, most_steps=_MOST_STEPS) for one in best), key=adjusted)
