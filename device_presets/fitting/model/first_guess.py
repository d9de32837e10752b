"""This file says where a fit starts."""

import numpy as np

from device_presets.fitting.model.joint_fit import JointFit, fit_at
from device_presets.fitting.model.layout import HIGH, LOW, NOISES, Layout
from device_presets.fitting.model.moments import fitted_to_moments
from device_presets.fitting.model.preparation import Prepared
from device_presets.fitting.model.series import LOCAL
from rpu_ssnn.devices.fit_form import SOFT_BOUNDS

_LEAST_STEP = 1e-3  # of the range


def first_guesses(
    prepared: Prepared, layout: Layout, counted: np.ndarray | None
) -> tuple[JointFit, JointFit]:
    """Returns two fits to start from: the mean moves of each device, and what the mean curve makes
    of them.

    Args:
        prepared, layout: The data and the model.
        counted: [rows] rows that the likelihood counts; None: all.
    """
    series, span = prepared.series, prepared.highest - prepared.lowest
    change = np.diff(series.weight, prepend=series.weight[:1])
    local = np.zeros((len(span), len(LOCAL)))
    for column, way in ((0, 1), (1, -1)):
        mine = series.pulse == way
        moves = np.bincount(prepared.device[mine], way * change[mine], len(span))
        moves = moves / np.maximum(np.bincount(prepared.device[mine], minlength=len(span)), 1)
        local[:, column] = np.log(np.maximum(moves, _LEAST_STEP * span))
    local[:, 4], local[:, 5] = prepared.highest, prepared.lowest
    if layout.model.code == SOFT_BOUNDS:
        high = np.maximum(prepared.highest + 0.05 * span, 0.1 * span)
        low = np.minimum(prepared.lowest - 0.05 * span, -0.1 * span)
        local[:, 4:] = np.where(layout.local_free[4:].T, np.array([high, low]).T, local[:, 4:])
    step = float(np.exp(local[:, :2].mean()))
    scatter = float(np.var(change[series.pulse != 0])) - 2 * prepared.read_noise**2
    noises = np.log([max(np.sqrt(max(scatter, 0.0)) / step, 0.1), max(prepared.read_noise, 2e-6)])
    numbers = np.zeros(len(layout.effects.names))
    shared = np.array([*np.clip(noises, LOW, HIGH), *layout.model.start, *numbers])
    first = fit_at(prepared, layout, shared, local, counted)
    curve = fitted_to_moments(first, prepared.everything if counted is None else counted)
    shared = np.append(shared[:NOISES], curve.shared[NOISES:])
    return first, fit_at(prepared, layout, shared, curve.local, counted)
