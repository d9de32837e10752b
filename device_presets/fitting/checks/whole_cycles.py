"""Compares mean curves of fits with the measured one over whole cycles, and chooses by them."""

import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from device_presets.fitting.checks.goodness import Verdict, judge
from device_presets.fitting.checks.questions import CYCLES, Check, status_of
from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.maximum_likelihood import refit
from device_presets.fitting.model.moments import cycle_scatter, fitted_to_moments, mean_gaps
from device_presets.fitting.model.selection import Score, Selection, representable
from device_presets.fitting.model.simulation import mean_curve, simulate
from device_presets.fitting.model.uncertainty import drawn
from device_presets.fitting.sweeps import runs_of

_BAND, _SETS = (5.0, 95.0), 200
_MOST_SWEEPS = 8

MOST_CURVE = 0.1
"""A fit is not usable if its mean curve is off by more than this share of the range."""

_BEHIND = 0.005
"""A mean curve may be worse than NeuroSim's formula by this share of the range."""

_RIGHT_SHARE, _RIGHT_SCATTER = (0.85, 0.95), (0.8, 1.25)
"""Limits, widened by what simulations reach, of the share of readings within the 90 % band and of
the deviation of cycles from their mean over the simulated one."""

_WIDE_SHARE, _WIDE_SCATTER = 0.5, 4.0
"""The check of cycles stays open if simulations leave the band with more than half of their
readings, or the deviations that are right differ by more than a factor of four."""

_OF_SCATTER = 0.1
"""This share of the errors in the scatter counts as an error of the mean curve."""


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
        asked: Errors of the mean curve over cycles that were not fitted, or over all.
        held_out: Whether cycles could be held out.
        neurosim: Errors of NeuroSim's formula over the same cycles; None if a cycle has more than a
            few sweeps.
        within_band: Share of the readings of these cycles within the 90 % band of simulations.
        by_chance: The lowest and the highest share that is right.
        by_noise: The error of the mean curve that noise explains.
        deviation: Deviation of cycles from their mean, over that of simulated ones.
        deviations: The lowest and the highest deviation that is right.
    """

    asked: CurveErrors
    held_out: bool
    neurosim: CurveErrors | None
    within_band: float
    by_chance: tuple[float, float]
    by_noise: float
    deviation: float
    deviations: tuple[float, float]

    @property
    def excess(self) -> float:
        """Returns the factor by which the deviation is beyond its limits, or 1."""
        least, most = self.deviations
        return max(least / self.deviation, self.deviation / most, 1.0)

    @property
    def scatter(self) -> Check:
        """Returns whether cycles scatter as simulated ones do."""
        least, most = self.by_chance
        fine = least <= self.within_band <= most, self.excess == 1.0
        fails = ["" if right else ", so this fails" for right in fine]
        share, *ends = (f"{100 * share:.3g}" for share in (self.within_band, least, most))
        answer = (
            f"{share} % of the readings of {self.kind} cycles lie within the 90 % band of "
            f"simulations (a good fit has {' to '.join(ends)} %{fails[0]}); cycles deviate from "
            f"their mean {self.deviation:.3g} times as much as simulated ones (a good fit has "
            f"{' to '.join(f'{end:.3g}' for end in self.deviations)}{fails[1]})."
        )
        narrowest, widest = self.deviations
        wide = least < _WIDE_SHARE or widest > _WIDE_SCATTER * narrowest
        return Check(CYCLES, answer, status_of(all(fine), wide))

    @property
    def kind(self) -> str:
        """Returns the kind of cycles that `asked` is about."""
        return "held-out" if self.held_out else "fitted"

    @property
    def off(self) -> float:
        """Returns the error of the mean curve, plus a share of the errors in the scatter."""
        least, most = self.by_chance
        missed = max(least - self.within_band, self.within_band - most, 0.0)
        return self.asked.worst + _OF_SCATTER * (missed + math.log(self.excess))

    @property
    def fine(self) -> bool:
        """Returns whether cycles deviate from their mean as simulated ones do, and NeuroSim's
        formula is not clearly closer to it, or only by as much as noise explains; fitted to a
        single cycle, it also follows the noise, so the curve may also be near."""
        near = min(self.by_noise, MOST_CURVE) if self.held_out else MOST_CURVE
        theirs = self.neurosim.worst if self.neurosim else np.inf
        return self.excess == 1.0 and self.asked.worst <= max(theirs + _BEHIND, near)


def cycle_errors(fit: JointFit) -> CycleErrors:
    """Returns the errors of a fit over held-out cycles, or over all if none can be held out."""
    training, rows, again = training_rows(fit), fit.prepared.everything, fit
    if training is not None:
        fitted = fitted_to_moments if fit.layout.how else partial(refit, most_steps=60)
        rows, again = ~training, fitted(fit, training)
    errors = (open_loop(again, rows), training is not None, neurosim_errors(fit))
    return CycleErrors(*errors, *coverage(again, rows), *cycle_deviation(fit))


def open_loop(fit: JointFit, rows: np.ndarray) -> CurveErrors:
    """Returns the errors of the fit's `mean_curve`.

    Args:
        fit: Any fit of the measurement.
        rows: [rows] which rows count; the mean is over devices and cycles with the same pulses.
    """
    ways = (gaps / fit.prepared.span for gaps in mean_gaps(fit, mean_curve(fit), rows))
    return CurveErrors(*(float(np.sqrt(np.mean(w**2))) if len(w) else math.nan for w in ways))


def training_rows(fit: JointFit) -> np.ndarray | None:
    """Returns [rows] whether a row is in the first half of the cycles of the mean curve; None if
    the mean curve or a device has only one cycle."""
    series, cycle = fit.prepared.series, fit.prepared.own_cycle
    alike = fit.prepared.alike[:, 1:]
    cycles = np.unique(cycle[alike[series.pulse[alike] != 0]])
    return None if len(cycles) < 2 else np.asarray(cycle <= cycles[(len(cycles) - 1) // 2])


def coverage(fit: JointFit, rows: np.ndarray) -> tuple[float, tuple[float, float], float]:
    """Returns ``within_band``, ``by_chance`` and ``by_noise`` of `CycleErrors`, from simulations
    that start anew at every cycle. Few cycles may leave the band together.

    The cycles to which a fit was made also scatter, and may move its curve. In simulations, the
    numbers of a fit by likelihood therefore scatter by its errors. Simulations of a fit to the mean
    curve count twice: as they are, and moved by the mean of these cycles, device by device.

    Args:
        rows: [rows] which readings count; the fit was made to the others, if there are any.
    """
    series, alike = fit.prepared.series, fit.prepared.alike[:, 1:]
    asked, device = rows[alike[:, 0]], fit.prepared.device[alike[:, 0]]
    trains, by_curve = simulate(fit, 3, _SETS), bool(fit.layout.how)
    if not by_curve and not rows.all():
        fits = drawn(fit, len(rows) / np.count_nonzero(~rows), _SETS)
        trains = [simulate(one, seed, 1)[0] for seed, one in enumerate(fits)]
    sets = np.array([train[alike] for train in trains])
    (low, high), middle = np.percentile(sets, _BAND, axis=0), sets.mean(axis=0)
    moved = sets.copy()
    for one in np.unique(device[~asked]) if by_curve else ():
        mine = device == one
        moved[:, mine] -= (sets - middle)[:, mine & ~asked].mean(axis=1, keepdims=True)
    every = (series.weight[alike], *sets, *moved)
    share, *theirs = (float(((w >= low) & (w <= high))[asked].mean()) for w in every)
    gaps, up = (moved - middle)[:, asked].mean(axis=1), series.pulse[alike[0]] > 0
    ways = [(gaps[:, way] ** 2).mean(axis=1).max() for way in (up, ~up) if way.any()]
    by_chance = min(_RIGHT_SHARE[0], *theirs), max(_RIGHT_SHARE[1], *theirs)
    return share, by_chance, float(np.sqrt(max(ways))) / fit.prepared.span


def cycle_deviation(fit: JointFit) -> tuple[float, tuple[float, float]]:
    """Returns ``deviation`` and ``deviations`` of `CycleErrors`. Levels of cycles do not count,
    since read noise shifts the beginnings of simulated ones."""
    alike, series = fit.prepared.alike[:, 1:], fit.prepared.series
    device, sets = fit.prepared.device[alike[:, 0]], (series.weight, *simulate(fit, 3, _SETS))
    variances = [cycle_scatter(weight[alike], device).mean() for weight in sets]
    around = np.maximum(np.sqrt(variances), series.resolution)
    ratio, *others = around / np.median(around[1:])
    limits = min(_RIGHT_SCATTER[0], *others), max(_RIGHT_SCATTER[1], *others)
    return float(ratio), (float(limits[0]), float(limits[1]))


def neurosim_errors(fit: JointFit) -> CurveErrors | None:
    """Returns the errors of NeuroSim's formula B (1 - exp(-pulse / A)) on held-out cycles, fitted
    by least squares to the mean sweeps of the other cycles. As in a simulation, each sweep begins
    where the formula ends the one before it. If no cycle can be held out, they are those on the
    fitted cycles. Returns None if a cycle has more than a few sweeps."""
    training, series, rows = training_rows(fit), fit.prepared.series, fit.prepared.alike
    after = np.append(0, series.pulse[rows[0, 1:]])  # The first reading is before the cycle.
    sweeps = runs_of(after, np.zeros(rows.shape[1]))
    if len(sweeps) > _MOST_SWEEPS:
        return None
    old = np.ones(len(rows), dtype=np.bool_) if training is None else training[rows[:, 1]]
    off = np.zeros(rows.shape[1])
    for first, last in sweeps:
        own = np.hstack([rows[:, first + 1 : first + 2] - 1, rows[:, first + 1 : last + 1]])
        parts = (old, old if training is None else ~old)
        seen, asked = (series.weight[own[part]].mean(axis=0) for part in parts)
        seen, asked, n = seen - seen[0], asked - asked[0], len(seen)
        # An abrupt sweep ends after one pulse; one whose steps grow has a negative A.
        scales = [np.geomspace(0.1, 200 * n, 150), -np.geomspace(n / 20, 200 * n, 80)]
        shapes = 1.0 - np.exp(-np.arange(n) / np.concatenate(scales)[:, None])
        curves = shapes * (shapes @ seen / (shapes**2).sum(axis=1))[:, None]
        best = curves[np.argmin(((curves - seen) ** 2).sum(axis=1))]
        off[first + 1 : last + 1] = (off[first] + asked - best)[1:]
    ways = (off[after == way] / fit.prepared.span for way in (1, -1))
    return CurveErrors(*(float(np.sqrt(np.mean(w**2))) if len(w) else math.nan for w in ways))


def chosen_of(selection: Selection) -> tuple[Selection, Verdict, CycleErrors]:
    """Chooses a model, and returns it with its verdict and its errors over whole cycles.

    Of the models that held-out pulses cannot distinguish, the first is chosen that describes the
    data with a mean curve not behind NeuroSim's formula. If there is none, all models, fitted by
    likelihood and to the mean curve, are compared by the errors of curve and scatter on cycles that
    were not fitted. A mean curve hardly shows effects of time and width, so if no model without
    them was near enough to be compared on held-out pulses, none is here.
    """
    for score in selection.as_good:
        verdict = judge(score.fit)
        if verdict.describes and (errors := cycle_errors(score.fit)).fine:
            return replace(selection, chosen=score), verdict, errors
        why = verdict.failed or "by the mean curve or the scatter of whole cycles"
        told = f"The model '{score.fit.layout.name}', which held-out pulses prefer, fails {why}."
        selection = replace(selection, refused=selection.refused or told)
    compared = {s.fit.layout.effects for s in selection.scores if s.held_out is not None}
    near = (s for s in selection.scores if not compared or s.fit.layout.effects in compared)
    scores = [s for s in near if representable(s.fit)] or [selection.chosen]
    steps = {(s.model.code, s.model.shape, s.fit.layout.effects.terms): s for s in scores[::-1]}
    curves = [fitted_to_moments(s.fit, s.fit.prepared.everything) for s in steps.values()]
    ways = [*scores, *(Score(fit, None) for fit in curves if representable(fit))]
    tried = ((score, cycle_errors(score.fit)) for score in ways)
    chosen, errors = min(tried, key=lambda one: one[1].off)
    told = f"{selection.refused} Of those that fail, the one nearest to whole cycles is chosen."
    return replace(selection, chosen=chosen, refused=told), judge(chosen.fit), errors
