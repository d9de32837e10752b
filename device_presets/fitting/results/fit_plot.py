"""Measured and simulated on one page: pulse response, step against state, residual, structure.

The pulse response is the preset's, on an aihwkit tile. Where times, widths or amplitudes are part
of the fit, it is the model's, under those that were measured. The lower panels are the fitted
model's own simulations, which have read noise with memory where the fit has it.
"""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.simulation import LAGS, Comparison, Summary, simulate
from device_presets.fitting.model.weights import WeightScale
from device_presets.fitting.reading.csv_layout import SIEMENS
from device_presets.fitting.results.intervals import student_factor
from device_presets.fitting.results.population import Population
from device_presets.preset import Preset
from device_presets.pulsing import pulse_train
from rpu_ssnn.common.wording import counted, plain

_MOST_PULSES = 3000
_SIMULATED = 200
_BINS = 12
_COLOURS = {True: "#0072B2", False: "#D55E00"}  # Okabe and Ito: safe for the colour-blind
_MARKERS = {True: "o", False: "s"}
_LINES = {True: "-", False: "--"}


def draw_fit(path: Path, population: Population, preset: Preset, title: str) -> None:
    """Draws the measured devices and the fitted preset, pulsed on an aihwkit tile.

    Raises:
        OSError, ValueError: the file cannot be written, or not in that format.
    """
    figure = Figure(figsize=(10.0, 7.6), layout="constrained")
    (left, right), (lower, corner) = figure.subplots(2, 2, width_ratios=(1.4, 1.0))
    _draw_response(left, population.fit, preset)
    _draw_steps(right, population)
    comparison = Comparison(population.fit)
    measured = comparison.summary(population.fit.prepared.series.weight)
    simulated = [comparison.summary(w) for w in simulate(population.fit, _SIMULATED, seed=1)]
    _draw_residual(lower, measured, simulated)
    _draw_structure(corner, measured, simulated)
    scale = population.fit.prepared.scale
    for axes, side in ((left, "y"), (right, "x")):
        _conductance_axis(axes, scale, side)
    figure.suptitle(plain(title), fontsize=9)
    figure.savefig(path, dpi=150)


def _draw_response(axes: Axes, fit: JointFit, preset: Preset) -> None:
    """Devices that share the first stretch's pulses, and what the preset does under them."""
    pulses, measured, rows = _common_stretch(fit)
    of = "devices"
    if fit.layout.history.terms or not pulses.all():  # a preset's train has no times
        simulated = np.array([weight[rows] for weight in simulate(fit, _SIMULATED, seed=2)]).T
        of = "trains of the first device, in the model"
    else:
        simulated = pulse_train(
            preset, _SIMULATED, [bool(p > 0) for p in pulses], float(measured[0].mean()), seed=0
        )
    number = np.arange(len(measured))
    low, high = np.percentile(simulated, [2.5, 97.5], axis=1)
    for k in range(measured.shape[1]):
        name = f"measured: {counted(measured.shape[1], 'device')}" if k == 0 else None
        axes.plot(number, measured[:, k], color="#56B4E9", lw=0.6, alpha=0.6, label=name)
    label = f"simulated: 95 % of {_SIMULATED} {of}"
    axes.fill_between(number, low, high, color="0.4", alpha=0.2, lw=0)
    axes.plot(number, low, "k--", lw=0.8, label=label)
    axes.plot(number, high, "k--", lw=0.8)
    axes.plot(number, np.median(simulated, axis=1), "k-", lw=1.8, label="simulated: median")
    _label(axes, "pulse number", "weight", "pulse response")


def _common_stretch(fit: JointFit) -> tuple[np.ndarray, np.ndarray, slice]:
    """Pulses of the first device's longest stretch, the weights of all devices that got the same
    ones in one stretch, and its rows: [pulses], [pulses + 1, devices]."""
    series = fit.prepared.series
    starts = np.flatnonzero(series.begins)
    ends = np.append(starts[1:], len(series.pulse))
    owner = fit.prepared.device[starts]
    mine = np.flatnonzero(owner == 0)
    longest = mine[int(np.argmax(ends[mine] - starts[mine]))]
    n = min(int(ends[longest] - starts[longest]), _MOST_PULSES)
    pulses = series.pulse[starts[longest] + 1 : starts[longest] + n]
    columns: dict[int, np.ndarray] = {}
    for first, end, device in zip(starts, ends, owner, strict=True):
        same = end - first >= n and (series.pulse[first + 1 : first + n] == pulses).all()
        if same and int(device) not in columns:
            columns[int(device)] = series.weight[first : first + n]
    rows = slice(int(starts[longest]), int(starts[longest]) + n)
    return pulses, np.stack(list(columns.values()), axis=1), rows


def _draw_steps(axes: Axes, population: Population) -> None:
    blocks = population.fit.prepared.blocks
    device = population.device()
    low, high = float(device.local[5]), float(device.local[4])
    grid = np.linspace(low, high, 100)
    for up in (True, False) if population.has_down else (True,):
        mine = blocks.up == up
        weight, step = blocks.weight[mine], blocks.step[mine]
        sign = 1.0 if up else -1.0
        order = np.argsort(weight)
        parts = [p for p in np.array_split(order, _BINS) if len(p)]
        centre = [weight[p].mean() for p in parts]
        mean = [sign * step[p].mean() for p in parts]
        name = "up" if up else "down"
        label, error = f"measured {name}", None
        if all(len(p) > 1 for p in parts):  # one block alone has no interval
            label += ", 95 %"
            error = [
                student_factor(len(p) - 1) * step[p].std(ddof=1) / np.sqrt(len(p)) for p in parts
            ]
        axes.errorbar(
            centre,
            mean,
            error,
            fmt=_MARKERS[up],
            color=_COLOURS[up],
            ms=4,
            lw=1,
            label=label,
        )
        steps = [sign * population.step_at(device, up, float(w)) for w in grid]
        axes.plot(grid, steps, _LINES[up], color=_COLOURS[up], lw=1.8, label=f"fit {name}")
    axes.axhline(0.0, color="0.5", lw=0.6)
    terms = ", ".join(population.fit.layout.history.terms)
    told = f"; measured ones hold the effects of {terms}" if terms else ""
    _label(axes, "weight", "step of a pulse (weight)", "step against state" + told)


def _draw_residual(axes: Axes, measured: Summary, simulated: list[Summary]) -> None:
    """The measured mean curve against those of the model, less their mean."""
    curves = np.array([s.curve for s in simulated])
    centre = curves.mean(axis=0)
    low, high = np.percentile(curves - centre, [2.5, 97.5], axis=0)
    number = np.arange(len(centre))
    axes.fill_between(number, low, high, color="0.4", alpha=0.25, lw=0, label="simulated: 95 %")
    axes.plot(number, measured.curve - centre, color="#0072B2", lw=1.0, label="measured")
    axes.axhline(0.0, color="0.5", lw=0.6)
    _label(axes, "pulse number", "weight - simulated mean", "mean curve less its simulated mean")


def _draw_structure(axes: Axes, measured: Summary, simulated: list[Summary]) -> None:
    """Scatter of changes over some pulses: cycle noise adds up, read noise does not."""
    there = np.isfinite(measured.structure) & (measured.structure > 0)
    if not there.any():
        axes.axis("off")
        return
    lags = np.array(LAGS)[there]
    theirs = np.sqrt(np.array([s.structure[there] for s in simulated]))
    low, high = np.percentile(theirs, [2.5, 97.5], axis=0)
    axes.fill_between(lags, low, high, color="0.4", alpha=0.25, lw=0, label="simulated: 95 %")
    axes.plot(lags, np.median(theirs, axis=0), "k-", lw=1.2, label="simulated: median")
    axes.plot(lags, np.sqrt(measured.structure[there]), "o", color="#0072B2", label="measured")
    axes.set_xscale("log")
    axes.set_yscale("log")
    title = "structure function, within runs of one polarity"
    _label(axes, "pulses between two readings", "deviation of the change (weight)", title)


def _label(axes: Axes, x: str, y: str, title: str) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_title(title, fontsize=9)
    axes.legend(fontsize=7, frameon=False)


def _conductance_axis(axes: Axes, scale: WeightScale, side: str) -> None:
    """A second axis in the user's unit: the same limits, converted."""
    twin = axes.twinx() if side == "y" else axes.twiny()
    limits = axes.get_ylim() if side == "y" else axes.get_xlim()
    low, high = ((scale.zero + w * scale.span) / SIEMENS[scale.unit] for w in limits)
    if side == "y":
        twin.set_ylim(low, high)
        twin.set_ylabel(f"conductance ({scale.unit})", fontsize=8)
    else:
        twin.set_xlim(low, high)
        twin.set_xlabel(f"conductance ({scale.unit})", fontsize=8)
    twin.tick_params(labelsize=7)
