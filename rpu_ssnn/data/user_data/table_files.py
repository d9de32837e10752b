"""CSV, Parquet and Excel files with one column of labels, read by pandas."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rpu_ssnn.common.errors import InputError, meant, nearest, require
from rpu_ssnn.common.files import MOST_ARRAY_BYTES, SEPARATORS, open_regular, refusing
from rpu_ssnn.common.wording import listed
from rpu_ssnn.common.workbook import read_sheet, visible_sheets
from rpu_ssnn.data.user_data.raw import Part, Raw

if TYPE_CHECKING:
    import pandas as pd


_GAPS: dict[str, Any] = {"keep_default_na": False, "na_values": [""]}
"""Only an empty cell is a gap: "NA" and "None" are names of classes."""

_NUMBERS = ("id", "index", "row")
"""Columns of these names number the rows, though rows may be missing."""

_FEWEST = 10
"""Different values of fewer rows may be a measurement."""


def read_labelled_table(path: Path, label: str) -> Raw:
    """Returns a table in which each row is an image, and each column except `label` a value.

    Columns of a CSV are separated by commas, semicolons or tabs; with the latter two, numbers may
    have decimal commas. An Excel file holds the table on its first sheet.

    Raises:
        InputError: the table cannot be read, has no such column, or has a column of text or of
            row numbers.
    """
    kind, read = READERS[path.suffix.lower()]
    with refusing(path, f"must be {kind}", Exception):  # pandas' readers raise errors of all kinds
        table = read(path, label)
        _check_names(path, table.columns.to_series().replace("", None))
    columns = [str(name) for name in table.columns]
    text_first = sorted(columns, key=lambda name: table[name].dtype.kind in "biuf")
    allowed = (
        f"{meant(nearest(columns, label))}must be the column of the classes (dataset.label, or "
        f"--label of new; in a workbook, on its first sheet), one of {listed(text_first, 20)}"
    )
    require(label in table.columns, path, "label", label, allowed)
    require(len(table), path, "rows", 0, "must be at least 1")
    labels, values = table[label], table.drop(columns=label)
    gap = int(np.argmax(labels.isna()))
    allowed = "must be given, since every row needs a class"
    require(not labels.isna().any(), path, f"data row {gap + 1}, column {label}", None, allowed)
    known = labels.to_numpy()
    if known.dtype.kind == "O" or not isinstance(labels.dtype, np.dtype):
        known = labels.astype(str).to_numpy().astype(np.str_)
    names, numbers = tuple(map(str, values.columns)), _numbers(path, values)
    for name, column in zip(names, numbers.T, strict=True):
        _refuse_row_numbers(path, name, column)
    return Raw(Part(path, numbers, known, (len(names),), columns=names), None)


def _refuse_row_numbers(path: Path, name: str, column: np.ndarray) -> None:
    """Refuses a column [rows] of different whole numbers, if no number between them is missing or
    the name says that they number the rows."""
    low, high, rows = float(column.min()), float(column.max()), len(column)
    if high == low + rows - 1 or name.lower().startswith("unnamed: ") or name.lower() in _NUMBERS:
        allowed = "must be deleted: it numbers the rows, so that sorted rows reveal their class"
        numbers = len(np.unique(column)) == rows >= _FEWEST and (column == np.round(column)).all()
        require(not numbers, path, f"column {name}", [low, high], allowed)


def _numbers(path: Path, values: pd.DataFrame) -> np.ndarray:
    """Returns the values of a table [rows, columns], all of them finite numbers."""
    import pandas as pd

    for name in values.columns:
        kind = values[name].dtype.kind
        numbers = pd.to_numeric(values[name], errors="coerce")
        if kind == "O" and not numbers.isna().any():  # such as decimals in a Parquet file
            values[name] = numbers
        elif kind not in "biuf":
            row = int(np.argmax(numbers.isna()))
            place, found = f"data row {row + 1}, column {name}", str(values[name].iloc[row])
            allowed = f"must be a number (or delete the column, or give dataset.label: {name})"
            raise InputError(path, place, found, allowed)
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def _read_parquet(path: Path, _label: str) -> pd.DataFrame:
    """Returns a table, after a check of the size in its footer: packed, repeated numbers take no
    room."""
    import pandas as pd
    import pyarrow.parquet

    footer = pyarrow.parquet.read_metadata(path)
    size = 8 * footer.num_rows * footer.num_columns
    allowed = f"must be at most {MOST_ARRAY_BYTES} bytes in double precision"
    require(size <= MOST_ARRAY_BYTES, path, "rows x columns", size, allowed)
    table: pd.DataFrame = pd.read_parquet(path)
    return table


def _read_excel(path: Path, _label: str) -> pd.DataFrame:
    import pandas as pd

    with open_regular(path) as file:
        cells = read_sheet(path, file, visible_sheets(file)[0], **_GAPS)
    cells.columns = pd.Index(str(name).strip() for name in cells.iloc[0].fillna(""))
    return cells.iloc[1:].infer_objects()


def _read_csv(path: Path, label: str) -> pd.DataFrame:
    """Returns a table with the columns that its first line names, after a check that no two labels,
    such as 01 and 1, are read as one."""
    import pandas as pd

    with open_regular(path) as file:
        first = file.readline().decode("utf-8", errors="replace")
    separator = max(SEPARATORS, key=first.count)
    options: dict[str, Any] = {"sep": separator, "skipinitialspace": True, **_GAPS}
    _check_names(path, pd.read_csv(path, header=None, nrows=1, dtype=str, **options).iloc[0])
    # Where rows have more cells than names, pandas would take the first column for an index.
    with warnings.catch_warnings(action="error", category=pd.errors.ParserWarning):
        table: pd.DataFrame = pd.read_csv(path, index_col=False, **options)
        if label in table.columns:
            written = pd.read_csv(path, index_col=False, dtype=str, usecols=[label], **options)
            first = written[label].groupby(table[label]).transform("first")
            twice = first.ne(written[label]) & first.notna()
            for found, once in zip(written[label][twice], first[twice], strict=True):
                raise InputError(path, "label", found, f"must be written as {once!r} everywhere")
        if separator == ",":
            return table
        other: pd.DataFrame = pd.read_csv(path, index_col=False, decimal=",", **options)
    # The decimal mark is the one with which more columns are numbers.
    return min(table, other, key=lambda read: sum(kind.kind == "O" for kind in read.dtypes))


def _check_names(path: Path, names: pd.Series) -> None:
    """Refuses names of columns that are missing or stand there twice."""
    found = str(names.iloc[0])
    allowed = "must be deleted: it is for Excel alone, not the names of columns"
    require(not found.lower().startswith("sep="), path, "first line", found, allowed)
    twice = names[names.duplicated() & names.notna()]
    allowed = "must be the name of one column only, as the first line holds the names"
    require(not len(twice), path, "column", "".join(twice[:1]), allowed)
    # pandas writes row numbers as a column without a name; where rows are sorted, they reveal the
    # class.
    allowed = "must be in the first line; from pandas, write it by to_csv(..., index=False)"
    place = f"name of column {int(np.argmax(names.isna())) + 1}"
    require(not names.isna().any(), path, place, None, allowed)


READERS = {
    ".csv": ("CSV in UTF-8, with as many cells in each row as names", _read_csv),
    ".parquet": ("a Parquet file", _read_parquet),
    ".xlsx": ("an Excel workbook", _read_excel),
}
"""What the file of a suffix must be, in words, and the function that reads it."""
