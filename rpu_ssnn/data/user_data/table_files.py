"""CSV and Parquet files with one column of labels."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rpu_ssnn.common.errors import InputError, meant, nearest
from rpu_ssnn.common.files import MOST_ARRAY_BYTES, open_regular, refusing
from rpu_ssnn.common.wording import listed
from rpu_ssnn.data.user_data.raw import Part, Raw, place_in_table

if TYPE_CHECKING:
    import pandas as pd


SEPARATORS = ",;\t"
"""Of the columns of a CSV; the first line tells which."""


def read_table(path: Path, label: str) -> Raw:
    """A table: each row an image, each column but `label` a value.

    Columns of a CSV are separated by commas, semicolons or tabs; with the latter two, numbers may
    have decimal commas.

    Raises:
        InputError: it cannot be read, has no such column, or a column of text.
    """
    import pandas as pd

    is_csv = path.suffix.lower() == ".csv"
    kind = "CSV in UTF-8, with as many cells a row as names" if is_csv else "a Parquet file"
    with (
        # pyarrow's errors are ValueErrors, some of them OSErrors as well
        refusing(path, f"must be {kind}", ValueError, pd.errors.ParserError),
        refusing(path, "must be a readable table", OSError),
    ):
        table = _read_csv(path, label) if is_csv else _read_parquet(path)
    return Raw(part_of_table(path, table, label), None)


def _read_parquet(path: Path) -> pd.DataFrame:
    """A table whose size its footer tells: packed, a number that repeats takes no room."""
    import pandas as pd
    import pyarrow.parquet

    footer = pyarrow.parquet.read_metadata(path)
    if (size := 8 * footer.num_rows * footer.num_columns) > MOST_ARRAY_BYTES:
        allowed = f"must be at most {MOST_ARRAY_BYTES} bytes in double precision"
        raise InputError(path, "rows x columns", size, allowed)
    return pd.read_parquet(path)


def _read_csv(path: Path, label: str) -> pd.DataFrame:
    """A table whose columns are what its first line names."""
    import pandas as pd

    with open_regular(path) as file:
        first = file.readline().decode("utf-8", errors="replace")
    sep = max(SEPARATORS, key=first.count)

    def read(**options: Any) -> pd.DataFrame:
        # Only an empty cell is a gap: "NA" and "None" are names of classes.
        gaps: dict[str, Any] = {"keep_default_na": False, "na_values": [""]}
        table: pd.DataFrame = pd.read_csv(path, sep=sep, **gaps, **options)
        return table

    names = read(header=None, nrows=1, dtype=str).iloc[0]
    if len(twice := names[names.duplicated() & names.notna()]):
        raise InputError(path, "column", twice.iloc[0], "must be named once")
    with warnings.catch_warnings():
        # Where rows have more cells than names, pandas would take the first column for an index.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            table = read(index_col=False)
            if sep != "," and "O" in {
                kind.kind for kind in table.drop(columns=label, errors="ignore").dtypes
            }:
                table = read(index_col=False, decimal=",")
        except pd.errors.ParserWarning as warning:
            raise ValueError("rows have more cells than the first line has names") from warning
    if len(unnamed := names[names.isna()]):
        # pandas writes the number of a row so, which would tell the class where rows are sorted.
        allowed = "must be there, in the first line; pandas: to_csv(..., index=False)"
        raise InputError(path, f"name of column {unnamed.index[0] + 1}", None, allowed)
    return table


def part_of_table(where: Path, table: pd.DataFrame, label: str) -> Part:
    """The rows and labels of a table.

    Raises:
        InputError: no such column, or a column that holds no numbers.
    """
    import pandas as pd

    if label not in table.columns:
        columns = [str(name) for name in table.columns]
        allowed = (
            f"{meant(nearest(columns, label))}must be the column of the classes (dataset.label), "
            f"one of {listed(columns, 20)}"
        )
        raise InputError(where, "label", label, allowed)
    if (twice := table.columns.duplicated()).any():
        raise InputError(where, "column", str(table.columns[twice][0]), "must be named once")
    labels, values = table[label], table.drop(columns=label)
    if labels.isna().any():
        at = place_in_table(int(np.flatnonzero(labels.isna())[0]), label)
        raise InputError(where, at, None, "must be a class, in every row")
    if not len(table):
        raise InputError(where, "rows", 0, "must be at least 1")
    for name in values.columns:
        if values[name].dtype.kind not in "biuf":
            bad = pd.to_numeric(values[name], errors="coerce").isna().to_numpy()
            row = int(np.argmax(bad))
            allowed = f"must be a number (or delete the column, or take dataset.label: {name})"
            raise InputError(where, place_in_table(row, name), str(values[name].iloc[row]), allowed)
        numbers = values[name].to_numpy(dtype=np.float64, na_value=np.nan)
        if not (finite := np.isfinite(numbers)).all():
            row = int(np.argmin(finite))
            raise InputError(
                where, place_in_table(row, name), float(numbers[row]), "must be a finite number"
            )
    known = labels.to_numpy()
    if known.dtype.kind == "O" or not isinstance(labels.dtype, np.dtype):
        known = labels.astype(str).to_numpy().astype(np.str_)
    names = tuple(map(str, values.columns))
    return Part(where, values.to_numpy(dtype=np.float64), known, (len(names),), columns=names)
