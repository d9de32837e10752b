"""The filter of ``likelihood`` reads a `Series` and writes a `Trace`."""

from typing import Final, NamedTuple

import numpy as np

LOCAL: Final = ("log_up", "log_down", "bend_up", "bend_down", "w_max", "w_min")
"""A device's own numbers: logs of its up and its down step at the law's reference weight (0, or the
middle of the bounds), relative changes of the step with the weight (linear law), and bounds.

These are steps at a weight, not aihwkit's scales, which keeps them independent of the shape that
all devices share."""


class Series(NamedTuple):
    """The filter reads these arrays; ``Measurement`` explains the rows.

    Args:
        weight: [rows] measured.
        pulse: [rows] +1, -1, or 0 where none comes between the row before and this one.
        begins: [rows] whether a stretch begins: the row before tells nothing.
        kept: [rows] share of the weight's distance from `rest` that is left of the row before's.
        factor: [rows] step of the row's pulse over that of its state.
        start: [devices + 1] first row of each device.
        clips: [2, devices] whether the device is seen at its upper and its lower bound, so that the
            bound clips; an unreached one does not.
        resolution: read noise below which two weights are the same.
        rest: weight that a device without pulses goes to.
    """

    weight: np.ndarray
    pulse: np.ndarray
    begins: np.ndarray
    kept: np.ndarray
    factor: np.ndarray
    start: np.ndarray
    clips: np.ndarray
    resolution: float
    rest: float


class Trace(NamedTuple):
    """The filter notes these numbers for each row; they are NaN where a stretch begins.

    Args:
        expected: predicted weight. variance: of the prediction. state: filtered weight before.
        log_density: The log-density of the measured weight.
    """

    expected: np.ndarray
    variance: np.ndarray
    state: np.ndarray
    log_density: np.ndarray


def plain_series(
    weight: np.ndarray,
    pulse: np.ndarray,
    start: np.ndarray,
    clips: np.ndarray,
    resolution: float,
    begins: np.ndarray | None = None,
) -> Series:
    """Returns a series of pulses that are alike, and between which nothing happens.

    Args:
        begins: None: where there is no pulse. The others: see ``Series``.
    """
    ones = np.ones(len(weight))
    first = pulse == 0 if begins is None else begins
    return Series(weight, pulse, first, ones, ones, start, clips, resolution, 0.0)


def empty_trace(rows: int) -> Trace:
    """Returns a trace of NaN for ``rows`` rows; 0 where none is kept."""
    columns = [np.full(rows, np.nan) for _ in range(4)]
    return Trace(*columns)
