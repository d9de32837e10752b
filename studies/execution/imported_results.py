"""Imports finished rows of a results CSV as finished trials of a study."""

import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rpu_ssnn.common.errors import Fault, InputError
from rpu_ssnn.common.files import read_bytes, reason
from rpu_ssnn.common.wording import counted, listed
from rpu_ssnn.version import NUMERICS_VERSION
from studies.declaration.trial import SWEEP_PREFIX, Row, Trial, TrialResult, stored_identity
from studies.results.row_schema import checked_row, value_of_cell
from studies.results.store import StoredRuns, TrialStore

NEEDED = (
    "trial",
    "settings",
    "numerics_version",
    "test_accuracy",
    "seed",
    "pulses_per_device_mean",
    "saturated_fraction",
)
"""Columns without which a row is none, or no table can be made of it."""

KEYS = ("study", "trial", "label")

MOST_TABLE_BYTES = 512 << 20
"""Largest results file: some ten thousand rows with all their settings."""


def read_imported_rows(paths: Iterable[Path]) -> StoredRuns:
    """Returns the rows of `results.csv` files as finished trials.

    They are named by the identity that their settings have today. A trial that several rows hold
    counts once.

    Each invalid row is one of the `faults`, and so are, once a file, rows of settings that this
    version has not, and rows of another numerics version.

    Raises:
        InputError: a file is not there, or is no results file; two rows of one trial have
            different accuracies.
    """
    kept: dict[str, TrialResult] = {}
    places: dict[str, str] = {}
    faults: list[InputError] = []
    for path in paths:
        unknown: list[str] = []
        others: dict[object, int] = {}
        for place, row in _read(path, faults):
            identity, version = _identity(row), row["numerics_version"]
            if identity is None:
                unknown.append(place)
            elif version != NUMERICS_VERSION:
                others[version] = others.get(version, 0) + 1
            else:
                result, here = _as_result(row), f"{place} of {path}"
                there = places.setdefault(identity, here)
                refuse_conflict(path, result, here, kept.setdefault(identity, result), there)
        for other, n in others.items():
            fault = Fault(f"{other} in {counted(n, 'row')}")
            allowed = f"must be {NUMERICS_VERSION}: other numerics give other numbers"
            faults.append(InputError(path, "numerics_version", fault, allowed))
        if unknown:
            allowed = "must be those of a trial of this version"
            fault = Fault(f"not known in {listed(unknown)}")
            faults.append(InputError(path, "settings", fault, allowed))
    return StoredRuns(kept, {}, faults)


def refuse_conflict(
    where: object, result: TrialResult, here: str, other: TrialResult, there: str
) -> None:
    """Refuses two results of one trial that are not the same.

    Args:
        here, there: where the two come from, in words.

    Raises:
        InputError: their test or validation accuracies differ.
    """
    for column in ("test_accuracy", "validation_accuracy"):
        one, two = result.row.get(column), other.row.get(column)
        if not (isinstance(one, int | float) and isinstance(two, int | float)):
            continue
        if not math.isclose(one, two, rel_tol=1e-9):
            fault = Fault(f"{column} is {one:.6g} in {here} and {two:.6g} in {there}")
            allowed = "must agree, since both are rows of one trial: leave one of them out"
            raise InputError(where, "rows", fault, allowed)


def _identity(row: Row) -> str | None:
    try:
        settings = json.loads(str(row["settings"]))
    except (ValueError, RecursionError):
        return None
    return stored_identity(settings, row["numerics_version"])


def _read(path: Path, faults: list[InputError]) -> list[tuple[str, Row]]:
    """Returns the valid rows of a file with their places, and notes what is wrong with others.

    Each cell is parsed alone, so that one cannot change another.
    """
    import pandas as pd

    try:
        content = io.BytesIO(read_bytes(path, MOST_TABLE_BYTES))
        table = pd.read_csv(content, dtype=str, na_filter=False, encoding="utf-8-sig")
    except OSError as error:
        raise InputError(path, "file", reason(error), "must be a readable file") from error
    except UnicodeDecodeError as error:
        raise InputError(path, "file", Fault(error.reason), "must be UTF-8 text") from error
    except (ValueError, OverflowError) as error:  # pandas raises messages of several lines
        found = reason(error)
        raise InputError(path, "rows", found, "must be a results.csv of a study") from error
    for column in NEEDED:
        if column not in table:
            raise InputError(path, column, None, "must be a column, as in a results.csv of a study")
    good = []
    for number, cells in enumerate(table.to_dict("records"), 1):
        row = {str(name): value_of_cell(str(name), cell) for name, cell in cells.items()}
        try:
            good.append((f"row {number}", checked_row(path, f"row {number}", row)))
        except InputError as error:
            faults.append(error)
    return good


def _as_result(row: Row) -> TrialResult:
    """Returns an imported row as a finished trial; it has no learning curve."""
    kept = {
        name: value
        for name, value in row.items()
        if name not in KEYS and not name.startswith(SWEEP_PREFIX)
    }
    return TrialResult(row=kept, epochs=[])


def resume(
    imported: Mapping[str, TrialResult],
    trials: Sequence[Trial],
    store: TrialStore,
    stored: StoredRuns,
) -> int:
    """Writes a trial file for each imported row whose trial is missing.

    Args:
        imported: of `read_imported_rows`.
        stored: the runs of the store; those taken up are added.

    Returns:
        How many rows were taken up.
    """
    taken = 0
    for trial in trials:
        result = imported.get(trial.identity)
        if result is None or trial.identity in stored.by_identity:
            continue
        store.write(trial, result)
        stored.by_identity[trial.identity] = result
        taken += 1
    return taken
