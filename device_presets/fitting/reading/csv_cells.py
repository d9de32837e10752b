"""Cells of a measured file as numbers and names; a bad one is named by its row and column."""

from pathlib import Path

import numpy as np
import pandas as pd

from device_presets.fitting.reading.csv_layout import (
    AMPERES,
    ARBITRARY,
    CONDITIONS,
    MOST_SIEMENS,
    SIEMENS,
    TIMES,
    VOLTS,
    WHY_MOST,
    CsvLayout,
    in_unit,
)
from device_presets.fitting.rows import refuse_first

MOST_PULSE = 10**15
"""A whole number that double precision counts up to; no device lives so long."""

_POLARITIES = {
    "up": ("up", "u", "1", "1.0", "+1", "+", "p", "pot", "potentiation", "ltp", "set"),
    "down": ("down", "d", "-1", "-1.0", "-", "−", "dep", "depression", "ltd", "reset"),
}
_NO_PULSE = ("0", "0.0", "read", "none")
_UP = {word: polarity == "up" for polarity, words in _POLARITIES.items() for word in words}


def cells_of(
    file: Path,
    layout: CsvLayout,
    columns: dict[str, str],
    piece: pd.DataFrame,
    names: dict[str, dict[str, int]],
    decimal: str,
) -> dict[str, np.ndarray]:
    """A piece of the file as arrays, by the names of `Rows`.

    Args:
        columns: role -> column of the file.
        piece: the wanted columns; the index is the 1-based line of the file.
        names: devices and cycles seen so far, with their index; new ones are added.
        decimal: mark within the numbers of the file, "." or ",".

    Raises:
        PresetError: a cell that is none of its column.
    """
    rows = piece.index.to_numpy()
    pulse = np.zeros(len(piece))
    if "pulse" in columns:
        pulse = _numbers(file, piece[columns["pulse"]], decimal)
        _refuse(file, columns["pulse"], piece, ~np.isfinite(pulse), "must be the pulse's number")
        _refuse(file, columns["pulse"], piece, pulse != np.round(pulse), "must be a whole number")
        _refuse(file, columns["pulse"], piece, pulse < 0, "must be 0 or more")
        most = f"must be at most {MOST_PULSE}"
        _refuse(file, columns["pulse"], piece, pulse > MOST_PULSE, most)
    up, pulsed = np.ones(len(piece), dtype=bool), np.ones(len(piece), dtype=bool)
    if layout.all_pulses is not None:
        up[:] = layout.all_pulses == "up"
    elif "polarity" in columns:
        before = (pulse == 0) if "pulse" in columns else np.zeros(len(piece), dtype=np.bool_)
        up, pulsed = _polarities(file, piece[columns["polarity"]], before | ("time_s" in columns))
    beside = {}
    if "down" in columns:
        other = columns | {"conductance": columns["down"]}
        beside["down"] = _conductance(file, layout, other, piece, decimal)
    units = (TIMES[layout.time_unit], TIMES[layout.width_unit], 1.0)
    fields = ("time_s", "width_s", "amplitude_v")
    for role, name, unit in zip(CONDITIONS, fields, units, strict=True):
        if role in columns:
            beside[name] = unit * _numbers(file, piece[columns[role]], decimal)
    return beside | {
        "pulse": pulse.astype(np.int64),
        "up": up,
        "pulsed": pulsed,
        "conductance": _conductance(file, layout, columns, piece, decimal),
        "device": _codes(file, piece, columns.get("device"), names["device"]),
        "cycle": _codes(file, piece, columns.get("cycle"), names["cycle"]),
        "file_row": rows,
    }


def _conductance(
    file: Path, layout: CsvLayout, columns: dict[str, str], piece: pd.DataFrame, decimal: str
) -> np.ndarray:
    if "conductance" in columns:
        column = columns["conductance"]
        conductance = _numbers(file, piece[column], decimal) * SIEMENS[layout.conductance_unit]
    else:
        column = columns["current"]
        volts = layout.constant_voltage
        if volts is None:
            voltage = _numbers(file, piece[columns["read voltage"]], decimal)
            _refuse(file, columns["read voltage"], piece, voltage == 0, "must not be zero")
            _refuse(file, columns["read voltage"], piece, np.isinf(voltage), "must be finite")
        else:
            voltage = np.full(len(piece), volts)
        ampere, volt = AMPERES[layout.current_unit], VOLTS[layout.voltage_unit]
        conductance = _numbers(file, piece[column], decimal) * ampere / (voltage * volt)
    _refuse(file, column, piece, np.isinf(conductance), "must be finite")
    if layout.conductance_unit == ARBITRARY:
        return conductance
    negative = f"must not be a negative conductance (unless --conductance-unit is {ARBITRARY}); "
    negative += "an empty cell leaves a reading out"
    _refuse(file, column, piece, conductance < 0, negative)
    most = in_unit(MOST_SIEMENS, layout.conductance_unit)
    allowed = f"must be at most {most}, {WHY_MOST}; is {layout.measured_unit} its unit?"
    _refuse(file, column, piece, conductance > MOST_SIEMENS, allowed)
    return conductance


def _numbers(file: Path, cells: pd.Series, decimal: str) -> np.ndarray:
    """Floats; empty cells and the usual words for "no value" are NaN."""
    if cells.dtype.kind in "fiu":
        return cells.to_numpy(dtype=np.float64)
    # One bad cell makes the column text.
    text = cells.astype("string").str.strip()
    numbers = pd.to_numeric(text.str.replace(decimal, ".", regex=False), errors="coerce")
    other = "." if decimal == "," else ","  # of thousands, or of another convention: 1,000 is not 1
    mixed = text.str.contains(other, regex=False).fillna(False).to_numpy(dtype=bool)
    bad = (numbers.isna() & text.notna() & (text != "")).to_numpy(dtype=bool)
    frame, column = cells.to_frame(), str(cells.name)
    mark = f"must be a number with {decimal!r} as decimal mark, and no mark of thousands"
    _refuse(file, column, frame, mixed, mark)
    _refuse(file, column, frame, bad, "must be a number, or empty in a gap")
    return numbers.to_numpy(dtype=np.float64, na_value=np.nan)


def _polarities(
    file: Path, cells: pd.Series, readable: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """[rows] whether up, and whether a pulse at all.

    Args:
        readable: [rows] whether a reading without a pulse is allowed: its time is known, or it
            comes before the first pulse (number 0).
    """
    codes, words = pd.factorize(cells.str.strip().str.lower())
    without = np.array([str(word) in _NO_PULSE or not word for word in words] + [True])
    known = np.array([str(word) in _UP for word in words] + [False])
    listed = "must be up or down, 1 or -1, + or -, LTP or LTD, set or reset"
    listed += (
        "; a reading without a pulse (empty, 0, read) needs a column time_s, or pulse number 0"
    )
    _refuse(
        file,
        str(cells.name),
        cells.to_frame(),
        ~known[codes] & ~(without[codes] & readable),
        listed,
    )
    up = np.array([_UP.get(str(word), True) for word in words] + [True], dtype=bool)[codes]
    return up, ~without[codes]


def _codes(
    file: Path, piece: pd.DataFrame, column: str | None, known: dict[str, int]
) -> np.ndarray:
    if column is None:
        return np.zeros(len(piece), dtype=np.int32)
    codes, words = pd.factorize(piece[column].str.strip())
    _refuse(file, column, piece, codes < 0, "must name the device or cycle of the row")
    for word in words:
        known.setdefault(str(word), len(known))
    return np.array([known[str(word)] for word in words], dtype=np.int32)[codes]


def _refuse(file: Path, column: str, piece: pd.DataFrame, bad: np.ndarray, allowed: str) -> None:
    refuse_first(file, column, piece.index, piece[column].array, bad, allowed)
