"""Groups the rows of a results table by case and point of the sweep, and reads accuracies."""

import json
import re
from collections.abc import Iterator, Mapping

import pandas as pd

from rpu_ssnn.common.errors import InputError, one_of
from rpu_ssnn.spec import NetworkSpec, layer_names
from studies.common.quantities import distinct, name_of, quantity
from studies.declaration.trial import SWEEP_PREFIX, Measure

NOT_SWEPT = ""
"""A swept column has this value where the setting does not apply to the case."""

EXACT = 2.0**53
"""Whole numbers below this one are exact in floating point."""

_GROUPING = ("device", "update", "seed", "T", "schedule", "learning_rate", "weight_range")
"""An error offers these columns of the results besides the swept settings."""

_DRAW = re.compile(r":draw_\d+$")
"""Matches the end of the name of a device that was drawn from a fit."""


def accuracies(results: pd.DataFrame) -> pd.Series:
    """Returns the accuracy (%) of each run, on the images on which the study measures it."""
    tested = results["test_accuracy"]
    if images_read(results) == "test":
        return tested
    return results["validation_accuracy"].reindex(results.index)


def images_read(results: pd.DataFrame) -> Measure:
    """Returns the images on which `accuracies` were measured, the same in all runs of a study."""
    finished = results["test_accuracy"]
    return "validation" if len(finished) and finished.isna().all() else "test"


def swept_columns(results: pd.DataFrame) -> list[str]:
    """Returns the columns of swept settings."""
    return [str(column) for column in results.columns if str(column).startswith(SWEEP_PREFIX)]


def by_point(results: pd.DataFrame) -> Iterator[tuple[object, dict[str, object], pd.DataFrame]]:
    """Yields the runs of each case at each point of the sweep, with swept values as keys.

    Raises:
        InputError: a seed is no whole number, or a case has two runs of one seed, which would count
            as two seeds.
    """
    for seed in results["seed"][pd.to_numeric(results["seed"], errors="coerce") % 1 != 0]:
        raise InputError("results", "seed", seed, "must be a whole number")
    swept = swept_columns(results)
    for (case, *values), runs in keyed(results).groupby(["label", *swept], sort=False):
        point = dict(zip(swept, values, strict=True))
        for seed in runs["seed"][runs["seed"].duplicated()]:
            allowed = f"must occur only once in {titled(case, point)}; other runs need other labels"
            raise InputError("results", "seed", seed, allowed)
        yield case, point, runs


def titled(case: object, point: Mapping[str, object]) -> str:
    """Returns the title of a case at a point of the sweep, such as ``charge_trap [levels = 30]``.

    Args:
        point: values by the `swept_columns`; those that do not apply are left out.
    """
    swept = {str(name).removeprefix(SWEEP_PREFIX): value for name, value in point.items()}
    names = distinct(swept, name_of)
    at = ", ".join(
        f"{names[path]} = {or_dash(value)}" for path, value in swept.items() if value != NOT_SWEPT
    )
    return f"{case} [{at}]" if at else str(case)


def titled_row(row: pd.Series) -> str:
    """Returns the title of a row of the summary."""
    point = {str(name): at for name, at in row.items() if str(name).startswith(SWEEP_PREFIX)}
    return titled(row["case"], point)


def titles_of(results: pd.DataFrame) -> list[str]:
    """Returns the title of each run as tables show it."""
    return [titled_row(row) for _, row in keyed(results.assign(case=results["label"])).iterrows()]


def keyed(results: pd.DataFrame) -> pd.DataFrame:
    """Returns a table with its swept values as keys, which stay the same in a part of its rows."""
    return results.assign(**{name: as_keys(results[name]) for name in swept_columns(results)})


def as_keys(column: pd.Series) -> pd.Series:
    """Returns swept values as keys, with `NOT_SWEPT` where a case has none.

    Whole numbers that became floating point because the column has gaps become whole again, and
    convolutions get their short names.
    """
    known = column.dropna()
    is_whole = pd.api.types.is_float_dtype(column) and (known % 1 == 0).all()
    if is_whole and (known.abs() < EXACT).all():
        column = column.astype("Int64")
    return column.astype(object).where(column.notna(), NOT_SWEPT).map(_short)


def _short(value: object) -> object:
    """Returns layers with convolutions as ``12c5/2-64``, and every other value as it is."""
    if not (isinstance(value, str) and value.startswith("[") and '"conv"' in value):
        return value
    return "-".join(layer_names(NetworkSpec(layers=json.loads(value)).hidden_layers))


def without_draw(device: str) -> str:
    """Returns the name of a device without the number of its draw from a fit, if it has one."""
    return _DRAW.sub("", device)


def draws_of(runs: pd.DataFrame) -> list[pd.Index] | None:
    """Returns the rows of each device that was drawn from a fit, or None if not all were drawn."""
    if "device" not in runs or not runs["device"].astype(str).str.contains(_DRAW).all():
        return None
    return [rows.index for _, rows in runs.groupby("device", sort=False)]


def named_rows(table: pd.DataFrame) -> Iterator[tuple[dict[str, str], pd.Series]]:
    """Yields each row of a table of cases after the cells that name it: its case, and its swept
    settings by quantity and unit."""
    paths = [column.removeprefix(SWEEP_PREFIX) for column in swept_columns(table)]
    names = distinct(paths, quantity)
    for _, row in keyed(table).iterrows():
        swept = {name: or_dash(row[f"{SWEEP_PREFIX}{path}"]) for path, name in names.items()}
        yield {"case": str(row["case"]), **swept}, row


def or_dash(value: object) -> str:
    """Returns a swept value as the text of a cell and of a title, such as ``0`` for 0.0."""
    if isinstance(value, float) and float(short := f"{value:.6g}") == value:
        return short
    return "-" if value == NOT_SWEPT else str(value)


def setting(results: pd.DataFrame, path: str) -> pd.Series:
    """Returns the value of a swept setting, or of a column, in each run.

    The value is `NOT_SWEPT` in runs without the setting.

    Raises:
        InputError: `plot --x` names a setting that the results do not have.
    """
    for column in (f"{SWEEP_PREFIX}{path}", path):
        if column in results.columns:
            return as_keys(results[column])
    known = [column.removeprefix(SWEEP_PREFIX) for column in swept_columns(results)]
    raise InputError("plot", "--x", path, one_of([*known, *_GROUPING], path))
