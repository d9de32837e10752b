"""Reads the sheets of an Excel workbook."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from rpu_ssnn.common.errors import Fault, InputError, one_of, require
from rpu_ssnn.common.wording import listed

if TYPE_CHECKING:
    import pandas as pd

EVERY = "all"
"""This stands for all sheets of a workbook, of which each is a device."""

_HIDDEN = b'hidden="1"'
"""Rows and columns that are hidden, also those that a filter leaves out, have this in the file."""

_CHUNK_BYTES = 1 << 20


def header_in(rows: Iterable[Iterable[object]], kinds: tuple[str, ...]) -> int | None:
    """Returns the first row in which two cells begin as names of columns do; None if there is none.

    Args:
        rows: The cells of each row.
        kinds: How names may begin, in small letters, with underscores for spaces.
    """
    for place, row in enumerate(rows):
        names = (str(cell).strip(' "').lower().replace(" ", "_") for cell in row)
        if sum(name.startswith(kinds) for name in names) > 1:
            return place
    return None


def visible_sheets(opened: BinaryIO) -> list[str]:
    """Returns the names of the sheets that are neither hidden nor empty; that of the first
    visible sheet if all are empty."""
    import openpyxl

    book = openpyxl.load_workbook(opened, read_only=True)
    shown = {sheet.title: sheet for sheet in book.worksheets if sheet.sheet_state == "visible"}
    filled = [title for title, sheet in shown.items() if any(map(any, sheet.values))]
    return filled or [*shown, *book.sheetnames][:1]


def read_sheet(path: Path, opened: BinaryIO, sheet: str, **gaps: Any) -> pd.DataFrame:
    """Returns the cells of a sheet, with the row in the sheet as index.

    Empty rows and columns are left out.

    Args:
        path: The file, for errors.
        opened: The same file, opened.
        sheet: The sheet to read.
        gaps: Options of pandas' ``read_excel`` that say which cells count as empty.

    Raises:
        InputError: There is no such sheet, it is empty, it has hidden rows or columns, an error
            such as #REF!, or a formula that the program that wrote it has not computed.
    """
    import openpyxl
    import pandas as pd

    book = openpyxl.load_workbook(opened, read_only=True)
    tables = [table.title for table in book.worksheets]  # a chart sheet has no cells
    require(sheet in tables, path, "--sheet", sheet, one_of(tables, sheet))
    _refuse_hidden(path, opened, sheet)
    cells = pd.read_excel(
        opened, sheet_name=sheet, header=None, dtype=object, engine="openpyxl", **gaps
    )
    missing = cells.isna().to_numpy()
    for cell in (cell for row in book[sheet] for cell in row) if missing.any() else ():
        bad = cell.data_type in ("f", "e") and cell.value != "#N/A"
        if bad and missing[cell.row - 1, cell.column - 1]:
            allowed = "must be a value or empty; saving in a spreadsheet program computes formulas"
            where = f"{path}, row {cell.row}"
            raise InputError(where, f"column {cell.column_letter}", str(cell.value), allowed)
    cells.index = pd.RangeIndex(1, 1 + len(cells))
    cells = cells.dropna(how="all").dropna(axis=1, how="all")
    allowed = "must hold names, and rows below"
    require(len(cells), path, "sheet", Fault(f"{sheet!r} is empty"), allowed)
    return cells


class SheetTable(NamedTuple):
    """Holds the table of one sheet, or of several with the same columns."""

    where: str
    """The place of the names of columns, for errors."""
    names: list[str]
    rows: pd.DataFrame
    """The rows below the names; their index is the row in the sheet."""
    unread: list[str]
    """The names of sheets that were not read."""


def read_table(
    path: Path, opened: BinaryIO, sheet: str | None, kinds: tuple[str, ...]
) -> SheetTable:
    """Reads the table of a workbook.

    Args:
        path: The file, for errors.
        opened: The same file, opened.
        sheet: The sheet to read; None for the first one, `EVERY` for all that have names. Their
            rows are then joined, and a column ``device (sheet)`` names them.
        kinds: How names may begin, as in `header_in`.

    Raises:
        InputError: `read_sheet` raises it, no sheet has names, or two sheets have different ones.
    """
    import pandas as pd

    shown = visible_sheets(opened)
    every = sheet == EVERY and EVERY not in shown
    where, tables = "", dict[str, pd.DataFrame]()
    names: list[str] = []
    for title in shown if every else [shown[0] if sheet is None else sheet]:
        cells = read_sheet(path, opened, title)
        head = header_in(cells.to_numpy(), kinds)
        if every and head is None:
            continue
        rows = cells.iloc[head or 0 :]
        rows = rows.loc[:, rows.iloc[0].notna()]
        own, here = [str(name).strip() for name in rows.iloc[0]], f"{path}, row {rows.index[0]}"
        rows = rows.iloc[1:].set_axis(range(len(own)), axis="columns")
        of_sheet = f" of sheet {title!r}"
        if every:
            here += of_sheet
            allowed = f"must be left out with --sheet {EVERY}, which makes each sheet a device"
            require("device" not in own, here, "columns", "device", allowed)
            rows.index = pd.Index(f"{row}{of_sheet}" for row in rows.index)
            rows[len(own)] = title
            own.append("device (sheet)")
        elif len(shown) > 1:
            here += f"{of_sheet} (--sheet: {listed(shown)})"
        allowed = f"must be those of sheet {next(iter(tables), title)!r}, {listed(names)}"
        require(own == names or not tables, here, "columns", Fault(listed(own)), allowed)
        where, names, tables[title] = here, own, rows
    allowed = "must find names of columns, such as polarity and conductance_uS"
    require(tables, path, "--sheet", sheet, allowed)
    unread = [title for title in shown if title not in tables and (every or sheet is None)]
    return SheetTable(where, names, pd.concat(tables.values()), unread)


def _refuse_hidden(path: Path, opened: BinaryIO, sheet: str) -> None:
    """Refuses hidden rows and columns with values: a reader may think that they are left out."""
    import openpyxl

    if not _has_hidden_parts(opened):
        return
    shown = openpyxl.load_workbook(opened)[sheet]  # only this slow mode tells what is hidden
    sizes = [size for size in shown.column_dimensions.values() if size.hidden]
    columns = {k for size in sizes for k in range(size.min, min(size.max, shown.max_column) + 1)}
    for cell in (cell for row in shown.iter_rows() for cell in row if cell.value is not None):
        is_row, is_column = shown.row_dimensions[cell.row].hidden, cell.column in columns
        place = f"row {cell.row}" if is_row else f"column {cell.column_letter}"
        allowed = "must be shown, or deleted, since its values would be read"
        require(not (is_row or is_column), path, place, Fault("hidden"), allowed)


def _has_hidden_parts(opened: BinaryIO) -> bool:
    with zipfile.ZipFile(opened) as archive:
        for name in archive.namelist():
            if not name.startswith("xl/worksheets/"):
                continue
            end = b""
            with archive.open(name) as part:
                while chunk := part.read(_CHUNK_BYTES):
                    if _HIDDEN in end + chunk:
                        return True
                    end = chunk[-len(_HIDDEN) :]
    return False
