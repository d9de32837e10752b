"""The choice among fitted models: by what pulses tell, or else by whole cycles."""

from dataclasses import replace

from device_presets.fitting.checks.goodness import Verdict, judge
from device_presets.fitting.checks.mean_curve import (
    coverage,
    curve_errors,
    held_out_rows,
    neurosim_errors,
)
from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.moments import fitted_to_moments
from device_presets.fitting.model.selection import Score, Selection, filtered, representable

_BEHIND = 0.005
"""A mean curve may be behind that of NeuroSim's formula by this share of the range."""

_OF_COVERAGE, _BAND, _SLACK = 0.1, 0.9, 0.05
"""Cycles that leave the 90 % band count as an error of the mean curve: this share of what is beyond
the slack."""


def chosen_of(selection: Selection) -> tuple[Selection, Verdict]:
    """Returns the choice with its verdict.

    Chosen is the first of the models that held-out pulses do not tell apart that describes the
    data. Where none does, or its mean curve is behind that of NeuroSim's formula, all models are
    compared with themselves as fitted to the mean curve: by how near the curve and the scatter are
    on cycles that were not fitted.
    """
    for score in selection.as_good:
        verdict = judge(score.fit, filtered(score.fit))
        if verdict.describes and not _behind_neurosim(score.fit):
            return replace(selection, chosen=score), verdict
    scores = [s for s in selection.scores if representable(s.fit)] or [selection.chosen]
    steps = {(s.model.code, s.model.shape, s.fit.layout.effects.terms): s for s in scores[::-1]}
    ways = [*scores, *(_by_moments(score) for score in steps.values())]
    chosen = min((score for score in ways if representable(score.fit)), key=_off, default=ways[0])
    return replace(selection, chosen=chosen), judge(chosen.fit, filtered(chosen.fit))


def _behind_neurosim(fit: JointFit) -> bool:
    theirs, (_, ours) = neurosim_errors(fit), curve_errors(fit)
    return bool(theirs and ours and ours.worst > theirs.worst + _BEHIND)


def _by_moments(score: Score) -> Score:
    fit = fitted_to_moments(score.fit, score.fit.prepared.everything)
    return Score(score.model, fit, None)


def _off(score: Score) -> float:
    """Returns how far cycles are off that were not fitted, or all where there is one."""
    seen, held = curve_errors(score.fit)
    missed = abs(coverage(score.fit, held_out_rows(score.fit)) - _BAND)
    return (held or seen).worst + _OF_COVERAGE * max(missed - _SLACK, 0.0)
