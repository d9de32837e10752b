"""The numbers of a step model whose noise-free curve is nearest to the measured mean curve.

If the law of the noise is wrong, the curve of the likeliest fit may be far from the mean curve. If
no model describes the data, one device gets the step with the nearest curve.
"""

import itertools
import math
from dataclasses import replace

import numpy as np
from scipy.optimize import least_squares

from device_presets.fitting.model.first_guess import NOISES, Layout
from device_presets.fitting.model.joint_fit import JointFit, fit_at
from device_presets.fitting.model.maximum_likelihood import layout_of, refit, with_memory
from device_presets.fitting.model.simulation import alike_stretches, noise_free_response
from device_presets.fitting.model.step_functions import LOCAL, MODELS, StepModel
from device_presets.fitting.model.weights import Prepared, with_read_noise

_LEAST_GAIN = 4.0
"""Log-units that read noise with memory, of two numbers, has to gain."""

_SIZES = (0.005, 0.05, 0.5)
"""Steps as shares of the range that a search starts from, in each direction."""

_SMALLEST = 1e-5
"""Share of the range below which no step is tried."""

type Curve = list[tuple[np.ndarray, np.ndarray]]
"""Weights and pulses of each stretch; a stretch begins with a pulse of 0."""


def nearest_curve(prepared: Prepared, fit: JointFit, counted: np.ndarray | None = None) -> JointFit:
    """The step of `fit` with the nearest curve; noises, and the law of the cycle noise, by the
    likelihood.

    Args:
        prepared: of one device, without times, widths and amplitudes.
        fit: by the likelihood; the search starts from its numbers.
        counted: [rows] rows that count, in the mean curve too; None: all.
    """
    rows = prepared.everything if counted is None else counted
    near = on_curve(prepared, fit, rows)
    model = fit.layout.model
    laws = [m for m in MODELS if (m.code, m.shape) == (model.code, model.shape)]
    found = [
        with_noises(prepared, law, near.local[0], near.shape, rows, fit.shared) for law in laws
    ]
    return max(found, key=lambda one: one.total)


def on_curve(prepared: Prepared, fit: JointFit, counted: np.ndarray) -> JointFit:
    """`fit` with the steps, bounds and shape whose curve is nearest; its noises stay.

    Args: as for `nearest_curve`.
    """
    curve = mean_curve(prepared, counted)
    device, shape = nearest_numbers(prepared, fit, curve)
    shared = np.concatenate([fit.shared[:NOISES], shape])
    local = np.tile(device, (len(fit.local), 1))
    return fit_at(with_read_noise(prepared), fit.layout, shared, local, counted)


def n_numbers(model: StepModel) -> int:
    """How many numbers of a step are fitted to the mean curve: steps, bounds, slopes, shape."""
    return 4 + (2 if model.own_slopes else 0) + len(model.shape)


def mean_curve(prepared: Prepared, counted: np.ndarray, most: int | None = None) -> Curve:
    """The mean over devices and cycles with the same pulses, of the rows that count.

    Args:
        counted: [rows] rows that count.
        most: pulses at most, from the first on; None: all.
    """
    series = prepared.series
    alike = alike_stretches(series.pulse, series.begins)
    count, rows = counted[alike].sum(axis=0), alike[0]
    total = np.where(counted[alike], series.weight[alike], 0.0).sum(axis=0)
    curve = total / np.maximum(count, 1)
    use = np.flatnonzero(count)[:most]
    found = []
    for part in np.split(use, np.flatnonzero(np.diff(use) > 1) + 1):
        if len(part) > 2:
            pulse = series.pulse[rows[part]].copy()
            pulse[0] = 0
            found.append((curve[part], pulse))
    return found


def nearest_numbers(
    prepared: Prepared, fit: JointFit, curve: Curve
) -> tuple[np.ndarray, np.ndarray]:
    """Own numbers (``step_functions.LOCAL``) and shape of a fit's model that miss a curve least.

    Searches start from the numbers of the fit, and from its model's first ones with steps of
    several sizes.
    """
    model = fit.layout.model
    local, shape = fit.local.mean(axis=0), fit.shape
    high, low = float(prepared.highest.mean()), float(prepared.lowest.mean())
    span = high - low
    slopes = [local[2] * local[4], -local[3] * local[5]] if model.own_slopes else []
    smallest, largest = math.log(_SMALLEST * span), math.log(span)
    lower = np.array(
        [smallest, smallest, max(high - 0.3 * span, 1e-3), low - 0.5 * span]
        + [-1.0] * len(slopes)
        + list(model.low)
    )
    upper = np.array(
        [largest, largest, high + 0.5 * span, min(low + 0.3 * span, -1e-3)]
        + [1.0] * len(slopes)
        + list(model.high)
    )
    fitted = np.array([*local[:2], *local[4:], *slopes, *shape])
    plain = [high, low, *[0.5] * len(slopes), *model.start]
    sizes = np.log(np.multiply(span, _SIZES))
    starts = [fitted, *(np.array([*both, *plain]) for both in itertools.product(sizes, sizes))]

    def residuals(numbers: np.ndarray) -> np.ndarray:
        return misses(curve, model, *_parts(model, numbers))

    found = [
        least_squares(
            residuals,
            np.clip(start, lower + 1e-9, upper - 1e-9),
            bounds=(lower, upper),
            x_scale=[0.3, 0.3, span, span] + [0.3] * (len(start) - 4),
            diff_step=np.full(len(start), 1e-4),
            max_nfev=60,
        )
        for start in starts
    ]
    return _parts(model, min(found, key=lambda one: float(one.cost)).x)


def misses(curve: Curve, model: StepModel, device: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """Of the noise-free response, all stretches one after the other.

    Args:
        device: [6] as ``step_functions.LOCAL``. shape: of the model.
    """
    parts = [noise_free_response(w, p, model.code, device, shape) - w for w, p in curve]
    return np.concatenate(parts)


def with_noises(
    prepared: Prepared,
    model: StepModel,
    device: np.ndarray,
    shape: np.ndarray,
    counted: np.ndarray,
    start: np.ndarray,
) -> JointFit:
    """All devices alike, with this step; only the noises are fitted.

    Args:
        device: [6] as ``step_functions.LOCAL``. shape: of the model.
        counted: [rows] rows that count.
        start: shared numbers of a fit; the search starts from its noises.
    """
    n_devices = len(prepared.highest)
    nothing = np.zeros((len(LOCAL), n_devices), dtype=bool)
    noisy = with_read_noise(prepared)
    free = layout_of(noisy, model).shared_free & (np.arange(NOISES + len(shape)) < NOISES)
    layout = Layout(model, False, free, nothing)
    local = np.tile(device, (n_devices, 1))
    shared = np.concatenate([start[:NOISES], shape])
    shared[1] = math.log(max(prepared.read_noise, 1e-3))
    white = refit(fit_at(noisy, layout, shared, local, counted), counted)
    memory = with_memory(noisy, white, counted)
    if not memory.total > white.total + _LEAST_GAIN:
        return white
    kept = memory.layout.shared_free & (np.arange(len(shared)) < NOISES)
    return replace(memory, layout=replace(memory.layout, shared_free=kept, local_free=nothing))


def _parts(model: StepModel, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Own numbers of the device, and shape, from two steps, two bounds, two slopes where the
    device has them (share of the step that is lost to the bound), and shape."""
    up, down, high, low = numbers[:4]
    if not model.own_slopes:
        return np.array([up, down, 0.0, 0.0, high, low]), np.ascontiguousarray(numbers[4:])
    bends = numbers[4] / high, -numbers[5] / low
    return np.array([up, down, *bends, high, low]), np.zeros(0)
