"""Reads a sheet of an Excel workbook: the names of its columns, and the rows below."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from rpu_ssnn.common.errors import Fault, InputError, one_of, require

if TYPE_CHECKING:
    import pandas as pd

_HIDDEN = b'hidden="1"'
"""Rows and columns that are hidden, also those that a filter leaves out, have this in the file."""

_CHUNK_BYTES = 1 << 20


def read_sheet(
    path: Path, opened: BinaryIO, sheet: str | None = None, **gaps: Any
) -> tuple[int, list[str], pd.DataFrame, list[str]]:
    """Returns the row of the names, the names, the rows below, with the row in the sheet as index,
    and the names of further sheets, if none was asked for.

    Empty rows and columns are left out. The first row that is not empty holds the names; a column
    without a name has an empty one.

    Args:
        path: The file, for errors.
        opened: The same file, opened.
        sheet: The sheet to read; None for the first one that is not hidden.
        gaps: Options of pandas' ``read_excel`` that say which cells count as empty.

    Raises:
        InputError: There is no such sheet, it is empty, it has hidden rows or columns, or a formula
            in it has no value, since the program that wrote it has not computed it.
    """
    import openpyxl
    import pandas as pd

    book = openpyxl.load_workbook(opened, read_only=True)
    others: list[str] = []
    if sheet is None:
        shown = (one.title for one in book.worksheets if one.sheet_state == "visible")
        sheet, *others = shown
    require(sheet in book.sheetnames, path, "--sheet", sheet, one_of(book.sheetnames, sheet))
    _refuse_hidden(path, opened, sheet)
    cells = pd.read_excel(
        opened, sheet_name=sheet, header=None, dtype=object, engine="openpyxl", **gaps
    )
    missing = cells.isna().to_numpy()
    for cell in (cell for row in book[sheet] for cell in row) if missing.any() else ():
        if cell.data_type == "f" and missing[cell.row - 1, cell.column - 1]:
            allowed = "must be a value: open the file in a spreadsheet program and save it there"
            where = f"{path}, row {cell.row}"
            raise InputError(where, f"column {cell.column_letter}", str(cell.value), allowed)
    cells.index = pd.RangeIndex(1, 1 + len(cells))
    cells = cells.dropna(how="all").dropna(axis=1, how="all")
    allowed = "must hold names, and rows below"
    require(len(cells), path, "sheet", Fault(f"{sheet!r} is empty"), allowed)
    cells.columns = pd.RangeIndex(len(cells.columns))
    names = [str(name).strip() for name in cells.iloc[0].fillna("")]
    return int(cells.index[0]), names, cells.iloc[1:], others


def _refuse_hidden(path: Path, opened: BinaryIO, sheet: str) -> None:
    """Refuses hidden rows and columns with values: a reader may think that they are left out."""
    import openpyxl

    if not _has_hidden_parts(opened):
        return
    shown = openpyxl.load_workbook(opened)[sheet]  # only this slow mode tells what is hidden
    sizes = (one for one in shown.column_dimensions.values() if one.hidden)
    columns = {k for one in sizes for k in range(one.min, min(one.max, shown.max_column) + 1)}
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
