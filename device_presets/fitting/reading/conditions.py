"""How each row's pulse was made, and how much time passed: from columns of time, width, amplitude.

A row's time is taken as that of its reading, at which its pulse has just ended.
"""

from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np

from device_presets.fitting.reading.csv_layout import CONDITIONS
from device_presets.fitting.reading.csv_reading import Rows
from device_presets.fitting.rows import refuse_first
from rpu_ssnn.devices.common_parameters import LONGEST_PULSE_S, SHORTEST_PULSE_S


@dataclass(frozen=True)
class Conditions:
    """Of a measurement's rows, [rows] each.

    Args:
        elapsed_s: since the row before; 0 where no time is known.
        age_s: what had passed at the row before since the device's last pulse; infinite where no
            pulse is known.
        gap_s: from the end of the device's last pulse to the start of this row's, or to this
            reading where there is no pulse; infinite where none is known.
        width_s: of the row's pulse; NaN where it is not known.
        amplitude_v: size of the row's pulse, without its sign; NaN where it is not known.
    """

    elapsed_s: np.ndarray
    age_s: np.ndarray
    gap_s: np.ndarray
    width_s: np.ndarray
    amplitude_v: np.ndarray

    @property
    def known(self) -> set[str]:
        """Those of ``CONDITIONS`` that the file tells."""
        told = (self.elapsed_s > 0, np.isfinite(self.width_s), np.isfinite(self.amplitude_v))
        return {name for name, rows in zip(CONDITIONS, told, strict=True) if rows.any()}

    def only(self, names: set[str]) -> "Conditions | None":
        """These of ``CONDITIONS``; None where there are none."""
        elapsed, age, gap, width, amplitude = astuple(self)
        if "time_s" not in names:
            elapsed, age = np.zeros_like(age), np.full_like(age, np.inf)
            gap = age
        if "pulse_width_s" not in names:
            width = np.full_like(width, np.nan)
        if "amplitude_v" not in names:
            amplitude = np.full_like(amplitude, np.nan)
        return Conditions(elapsed, age, gap, width, amplitude) if names else None


def conditions_of(
    file: Path, rows: Rows, follows: np.ndarray, pulsed: np.ndarray
) -> Conditions | None:
    """Of rows that are sorted by device; None where the file says nothing of them.

    Args:
        file: for errors.
        rows: in the order measured.
        follows: [rows] whether the row before belongs to the same stretch.
        pulsed: [rows] whether a pulse comes with the row.

    Raises:
        PresetError: a time that is missing or runs backwards within a stretch; a width or an
            amplitude that is missing or impossible where a pulse counts.
    """
    if not rows.columns:
        return None

    def refuse(role: str, values: np.ndarray, bad: np.ndarray, allowed: str) -> None:
        refuse_first(file, rows.columns[role], rows.file_row, values, bad, allowed)

    nothing = np.full(len(follows), np.nan)
    counts = follows & pulsed
    width, amplitude = nothing, nothing
    if rows.width_s is not None:
        width = np.where(pulsed, rows.width_s, np.nan)
        allowed = f"must be a width in seconds, from {SHORTEST_PULSE_S:g} to {LONGEST_PULSE_S:g}"
        wrong = ~((width >= SHORTEST_PULSE_S) & (width <= LONGEST_PULSE_S))
        refuse("pulse_width_s", width, counts & wrong, allowed)
    if rows.amplitude_v is not None:
        amplitude = np.where(pulsed, np.abs(rows.amplitude_v), np.nan)
        wrong = ~(np.isfinite(amplitude) & (amplitude > 0))
        allowed = "must be a voltage other than zero"
        refuse("amplitude_v", amplitude, counts & wrong, allowed)
    if rows.time_s is None:
        unknown = np.full(len(follows), np.inf)
        return Conditions(np.zeros(len(follows)), unknown, unknown, width, amplitude)
    time = rows.time_s
    wrong = (follows | np.append(follows[1:], False)) & ~np.isfinite(time)
    refuse("time_s", time, wrong, "must be a time in seconds in each row")
    before = np.concatenate([time[:1], time[:-1]])
    backwards = follows & ~(time >= before)
    allowed = "must not be before the time of the row before, of the same device and cycle"
    refuse("time_s", time, backwards, allowed)
    last = _last_pulse(rows.device, pulsed)
    since = np.where(last >= 0, time - time[np.maximum(last, 0)], np.inf)
    since = np.where(since >= 0, since, np.inf)  # the clock began anew
    first = np.concatenate([[-1], np.where(pulsed, np.arange(len(time)), last)[:-1]])
    age = np.where(first >= 0, before - time[np.maximum(first, 0)], np.inf)
    age = np.where(age >= 0, age, np.inf)
    gap = np.maximum(since - np.where(pulsed, np.nan_to_num(width), 0.0), 0.0)
    elapsed = np.where(follows, time - before, 0.0)
    return Conditions(elapsed, np.where(follows, age, np.inf), gap, width, amplitude)


def _last_pulse(device: np.ndarray, pulsed: np.ndarray) -> np.ndarray:
    """[rows] the row of the device's last pulse before each; -1 where there is none."""
    at = np.where(pulsed, np.arange(len(device)), -1)
    before = np.concatenate([[-1], np.maximum.accumulate(at)[:-1]])
    begins = np.searchsorted(device, device)
    return np.where(before >= begins, before, -1)
