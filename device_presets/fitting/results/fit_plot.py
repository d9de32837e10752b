"""Plots measurement and fit together: the pulse response, and the step against the state.

The simulated devices have the fitted numbers of each device and receive the measured pulses.
"""

import textwrap
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from device_presets.fitting.model.effects import GAP, WIDTH
from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.preparation import WeightScale
from device_presets.fitting.model.simulation import simulate
from device_presets.fitting.reading.units import SIEMENS
from device_presets.fitting.results.intervals import student_factor
from device_presets.fitting.results.population import Population
from rpu_ssnn.common.files import CREATOR
from rpu_ssnn.common.wording import counted, plain

_SIMULATED = 200
"""At least this many trains are simulated."""

_BINS = 12
_STYLES = {1: ("up", "#0072B2", "o", "-"), -1: ("down", "#D55E00", "s", "--")}
"""Name, colour, marker and line of up and of down pulses; the colours are from Okabe and Ito."""

_LEGEND_ROOM = 0.25
"""This share of the height, above the curves, is reserved for the legend."""

_LETTERS_OF_TITLE = 140
"""A line of the title has at most this many letters, so that none is cut off."""


def draw_fit(path: Path, population: Population, title: str) -> None:
    """Draws the measured devices and the fitted ones.

    Raises:
        OSError, ValueError: the file cannot be written, or its format is not supported.
    """
    figure = Figure(figsize=(10.0, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.4, 1.0))
    _draw_response(left, population.fit)
    _draw_steps(right, population)
    _conductance_axes(left, right, population.fit.prepared.scale)
    figure.suptitle(textwrap.fill(plain(title), _LETTERS_OF_TITLE), fontsize=9)
    figure.savefig(path, dpi=150, metadata=CREATOR)


def _draw_response(axes: Axes, fit: JointFit) -> None:
    """Draws the stretches with equal pulses, and the fitted devices under these pulses; the colour
    tells the pulse width, or else the device."""
    rows = fit.prepared.alike
    sets = -(-_SIMULATED // len(rows))
    simulated = np.array([weight[rows] for weight in simulate(fit, 2, sets)])
    number, (low, high) = np.arange(rows.shape[1]), np.percentile(simulated, [2.5, 97.5], (0, 1))
    kind = _kinds(fit, rows)
    names = list(dict.fromkeys(kind))
    for place, name in enumerate(names):
        mine, colour = kind == name, colormaps["cool"](place / max(len(names) - 1, 1))
        lines = axes.plot(number, fit.prepared.series.weight[rows[mine]].T, c=colour, lw=0.6)
        if name in (names[0], names[-1]):
            lines[0].set_label(f"measured, {name}: {counted(len(lines), 'stretch', 'stretches')}")
        middle, *_ = axes.plot(number, np.median(simulated[:, mine], (0, 1)), "k-", lw=1.2)
    middle.set_label("simulated: median" + " for each colour" * (len(names) > 1))
    label = f"simulated: 95 % of {sets * len(rows)} trains"
    axes.fill_between(number, low, high, fc=("0.4", 0.2), ec="k", ls="--", lw=0.8, label=label)
    _label(axes, "pulse number", "weight", "pulse response")


def _kinds(fit: JointFit, rows: np.ndarray) -> np.ndarray:
    """Returns [stretches] the device of each stretch, or its largest width if widths differ."""
    timing = fit.prepared.timing
    if timing is None or WIDTH not in timing.asked:
        return np.asarray(np.array(fit.prepared.labels)[fit.prepared.device[rows[:, -1]]])
    return np.array([f"up to {timing.width[own[1:]].max():.3g} s" for own in rows])


def _draw_steps(axes: Axes, population: Population) -> None:
    device, (highest, lowest) = population.device(), population.fit.prepared.ends
    grid = np.linspace(lowest.min(), highest.max(), 100)
    for way in (1, -1) if population.has_down else (1,):
        name, colour, marker, line = _STYLES[way]
        weight, step = _mean_moves(population.fit, way)
        parts = np.array_split(np.argsort(weight), min(_BINS, len(weight) // 2))
        centre, mean = ([values[p].mean() for p in parts] for values in (weight, step))
        error = [student_factor(len(p) - 1) * step[p].std(ddof=1) / np.sqrt(len(p)) for p in parts]
        axes.errorbar(
            centre, mean, error, fmt=marker, color=colour, ms=4, lw=1,
            label=f"measured {name}, 95 % interval",
        )  # fmt: skip
        steps = [way * population.step_at(device, way > 0, float(w)) for w in grid]
        axes.plot(grid, steps, line, color=colour, lw=1.8, label=f"fit {name}")
    axes.axhline(0.0, color="0.5", lw=0.6)
    told = "\n(measured: divided by effects of width and gap)"
    told *= bool({WIDTH, GAP} & set(population.fit.layout.effects.terms))
    _label(axes, "weight", "step of a pulse (weight)", "step against state" + told)


def _mean_moves(fit: JointFit, way: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns weights and the mean change by a pulse there, divided by its factor, and averaged
    over parts of each sweep so that read noise does not hide it."""
    series, middles, moves = fit.arguments[0], [], []
    factors = np.cumsum(series.factor)
    for first, last in fit.prepared.runs:
        if series.pulse[last] != way:
            continue
        size = max(1, (last - first + 1) // _BINS)
        n = (last - first + 1) // size
        parts = (of[first : first + n * size].reshape(n, size) for of in (series.weight, factors))
        means, pulses = (part.mean(axis=1) for part in parts)
        middles.append((means[1:] + means[:-1]) / 2)
        moves.append(np.diff(means) / np.diff(pulses))
    return np.concatenate(middles), np.concatenate(moves)


def _label(axes: Axes, x: str, y: str, title: str) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_title(title, fontsize=9)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + _LEGEND_ROOM * (high - low))  # No curve may cross the legend.
    axes.legend(fontsize=7, frameon=False, loc="upper center", ncols=2)


def _conductance_axes(left: Axes, right: Axes, scale: WeightScale) -> None:
    """Adds conductance axes in the user's unit, opposite the weight axes of both plots."""
    unit, name = SIEMENS[scale.unit], f"conductance ({scale.unit})"
    functions = (
        lambda weight: (scale.zero + weight * scale.span) / unit,
        lambda conductance: (conductance * unit - scale.zero) / scale.span,
    )
    left.secondary_yaxis("right", functions=functions).set_ylabel(name, fontsize=8)
    right.secondary_xaxis("top", functions=functions).set_xlabel(name, fontsize=8)
