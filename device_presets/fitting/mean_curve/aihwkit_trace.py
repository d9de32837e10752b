"""aihwkit's own fit of a pulse response (``aihwkit.utils.fitting``), as another method.

It fits the mean curve by least squares and knows no noise, spread or interval. The noises are then
fitted by the likelihood with that curve held fixed, so that a preset and its checks are complete.
"""

import math

import numpy as np

from device_presets.fitting.mean_curve.least_squares import (
    mean_curve,
    misses,
    nearest_numbers,
    with_noises,
)
from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.maximum_likelihood import fit_model
from device_presets.fitting.model.step_functions import MODELS
from device_presets.fitting.model.weights import Prepared
from device_presets.steps_at_zero import asymmetry_of
from rpu_ssnn.common.errors import PresetError

_MODEL = next(m for m in MODELS if m.own_slopes and m.additive)
"""The linear step, with constant noise."""

_MOST_PULSES = 1500
"""Of the mean curve: aihwkit simulates them one by one, in Python."""

_MOST_RUNS = 120
"""Simulations of the curve before the search ends."""


def trace_fit(prepared: Prepared, counted: np.ndarray) -> JointFit:
    """aihwkit's linear step fitted to the mean curve, with noises by the likelihood.

    Args:
        counted: [rows] rows that count, in the mean curve too.

    Raises:
        PresetError: only one direction.
    """
    from aihwkit.simulator.configs.devices import LinearStepDevice
    from aihwkit.utils.fitting import fit_measurements

    if not prepared.has_down:
        allowed = "must be likelihood: aihwkit's linear step needs pulses both ways"
        raise PresetError("presets fit", "--method", "aihwkit", allowed)
    guess = fit_model(prepared, _MODEL, counted)
    curve = mean_curve(prepared, counted, _MOST_PULSES)
    start, shape = nearest_numbers(prepared, guess, curve)
    ups, downs = math.exp(start[0]), math.exp(start[1])
    high, low, step = start[4], start[5], max(ups, downs)
    span = high - low
    parameters = {
        "dw_min": (step, step / 5, min(5 * step, span)),
        "up_down": (asymmetry_of(ups, downs), -0.95, 0.95),
        "w_max": (high, max(high - 0.3 * span, 1e-3), high + 0.5 * span),
        "w_min": (low, low - 0.5 * span, min(low + 0.3 * span, -1e-3)),
        "gamma_up": (max(start[2] * high, 0.0), 0.0, 1.0),
        "gamma_down": (max(-start[3] * low, 0.0), 0.0, 1.0),
    }
    try:
        found, _, _ = fit_measurements(
            parameters,
            tuple(np.append(pulses[1:], 0.0) for _, pulses in curve),  # its n-th follows weight n
            tuple(weights for weights, _ in curve),
            LinearStepDevice(construction_seed=1),
            method="powell",
            max_nfev=_MOST_RUNS,
        )
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        allowed = f"must be likelihood: aihwkit's tool stops with: {reason}"
        raise PresetError("presets fit", "--method", "aihwkit", allowed) from None
    values = found.params.valuesdict()
    up = values["dw_min"] * (1 + min(values["up_down"], 0.0))
    down = values["dw_min"] * (1 - max(values["up_down"], 0.0))
    device = np.array(
        [
            math.log(max(up, 1e-9)),
            math.log(max(down, 1e-9)),
            values["gamma_up"] / values["w_max"],
            -values["gamma_down"] / values["w_min"],
            values["w_max"],
            values["w_min"],
        ]
    )
    # A search that was cut off may end where it was trying, not where it was best.
    better = min((device, start), key=lambda d: float(np.sum(misses(curve, _MODEL, d, shape) ** 2)))
    return with_noises(prepared, _MODEL, better, shape, counted, guess.shared)
