"""Chooses the device law that best predicts pulses that were not fitted."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from device_presets.fitting.model.effects import WIDTH
from device_presets.fitting.model.effects_search import adjusted, noisy_at_bounds, with_effects
from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.maximum_likelihood import fit_model, refit
from device_presets.fitting.model.preparation import LEAST_READ_NOISE, Prepared, without_read_noise
from rpu_ssnn.common.wording import counted
from rpu_ssnn.devices.fit_form import LINEAR, FitForm
from rpu_ssnn.devices.laws import FIT_FORMS

_FOLDS = 3
_BLOCK, _FEWEST_BLOCKS = 25, 9
"""A block has about this many pulses, and a device at least this many blocks. A block as long as a
sweep would hold out one end of the range, which no other rows show."""

_TOO_FAR_BEHIND = 40.0
"""A model this many log-units behind over all pulses is not tried on held-out ones, and a model
this far behind on those is not as good as the best."""

_SLOPE_SLACK = 0.05
"""A linear step may exceed its limits by this share of the step at weight 0."""

_PARTS = 9
"""The rows of a device are summed in this many parts."""


@dataclass(frozen=True, eq=False)
class Score:
    """Holds the fit of a model and its held-out log-likelihood.

    Args:
        fit: The fit to all pulses.
        held_out: [parts] held-out log-likelihood of each part of a device's rows; None if aihwkit's
            class does not accept the fitted numbers, or if the likelihood of all pulses is far
            below that of the best fit with acceptable numbers.
    """

    fit: JointFit
    held_out: np.ndarray | None

    @property
    def model(self) -> FitForm:
        """Returns the model of the fit."""
        return self.fit.layout.model


@dataclass(frozen=True)
class Selection:
    """Holds the chosen model and the comparison behind it.

    Args:
        chosen: The first of `as_good`, unless a check of whole cycles chooses another.
        scores: The scores of all models, best first.
        as_good: Scores within one standard error of the best, which the data cannot distinguish.
            Models whose preset holds all their terms come first, then simpler ones, and of equally
            simple ones the better.
        refused: A sentence on what speaks against the first of `as_good`; empty if nothing does.
    """

    chosen: Score
    scores: tuple[Score, ...]
    as_good: tuple[Score, ...]
    refused: str = ""

    @property
    def as_likely(self) -> list[Score]:
        """Returns the models that are worse on held-out pulses, but over all pulses as likely as
        the chosen one (Akaike). A loss shows mostly in readings without pulses: held out or not,
        few rows decide there."""
        least = adjusted(self.chosen.fit)
        others = (s for s in self.scores if s not in self.as_good and s.held_out is not None)
        return [score for score in others if adjusted(score.fit) >= least]


def select_model(
    prepared: Prepared,
    models: tuple[FitForm, ...] = FIT_FORMS,
    tell: Callable[[str], None] = lambda words: None,
) -> Selection:
    """Fits every model, and chooses by cross-validation.

    One of three groups of cycles is held out at a time; with fewer cycles, it is one of each three
    neighbouring blocks of a device's pulses. A held-out row is predicted from the rows before it,
    with numbers fitted to the other rows only. Rows without a pulse show no step, and are never
    held out. Reached bounds are those of all rows, as they are without read noise, since rows that
    do not reach a bound cannot determine it.

    Args:
        prepared: The data.
        models: The laws that are compared.
        tell: A function that is called with a description of each step of the work.
    """
    tell(f"fitting {counted(len(models), 'model')}")
    if prepared.n_devices == 1:  # A shared slope is then its own slope.
        models = tuple(m for m in models if m.code != LINEAR or not m.shape)
    quiet = without_read_noise(prepared)
    fits = _of_all(quiet, models)
    best = max(fits, key=adjusted).layout.model
    # With read noise, neighbouring steps oppose each other by more than clipping bounds explain.
    if not (prepared.noisy and np.exp(fit_model(prepared, best).shared[1]) > LEAST_READ_NOISE):
        prepared = quiet if quiet.series.clips.all() else noisy_at_bounds(quiet, fits)
    if prepared.noisy:
        fits = _of_all(prepared, models)
    tell("looking for effects of time and width")
    fits += with_effects(prepared, fits)
    allowed = [representable(fit) for fit in fits]
    good = (adjusted(fit) for fit, fine in zip(fits, allowed, strict=True) if fine)
    top = max(good, default=-np.inf)
    fold = _folds(prepared)
    scores = []
    for number, (fit, fine) in enumerate(zip(fits, allowed, strict=True), 1):
        tell(f"predicting pulses that were not fitted: model {number} of {len(fits)}")
        near = fine and fit.log_likelihood.sum() > top - _TOO_FAR_BEHIND
        scores.append(Score(fit, _held_out(fit, fold) if near else None))
    return _choice(scores)


def _of_all(prepared: Prepared, models: tuple[FitForm, ...]) -> list[JointFit]:
    first = fit_model(prepared, models[0])
    return [first, *(fit_model(prepared, model, constant=first) for model in models[1:])]


def representable(fit: JointFit) -> bool:
    """Returns whether aihwkit's class accepts the fitted numbers: a linear step must be nowhere
    below 0, nor above twice the step at weight 0."""
    if fit.layout.model.code != LINEAR:
        return True
    bends = fit.shape if len(fit.shape) else fit.local[:, 2:4].mean(axis=0)
    ends = fit.local[:, 4:6].mean(axis=0)
    factors = np.concatenate([1.0 - bends[0] * ends, 1.0 + bends[1] * ends])
    slopes = (bends[0] * ends[0], -bends[1] * ends[1])
    return bool(factors.min() >= -_SLOPE_SLACK and min(slopes) >= -1.0 - _SLOPE_SLACK)


def _folds(prepared: Prepared) -> np.ndarray:
    """Returns [rows] the group of rows with which each is held out."""
    cycle, timing = prepared.own_cycle, prepared.timing
    cycles = int(cycle.max()) + 1
    # A fit to one cycle of two would take its noise for noise with memory, and cycles held out
    # together may be all that have one width.
    if cycles >= _FOLDS and not (timing and WIDTH in timing.asked):
        return cycle % _FOLDS
    fold = np.zeros(len(prepared.device), dtype=np.int64)
    rng = np.random.default_rng(0)
    for first, end in pairwise(prepared.series.start):
        blocks = max((end - first) // _BLOCK, _FEWEST_BLOCKS)
        # Folds are drawn among each three neighbours; if they were dealt in turn, a fold would
        # always fall on the same part of a sweep.
        drawn = np.argsort(rng.random((blocks // _FOLDS + 1, _FOLDS)), axis=1).ravel()
        fold[first:end] = drawn[np.arange(end - first) * blocks // (end - first)]
    return fold


def _held_out(fit: JointFit, fold: np.ndarray) -> np.ndarray:
    settled, pulsed = _with_settled_bounds(fit), fit.prepared.series.pulse != 0
    density = np.nan_to_num(fit.trace().log_density)
    for held in range(int(fold.max()) + 1):
        mine = pulsed & (fold == held)
        trained = refit(settled, ~mine, most_steps=40)
        density[mine] = trained.trace().log_density[mine]
    # Each device has several parts, so the error of their sum rests on more than a few numbers.
    devices = np.split(density, fit.prepared.series.start[1:-1])
    return np.array([part.sum() for own in devices for part in np.array_split(own, _PARTS)])


def _with_settled_bounds(fit: JointFit) -> JointFit:
    """Returns the fit with its reached bounds fixed.

    If the rows at a device's bound were held out, a refit would put the bound too far inside, and
    each of those rows would be nearly impossible: one such device outweighed all others.
    """
    free = fit.layout.local_free.copy()
    free[4:] &= ~fit.prepared.series.clips
    return replace(fit, layout=replace(fit.layout, local_free=free))


def _choice(scores: list[Score]) -> Selection:
    compared = [score for score in scores if score.held_out is not None] or scores
    best = max(compared, key=_sum)
    good = []
    for score in compared:
        if best.held_out is None or score.held_out is None:
            continue
        behind = best.held_out - score.held_out
        error = float(np.std(behind, ddof=1) * np.sqrt(len(behind)))
        # One block that is impossible under a model makes the error as large as the sum.
        if np.isfinite(behind).all() and behind.sum() <= min(max(error, 1.0), _TOO_FAR_BEHIND):
            good.append(score)
    # Of two models with equally many numbers (their laws of noise differ) the better comes first.
    good.sort(key=lambda s: (not s.fit.layout.held_by_preset, s.fit.n_free, -_sum(s)))
    good = good or [best]
    return Selection(good[0], tuple(sorted(scores, key=_sum, reverse=True)), tuple(good))


def _sum(score: Score) -> float:
    total = -np.inf if score.held_out is None else float(score.held_out.sum())
    return total if np.isfinite(total) else -np.inf
