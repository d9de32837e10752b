"""Compares mean curves of fits with the measured one over whole cycles, and chooses by them."""

import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from device_presets.fitting.checks.goodness import Verdict, judge
from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.maximum_likelihood import refit
from device_presets.fitting.model.moments import BY_MOMENTS, fitted_to_moments, mean_gaps
from device_presets.fitting.model.selection import Score, Selection, representable
from device_presets.fitting.model.simulation import alike_stretches, mean_curve, simulate
from device_presets.fitting.sweeps import runs_of

_BAND, _SETS = (5.0, 95.0), 200
_MOST_SWEEPS = 8

MOST_CURVE = 0.1
"""A fit is not usable if its mean curve is off by more than this share of the range."""

_BEHIND = 0.005
"""A mean curve may be worse than NeuroSim's formula by this share of the range."""

_OF_COVERAGE, _WITHIN, _SLACK = 0.1, 0.9, 0.05
"""If the coverage of the 90 % band is off by more than the slack, this share of the excess is added
to the error of the mean curve."""


@dataclass(frozen=True)
class CurveErrors:
    """Holds root mean square errors of a mean curve, as shares of the measured range.

    Args:
        up, down: The errors over the up and over the down pulses; NaN if there are none.
    """

    up: float
    down: float

    @property
    def worst(self) -> float:
        """Returns the larger error."""
        return float(np.nanmax([self.up, self.down]))

    @property
    def percent(self) -> str:
        """Returns both errors in percent, as text."""
        return " / ".join("-" if np.isnan(e) else f"{100 * e:.1f} %" for e in (self.up, self.down))


@dataclass(frozen=True)
class CycleErrors:
    """Holds the errors of a fit over whole cycles.

    Args:
        seen: Errors of the mean curve over all cycles.
        held_out: Errors over cycles that were not fitted; None if none can be held out.
        neurosim: Errors of NeuroSim's formula over the same cycles as `asked`; None if a cycle has
            more than a few sweeps.
        within_band: Share of the readings of these cycles within the 90 % band of simulations.
    """

    seen: CurveErrors
    held_out: CurveErrors | None
    neurosim: CurveErrors | None
    within_band: float

    @property
    def asked(self) -> CurveErrors:
        """Returns the errors over cycles that were not fitted, or over all if there are none."""
        return self.held_out or self.seen

    @property
    def off(self) -> float:
        """Returns the error of the mean curve, plus a share of the error in the band's coverage."""
        missed = abs(self.within_band - _WITHIN)
        return self.asked.worst + _OF_COVERAGE * max(missed - _SLACK, 0.0)

    @property
    def behind_neurosim(self) -> bool:
        """Returns whether NeuroSim's formula is clearly closer; fitted to a single cycle, it also
        follows the noise."""
        theirs = self.neurosim
        if theirs is None or self.held_out is None:
            return theirs is not None and self.seen.worst > max(MOST_CURVE, 2.0 * theirs.worst)
        return self.held_out.worst > theirs.worst + _BEHIND


def cycle_errors(fit: JointFit) -> CycleErrors:
    """Returns the errors of a fit over all cycles, and over held-out ones."""
    seen, training = open_loop(fit, fit.prepared.everything), training_rows(fit)
    rows, held_out = fit.prepared.everything, None
    if training is not None:
        rows, by_moments = ~training, fit.layout.how == BY_MOMENTS
        again = fitted_to_moments if by_moments else partial(refit, most_steps=60)
        held_out = open_loop(again(fit, training), rows)
    return CycleErrors(seen, held_out, neurosim_errors(fit), coverage(fit, rows))


def open_loop(fit: JointFit, rows: np.ndarray) -> CurveErrors:
    """Returns the errors of the fit's `mean_curve`.

    Args:
        fit: Any fit of the measurement.
        rows: [rows] which rows count; the mean is over devices and cycles with the same pulses.
    """
    span = fit.prepared.span
    gaps = mean_gaps(fit, mean_curve(fit), rows, alike_stretches(fit.prepared))
    up, down = (float(np.sqrt(np.mean(g**2))) / span if len(g) else math.nan for g in gaps)
    return CurveErrors(up, down)


def training_rows(fit: JointFit) -> np.ndarray | None:
    """Returns [rows] whether a row is in the first half of the cycles of the mean curve; None if
    the mean curve or a device has only one cycle."""
    series, cycle = fit.prepared.series, fit.prepared.own_cycle
    alike = alike_stretches(fit.prepared)[:, 1:]
    cycles = np.unique(cycle[alike[series.pulse[alike] != 0]])
    return None if len(cycles) < 2 else np.asarray(cycle <= cycles[(len(cycles) - 1) // 2])


def coverage(fit: JointFit, rows: np.ndarray) -> float:
    """Returns the share of the readings within the 90 % band of simulations, each of which starts
    anew at every cycle.

    Args:
        rows: [rows] which readings count.
    """
    alike = alike_stretches(fit.prepared)[:, 1:]
    sets = [w[alike] for w in simulate(fit, _SETS, seed=3)]
    low, high = np.percentile(sets, _BAND, axis=0)
    measured = fit.prepared.series.weight[alike]
    return float(((measured >= low) & (measured <= high))[rows[alike]].mean())


def neurosim_errors(fit: JointFit) -> CurveErrors | None:
    """Returns the errors of NeuroSim's formula B (1 - exp(-pulse / A)) on held-out cycles, fitted
    by least squares to the mean sweeps of the other cycles. If no cycle can be held out, they are
    those on the fitted cycles. Returns None if a cycle has more than a few sweeps."""
    training, series = training_rows(fit), fit.prepared.series
    rows = alike_stretches(fit.prepared)
    after = np.append(0, series.pulse[rows[0, 1:]])  # The first reading is before the cycle.
    sweeps = runs_of(after, np.zeros(rows.shape[1]))
    if len(sweeps) > _MOST_SWEEPS:
        return None
    old = np.ones(len(rows), dtype=np.bool_) if training is None else training[rows[:, 1]]
    span = fit.prepared.span
    gaps: tuple[list[np.ndarray], list[np.ndarray]] = [], []
    for first, last in sweeps:
        own = np.hstack([rows[:, first + 1 : first + 2] - 1, rows[:, first + 1 : last + 1]])
        parts = (old, old if training is None else ~old)
        seen, asked = (series.weight[own[part]].mean(axis=0) for part in parts)
        seen, asked, number = seen - seen[0], asked - asked[0], np.arange(len(seen))
        best = (np.inf, seen)
        for a in np.concatenate([way * np.geomspace(0.05, 20, 60) for way in (1, -1)]):
            shape = 1.0 - np.exp(-number / (a * len(number)))
            curve = shape * float(shape @ seen) / float(shape @ shape)
            error = float(np.sum((seen - curve) ** 2))
            best = (error, curve) if error < best[0] else best
        gaps[int(series.pulse[rows[0, last]] < 0)].append((asked - best[1])[1:])
    sizes = (np.sqrt(np.mean(np.concatenate(g) ** 2)) / span if g else np.nan for g in gaps)
    return CurveErrors(*map(float, sizes))


def chosen_of(selection: Selection) -> tuple[Selection, Verdict, CycleErrors]:
    """Chooses a model, and returns it with its verdict and its errors over whole cycles.

    Of the models that held-out pulses cannot distinguish, the first is chosen that describes the
    data with a mean curve not behind NeuroSim's formula. If there is none, all models, fitted by
    likelihood and to the mean curve, are compared by the errors of curve and scatter on cycles that
    were not fitted.
    """
    for score in selection.as_good:
        verdict = judge(score.fit)
        if verdict.describes and not (errors := cycle_errors(score.fit)).behind_neurosim:
            return replace(selection, chosen=score), verdict, errors
    scores = [s for s in selection.scores if representable(s.fit)] or [selection.chosen]
    steps = {(s.model.code, s.model.shape, s.fit.layout.effects.terms): s for s in scores[::-1]}
    curves = [fitted_to_moments(s.fit, s.fit.prepared.everything) for s in steps.values()]
    ways = [*scores, *(Score(fit, None) for fit in curves)]
    tried = [(s, cycle_errors(s.fit)) for s in ways if representable(s.fit)]
    tried = tried or [(ways[0], cycle_errors(ways[0].fit))]
    chosen, errors = min(tried, key=lambda one: one[1].off)
    return replace(selection, chosen=chosen), judge(chosen.fit), errors
