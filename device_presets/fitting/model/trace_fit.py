"""aihwkit's own fit of a pulse response (``aihwkit.utils.fitting``), as another method.

It fits the mean curve by least squares and knows no noise, spread or interval. The noises are then
fitted by the likelihood with that curve held fixed, so that a preset and its checks are complete.
"""

import itertools
import math
from dataclasses import replace

import numpy as np
from scipy.optimize import least_squares

from device_presets.fitting.model.first_guess import Layout
from device_presets.fitting.model.joint_fit import JointFit, fit_at
from device_presets.fitting.model.maximum_likelihood import fit_model, refit, with_memory
from device_presets.fitting.model.simulation import alike_stretches, noise_free_response
from device_presets.fitting.model.step_functions import LINEAR, LOCAL, MODELS
from device_presets.fitting.model.weights import Prepared, with_read_noise
from device_presets.steps_at_zero import asymmetry_of
from rpu_ssnn.common.errors import PresetError

CURVE_NUMBERS = 6
"""Fitted to the mean curve: two steps, two slopes, two bounds."""

_MOST_PULSES = 1500
"""Of the mean curve: aihwkit simulates them one by one, in Python."""

_MOST_RUNS = 120
"""Simulations of the curve before the search ends."""

_LEAST_GAIN = 4.0
"""Log-units that read noise with memory, of two numbers, has to gain."""


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
    guess = fit_model(prepared, MODELS[0], counted)
    curve = _curve(prepared, counted)
    start = _least_squares(curve, guess, prepared)
    ups, downs = math.exp(start[0]), math.exp(start[1])
    high, low, step = start[4], start[5], max(ups, downs)
    span = high - low
    parameters = {
        "dw_min": (step, step / 5, min(5 * step, span)),
        "up_down": (asymmetry_of(ups, downs), -0.95, 0.95),
        "w_max": (high, max(high - 0.3 * span, 1e-3), high + 0.5 * span),
        "w_min": (low, low - 0.5 * span, min(low + 0.3 * span, -1e-3)),
        "gamma_up": (start[2] * high, 0.0, 1.0),
        "gamma_down": (-start[3] * low, 0.0, 1.0),
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
    better = min((device, start), key=lambda d: float(np.sum(_misses(d, curve) ** 2)))
    return _with_noises(prepared, better, counted, guess)


type _Curve = list[tuple[np.ndarray, np.ndarray]]


def _misses(device: np.ndarray, curve: _Curve) -> np.ndarray:
    """Of the noise-free response, all stretches one after the other."""
    none = np.zeros(0)
    parts = [noise_free_response(w, p, LINEAR, device, none) - w for w, p in curve]
    return np.concatenate(parts)


def _least_squares(curve: _Curve, guess: JointFit, prepared: Prepared) -> np.ndarray:
    """Where aihwkit's search starts: the same problem, solved with our own simulation."""
    high, low = float(prepared.highest.mean()), float(prepared.lowest.mean())
    span = high - low
    size = np.log(np.exp(guess.local[:, :2]).mean(axis=0))

    def device(numbers: np.ndarray) -> np.ndarray:
        found = numbers.copy()
        found[2], found[3] = numbers[2] / numbers[4], -numbers[3] / numbers[5]
        return found

    def misses(numbers: np.ndarray) -> np.ndarray:
        return _misses(device(numbers), curve)

    limits = (
        [*(size - 3), 0.0, 0.0, max(high - 0.3 * span, 1e-3), low - 0.5 * span],
        [*(size + 3), 1.0, 1.0, high + 0.5 * span, min(low + 0.3 * span, -1e-3)],
    )
    fits = []
    for slope, faster in itertools.product((0.1, 0.5, 0.9), (0.0, 0.7)):
        start = np.array([*(size + faster), slope, slope, high, low])
        fits.append(
            least_squares(
                misses,
                start,
                bounds=limits,
                x_scale=[0.3, 0.3, 0.3, 0.3, span, span],
                diff_step=np.full(6, 1e-4),
            )
        )
    return device(min(fits, key=lambda fit: float(fit.cost)).x)


def _with_noises(
    prepared: Prepared, device: np.ndarray, counted: np.ndarray, guess: JointFit
) -> JointFit:
    """All devices alike; only the noises are fitted."""
    model = next(m for m in MODELS if m.code == LINEAR and m.additive and not m.shape)
    n_devices = len(prepared.highest)
    nothing = np.zeros((len(LOCAL), n_devices), dtype=bool)
    layout = Layout(model, False, np.array([True, True, False, False]), nothing)
    noisy = with_read_noise(prepared)
    local = np.tile(device, (n_devices, 1))
    shared = guess.shared.copy()
    shared[1] = math.log(max(prepared.read_noise, 1e-3))
    white = refit(fit_at(noisy, layout, shared, local, counted), counted)
    memory = with_memory(noisy, white, counted)
    if not memory.total > white.total + _LEAST_GAIN:
        return white
    return replace(memory, layout=replace(memory.layout, local_free=nothing))


def _curve(prepared: Prepared, counted: np.ndarray) -> _Curve:
    """Weights and pulses of each stretch of the mean curve that counts; a stretch begins with 0."""
    series = prepared.series
    alike = alike_stretches(series.pulse, series.begins)
    count, rows = counted[alike].sum(axis=0), alike[0]
    total = np.where(counted[alike], series.weight[alike], 0.0).sum(axis=0)
    curve = total / np.maximum(count, 1)
    use = np.flatnonzero(count)[:_MOST_PULSES]
    found = []
    for part in np.split(use, np.flatnonzero(np.diff(use) > 1) + 1):
        if len(part) > 2:
            pulse = series.pulse[rows[part]].copy()
            pulse[0] = 0
            found.append((curve[part], pulse))
    return found
