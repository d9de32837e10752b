"""How far the mean curve of a fit, drawn without noise, is from the measured one."""

from dataclasses import dataclass

import numpy as np

from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.maximum_likelihood import refit
from device_presets.fitting.model.simulation import alike_stretches, noise_free_curve


@dataclass(frozen=True)
class CurveErrors:
    """Root mean square deviations, as shares of the measured range.

    Args:
        up, down: The deviation over the up and over the down pulses; NaN where there are none.
    """

    up: float
    down: float

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
    return seen, open_loop(refit(fit, training, most_steps=60), ~training)


def open_loop(fit: JointFit, rows: np.ndarray) -> CurveErrors:
    """Returns errors of the curve that the model draws by itself from where each stretch begins.

    Args:
        fit: Any fit of the measurement.
        rows: [rows] which ones count; the mean is over devices and cycles with the same pulses.
    """
    series = fit.prepared.series
    alike = alike_stretches(fit.prepared)[:, 1:]
    measured, noise_free = series.weight[alike], noise_free_curve(fit)[alike]
    wanted = rows[alike] & (series.pulse[alike] != 0)
    span = float(np.mean(fit.prepared.highest - fit.prepared.lowest))
    errors = []
    for way in (1, -1):
        mine = wanted & (series.pulse[alike] == way)
        share = mine.sum(axis=0)
        points = share > 0
        if not points.any():
            errors.append(float("nan"))
            continue
        gap = np.where(mine, measured - noise_free, 0.0).sum(axis=0)[points] / share[points]
        errors.append(float(np.sqrt(np.mean(gap**2))) / span)
    return CurveErrors(*errors)


def training_rows(fit: JointFit) -> np.ndarray | None:
    """Returns [rows] the first half of the cycles that the mean curve has; None where it has one
    cycle, or a device has one cycle only."""
    series, cycle = fit.prepared.series, fit.prepared.own_cycle
    alike = alike_stretches(fit.prepared)[:, 1:]
    cycles = np.unique(cycle[alike[series.pulse[alike] != 0]])
    return None if len(cycles) < 2 else np.asarray(cycle <= cycles[(len(cycles) - 1) // 2])
