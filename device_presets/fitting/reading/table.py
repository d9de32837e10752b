"""Reads a measured table into arrays, or names the wrong cell in one line."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from device_presets.fitting.reading.columns import CONDITIONS, NAMED, Column, columns_of
from device_presets.fitting.reading.rows import refuse_first
from device_presets.fitting.reading.units import ARBITRARY, in_unit
from device_presets.jump_tables.lookup_table import MOST_SIEMENS
from rpu_ssnn.common.errors import require
from rpu_ssnn.common.files import SEPARATORS, open_regular, refusing
from rpu_ssnn.common.wording import counted, listed
from rpu_ssnn.common.workbook import EVERY, header_in, read_table

EXCEL = (".xlsx", ".xlsm")

_MOST_ABOVE = 100
"""The names of columns are searched for in this many lines of a CSV file."""

_MOST_PULSE = 10**15
"""Double precision represents all whole numbers up to this; no device lasts that long."""

_UP = ("up", "u", "1", "1.0", "+1", "+", "p", "pot", "potentiation", "ltp", "set")
_DOWN = ("down", "d", "-1", "-1.0", "-", "\N{MINUS SIGN}", "dep", "depression", "ltd", "reset")
_READ = ("", "0", "0.0", "read")
_WAYS = {**dict.fromkeys(_UP, 1), **dict.fromkeys(_DOWN, -1), **dict.fromkeys(_READ, 0)}
_WORDS = ("polarity", "device", "cycle")
"""Columns of words, read as categories so that ten million of them need little memory. Devices
are read as text, since a category of 1.10 would be that of 1.1."""

_CSV = (
    "CSV file in UTF-8, with commas, semicolons or tabs between cells, and as many cells in each "
    "row as there are column names; Excel files end in .xlsx or .xlsm"
)


@dataclass(frozen=True)
class Rows:
    """Holds the rows of a file, in the file's order.

    Args:
        pulse: [rows] number of the pulse.
        up: [rows] whether it was an up pulse; without meaning for a reading without a pulse.
        pulsed: [rows] whether the row has a pulse, or only a reading.
        conductance: [rows] in siemens, read after the pulse; NaN in a gap.
        device, cycle: [rows] indices into ``devices``, ``cycles``.
        clock: [rows] 0, and the number of the stretch in a file of readings.
        file_row: [rows] 1-based line of the file, or of the sheet that is named beside it.
        devices, cycles: The names of devices and cycles, in order of appearance.
        columns: Quantity -> column of the file.
        conditions: [rows] time (s), pulse_width (s) and amplitude (V), as far as the file has
            them; NaN in an empty cell.
        notes: Assumptions made in reading, for the report.
    """

    pulse: np.ndarray
    up: np.ndarray
    pulsed: np.ndarray
    conductance: np.ndarray
    device: np.ndarray
    cycle: np.ndarray
    clock: np.ndarray
    file_row: np.ndarray
    devices: tuple[str, ...]
    cycles: tuple[str, ...]
    columns: Mapping[str, Column]
    conditions: dict[str, np.ndarray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_rows(
    file: Path, sheet: str | None = None, read_voltage: float | None = None, pulsed: bool = True
) -> Rows:
    """Reads and checks all rows of a measured file.

    Args:
        file: A CSV file with commas, semicolons or tabs (with the latter two, numbers may have
            decimal commas), or an Excel file.
        sheet: The sheet of an Excel file; None for the first one, `EVERY` for all.
        read_voltage: The voltage (V) of the readings, if these are currents.
        pulsed: Whether the file must have a column of polarities; without it, no row has a pulse.

    Raises:
        InputError: The file is not a table, a column is missing, a cell is not a number or not a
            polarity, or a conductance is impossible; the error names file, row and column.
    """
    where, names, frame, others = _frame(file, sheet)
    columns = columns_of(where, names, read_voltage, pulsed)
    used = {quantity: names.index(column.name) for quantity, column in columns.items()}
    unused = [name for k, name in enumerate(names) if name and k not in used.values()]
    frame = frame[list(used.values())].dropna(how="all")
    frame.columns = pd.Index(columns[quantity].name for quantity in used)
    require(not frame.empty, file, "rows", 0, "must be at least 1 below the column names")
    cells = {quantity: frame[column.name] for quantity, column in columns.items()}
    device, devices = _labels(file, cells.get("device"), len(frame))
    cycle, cycles = _labels(file, cells.get("cycle"), len(frame))
    if not pulsed:
        cells.setdefault("polarity", pd.Series("read", frame.index))
    pulse, way, notes = _pulses(file, cells, device)
    if unused:
        notes += (f"not used: {counted(len(unused), 'column')} ({listed(unused)})",)
    if others:
        notes += (f"sheets not read: {listed(others)}; --sheet reads one, or {EVERY}",)
    conductance = _conductances(file, cells["conductance"], columns["conductance"])
    middle = len(frame) // 2
    twice = frame[:middle].equals(frame[middle:].set_axis(frame.index[: len(frame) - middle]))
    allowed = "must be there once, but the second half of the file repeats the first"
    require(len(cycles) < 2 or not twice, file, "rows", len(frame), allowed)
    conditions = {q: columns[q].size * _numbers(file, cells[q]) for q in CONDITIONS if q in columns}
    return Rows(
        pulse=pulse,
        up=way >= 0,
        pulsed=way != 0,
        conductance=conductance,
        device=device,
        cycle=cycle,
        clock=np.zeros_like(cycle),
        file_row=frame.index.to_numpy(),
        devices=devices,
        cycles=cycles,
        columns=columns,
        conditions=conditions,
        notes=notes,
    )


def _frame(file: Path, sheet: str | None) -> tuple[str, list[str], pd.DataFrame, list[str]]:
    """Returns the file with the line of the column names, the names, the rows, whose index is the
    line of the file, from 1, and the names of sheets that are left out.

    Raises:
        InputError: The file cannot be read or is not a table.
    """
    excel = file.suffix.lower() in EXCEL
    # A damaged workbook raises errors of all kinds.
    damaged = (Exception,) if excel else (OSError, ValueError, pd.errors.ParserWarning)
    allowed = f"must be a readable {'Excel file' if excel else _CSV}"
    with refusing(file, allowed, *damaged), open_regular(file) as opened:
        return read_table(file, opened, sheet, NAMED) if excel else (*_csv(file, opened), [])


def _csv(file: Path, opened: BinaryIO) -> tuple[str, list[str], pd.DataFrame]:
    """Returns the file with the line of the names, the names, and the rows below them."""
    lines = [line.decode(errors="replace") for line in islice(opened, _MOST_ABOVE)]
    headers = {mark: header_in((line.split(mark) for line in lines), NAMED) for mark in SEPARATORS}
    above, mark = next(((at, mark) for mark, at in headers.items() if at is not None), (0, ","))
    opened.seek(0)
    options: dict[str, Any] = {"header": None, "skip_blank_lines": False, "skipinitialspace": True}
    head = pd.read_csv(opened, nrows=1, dtype=str, sep=mark, skiprows=above, **options)
    names = [str(name).strip() for name in head.fillna("").iloc[0]]
    if len(names) == 1:
        raise ValueError(f"it is not a table: {names[0][:60]!r} is one cell")
    opened.seek(0)
    kinds: dict[str, Any] = dict.fromkeys(_WORDS, "category") | {"device": str}
    words = {k: kinds[name.lower()] for k, name in enumerate(names) if name.lower() in kinds}
    with warnings.catch_warnings(action="error", category=pd.errors.ParserWarning):
        frame = pd.read_csv(
            opened, names=range(len(names)), dtype=words, index_col=False, skiprows=above + 1,
            low_memory=False, sep=mark, decimal="." if mark == "," else ",", **options,
        )  # fmt: skip
    frame.index = pd.RangeIndex(above + 2, above + 2 + len(frame))
    return f"{file}, row {above + 1}", names, frame


def _labels(file: Path, cells: pd.Series | None, rows: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Returns [rows] the indices of the devices or cycles named in the cells, and the names in
    order of appearance."""
    if cells is None:
        return np.zeros(rows, dtype=np.int32), ("1",)
    codes, found = pd.factorize(cells)
    _refuse(file, cells, codes < 0, "must name the device or cycle of the row")
    again, names = pd.factorize(np.array([str(name).strip() for name in found], dtype=object))
    return again[codes].astype(np.int32), tuple(names)


def _pulses(
    file: Path, cells: dict[str, pd.Series], device: np.ndarray
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Returns [rows] the number of each pulse, [rows] its way as `_ways` does, and the assumptions
    made for the report."""
    notes = ("without a column polarity, pulses above 0 V count as up",) * ("polarity" not in cells)
    if "pulse" in cells:
        number = _numbers(file, cells["pulse"])
        wrong = ~((number >= 0) & (number <= _MOST_PULSE) & (number == np.round(number)))
        _refuse(file, cells["pulse"], wrong, f"must be a whole number from 0 to {_MOST_PULSE:.0e}")
        pulse: np.ndarray = number.astype(np.int64)
        return pulse, _ways(file, cells, (pulse == 0) | ("time" in cells)), notes
    way = _ways(file, cells, np.ones(len(device), dtype=np.bool_))
    anew = pd.Series((way == 0) & ("time" not in cells)).groupby(device).cumsum()
    pulse = pd.Series(device).groupby([device, anew]).cumcount().to_numpy()
    told = "without a column pulse, pulses are numbered in the order of the rows"
    return pulse, way, (*notes, told) if way.any() else notes


def _ways(file: Path, cells: dict[str, pd.Series], readable: np.ndarray) -> np.ndarray:
    """Returns [rows] 1 for an up pulse, -1 for a down pulse, 0 for a reading without one, by the
    polarity or else by the sign of the amplitude.

    Args:
        readable: [rows] whether a reading without a pulse is allowed, because its time is known or
            it comes before the first pulse (number 0).
    """
    unknown = 2
    if "polarity" in cells:
        given, allowed = cells["polarity"], "up or down, 1 or -1, + or -, LTP or LTD, set or reset"
        codes, words = pd.factorize(given)
        ways = [_WAYS.get(str(word).strip().lower(), unknown) for word in words]
        way = np.array([*ways, 0])[codes]  # An empty cell has the code -1.
    else:
        given, allowed = cells["amplitude"], "above or below 0 V"
        way = np.nan_to_num(np.sign(_numbers(file, given))).astype(np.int64)
    allowed = f"must be {allowed}; a reading without a pulse (empty, 0, read) needs a column time_s"
    bad = (way == unknown) | ((way == 0) & ~readable)
    _refuse(file, given, bad, f"{allowed}, or pulse number 0")
    return way


def _conductances(file: Path, cells: pd.Series, column: Column) -> np.ndarray:
    conductance = column.size * _numbers(file, cells)
    if column.unit == ARBITRARY:
        return conductance
    allowed = (
        f"must be a conductance from 0 to {in_unit(MOST_SIEMENS, column.unit)} (an empty cell "
        f"leaves a reading out; {ARBITRARY} may be negative; currents have the read voltage's sign)"
    )
    _refuse(file, cells, (conductance < 0) | (conductance > MOST_SIEMENS), allowed)
    return conductance


def _numbers(file: Path, cells: pd.Series) -> np.ndarray:
    """Returns [rows] the numbers, which must be finite; an empty cell becomes NaN."""
    numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    bad = (np.isnan(numbers) & cells.notna().to_numpy()) | np.isinf(numbers)
    if cells.dtype in (bool, object):
        bad |= cells.map(lambda cell: isinstance(cell, bool)).to_numpy()
    _refuse(file, cells, bad, "must be a finite number with a decimal point, or an empty cell")
    return numbers


def _refuse(file: Path, cells: pd.Series, bad: np.ndarray, allowed: str) -> None:
    refuse_first(file, str(cells.name), cells.index, cells.array, bad, allowed)
