"""Writes a study's runs as tidy tables with one row for each run, and one for each epoch."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.files import read_text, reason, write_whole
from studies.common.settings import canonical
from studies.declaration.trial import SWEEP_PREFIX, Failure, Row, Runs, Trial
from studies.declaration.update_rules.on_device import DeviceRule
from studies.results.ledger import ledger_columns

RESULTS_CSV = "results.csv"
RESULTS_PARQUET = "results.parquet"
CURVES_CSV = "curves.csv"
FAILURES_CSV = "failures.csv"

WHOLE_NUMBERS = ("T", "slots", "slot_cycles", "inference_T")
"""These columns would become floating point where a case (ann) has no value."""


def results_frame(runs: Runs) -> pd.DataFrame:
    """Returns a table with a row for each trial: names, swept settings, results and ledger."""
    frame = pd.DataFrame(
        [
            _keys(trial) | result.row | _own(trial, result.row) | ledger_columns(trial, result)
            for trial, result in runs
        ]
    )
    # An empty column holds NaN, which unlike None can be used in computations.
    types = dict.fromkeys(frame.columns[frame.isna().all()], "float64")
    types |= {name: "Int64" for name in WHOLE_NUMBERS if name in frame}
    whole = frame.astype(types).copy()  # in one piece, without which pandas warns of its speed
    return _one_type_a_column(whole)


def curves_frame(runs: Runs) -> pd.DataFrame:
    """Returns a table with a row for each epoch of each run."""
    rows = [
        _keys(trial) | {"seed": trial.settings.seed} | epoch
        for trial, result in runs
        for epoch in result.epochs
    ]
    return _one_type_a_column(pd.DataFrame(rows))


def write_results(root: Path, runs: Runs) -> None:
    """Rebuilds the result files of a folder, each in one step.

    Raises:
        OSError: the disk is full or the folder is gone.
    """
    results = results_frame(runs)
    write_csv(results, root / RESULTS_CSV)
    write_whole(root / RESULTS_PARQUET, lambda path: results.to_parquet(path, index=False))
    write_csv(curves_frame(runs), root / CURVES_CSV)


def write_failures(root: Path, failures: Sequence[Failure]) -> None:
    """Lists the trials that failed and have no row, or removes the list if there are none.

    Raises:
        OSError: the disk is full or the folder is gone.
    """
    path = root / FAILURES_CSV
    if not failures:
        path.unlink(missing_ok=True)
        return
    table = pd.DataFrame([vars(failure) for failure in failures])
    write_csv(table, path)


def read_failures(
    root: Path, on_damage: Callable[[InputError], None] = lambda error: None
) -> list[Failure]:
    """Returns the trials listed as failed, or none if the list is missing or damaged.

    Args:
        on_damage: called with the error if the file is not such a list.
    """
    path = root / FAILURES_CSV
    try:
        rows = list(csv.DictReader(io.StringIO(read_text(path), newline=""), restval=""))
        return [Failure(**row) for row in rows]
    except FileNotFoundError:
        return []
    except (OSError, TypeError, ValueError, csv.Error) as error:
        fault = reason(error)  # the file is unreadable, has other columns, or is not text
    on_damage(InputError(path, "file", fault, "must be the list of failed trials that a run wrote"))
    return []


def _keys(trial: Trial) -> dict[str, Any]:
    swept = {f"{SWEEP_PREFIX}{path}": _cell(value) for path, value in trial.sweep}
    return {"study": trial.study, "trial": trial.identity, "label": trial.label} | swept


def _own(trial: Trial, row: Row) -> Row:
    """Returns the settings and overrides of a trial, which replace those in its row.

    Trials that differ only in parameters for the record share a run, and so a row.
    """
    own = {"settings": trial.settings_json}
    if isinstance(trial.settings.method, DeviceRule):
        own["overrides"] = canonical(trial.settings.method.overrides)
    return {name: text for name, text in own.items() if name in row}


def _cell(value: Any) -> Any:
    """Returns a swept value as a cell; lists, mappings and null become JSON."""
    return value if isinstance(value, bool | int | float | str) else canonical(value)


def _one_type_a_column(frame: pd.DataFrame) -> pd.DataFrame:
    """Turns swept values of several types into text, because a Parquet column has one type."""
    for column in frame.columns:
        if not column.startswith(SWEEP_PREFIX):
            continue
        present = frame[column].notna()
        kinds = {"number" if type(v) in (int, float) else type(v) for v in frame[column][present]}
        if len(kinds) > 1:
            frame[column] = frame[column].where(~present, frame[column].map(str))
    return frame


def write_csv(table: pd.DataFrame, path: Path) -> Path:
    """Writes a table with exact numbers, in one step.

    Raises:
        OSError: the disk is full or the folder is gone.
    """
    write_whole(path, lambda temporary: table.to_csv(temporary, index=False))
    return path
