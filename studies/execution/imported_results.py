"""Finished rows that were kept as a CSV, taken up again as the runs that they are."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rpu_ssnn.common.errors import InputError
from studies.declaration.result import SWEEP_PREFIX, TrialResult
from studies.declaration.trial import Trial, stored_identity
from studies.results.store import TrialStore
from studies.workers.run_trial import plain

NEEDED = ("unit", "settings", "numerics_version", "test_accuracy")
KEYS = ("study", "unit", "label")


def _identity(row: dict[Any, Any]) -> str | None:
    try:
        settings = json.loads(row["settings"])
    except (TypeError, ValueError):
        return None
    return stored_identity(settings, row["numerics_version"])


def read_imported_rows(paths: Iterable[Path]) -> dict[str, dict[Any, Any]]:
    """The rows of `results.csv` files, by the identity that their settings and numerics version
    have today; rows of settings that no longer exist are left out. Of a run that several files
    hold, the first counts.

    Raises:
        InputError: a file is not there, or is no results file.
    """
    kept: dict[str, dict[Any, Any]] = {}
    for path in paths:
        for row in _read(path):
            identity = _identity(row)
            if identity is not None:
                kept.setdefault(identity, row)
    return kept


def _read(path: Path) -> list[dict[Any, Any]]:
    import pandas as pd

    try:
        table = pd.read_csv(path)
    except OSError as error:
        raise InputError(path, "file", error.strerror, "must be a readable file") from error
    except UnicodeDecodeError as error:
        raise InputError(path, "file", error.reason, "must be UTF-8 text") from error
    except ValueError as error:  # as pandas says it, in its own words and lines
        found = " ".join(str(error).split())
        raise InputError(path, "rows", found, "must be a results.csv of a study") from error
    for column in NEEDED:
        if column not in table:
            raise InputError(path, column, None, "must be a column, as in a results.csv of a study")
    return table.to_dict("records")


def as_result(row: dict[Any, Any]) -> TrialResult:
    """The finished run that a kept row is; its learning curve is not among the rows."""
    import pandas as pd

    kept = {
        str(name): None if pd.isna(value) else plain(value)
        for name, value in row.items()
        if name not in KEYS and not str(name).startswith(SWEEP_PREFIX)
    }
    return TrialResult(row=kept, epochs=[])


def resume(rows: dict[str, dict[Any, Any]], trials: Sequence[Trial], store: TrialStore) -> int:
    """Writes a trial file for each kept row that is a trial still missing.

    Args:
        rows: of `read_imported_rows`.

    Returns:
        How many rows were taken up.
    """

    def ignore(damaged: object) -> None:
        """The caller's own reading of the folder reports it."""

    stored = store.read_all(on_damage=ignore)
    taken = 0
    for trial in trials:
        row = rows.get(trial.identity)
        if row is None or trial.identity in stored.by_identity:
            continue
        store.write(trial, as_result(row))
        taken += 1
    return taken
