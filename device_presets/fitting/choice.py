"""Which fit of a measurement is kept, its verdict, and its mean curve beside those of others."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np

from device_presets.fitting.checks.goodness import Verdict, judge
from device_presets.fitting.mean_curve.aihwkit_trace import trace_fit
from device_presets.fitting.mean_curve.errors import CurveErrors, open_loop, training_rows
from device_presets.fitting.mean_curve.least_squares import n_numbers, nearest_curve, on_curve
from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.maximum_likelihood import refit
from device_presets.fitting.model.selection import Score, Selection, filtered, select_model
from device_presets.fitting.model.weights import Prepared

type Method = Literal["likelihood", "aihwkit"]

_FEW_NUMBERS = 6
"""Of aihwkit's linear step: two steps, two slopes, two bounds."""

type CurveRow = tuple[str, CurveErrors, CurveErrors | None]
"""Name of a fit, errors of its mean curve over all pulses, and over cycles that were held out; None
where there is one cycle."""


@dataclass(frozen=True)
class Choice:
    """What was compared and chosen.

    Args:
        curves: of the chosen fit first.
    """

    selection: Selection
    verdict: Verdict
    curves: tuple[CurveRow, ...]


def choose(prepared: Prepared, method: Method, against_aihwkit: bool) -> Choice:
    """Fits the models, and keeps the first good one (`Selection.as_good`) that passes the checks.

    Good models are those that held-out pulses do not tell apart. If none of them passes, the law of
    the noise is wrong, and the curve of the likeliest fit may be far from the mean curve. For one
    device, the step with the nearest curve is then kept, if that curve is nearer. For several
    devices the fit of the likelihood is kept, since a mean curve does not tell how devices differ.

    Args:
        against_aihwkit: whether to compare the mean curve with that of aihwkit's tool.

    Raises:
        PresetError: aihwkit's tool cannot fit the data.
    """

    def by_trace(rows: np.ndarray) -> JointFit:
        return trace_fit(prepared, rows)

    if method == "aihwkit":
        fit = by_trace(prepared.everything)
        how = "aihwkit.utils.fitting; noises by the likelihood"
        selection, verdict = _judged(_only(fit, how))
        return Choice(selection, verdict, (_curve_row(fit.layout.name, fit, by_trace),))
    selection, verdict = _judged(select_model(prepared))
    fit = selection.chosen.fit
    curves = [_curve_row(fit.layout.name, fit, partial(_refitted, fit))]
    if not (verdict.describes or len(fit.local) > 1 or fit.layout.history.terms):
        again = partial(nearest_curve, prepared, _nearest_step(prepared, selection))
        nearest = again(prepared.everything)
        row = _curve_row(nearest.layout.name, nearest, again)
        if _error(row) < _error(curves[0]):
            why = "no fit by the likelihood describes the data, so the nearest mean curve is kept"
            how = f"{selection.how}; {why}"
            only = _only(nearest, how)
            selection, verdict = _judged(replace(only, scores=(*only.scores, *selection.scores)))
            curves.insert(0, row)
    if against_aihwkit:
        found = by_trace(prepared.everything)
        curves.append(_curve_row("aihwkit.utils.fitting", found, by_trace))
    return Choice(selection, verdict, tuple(curves))


def _only(fit: JointFit, how: str) -> Selection:
    """A fit that was not chosen among models."""
    score = Score(fit.layout.model, fit, None)
    return Selection(score, (score,), (score,), how)


def _judged(selection: Selection) -> tuple[Selection, Verdict]:
    """The choice with its verdict: of the models that held-out pulses do not tell apart, the
    first that describes the data; where none does, the first."""
    verdicts = []
    for score in selection.as_good:
        verdicts.append(judge(score.fit, filtered(score.fit)))
        if verdicts[-1].describes:
            return replace(selection, chosen=score), verdicts[-1]
    return selection, verdicts[0]


def _nearest_step(prepared: Prepared, selection: Selection) -> JointFit:
    """The likeliest fit of the mean step whose curve comes nearest over cycles held out. With one
    cycle, of all pulses, steps of few numbers only. Terms of time, width and amplitude are left
    out."""
    training = training_rows(selection.chosen.fit)
    fits: dict[tuple[int, tuple[str, ...]], JointFit] = {}
    for score in selection.scores:
        few = training is not None or n_numbers(score.model) <= _FEW_NUMBERS
        if few and not score.fit.layout.history.terms:
            fits.setdefault((score.model.code, score.model.shape), score.fit)

    def error(fit: JointFit) -> float:
        if training is None:
            return open_loop(on_curve(prepared, fit, prepared.everything), prepared.everything).both
        return open_loop(on_curve(prepared, fit, training), ~training).both

    return min(fits.values(), key=error)


def _refitted(fit: JointFit, rows: np.ndarray) -> JointFit:
    return refit(fit, rows, most_steps=60)


def _curve_row(name: str, fit: JointFit, again: Callable[[np.ndarray], JointFit]) -> CurveRow:
    training = training_rows(fit)
    seen = open_loop(fit, fit.prepared.everything)
    return name, seen, None if training is None else open_loop(again(training), ~training)


def _error(row: CurveRow) -> float:
    """Over cycles held out, where there are several."""
    _, seen, held = row
    return seen.both if held is None else held.both
