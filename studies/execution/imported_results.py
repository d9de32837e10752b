"""Imports rows of a results CSV as finished trials of a study."""

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from rpu_ssnn.common.errors import Fault, InputError, require
from rpu_ssnn.common.files import reason, text_of
from rpu_ssnn.common.wording import counted, listed
from rpu_ssnn.version import NUMERICS_VERSION
from studies.common.settings import canonical
from studies.declaration.trial import (
    SWEEP_PREFIX,
    Row,
    Scalar,
    Trial,
    TrialResult,
    TrialSettings,
    identity_of,
)
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
"""Every results file must have these columns, from which rows are recognised and tables made."""

KEYS = ("study", "trial", "label")

_ROUNDING = 1e-9
"""Accuracies may be off by this much, since a table gives them to about fifteen digits."""

MOST_TABLE_BYTES = 512 << 20
"""A results file may be this large, about ten thousand rows with all their settings."""


def read_imported_rows(paths: Iterable[Path]) -> StoredRuns:
    """Returns the rows of `results.csv` files as finished trials.

    Their keys are the identities that their settings have today. A trial with several rows counts
    once.

    Each invalid row adds one error to `faults`. Rows whose settings this version does not know, and
    rows of another numerics version, add one error per file.

    Raises:
        InputError: a file is missing or is not a results file, or two rows of one trial have
            different accuracies.
    """
    kept: dict[str, TrialResult] = {}
    places: dict[str, str] = {}
    digests: dict[str, Scalar] = {}
    faults: list[InputError] = []
    for path in paths:
        for place, row, settings in _known_rows(path, digests, faults):
            identity = identity_of(settings, NUMERICS_VERSION)
            result, here = _as_result(row), f"{place} of {path}"
            there = places.setdefault(identity, here)
            refuse_conflict(path, result, here, kept.setdefault(identity, result), there)
    return StoredRuns(kept, faults)


def _known_rows(
    path: Path, digests: dict[str, Scalar], faults: list[InputError]
) -> Iterator[tuple[str, Row, TrialSettings]]:
    """Yields the rows of a file that this version could have made, with their places and settings.

    Args:
        digests: see `_refuse_contradictions`.
        faults: the errors of all other rows are added.
    """
    unknown: list[str] = []
    others: Counter[object] = Counter()
    for place, row in _read(path, faults):
        settings, version = _settings(row), row["numerics_version"]
        if settings is None:
            unknown.append(place)
        elif version != NUMERICS_VERSION:
            others[version] += 1
        else:
            try:
                _refuse_contradictions(path, place, row, settings, digests)
            except InputError as error:
                faults.append(error)
            else:
                yield place, row, settings
    for other, n in others.items():
        fault = Fault(f"{other} in {counted(n, 'row')}")
        allowed = f"must be {NUMERICS_VERSION}, as other numerics give other numbers"
        faults.append(InputError(path, "numerics_version", fault, allowed))
    if unknown:
        allowed = "must be those of a trial in this version"
        fault = Fault(f"not valid in {listed(unknown)}")
        faults.append(InputError(path, "settings", fault, allowed))


def refuse_conflict(
    where: object, result: TrialResult, here: str, other: TrialResult, there: str
) -> None:
    """Refuses two results of one trial that differ.

    Args:
        here, there: the places that the two come from, in words.

    Raises:
        InputError: their test or validation accuracies differ.
    """
    for column in ("test_accuracy", "validation_accuracy"):
        mine, theirs = result.row.get(column), other.row.get(column)
        if not (isinstance(mine, int | float) and isinstance(theirs, int | float)):
            continue
        fault = Fault(f"{column} is {mine:.6g} in {here} and {theirs:.6g} in {there}")
        allowed = "must agree, as both are rows of one trial; leave one of them out"
        require(math.isclose(mine, theirs, rel_tol=1e-9), where, "rows", fault, allowed)


def _settings(row: Row) -> TrialSettings | None:
    """Returns the settings of a row, or None if they are not valid in this version."""
    try:
        return TrialSettings.model_validate(json.loads(str(row["settings"])))
    except (ValueError, RecursionError):
        return None


def _refuse_contradictions(
    where: Path, place: str, row: Row, settings: TrialSettings, digests: dict[str, Scalar]
) -> None:
    """Refuses a row whose columns contradict its own settings.

    Args:
        digests: the digests of the images in earlier rows, by data set and seed; updated.

    Raises:
        InputError: a column contradicts the settings, an accuracy is not a whole number of its
            images, or two rows have one data set and seed but different images.
    """
    method, data = settings.method, settings.dataset
    known: dict[str, Scalar] = {
        "seed": settings.seed,
        "dataset": data.name,
        "update": method.short_name,
        "learning_rate": method.learning_rate,
        "T": settings.network.T,
        "epochs": settings.training.epochs,
        "batch": settings.training.batch,
        "n_test": data.n_test,
    }
    known |= {name: own for name, own in method.columns().items() if name != "tile"}  # it grows
    if data.n_train is not None:
        known["n_train"] = data.n_train - round(data.validation_share * data.n_train)
    images = canonical([data.model_dump(mode="json"), settings.seed])
    known["data_digest"] = digests.setdefault(images, row.get("data_digest"))
    for column, own in known.items():
        found = row.get(column)
        if found is not None and own is not None and found != own:
            origin = "the rows before" if column == "data_digest" else "the settings of the row"
            raise InputError(where, f"{place}.{column}", found, f"must be {own}, as {origin} say")
    for images in ("test", "validation"):
        n, accuracy = row.get(f"n_{images}"), row.get(f"{images}_accuracy")
        if not (isinstance(n, int) and isinstance(accuracy, int | float)):
            continue
        right = accuracy * n / 100
        if abs(right - round(right)) > _ROUNDING * n:
            allowed = f"must be the share of a whole number of the {n} {images} samples"
            raise InputError(where, f"{place}.{images}_accuracy", accuracy, allowed)


def _read(path: Path, faults: list[InputError]) -> list[tuple[str, Row]]:
    """Returns the valid rows of a file with their places; errors of the others go to `faults`.

    Each cell is parsed by itself, so that no cell can change another.
    """
    allowed = "must be the results.csv that a run writes beside it"
    require(path.suffix != ".parquet", path, "file", Fault("a Parquet file"), allowed)
    text = text_of(path, MOST_TABLE_BYTES).removeprefix("\ufeff")
    try:
        names, *lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    except (ValueError, csv.Error) as error:  # the file is empty, or a quote is not closed
        found = reason(error) if text else Fault("empty")
        raise InputError(path, "rows", found, "must be a results.csv of a study") from error
    for column in NEEDED:
        twice = Fault("there more than once") if column in names else None
        allowed = "must be a column, as in a results.csv of a study"
        require(names.count(column) == 1, path, column, twice, allowed)
    good = []
    rows = list(filter(None, lines))
    require(rows, path, "rows", Fault("none"), "must be a results.csv with a finished trial")
    for number, cells in enumerate(rows, 1):
        place = f"row {number}"
        try:
            allowed = f"must be {len(names)}, one for each column; is the file cut off?"
            require(len(cells) == len(names), path, f"{place}.cells", len(cells), allowed)
            if number == len(rows) and not text.endswith(("\n", "\r")):
                allowed = "must be followed by the end of its line; is the file cut off?"
                raise InputError(path, f"{place}.{names[-1]}", cells[-1], allowed)
            row = {name: value_of_cell(name, cell) for name, cell in zip(names, cells, strict=True)}
            good.append((place, checked_row(path, place, row)))
        except InputError as error:
            faults.append(error)
    return good


def _as_result(row: Row) -> TrialResult:
    """Returns an imported row as a finished trial without a learning curve."""
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
        imported: the runs that `read_imported_rows` returns.
        stored: the runs of the store, to which the rows used are added.

    Returns:
        The number of rows used.
    """
    taken = 0
    for trial in trials:
        result = imported.get(trial.identity)
        if result is not None and stored.add(trial.identity, result):
            store.write(trial, result)
            taken += 1
    return taken
