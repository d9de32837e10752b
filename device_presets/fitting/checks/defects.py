"""Finds what a fitted law lacks, names it as a physicist would, and advises what to do.

Each search looks at the errors of predictions one pulse ahead, or at the levels of whole cycles.
A defect counts if it is large enough to matter and beyond chance.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from device_presets.fitting.model.effects import WIDTH
from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.preparation import RESOLUTION
from device_presets.fitting.model.series import Trace
from device_presets.fitting.model.simulation import LAGS, simulate

JUMP, DRIFT = "jump", "drift"

BY_TABLE = "use a table of the measured changes, with presets table"
"""This is the advice for devices that no law describes."""

_LONGEST_PERIOD = 200
"""Interference is searched for up to this period (pulses)."""

_LEAST_EVIDENCE = 50.0
"""A period counts if chi-squared exceeds twice the number of phases by this, which is less probable
by chance than 1e-10, since up to two hundred periods are tried."""

_OF_NOISE, _OF_STEPS = 0.3, 0.1
"""Interference counts above these sizes, in deviations of the errors and in steps, and rounding
above the first."""

MOST_STEP_DEVIATION = 0.15
"""The mean step may be off by this share."""

_AFTER_TURN = (5, 10, 20)
"""These numbers of pulses after a turn are compared with twice as many later ones: the mean step
of a law may hide a short memory over many pulses, and a few pulses hardly show a long one."""

_ERRORS, _OF_STEP, _FEWEST_TURNS, _FEWEST_PULSES = 5.0, 0.3, 4, 20

_FEWEST_CHANGES, _BY_CHANCE = 3, 1e-3
"""A jump needs at least this many changes of cycle, and counts if one so large is less probable
than this among all of them."""

_LARGE_JUMP, _DEVIATIONS = 0.05, 3.0
"""Among few changes, one of this share of the range counts if it is larger than in all simulations
and than the mean of the others, and this many of their deviations away from it."""

_AROUND = 5
"""This many readings on either side of the beginning of a cycle are averaged."""

_DRIFT_ERRORS = 4.0

_LEAST_JUMP, _LEAST_REST = 0.01, 0.02
"""Jumps and rests below these shares of the range do not count."""

_LEAST_TREND = 0.05
"""A slow drift over all cycles counts above this share of the range."""

_LEAST_RATIO = 0.7
"""Noise is correlated if the variance over many pulses is below this share of the simulated one."""

_DEAD = 0.3
"""A device is broken in a cycle if it moves by less than this share of the range that a quarter of
its own cycles exceed, since ranges may differ between devices."""

_FEWEST_SWEEPS = 3
"""A direction is abrupt only if it has at least this many sweeps."""

_GROWTH, _FEWEST = 1.5, 300
"""Noise depends on the state from this ratio of squared misses; each third of the states needs this
many predictions."""


@dataclass(frozen=True)
class Defect:
    """Describes something that the data show and the law lacks.

    Args:
        name: The name, in a few words.
        what: The finding, with its size.
        advice: A way to deal with it.
    """

    name: str
    what: str
    advice: str


def defects_of(
    fit: JointFit,
    trace: Trace,
    squares: np.ndarray,
    step: float,
    measured: np.ndarray,
    simulated: np.ndarray,
) -> tuple[Defect, ...]:
    """Returns all defects found.

    Args:
        trace: The predictions of the fit.
        squares: [rows] their squared errors, divided by their variance, away from the bounds.
        step: Mean size of a step (weights).
        measured, simulated: Both results of `structures`.
    """
    if broken := (*_broken(fit),):
        return broken  # Whatever else differs from the fit may be a consequence.
    miss = fit.prepared.series.weight - trace.expected
    span = fit.prepared.span
    # Wrong steps at a width also change how steps scatter.
    scatter = [*_widths(fit, trace, np.isfinite(squares))] or _correlated(measured, simulated)
    abrupt = [*_abrupt(fit, span)]
    moved = [*_interference(fit.prepared.runs, miss, step), *_levels(fit, trace, span, abrupt)]
    return (
        *abrupt,
        # Interference may have the same phase at each turn, and steps end early at moved bounds.
        *(moved or _turns(fit, np.where(np.isfinite(squares), miss, np.nan), step, span)),
        *scatter,
        *_quantised(fit.prepared.series.resolution, step, miss),
        *_growing_noise(squares, trace.state),
    )


def _broken(fit: JointFit) -> Iterator[Defect]:
    """Looks for cycles in which a device hardly moves."""
    alike, device = fit.prepared.alike, fit.prepared.device[fit.prepared.alike[:, -1]]
    ranges = pd.Series(np.ptp(fit.prepared.series.weight[alike], axis=1))
    dead = (ranges < _DEAD * ranges.groupby(device).transform("quantile", 0.75)).to_numpy()
    if dead.any():
        cycle = fit.prepared.own_cycle[alike[dead][0, -1]] + 1
        first = f"first in cycle {cycle} of {fit.prepared.labels[device[dead][0]]}"
        where = f"in {dead.sum()} of {len(dead)} cycles, {first}"
        what = f"{where}, a device moves by less than {100 * _DEAD:.0f} % of its usual range"
        yield Defect("broken", what, "leave these cycles, or the device, out of the file")


def _abrupt(fit: JointFit, span: float) -> Iterator[Defect]:
    """Looks for a sweep whose largest change by one pulse is abrupt, by the median over all up or
    all down sweeps."""
    series, read_noise = fit.prepared.series, float(fit.arguments[-1][1])
    change = np.append(series.pulse[1:] * np.diff(series.weight), 0.0)  # by the pulse after a row
    runs = fit.prepared.runs
    of_runs, up = np.maximum.reduceat(change, runs.ravel())[::2], series.pulse[runs[:, 1]] > 0
    ways = (way for way in (of_runs[up], of_runs[~up]) if len(way) >= _FEWEST_SWEEPS)
    largest = max((float(np.median(way)) for way in ways), default=0.0)
    if largest > 0.5 * span and largest > 6.0 * read_noise:
        what = f"one pulse of a sweep moves the device by {100 * largest / span:.0f} % of the range"
        yield Defect("abrupt", what, BY_TABLE)


def _interference(runs: np.ndarray, miss: np.ndarray, step: float) -> Iterator[Defect]:
    """Looks for a fixed period in the later half of each sweep, far from turns, after slow changes
    are removed."""
    late = np.full(len(miss), np.nan)
    for first, last in runs:
        late[(first + last) // 2 + 1 : last + 1] = miss[(first + last) // 2 + 1 : last + 1]
    errors, found = pd.Series(late), []
    for period in range(3, min(_LONGEST_PERIOD, int(np.median(np.ptp(runs, 1))) // 4) + 1):
        rest = (errors - errors.rolling(2 * period, 1, center=True).mean()).dropna()
        of_phase = rest.groupby(rest.index % period)
        explained = float(np.sum(of_phase.size() * of_phase.mean() ** 2))
        ratio = explained / max(float(np.var(rest.to_numpy())), 1e-300)
        if ratio > _OF_NOISE**2 * len(rest) and explained > (_OF_STEPS * step) ** 2 * len(rest):
            # A harmonic explains only a part, and a multiple no more than chance (Akaike).
            found.append((ratio - 2.0 * period, period, np.sqrt(explained / len(rest))))
    evidence, period, size = max(found, default=(0.0, 0, 0.0))
    if evidence > _LEAST_EVIDENCE:
        what = f"readings vary with a period of {period} pulses, by {size / step:.2g} steps rms"
        yield Defect("interference", what, "find and remove the disturbance with this period")


def _turns(fit: JointFit, miss: np.ndarray, step: float, span: float) -> Iterator[Defect]:
    """Compares the first pulses after a turn with later ones of the same sweeps.

    A first change against its pulse is drift during a rest that the file does not show, since no
    pulse causes it.
    """
    errors, paths, least = [], [], 3 * _AFTER_TURN[-1]
    weight, pulse = fit.prepared.series.weight, fit.prepared.series.pulse
    for first, last in fit.prepared.runs:
        way = int(pulse[last])
        if pulse[first] == -way and last - first >= least:
            paths.append(way * (weight[first + 1 : first + 1 + least] - weight[first]))
            errors.append(way * miss[first + 2 : first + 1 + least])
    if len(errors) < _FEWEST_TURNS:
        return
    path, scatter = np.mean(paths, axis=0), stats.sem(paths, axis=0)
    if path[0] < -max(_ERRORS * scatter[0], _LEAST_REST * span) and path[1] > path[0]:
        moved = f"{-100 * path[0] / span:.1f} % of the range against the first pulse"
        advice = "add a column time_s, or begin each sweep with a reading whose pulse number is 0"
        yield Defect("rest between sweeps", f"at a turn, readings move by {moved}", advice)
        return
    # The mean step takes up a part of what is off, so later steps are off the other way.
    of_turn, found = pd.DataFrame(np.transpose(errors) / step), []
    for n in _AFTER_TURN:
        off = (of_turn[: n - 1].mean() - of_turn[n - 1 : 3 * n - 1].mean()).dropna().to_numpy()
        if len(off) >= _FEWEST_TURNS and abs(off.mean()) > max(_ERRORS * stats.sem(off), _OF_STEP):
            found.append(float(off.mean()))
    if found:
        back, steps = int(np.argmin(path)) + 1, max(found, key=abs)
        what = f"steps after a turn differ from later ones by {steps:+.1f} steps"
        if path.min() < -step and back > 2:
            what = f"after a turn, the device keeps moving in the old direction for {back} pulses"
        yield Defect("turns", what, "write a law of your own that remembers the last pulses")


def _widths(fit: JointFit, trace: Trace, used: np.ndarray) -> Iterator[Defect]:
    """Looks for the pulse width at which the mean step, in the middle half of the range, is
    furthest from that of the fit.

    Moves from reading to reading are compared, since the filter follows the readings, so that its
    errors are not those of the step.
    """
    series, timing = fit.arguments[0], fit.prepared.timing
    if timing is None or WIDTH not in timing.asked:
        return
    lost = (1.0 - series.kept[1:]) * (series.rest - series.weight[:-1])
    move = np.append(0.0, series.pulse[1:] * (np.diff(series.weight) - lost))
    high, low = (end[fit.prepared.device] for end in fit.prepared.ends)
    used &= (series.pulse != 0) & (np.abs(2.0 * trace.state - high - low) < 0.5 * (high - low))
    rows = pd.DataFrame({"step": trace.step, "off": move - trace.step})[used]
    of = rows.groupby([timing.width[used], series.pulse[used]])
    kinds = of["off"].agg(["mean", "sem", "size"]).assign(step=of["step"].mean()).reset_index()
    widths, ways, mean, sem, _, steps = kinds[kinds["size"] >= _FEWEST_PULSES].to_numpy().T
    errors, share = mean / sem, mean / steps
    far = np.where(np.abs(share) > MOST_STEP_DEVIATION, np.abs(errors), 0.0)
    # All widths together must be as improbable as one number this many errors away.
    chance = stats.chi2.sf(errors @ errors, len(errors))
    if far.any() and chance < 2.0 * stats.norm.sf(_ERRORS):
        worst = int(np.argmax(far))
        width, size, name = widths[worst], 1.0 + share[worst], "up" if ways[worst] > 0 else "down"
        what = f"at a width of {width:g} s, steps {name} are {size:.2f} times the fitted ones"
        yield Defect("width", what, "fit this width separately")


def _levels(fit: JointFit, trace: Trace, span: float, abrupt: list[Defect]) -> Iterator[Defect]:
    """Looks for a cycle that begins further from the end of the previous one, apart from the steps
    of the fit, than others do, and for a level that drifts. In an abrupt device, a large step that
    comes a pulse later than usual would look like a jump."""
    weight, cycle, device = fit.prepared.series.weight, fit.prepared.own_cycle, fit.prepared.device
    # A bound cuts steps short, which may be longer than the range.
    within = np.clip(trace.expected, fit.local[device, 5], fit.local[device, 4])
    moved = np.cumsum(np.nan_to_num(within - trace.state))
    first = 1 + np.flatnonzero((np.diff(cycle) != 0) & (np.diff(device) == 0))
    first = first[(first >= _AROUND) & (first + _AROUND <= len(weight))]
    if len(first) < _FEWEST_CHANGES:
        return
    around, changed = first[:, None] + np.arange(-_AROUND, _AROUND), cycle[first]
    at, size, needed, chance = _furthest((weight - moved)[around], changed)
    row = np.arange(len(weight))
    through = fit.prepared.series.begins & ~np.isin(row, first)
    large = chance < _BY_CHANCE or size > max(_LARGE_JUMP * span, needed)
    if large and size > _LEAST_JUMP * span and not abrupt:
        sets = simulate(fit, 5, begins=through | np.isin(row, around[:, 0]))
        if size > max(_furthest((drawn - moved)[around], changed)[1] for drawn in sets):
            who = f"readings of {fit.prepared.labels[device[first[at]]]}"
            when = f"between cycles {changed[at]} and {changed[at] + 1} of those used"
            what = f"{who} jump by {100 * size / span:.1f} % of the range {when}"
            yield Defect(JUMP, what, "fit the rows before and after the jump in files of their own")
            return
    if drift := _drift_of(fit, span, through):
        what = f"level drifts by {100 * abs(drift) / span:.1f} % of the range per cycle used"
        yield Defect(DRIFT, what, "cycle the device first, or fit a file of its last cycles alone")


def _drift_of(fit: JointFit, span: float, begins: np.ndarray) -> float:
    """Returns the slope of a line through the levels of all cycles in their later half, which
    hardly depends on where they began, by least squares with a level of its own for each device;
    0 if it does not count, or simulations drift as far.

    Args:
        begins: [rows] whether a simulation begins anew.
    """
    alike = fit.prepared.alike[:, fit.prepared.alike.shape[1] // 2 :]
    weight, cycle = fit.prepared.series.weight, fit.prepared.own_cycle[alike[:, -1]]
    of = pd.DataFrame({"cycle": cycle, "level": weight[alike].mean(axis=1)})
    levels = of.groupby(fit.prepared.device[alike[:, -1]]).transform("mean")
    cycle, level = (of - levels).to_numpy().T
    if not cycle.any():
        return 0.0
    line = stats.linregress(cycle, level)
    if abs(line.slope) <= max(_LEAST_TREND * span / np.ptp(cycle), _DRIFT_ERRORS * line.stderr):
        return 0.0
    sets = np.array(simulate(fit, 5, begins=begins))
    slopes = sets[:, alike].mean(axis=2) @ cycle / (cycle @ cycle)
    beyond = abs(line.slope - slopes.mean()) > np.abs(slopes - slopes.mean()).max()
    return float(line.slope) if beyond else 0.0


def _furthest(around: np.ndarray, cycle: np.ndarray) -> tuple[int, float, float, float]:
    """Finds the change of cycle that is furthest from the usual one.

    Args:
        around: [changes, 2 * _AROUND] readings around each change.
        cycle: [changes] the cycle that ends.

    Returns:
        The change, its distance from the mean of the others, the distance beyond which it counts
        among few, and the probability of such a distance by the scatter of the others.
    """
    change = around[:, _AROUND:].mean(axis=1) - around[:, :_AROUND].mean(axis=1)
    usual = change[np.argsort(np.abs(change))[(len(change) - 1) // 2]]
    at = int(np.argmax(np.abs(change - usual)))
    other = cycle != cycle[at]  # All devices may jump together.
    others = change[other] if other.sum() > 1 else np.delete(change, at)
    size = abs(float(change[at] - others.mean()))
    scatter = max(float(np.std(others, ddof=1)), 1e-12) * np.sqrt(1 + 1 / len(others))
    chance = 2 * len(change) * float(stats.t.sf(size / scatter, len(others) - 1))
    return at, size, max(abs(float(others.mean())), _DEVIATIONS * scatter), chance


def _correlated(measured: np.ndarray, simulated: np.ndarray) -> Iterator[Defect]:
    """Looks for changes over several pulses that scatter less than all simulated ones."""
    ratios = measured / simulated
    middle, most = np.median(ratios, axis=0), ratios.max(axis=0)
    less = np.flatnonzero((middle < _LEAST_RATIO) & (most < 1.0) & (np.array(LAGS) > 1))
    if len(less):
        at = less[int(np.argmin(most[less]))]
        seen = f"changes over {LAGS[at]} pulses scatter {np.sqrt(middle[at]):.2g} times as much as"
        what = f"{seen} simulated ones, so part of the noise is read noise over several readings"
        advice = "average longer for each reading, or set slow device_read_noise in the study"
        yield Defect("correlated noise", what, advice)


def _quantised(resolution: float, step: float, miss: np.ndarray) -> Iterator[Defect]:
    """Compares the instrument's last digit with a step; larger noise evens out the rounding."""
    digit = resolution * np.sqrt(12.0)
    if digit > 0.5 * step and resolution > max(RESOLUTION, _OF_NOISE * np.nanstd(miss)):
        what = f"the readings are rounded to multiples of {digit / step:.2g} steps"
        yield Defect("quantisation", what, "record the readings with more digits")


def _growing_noise(squares: np.ndarray, state: np.ndarray) -> Iterator[Defect]:
    """Compares squared misses, divided by their variance, in the upper and the lower third of the
    states."""
    seen = np.flatnonzero(np.isfinite(squares))
    if len(seen) < 3 * _FEWEST:
        return
    low, _, high = np.array_split(seen[np.argsort(state[seen])], 3)
    ratio = float(np.mean(squares[high]) / np.mean(squares[low]))
    if not 1.0 / _GROWTH < ratio < _GROWTH:
        end, more = "low", "as no setting adds it"
        if ratio > 1:
            end, more = "high", "or, if it is read noise, set device_read_noise.white_of_current"
        what = f"{np.sqrt(max(ratio, 1 / ratio)):.2g} times those at the other end"
        what = f"relative to the fitted noise, errors at {end} conductance are {what}"
        advice = f"count on more noise there than in the preset, {more}"
        yield Defect("noise that depends on the state", what, advice)
