"""Defines the `Series` that the filter of ``likelihood`` reads, and the `Trace` that it writes."""

from typing import Final, NamedTuple

import numpy as np

LOCAL: Final = ("log_up", "log_down", "bend_up", "bend_down", "w_max", "w_min")
"""Each device has its own numbers: logs of its up and its down step at the law's reference weight
(0, or the middle of the bounds), relative changes of the step with the weight (linear law), and
bounds.

The steps are those at a weight, not aihwkit's scales, which keeps them independent of the shape
that all devices share."""


class Series(NamedTuple):
    """Holds the arrays that the filter reads; ``Measurement`` explains the rows.

    Args:
        weight: [rows] measured weight.
        pulse: [rows] +1, -1, or 0 if there is no pulse between the previous row and this one.
        begins: [rows] whether a stretch begins, which the previous row does not predict.
        rests: [rows] whether the stretch of the row has no pulse.
        kept: [rows] share of the previous row's distance from `rest` that is left.
        factor: [rows] step of the row's pulse, divided by the step at its state.
        start: [devices + 1] first row of each device.
        clips: [2, devices] whether the device reaches its upper and its lower bound; only a reached
            bound clips.
        resolution: Distance below which two weights are equal; it adds to the read noise.
        rest: Weight toward which a device without pulses moves.
    """

    weight: np.ndarray
    pulse: np.ndarray
    begins: np.ndarray
    rests: np.ndarray
    kept: np.ndarray
    factor: np.ndarray
    start: np.ndarray
    clips: np.ndarray
    resolution: float
    rest: float


class Trace(NamedTuple):
    """Holds the filter's numbers for each row, which are NaN where a stretch begins.

    Args:
        expected: Predicted weight.
        variance: Variance of the predicted reading.
        state: Filtered weight before the row.
        log_density: Log-density of the measured weight.
        step: Mean step of the pulse; 0 without a pulse.
        noisy_step: The step of which the pulse's cycle noise is a share; 0 without a pulse.
    """

    expected: np.ndarray
    variance: np.ndarray
    state: np.ndarray
    log_density: np.ndarray
    step: np.ndarray
    noisy_step: np.ndarray


def empty_trace(rows: int) -> Trace:
    """Returns a trace of NaN for ``rows`` rows; 0 rows if no trace is kept."""
    return Trace(*[np.full(rows, np.nan) for _ in Trace._fields])
