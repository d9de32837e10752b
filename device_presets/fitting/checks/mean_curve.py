"""How far the mean curve of a fit, drawn without noise, is from the measured one."""

import math
from dataclasses import dataclass

import numpy as np

from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.maximum_likelihood import refit
from device_presets.fitting.model.moments import BY_MOMENTS, fitted_to_moments, mean_gaps
from device_presets.fitting.model.simulation import alike_stretches, simulate
from device_presets.fitting.rows import runs_of

_BAND, _SETS = (5.0, 95.0), 200
_MOST_SWEEPS = 8


@dataclass(frozen=True)
class CurveErrors:
    """Root mean square deviations, as shares of the measured range.

    Args:
        up, down: The deviation over the up and over the down pulses; NaN where there are none.
    """

    up: float
    down: float

    @property
    def worst(self) -> float:
        """Returns the larger deviation."""
        return float(np.nanmax([self.up, self.down]))

    @property
    def percent(self) -> str:
        """Returns both deviations in words, in percent."""
        return " / ".join("-" if np.isnan(e) else f"{100 * e:.1f} %" for e in (self.up, self.down))

    @property
    def text(self) -> str:
        """Returns both deviations in words."""
        return " / ".join("-" if np.isnan(e) else f"{e:.3f}" for e in (self.up, self.down))


def curve_errors(fit: JointFit) -> tuple[CurveErrors, CurveErrors | None]:
    """Returns errors of a fit's mean curve over all pulses, and over cycles that were held out.

    Returns:
        The second one is None where a device has one cycle only.
    """
    seen = open_loop(fit, fit.prepared.everything)
    training = training_rows(fit)
    if training is None:
        return seen, None
    if fit.layout.how == BY_MOMENTS:
        return seen, open_loop(fitted_to_moments(fit, training), ~training)
    return seen, open_loop(refit(fit, training, most_steps=60), ~training)


def open_loop(fit: JointFit, rows: np.ndarray) -> CurveErrors:
    """Returns errors of the curve that the model draws by itself from where each stretch begins.

    Args:
        fit: Any fit of the measurement.
        rows: [rows] which ones count; the mean is over devices and cycles with the same pulses.
    """
    span = float(np.mean(fit.prepared.highest - fit.prepared.lowest))
    gaps = mean_gaps(fit, rows, alike_stretches(fit.prepared))
    up, down = (float(np.sqrt(np.mean(g**2))) / span if len(g) else math.nan for g in gaps)
    return CurveErrors(up, down)


def training_rows(fit: JointFit) -> np.ndarray | None:
    """Returns [rows] the first half of the cycles that the mean curve has; None where it has one
    cycle, or a device has one cycle only."""
    series, cycle = fit.prepared.series, fit.prepared.own_cycle
    alike = alike_stretches(fit.prepared)[:, 1:]
    cycles = np.unique(cycle[alike[series.pulse[alike] != 0]])
    return None if len(cycles) < 2 else np.asarray(cycle <= cycles[(len(cycles) - 1) // 2])


def held_out_rows(fit: JointFit) -> np.ndarray:
    """Returns [rows] those that `training_rows` leaves out; all where it has none."""
    training = training_rows(fit)
    return fit.prepared.everything if training is None else ~training


def coverage(fit: JointFit, rows: np.ndarray) -> float:
    """Returns the share of the readings that lie within the 90 % band of simulations, each cycle
    simulated from where it begins.

    Args:
        rows: [rows] which readings count.
    """
    alike = alike_stretches(fit.prepared)[:, 1:]
    sets = [w[alike] for w in simulate(fit, _SETS, seed=3, anew=True)]
    low, high = np.percentile(sets, _BAND, axis=0)
    measured = fit.prepared.series.weight[alike]
    return float(((measured >= low) & (measured <= high))[rows[alike]].mean())


def neurosim_errors(fit: JointFit) -> CurveErrors | None:
    """Returns the errors that NeuroSim's formula B (1 - exp(-pulse / A)) has on the cycles held
    out, fitted by least squares to the mean sweeps of the other cycles; None where none can be held
    out, or a cycle has more than a few sweeps."""
    training, series = training_rows(fit), fit.prepared.series
    rows = alike_stretches(fit.prepared)
    after = np.append(0, series.pulse[rows[0, 1:]])  # the first reading is before the cycle
    sweeps = runs_of(after, np.zeros(rows.shape[1]))
    if training is None or len(sweeps) > _MOST_SWEEPS:
        return None
    old = training[rows[:, 1]]
    known, asked = (series.weight[rows[part]].mean(axis=0) for part in (old, ~old))
    span = float(np.mean(fit.prepared.highest - fit.prepared.lowest))
    gaps: dict[int, list[np.ndarray]] = {1: [], -1: []}
    for first, last in sweeps:
        first = max(first, 0)
        number, seen = np.arange(last - first + 1), known[first : last + 1] - known[first]
        best = (np.inf, seen)
        for a in np.concatenate([way * np.geomspace(0.05, 20, 60) for way in (1, -1)]):
            shape = 1.0 - np.exp(-number / (a * len(number)))
            curve = shape * float(shape @ seen) / float(shape @ shape)
            error = float(np.sum((seen - curve) ** 2))
            best = (error, curve) if error < best[0] else best
        gap = asked[first + 1 : last + 1] - asked[first] - best[1][1:]
        gaps[int(series.pulse[rows[0, last]])].append(gap)
    sizes = [
        np.sqrt(np.mean(np.concatenate(g) ** 2)) / span if g else np.nan for g in gaps.values()
    ]
    return CurveErrors(*map(float, sizes))
