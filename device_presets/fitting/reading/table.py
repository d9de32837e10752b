"""Reads a measured table into arrays, or names the wrong cell in one line."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import openpyxl
import pandas as pd

from device_presets.fitting.reading.columns import CONDITIONS, Column, columns_of
from device_presets.fitting.reading.rows import refuse_first
from device_presets.fitting.reading.units import ARBITRARY, MOST_SIEMENS, in_unit
from rpu_ssnn.common.errors import Fault, PresetError, one_of
from rpu_ssnn.common.files import open_regular, reason
from rpu_ssnn.common.wording import counted

EXCEL = (".xlsx", ".xlsm")

_MOST_PULSE = 10**15
"""Double precision represents all whole numbers up to this; no device lasts that long."""

_UP = ("up", "u", "1", "1.0", "+1", "+", "p", "pot", "potentiation", "ltp", "set")
_DOWN = ("down", "d", "-1", "-1.0", "-", "\N{MINUS SIGN}", "dep", "depression", "ltd", "reset")
_READ = ("", "0", "0.0", "read")
_WAYS = {**dict.fromkeys(_UP, 1), **dict.fromkeys(_DOWN, -1), **dict.fromkeys(_READ, 0)}
_WORDS = ("polarity", "device", "cycle")
"""Columns of words, read as categories so that ten million of them need little memory."""

_CSV = (
    "CSV file in UTF-8, with commas between cells, points in decimals, and as many cells in each "
    "row as there are column names"
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
        file_row: [rows] 1-based line of the file, for errors.
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
    file_row: np.ndarray
    devices: tuple[str, ...]
    cycles: tuple[str, ...]
    columns: Mapping[str, Column]
    conditions: dict[str, np.ndarray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_rows(file: Path, sheet: str | None = None) -> Rows:
    """Reads and checks all rows of a measured file.

    Args:
        file: A CSV file with commas, or an Excel file.
        sheet: The sheet of an Excel file; None for the first one.

    Raises:
        PresetError: The file is not a table, a column is missing, a cell is not a number or not a
            polarity, or a conductance is impossible; the error names file, row and column.
    """
    header_row, names, frame = _frame(file, sheet)
    columns = columns_of(f"{file}, row {header_row}", names)
    used = {quantity: names.index(column.name) for quantity, column in columns.items()}
    unused = [name for k, name in enumerate(names) if name and k not in used.values()]
    frame = frame[list(used.values())].dropna(how="all")
    frame.columns = pd.Index(columns[quantity].name for quantity in used)
    if frame.empty:
        raise PresetError(file, "rows", 0, "must be at least 1 below the column names")
    cells = {quantity: frame[column.name] for quantity, column in columns.items()}
    device, devices = _labels(file, cells.get("device"), len(frame))
    cycle, cycles = _labels(file, cells.get("cycle"), len(frame))
    notes: tuple[str, ...] = ()
    if "pulse" in cells:
        pulse = _pulse_numbers(file, cells["pulse"])
        before = pulse == 0
    else:
        pulse = pd.Series(device).groupby(device).cumcount().to_numpy()
        before = np.zeros(len(pulse), dtype=np.bool_)
        notes = ("without a column pulse, pulses are numbered in the order of the rows",)
    if unused:
        notes += (f"not used: {counted(len(unused), 'column')} ({', '.join(unused)})",)
    way = _ways(file, cells["polarity"], before | ("time" in cells))
    return Rows(
        pulse=pulse,
        up=way >= 0,
        pulsed=way != 0,
        conductance=_conductances(file, cells["conductance"], columns["conductance"]),
        device=device,
        cycle=cycle,
        file_row=frame.index.to_numpy(),
        devices=devices,
        cycles=cycles,
        columns=columns,
        conditions={
            name: columns[name].size * _numbers(file, cells[name])
            for name in CONDITIONS
            if name in columns
        },
        notes=notes,
    )


def _frame(file: Path, sheet: str | None) -> tuple[int, list[str], pd.DataFrame]:
    """Returns the line of the column names, the names, and the rows, whose index is the line of the
    file, from 1.

    Raises:
        PresetError: The file cannot be read or is not a table.
    """
    excel = file.suffix.lower() in EXCEL
    try:
        with open_regular(file) as opened:
            if excel:
                sheets = openpyxl.load_workbook(opened, read_only=True).sheetnames
                if sheet is not None and sheet not in sheets:
                    raise PresetError(file, "--sheet", sheet, one_of(sheets, sheet))
                frame = pd.read_excel(opened, sheet_name=sheet or 0, header=None, dtype=object)
                _refuse_formulas(file, opened, sheet, frame)
                header_row, names, frame = _named(file, frame)
            else:
                header_row = 1
                names, frame = _csv(opened)
    except PresetError:
        raise
    except Exception as error:  # A damaged workbook raises errors of all kinds.
        if not excel and not isinstance(error, OSError | ValueError | pd.errors.ParserWarning):
            raise
        kind = "Excel file" if excel else _CSV
        raise PresetError(file, "file", reason(error), f"must be a readable {kind}") from None
    return header_row, names, frame


def _refuse_formulas(file: Path, opened: BinaryIO, sheet: str | None, frame: pd.DataFrame) -> None:
    """Refuses formulas without a value, which the program that wrote them has not computed."""
    missing = frame.isna().to_numpy()
    if not missing.any():
        return
    book = openpyxl.load_workbook(opened, read_only=True)
    cells = (cell for row in (book[sheet] if sheet else book.worksheets[0]) for cell in row)
    for cell in cells:
        if cell.data_type == "f" and missing[cell.row - 1, cell.column - 1]:
            allowed = "must be a value: open the file in a spreadsheet program and save it there"
            where = f"{file}, row {cell.row}"
            raise PresetError(where, f"column {cell.column_letter}", str(cell.value), allowed)


def _csv(opened: BinaryIO) -> tuple[list[str], pd.DataFrame]:
    """Returns the names of a CSV file, and its rows from line 2 on."""
    head = pd.read_csv(
        opened, header=None, nrows=1, dtype=str, skip_blank_lines=False, skipinitialspace=True
    )
    names = [str(name).strip() for name in head.fillna("").iloc[0]]
    if len(names) == 1 and any(mark in names[0] for mark in ";\t"):
        raise ValueError("its cells are separated by semicolons or tabs")
    opened.seek(0)
    words = {k: "category" for k, name in enumerate(names) if name.lower() in _WORDS}
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        frame = pd.read_csv(
            opened,
            header=None,
            names=range(len(names)),
            dtype=words,
            index_col=False,
            skiprows=1,
            skip_blank_lines=False,
            skipinitialspace=True,
            low_memory=False,
        )
    frame.index = pd.RangeIndex(2, 2 + len(frame))
    return names, frame


def _named(file: Path, sheet: pd.DataFrame) -> tuple[int, list[str], pd.DataFrame]:
    """Returns the line of the first row that is not empty, the names in it, and the rows below."""
    sheet.index = pd.RangeIndex(1, 1 + len(sheet))
    sheet = sheet.dropna(how="all")
    if sheet.empty:
        raise PresetError(file, "sheet", Fault("it is empty"), "must hold names, and rows below")
    names = [str(name).strip() for name in sheet.iloc[0].fillna("")]
    return int(sheet.index[0]), names, sheet.iloc[1:]


def _labels(file: Path, cells: pd.Series | None, rows: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Returns [rows] the indices of the devices or cycles named in the cells, and the names in
    order of appearance."""
    if cells is None:
        return np.zeros(rows, dtype=np.int32), ("1",)
    codes, found = pd.factorize(cells)
    _refuse(file, cells, codes < 0, "must name the device or cycle of the row")
    again, names = pd.factorize(np.array([str(name).strip() for name in found], dtype=object))
    return again[codes].astype(np.int32), tuple(names)


def _ways(file: Path, cells: pd.Series, readable: np.ndarray) -> np.ndarray:
    """Returns [rows] 1 for an up pulse, -1 for a down pulse, 0 for a reading without one.

    Args:
        readable: [rows] whether a reading without a pulse is allowed, because its time is known or
            it comes before the first pulse (number 0).
    """
    codes, words = pd.factorize(cells)
    unknown = 2
    ways = [_WAYS.get(str(word).strip().lower(), unknown) for word in words]
    way = np.array([*ways, 0])[codes]  # An empty cell has the code -1.
    allowed = (
        "must be up or down, 1 or -1, + or -, LTP or LTD, set or reset; a reading without a pulse "
        "(empty, 0, read) needs a column time_s, or pulse number 0"
    )
    _refuse(file, cells, (way == unknown) | ((way == 0) & ~readable), allowed)
    return way


def _pulse_numbers(file: Path, cells: pd.Series) -> np.ndarray:
    number = _numbers(file, cells)
    with np.errstate(invalid="ignore"):
        wrong = ~((number >= 0) & (number <= _MOST_PULSE) & (number == np.round(number)))
    _refuse(file, cells, wrong, f"must be a whole number from 0 to {_MOST_PULSE:.0e}")
    return number.astype(np.int64)


def _conductances(file: Path, cells: pd.Series, column: Column) -> np.ndarray:
    conductance = column.size * _numbers(file, cells)
    if column.unit == ARBITRARY:
        return conductance
    allowed = (
        f"must be a conductance from 0 to {in_unit(MOST_SIEMENS, column.unit)} (an empty cell "
        f"leaves a reading out; values in {ARBITRARY} may be negative)"
    )
    with np.errstate(invalid="ignore"):
        _refuse(file, cells, (conductance < 0) | (conductance > MOST_SIEMENS), allowed)
    return conductance


def _numbers(file: Path, cells: pd.Series) -> np.ndarray:
    """Returns [rows] the numbers, which must be finite; an empty cell becomes NaN."""
    numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    bad = (np.isnan(numbers) & cells.notna().to_numpy()) | np.isinf(numbers)
    _refuse(file, cells, bad, "must be a finite number with a decimal point, or an empty cell")
    return numbers


def _refuse(file: Path, cells: pd.Series, bad: np.ndarray, allowed: str) -> None:
    refuse_first(file, str(cells.name), cells.index, cells.array, bad, allowed)
