"""Finds cycles, and which readings of a file follow one another without a gap."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from device_presets.fitting.reading.rows import refuse_first
from device_presets.fitting.reading.table import Rows

_FEWEST_OF_SWEEP = 10
"""If the median sweep has fewer pulses, cycles are not recognised by turns."""


def with_cycles(rows: Rows) -> tuple[Rows, np.ndarray]:
    """Returns the rows with their cycles, which are found from turns if the file names only one;
    and [rows] whether the sweep of each row goes up.

    A row numbered 0 belongs to the next sweep of its device, whatever its polarity, since no pulse
    comes before it; any other reading without a pulse belongs to the sweep before it. A reading
    before a device's first pulse belongs to the cycle of that pulse.

    Args:
        rows: The rows, sorted by device.
    """
    pulsed, cycle = rows.pulsed & (rows.pulse > 0), rows.cycle
    cycles, notes = rows.cycles, rows.notes
    ways = pd.Series(rows.up.astype(np.float32)).where(pulsed).groupby(rows.device)
    before, after = ways.ffill(), ways.bfill()
    up = np.where(rows.pulse > 0, before.fillna(after), after.fillna(before)) > 0
    if len(cycles) == 1:
        cycle = _cycles_from_turns(rows, up)
        cycles = tuple(map(str, range(1, 2 + cycle.max())))
        told = "cycles are found from the turns: a sweep in each direction is one cycle"
        notes = (*notes, told) if cycle.any() else notes
    begun = pd.Series(pulsed).groupby(rows.device).cummax()
    own = pd.Series(cycle).where(begun).groupby(rows.device).bfill().fillna(pd.Series(cycle))
    kinds, cycle = np.unique(own.to_numpy(dtype=np.int32), return_inverse=True)
    names = tuple(cycles[kind] for kind in kinds)
    return replace(rows, cycle=cycle.astype(np.int32), cycles=names, notes=notes), up


def _cycles_from_turns(rows: Rows, up: np.ndarray) -> np.ndarray:
    """Returns [rows] cycles of a file that has no column for them.

    A cycle begins where pulses turn to the direction of the device's first pulse, or where numbers
    start again without a turn. All are 0 if sweeps are too short to be distinguished from pulses in
    random order.
    """
    same_device = np.diff(rows.device, prepend=-1) == 0
    turned = same_device & np.diff(up, prepend=up[:1])
    again = same_device & ~turned & (np.diff(rows.pulse, prepend=0) < 0) & (rows.pulse <= 1)
    starts = np.flatnonzero(~same_device | turned | again)
    if np.median(np.diff(np.append(starts, len(up)))) < _FEWEST_OF_SWEEP:
        return rows.cycle
    first = up[np.searchsorted(rows.device, rows.device)]
    begins = again | (turned & (up == first))
    cycle = pd.Series(begins).groupby(rows.device).cumsum().to_numpy()
    return np.asarray(cycle, dtype=np.int32)


def follows_of(file: Path, rows: Rows, up: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns [rows] whether a reading follows the one before without a gap, and whether a cycle or
    a sweep begins with it.

    Args:
        rows: The rows, sorted by device, with their cycles.
        up: [rows] whether the sweep of each row goes up.

    Raises:
        InputError: Pulse numbers repeat or run backwards.
    """
    number, same_cycle = rows.pulse, _continues_cycle(rows)
    same_device = np.diff(rows.device, prepend=-1) == 0
    growth, turned = np.diff(number, prepend=number[:1]), np.diff(up, prepend=up[:1])
    restarted = (growth <= 0) & (number <= 1) & (turned | ~same_cycle)
    again = ~rows.pulsed & (growth == 0) & same_cycle
    backwards = same_device & (growth <= 0) & ~restarted & same_cycle & (number > 1) & ~again
    allowed = (
        f"must increase within a device and cycle, but the row before has "
        f"{number[np.argmax(backwards) - 1]}; name several devices or cycles in the columns device "
        "and cycle"
    )
    refuse_first(file, "pulse", rows.file_row, number, backwards, allowed)
    # After all up sweeps, the down sweep of an earlier cycle does not begin where they ended.
    turned_on = restarted & turned & (number == 1) & (np.diff(rows.cycle, prepend=0) >= 0)
    follows = same_device & ((growth == 1) | turned_on | again)
    return follows, ~same_cycle | turned


def new_clocks(file: Path, rows: Rows) -> np.ndarray:
    """Returns [rows] whether times start anew with a cycle.

    Raises:
        InputError: Such a cycle has no pulses.
    """
    if "time" not in rows.conditions:
        return np.zeros(len(rows.pulse), dtype=np.bool_)
    time, column = rows.conditions["time"], rows.columns["time"]
    same_device, falls = np.diff(rows.device, prepend=-1) == 0, np.diff(time, prepend=np.inf) < 0
    anew = same_device & ~_continues_cycle(rows) & falls & (rows.clock == 0)
    moved = pd.Series(rows.pulsed).groupby([rows.device, rows.cycle]).transform("any")
    allowed = "must not fall in a cycle of readings only: give these by --retention"
    refuse_first(file, column.name, rows.file_row, time / column.size, anew & ~moved, allowed)
    return np.asarray(anew)


def _continues_cycle(rows: Rows) -> np.ndarray:
    """Returns [rows] whether a row is of the same cycle and stretch as the one before."""
    return np.asarray(np.diff([rows.cycle, rows.clock], prepend=[[-1], [0]]) == 0).all(axis=0)
