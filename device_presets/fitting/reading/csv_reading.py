"""Reads a measured file into arrays, or says in one line which cell is wrong.

The file is read in pieces: ten million rows, 0.2 GB of text, take half a minute, and the process
1.6 GiB at its peak, fit included.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from device_presets.fitting.reading.csv_cells import cells_of
from device_presets.fitting.reading.csv_layout import (
    AMPERES,
    ARBITRARY,
    CONDITIONS,
    SIEMENS,
    TIMES,
    VOLTS,
    CsvLayout,
    TextFormat,
    detect_format,
    is_no_unit,
    is_unit,
    unit_in_name,
)
from rpu_ssnn.common.errors import Fault, PresetError, meant, nearest, one_of
from rpu_ssnn.common.files import reason
from rpu_ssnn.common.wording import counted, listed
from rpu_ssnn.common.written_numbers import instead_of

_ROWS_AT_ONCE = 500_000
_LOOKED_AT = 100  # lines, for names that are not in the first one
_BEYOND = "beyond the last column"
_STANDARD = {
    "device": "--device-column",
    "cycle": "--cycle-column",
    "pulse": "--pulse-column",
    "time_s": "--time-column",
    "pulse_width_s": "--width-column",
    "amplitude_v": "--amplitude-column",
}
"""Roles of columns that a file need not have, and the option that names such a column. In other
letters the name of one is refused: without it, several devices would be read as one."""
_OPTIONS = _STANDARD | {"read voltage": "--read-voltage"}


@dataclass(frozen=True)
class Rows:
    """The file's rows, in the file's order.

    Args:
        pulse: [rows] number of the pulse.
        up: [rows] whether it was an up pulse; of a reading without a pulse, nothing.
        pulsed: [rows] whether a pulse comes with the row, or only a reading.
        conductance: [rows] after it, in siemens; NaN in a gap.
        device, cycle: [rows] indices into ``devices``, ``cycles``.
        file_row: [rows] 1-based line of the file, for errors.
        devices, cycles: names, in the order they appear.
        notes: what was taken to hold, for the report.
        columns: those of ``CONDITIONS`` there are, by their standard names.
        time_s, width_s, amplitude_v: [rows] what they hold, NaN in an empty cell; None: no column.
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
    notes: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    time_s: np.ndarray | None = None
    width_s: np.ndarray | None = None
    amplitude_v: np.ndarray | None = None


def read_rows(file: Path, layout: CsvLayout) -> Rows:
    """All rows of a measured file, checked.

    Raises:
        PresetError: a missing column, a row with a cell too many or too few, a cell that is no
            number or no polarity, a negative conductance or one above `MOST_SIEMENS`, a read
            voltage of zero; it names file, row and column.
    """
    text = detect_format(file)
    columns = _columns(file, layout, text)
    _refuse_units(file, layout, text, columns)
    _refuse_other_units(f"{file}, row {text.header_row}", layout, columns)
    sides = layout.sides(text.columns)
    names: dict[str, dict[str, int]] = {"device": {}, "cycle": {}}
    pieces = [
        cells_of(file, layout, columns, piece, names, text.decimal)
        for piece in _pieces(file, text, columns)
    ]
    if not pieces or not sum(len(piece["pulse"]) for piece in pieces):
        raise PresetError(file, "rows", 0, "must hold rows below the column names")
    joined = {key: np.concatenate([piece[key] for piece in pieces]) for key in pieces[0]}
    notes: tuple[str, ...] = ()
    if sides is not None:
        joined = _one_after_the_other(joined)
        notes = (f"columns {sides[0]} and {sides[1]} taken as a sweep each, in the rows' order",)
    elif "pulse" not in columns:
        device = pd.Series(joined["device"])
        joined["pulse"] = device.groupby(device).cumcount().to_numpy()
        notes = ("no pulse column: pulses are counted in the order of the rows",)
    unused = [name for name in text.columns if name.strip() and name not in columns.values()]
    if unused:
        notes += (f"not used: {counted(len(unused), 'column')} ({', '.join(unused)})",)
    return Rows(
        notes=notes,
        devices=tuple(names["device"]) or ("1",),
        cycles=tuple(names["cycle"]) or ("1",),
        columns={role: columns[role] for role in CONDITIONS if role in columns},
        **joined,
    )


def _one_after_the_other(rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Up and down sweeps that stood side by side, as rows; each begins a stretch (pulse 0)."""
    parts = []
    for _, both in pd.DataFrame(rows).groupby(["device", "cycle"]):
        for side in ("conductance", "down"):
            there = both[side].notna().to_numpy()
            part = both[: int(np.flatnonzero(there)[-1]) + 1 if there.any() else 0]
            up = np.full(len(part), side == "conductance")
            parts.append(part.assign(conductance=part[side], pulse=np.arange(len(part)), up=up))
    joined = pd.concat(parts)
    return {key: joined[key].to_numpy() for key in rows if key != "down"}


def _columns(file: Path, layout: CsvLayout, text: TextFormat) -> dict[str, str]:
    """Role -> column of the file."""
    sides = layout.sides(text.columns)
    wanted: dict[str, str | None] = {}
    if layout.pulse is not None or "pulse" in text.columns:
        wanted["pulse"] = layout.pulse or "pulse"
    if sides is not None:
        wanted |= {"conductance": sides[0], "down": sides[1]}
    else:
        if layout.all_pulses is None:
            wanted["polarity"] = layout.polarity
        if layout.current is None:
            wanted["conductance"] = layout.conductance
        else:
            wanted["current"] = layout.current
            if layout.constant_voltage is None:
                wanted["read voltage"] = layout.read_voltage
    for role, named in (("device", layout.device), ("cycle", layout.cycle)):
        if named is not None or role in text.columns:
            wanted[role] = named or role
    if sides is None:  # of two sweeps side by side a row has two pulses
        wanted |= layout.conditions(text.columns)
    where = f"{file}, row {text.header_row}"
    misnamed = {
        name: f"must be called {usual!r}, or be named by {_STANDARD[usual]}"
        for name in text.columns
        if name != (usual := name.strip().lower()) and usual in _STANDARD and usual not in wanted
    }
    beside = "".join(f"; {name!r} {allowed}" for name, allowed in misnamed.items())
    missing = {role: name for role, name in wanted.items() if name not in text.columns}
    _refuse_missing(file, layout, text, missing, beside)
    if misnamed:
        first = next(iter(misnamed))
        raise PresetError(where, "column", first, beside.removeprefix(f"; {first!r} "))
    return {role: column for role, column in wanted.items() if column is not None}


def _refuse_units(
    file: Path, layout: CsvLayout, text: TextFormat, columns: Mapping[str, str]
) -> None:
    """Refuses a row of units below the column names."""
    cells = _row(file, text, text.header_row + 1)
    measured = text.columns.index(columns.get("current") or columns["conductance"])
    if len(cells) <= measured or not any(map(is_unit, cells)):
        return
    if not cells[measured].strip() or not all(is_unit(c) or is_no_unit(c) for c in cells):
        return
    try:
        float(cells[measured])
    except ValueError:
        unit = "--conductance-unit" if layout.current is None else "--current-unit"
        allowed = (
            f"looks like a row of units: remove it, and give the unit by {unit} "
            f"(now {layout.measured_unit})"
        )
        where = f"{file}, row {text.header_row + 1}"
        raise PresetError(where, "cells", ", ".join(cells), allowed) from None


def _refuse_other_units(where: str, layout: CsvLayout, columns: Mapping[str, str]) -> None:
    """Refuses a column whose name ends with another unit than its values are read in."""
    conductance = (layout.conductance_unit, SIEMENS, "--conductance-unit")
    read_in = {
        "conductance": conductance,
        "down": conductance,
        "current": (layout.current_unit, AMPERES, "--current-unit"),
        "read voltage": (layout.voltage_unit, VOLTS, "--voltage-unit"),
        "time_s": (layout.time_unit, TIMES, "--time-unit"),
        "pulse_width_s": (layout.width_unit, TIMES, "--width-unit"),
        "amplitude_v": ("V", VOLTS, None),
    }
    for role, column in columns.items():
        unit, known, option = read_in.get(role, (ARBITRARY, (), None))
        named = unit_in_name(column, known)
        if named in (None, unit) or unit == ARBITRARY:
            continue
        way = f"give {option} {named}" if option else f"convert the values to {unit}"
        allowed = f"is read in {unit}, but its name ends with {named}: {way}, or rename the column"
        raise PresetError(where, "column", column, allowed)


def _refuse_missing(
    file: Path,
    layout: CsvLayout,
    text: TextFormat,
    missing: Mapping[str, str | None],
    beside: str,
) -> None:
    """Refuses a file without these columns (role -> name), with all of them in one line.

    Args:
        beside: what else is wrong with the names, as the end of a phrase.
    """
    if not missing:
        return
    (role, column), *others = missing.items()
    names = [name for name in text.columns if name.strip()]
    allowed = f"{meant(nearest(names, column))}the {role} column {one_of(names)}"
    if others:
        are = "is" if len(others) == 1 else "are"
        allowed += f"; {listed([repr(name) for _, name in others])} {are} missing too"
    if len(names) <= len(text.columns) / 2 or _is_narrow(file, text):
        allowed += "; lines above the column names must be deleted"
    elif {"up", "down"} <= {name.lower() for name in names}:
        allowed += "; or name two sweeps side by side (--up-column and --down-column)"
    else:
        options = [_OPTIONS.get(one, f"--{one}-column") for one in missing]
        allowed += f"; or name it by {' and '.join(options)}"
        if role == "polarity":
            allowed += "; or say that all pulses go up (--polarity up)"
        if "conductance" in missing:
            allowed += "; or name a current (--current-column and --read-voltage)"
        if role == "read voltage" and column is not None:
            allowed += instead_of(column, layout.voltage_unit)
    where = f"{file}, row {text.header_row}"
    raise PresetError(where, "column", Fault(f"{column!r} is missing"), allowed + beside)


def _row(file: Path, text: TextFormat, number: int) -> list[str]:
    """The cells of a row; none where there is no such row.

    Args:
        number: 1-based line of the file.
    """
    with file.open(encoding=text.encoding, newline="", errors="replace") as opened:
        line = next(islice(opened, number - 1, None), "")
    try:
        return next(csv.reader([line], delimiter=text.separator, skipinitialspace=True), [])
    except csv.Error:
        return []


def _is_narrow(file: Path, text: TextFormat) -> bool:
    """Whether one of the first lines has more cells than there are column names."""
    with file.open(encoding=text.encoding, newline="") as opened:
        rows = csv.reader(opened, delimiter=text.separator, skipinitialspace=True)
        try:
            return any(any(cells[len(text.columns) :]) for cells in islice(rows, _LOOKED_AT))
        except (csv.Error, UnicodeError):
            return False


def _pieces(file: Path, text: TextFormat, columns: dict[str, str]) -> Iterator[pd.DataFrame]:
    """The wanted columns, piece by piece; the index is the 1-based line of the file."""
    text_columns = {
        columns[role]: str for role in ("polarity", "device", "cycle") if role in columns
    }
    wanted = sorted(set(columns.values()), key=text.columns.index)
    whole = wanted  # a line with nothing in these columns is none
    if not {"pulse", "polarity"} & set(columns):
        # The order numbers the pulses: an empty cell is a gap; of one column, each empty line.
        whole = list(text.columns) if len(text.columns) > 1 else []
    try:
        reader = pd.read_csv(
            file,
            sep=text.separator,
            decimal=text.decimal,
            encoding=text.encoding,
            header=None,
            names=[*text.columns, _BEYOND],
            index_col=False,
            skiprows=text.header_row,
            dtype=text_columns | {_BEYOND: str},
            chunksize=_ROWS_AT_ONCE,
            skip_blank_lines=False,
            skipinitialspace=True,
            low_memory=False,
        )
        row = text.header_row + 1
        looked = False
        with reader:
            for piece in reader:
                piece.index = pd.RangeIndex(row, row + len(piece))
                row += len(piece)
                # A cell too few reads like an empty last one; only a second look tells.
                cut_short = piece[piece[text.columns[-1]].isna()].notna().any(axis=None)
                too_wide = piece.pop(_BEYOND).notna().any()
                if too_wide or (cut_short and not looked):
                    looked = True
                    _refuse_ragged(file, text)
                yield piece.dropna(how="all", subset=whole)[wanted] if whole else piece[wanted]
    except pd.errors.EmptyDataError:
        return
    except UnicodeError as error:
        allowed = f"must be {text.encoding} text, as it begins"
        raise PresetError(file, "file", getattr(error, "reason", "bytes"), allowed) from None
    except pd.errors.ParserError as error:
        _refuse_ragged(file, text)
        problem = reason(error)
        allowed = "must be a table: rows of cells, quotes closed"
        raise PresetError(file, "file", problem, allowed) from None


def _refuse_ragged(file: Path, text: TextFormat) -> None:
    """The first row that has not as many cells as there are column names."""
    expected = len(text.columns)
    with file.open(encoding=text.encoding, newline="") as opened:
        rows = csv.reader(opened, delimiter=text.separator, skipinitialspace=True)
        for cells in rows:
            if rows.line_num <= text.header_row or not any(cells):
                continue
            if len(cells) < expected or any(cells[expected:]):  # separators at the end are none
                where = f"{file}, row {rows.line_num}"
                allowed = (
                    f"must be {expected}, one for each column name; a gap is an empty cell, and "
                    "decimal commas need semicolons between cells"
                )
                raise PresetError(where, "cells", len(cells), allowed)
