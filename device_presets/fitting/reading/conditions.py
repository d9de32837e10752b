"""Computes pulse conditions and intervals from columns of time, pulse width and amplitude.

The time of a row is taken as that of its reading, when its pulse has just ended.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from device_presets.fitting.reading.rows import refuse_first
from device_presets.fitting.reading.table import Rows
from device_presets.fitting.reading.units import MOST_VOLTS
from rpu_ssnn.devices.common_parameters import LONGEST_PULSE_S, SHORTEST_PULSE_S

_ROUNDING = 1e-3
"""Clocks may be rounded by up to this share of a time."""


@dataclass(frozen=True)
class Conditions:
    """Holds what is known of the pulses and times of a measurement's rows, [rows] each.

    Args:
        elapsed_s: Time since the previous row; 0 if times are not known.
        age_s: Time from the device's last pulse to the previous row; infinite if no pulse is
            known.
        gap_s: Time from the end of the device's last pulse to the start of this row's pulse, or to
            the reading if the row has none; infinite if no pulse is known.
        width_s: Width of the row's pulse; NaN if it is not known.
        amplitude_v: Amplitude of the row's pulse without its sign; NaN if it is not known.
    """

    elapsed_s: np.ndarray
    age_s: np.ndarray
    gap_s: np.ndarray
    width_s: np.ndarray
    amplitude_v: np.ndarray


def conditions_of(
    file: Path, rows: Rows, follows: np.ndarray, pulsed: np.ndarray
) -> Conditions | None:
    """Returns the conditions of rows that are sorted by device; None if the file has no columns for
    them.

    Args:
        file: The measured file, for errors.
        rows: The rows in the order measured.
        follows: [rows] whether the previous row belongs to the same stretch.
        pulsed: [rows] whether the row has a pulse.

    Raises:
        InputError: A time is missing or runs backwards within a stretch, or a pulse has no
            possible width or amplitude.
    """
    given = rows.conditions
    if not given:
        return None

    def refuse(quantity: str, bad: np.ndarray, allowed: str) -> None:
        if bad.any():
            column, values = rows.columns[quantity], given[quantity]
            refuse_first(file, column.name, rows.file_row, values / column.size, bad, allowed)

    width = amplitude = np.full(len(follows), np.nan)
    counts = follows & pulsed
    if "pulse_width" in given:
        width = np.where(pulsed, given["pulse_width"], np.nan)
        allowed = f"must be a width from {SHORTEST_PULSE_S:g} to {LONGEST_PULSE_S:g} seconds"
        wrong = ~((width >= SHORTEST_PULSE_S) & (width <= LONGEST_PULSE_S))
        refuse("pulse_width", counts & wrong, allowed)
    if "amplitude" in given:
        amplitude = np.where(pulsed, np.abs(given["amplitude"]), np.nan)
        allowed = f"must be a voltage other than zero, at most {MOST_VOLTS:g} V"
        refuse("amplitude", counts & ~((amplitude > 0) & (amplitude <= MOST_VOLTS)), allowed)
    time = given.get("time", np.full(len(follows), np.nan))
    timed = (rows.clock > 0) | np.isfinite(time[rows.clock == 0]).any()
    missing = (follows | np.append(follows[1:], False)) & np.isnan(time) & timed
    refuse("time", missing, "must be given in each row, or come by --retention from a second file")
    before = np.concatenate([time[:1], time[:-1]])
    backwards = follows & timed & ~(time >= before)
    allowed = "must not be earlier than in the row before, of the same device and cycle"
    refuse("time", backwards, allowed)
    # A clock may start anew; that of retention data starts with the device's last pulse.
    clock = rows.device + np.cumsum((time < before) | (np.diff(rows.clock, prepend=0) > 0))
    pulses = pd.Series(np.nan_to_num(time, nan=np.inf)).where(pulsed)  # A time may be unknown.
    last = pulses.groupby(clock).ffill().groupby(clock).shift()
    origin = last.where(rows.clock == 0, 0.0).to_numpy()
    since, age = (np.where(at >= origin, at - origin, np.inf) for at in (time, before))
    gap = since - np.where(pulsed, np.nan_to_num(width), 0.0)
    allowed = "must not be longer than the time since the previous pulse (column of times)"
    refuse("pulse_width", counts & np.isfinite(gap) & (gap < -_ROUNDING * since), allowed)
    elapsed = np.where(follows & timed, time - before, 0.0)
    return Conditions(
        elapsed, np.where(follows, age, np.inf), np.maximum(gap, 0.0), width, amplitude
    )
