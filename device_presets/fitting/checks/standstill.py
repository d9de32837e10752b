"""Whether a device stands still at the bounds that its fit says it is clipped at.

A device that only slows down, or drifts on between pulses, looks clipped for a while. Its fit then
has a bound inside the true range. At such a bound the readings go on rising from pulse to pulse.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from device_presets.fitting.checks.questions import Check, status_of
from device_presets.fitting.checks.trend import common_slope
from device_presets.fitting.model.joint_fit import JointFit, noises
from device_presets.fitting.model.series import Series, Trace
from device_presets.fitting.model.simulation import noise_free_curve
from rpu_ssnn.devices.fit_form import OF_RANGE

MOST_RISE = 0.02
"""Of the range, over a stretch at the bound: by so much at least the bound is then false. A mean
curve may be as far off."""

MOST_MOVE = 0.1
"""Of the mean step, a pulse: a device that has slowed down to a tenth is not clipped."""

_SIDES = ((1, "upper"), (-1, "lower"))
_QUESTIONS = {name: f"Does the device stand still at its {name} bound?" for _, name in _SIDES}
_ERRORS = 3.0
_TOO_WIDE = 3.0  # times the limit: where so much could hide, the data do not tell
_FEWEST = 6  # pulses of a stretch


def standstill_checks(fit: JointFit, trace: Trace, step: float) -> list[Check]:
    """A check for each bound that clips a device, all its stretches and devices together.

    A stretch is a run of pulses toward the bound, from the first row at which the filter has the
    device there. Its readings, less the model's own way to the bound, must not rise.

    Args:
        fit: the chosen model. trace: of its filter. step: mean size of a step (weights).
    """
    series = fit.prepared.series
    sides = [(way, name) for way, name in _SIDES if _asked(series, way)]
    return [_check(_QUESTIONS[name], fit, trace, way, step) for way, name in sides]


def left_open(checks: Iterable[Check], open_ends: tuple[bool, bool]) -> tuple[Check, ...]:
    """The checks, open where a bound is only the end of a lookup table.

    Args:
        open_ends: as of `Measurement`.
    """
    sides = zip(_SIDES, open_ends, strict=True)
    asked = {_QUESTIONS[name] for (_, name), is_open in sides if is_open}
    return tuple(
        replace(check, answer="the bound is the end of the table", status="open")
        if check.question in asked
        else check
        for check in checks
    )


def _asked(series: Series, way: int) -> bool:
    """Whether a device clips at the bound of such pulses."""
    clips = series.clips[0 if way > 0 else 1]
    return bool(clips.any() and (series.pulse == way).any())


def _check(question: str, fit: JointFit, trace: Trace, way: int, step: float) -> Check:
    stretches = _at_bound(fit, trace, way)
    if not stretches or not step > 0:
        return Check(question, "too few pulses at it to tell", "open")
    move, error = _move(fit, trace, way, stretches)
    device = [fit.prepared.device[rows[0]] for rows in stretches]
    span = float(np.mean((fit.prepared.highest - fit.prepared.lowest)[device]))
    limit = min(MOST_MOVE * step, MOST_RISE * span / max(len(rows) for rows in stretches))
    most = limit + _ERRORS * error
    answer = f"moves {move:.2g} a pulse toward it (at most {most:.2g})"
    if move > most:
        return Check(question, f"still {answer}", "FAIL")
    status = status_of(True, most > _TOO_WIDE * limit)
    if status == "open":
        answer += f"; more than the limit of {limit:.2g} could hide in the noise"
    return Check(question, answer, status)


def _move(
    fit: JointFit, trace: Trace, way: int, stretches: list[np.ndarray]
) -> tuple[float, float]:
    """Move a pulse toward the bound, beyond the model's, and its standard error (weights).

    The sizes of the noises are those of the stretches themselves: in the fit, noise with memory may
    have taken up a drift. Only the length of its memory is the fit's, where that has one.
    """
    series = fit.series
    begins, start = series.begins.copy(), series.weight.copy()
    for rows in stretches:
        begins[rows[0]], start[rows[0]] = True, trace.filtered[rows[0], 0]
    miss = way * (
        series.weight - noise_free_curve(fit, series._replace(begins=begins, weight=start))
    )
    kept = float(noises(fit.layout, fit.prepared, fit.shared)[3]) if fit.layout.memory else None
    return common_slope([miss[rows[1:]] for rows in stretches], kept)


def _at_bound(fit: JointFit, trace: Trace, way: int) -> list[np.ndarray]:
    """Rows with a pulse toward the bound, from the first one there on, of each run."""
    series, device, model = fit.prepared.series, fit.prepared.device, fit.layout.model
    clips = series.clips[0 if way > 0 else 1]
    # A pulse toward the bound ends there, or short of it by what noise makes of a step.
    size = np.exp(fit.local[:, 0 if way > 0 else 1])
    spread = 0.01 * fit.ranges if model.noise == OF_RANGE else size
    room = np.maximum(size, np.exp(fit.shared[0]) * spread)[device]
    near = way * (fit.local[device, 4 if way > 0 else 5] - trace.filtered[:, 0]) <= room
    near &= clips[device]
    found = []
    breaks = np.flatnonzero(series.begins | (series.pulse == -way))
    ends = np.append(breaks[1:], len(near))
    long = ends - breaks > _FEWEST
    for first, end in zip(breaks[long], ends[long], strict=True):
        rows = first + np.flatnonzero(series.pulse[first:end] == way)
        rows = rows[np.logical_or.accumulate(near[rows])]
        if len(rows) > _FEWEST:
            found.append(rows)
    return found
