"""The result folder: one file a finished run, which is the truth; one process at a time writes.

OUT/study.yaml         the study as it was understood, every default written out
OUT/drives.yaml        the drives that its units were run with, where they were searched
OUT/units/ID.json      row and learning curve of one run, written whole or not at all
OUT/search/ID.json     the same for the runs of the drive search
OUT/running/ID.npz     checkpoint of a run that has no row yet (`studies.workers.checkpoint`)
OUT/running/ID.json    how far a run is that a worker has now (`studies.workers.workspace`)
OUT/status.json        where the process that runs the study stands (`studies.execution.status`)
OUT/results.csv, results.parquet, curves.csv, failures.csv    rebuilt from the above
"""

import difflib
import fcntl
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from pydantic import ValidationError

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.files import write_whole
from rpu_ssnn.spec import Spec
from studies.common.explain import as_input_error
from studies.common.yaml_file import read_yaml, to_yaml
from studies.declaration.result import Row, TrialResult
from studies.declaration.study import Study, parse_study
from studies.declaration.trial import Trial, identity_of, short_hash, stored_identity

FORMAT: Literal[1] = 1
"""Of the trial files; raised when their layout changes."""

STUDY_FILE = "study.yaml"
HYPERPARAMETERS_FILE = "drives.yaml"
LOCK_FILE = ".lock"
RUNNING = "running"

LOCK_TRIES, LOCK_SECONDS = 5, 0.05


class _TrialFile(Spec):
    format: Literal[1]
    unit: str
    settings: dict[str, Any]
    row: dict[str, str | bool | int | float | None]
    epochs: list[dict[str, str | bool | int | float | None]]
    digest: str

    def expected_digest(self) -> str:
        return short_hash([self.unit, self.settings, self.row, self.epochs])


class TrialStore:
    """The trial files of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, trial: Trial, result: TrialResult) -> None:
        """Keeps a finished run; a reader sees the whole file or none.

        Raises:
            OSError: the disk is full or the folder is gone.
        """
        content = _TrialFile(
            format=FORMAT,
            unit=trial.identity,
            settings=trial.settings.model_dump(mode="json"),
            row=result.row,
            epochs=result.epochs,
            digest="",
        )
        whole = content.model_copy(update={"digest": content.expected_digest()})
        text = json.dumps(whole.model_dump(), indent=1, allow_nan=False)
        write_whole(self.folder / f"{trial.identity}.json", lambda path: path.write_text(text))

    def holds_any(self) -> bool:
        """Whether a run was ever finished here."""
        return bool(self._files())

    def _files(self) -> list[Path]:
        try:
            entries = sorted(self.folder.iterdir())
        except FileNotFoundError:
            return []
        except OSError as error:
            allowed = "must be a readable folder of trial files"
            raise InputError(self.folder, "folder", error.strerror, allowed) from error
        return [path for path in entries if path.suffix == ".json"]

    def read_all(self, on_damage: Callable[[InputError], None]) -> "StoredRuns":
        """Every run of the folder.

        Args:
            on_damage: called with what is wrong with a file (``where``) that is no whole trial
                file; the others are read all the same.

        Raises:
            InputError: the folder is none, or cannot be read.
        """
        by_identity: dict[str, TrialResult] = {}
        by_settings: dict[str, list[str]] = {}
        for path in self._files():
            try:
                content = _read_trial_file(path)
            except InputError as error:
                on_damage(error)
                continue
            version = content.row.get("numerics_version")
            identity = stored_identity(content.settings, version) or content.unit
            by_identity[identity] = TrialResult(row=content.row, epochs=content.epochs)
            alike = stored_identity(content.settings, 0)
            if alike is not None:
                by_settings.setdefault(alike, []).append(identity)
        return StoredRuns(by_identity, by_settings)


@dataclass(frozen=True)
class StoredRuns:
    """Finished runs: by identity, and the identities that share settings (other numerics).

    Identities are those of today (`trial.identity_of`), whatever the file was named after.
    """

    by_identity: dict[str, TrialResult]
    by_settings: dict[str, list[str]]

    def find(self, trial: Trial) -> TrialResult | None:
        """The run of exactly this trial; else one with its settings under other numerics."""
        if trial.identity in self.by_identity:
            return self.by_identity[trial.identity]
        others = self.by_settings.get(identity_of(trial.settings, 0), [])
        return self.by_identity[others[-1]] if others else None


def _read_trial_file(path: Path) -> _TrialFile:
    """A whole trial file.

    Raises:
        InputError: it is none: cut off, edited, renamed, or not of this format.
    """
    try:
        content = _TrialFile.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(path, "file", error.strerror, "must be a readable file") from error
    except ValidationError as error:
        raise as_input_error(error, path, _TrialFile) from error
    except UnicodeDecodeError as error:
        raise InputError(path, "file", error.reason, "must be UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise InputError(path, f"line {error.lineno}", error.msg, "must be whole JSON") from error
    except (ValueError, RecursionError) as error:  # such as a number of too many digits
        raise InputError(path, "file", str(error), "must be a trial file") from error
    if content.unit != path.stem:
        allowed = f"must be {path.stem}, the file's own name"
        raise InputError(path, "unit", content.unit, allowed)
    if content.digest != content.expected_digest():
        allowed = f"must be {content.expected_digest()}, that of the content: it was changed"
        raise InputError(path, "digest", content.digest, allowed)
    _check_row(path, content.row)
    return content


def _check_row(path: Path, row: Row) -> None:
    """What every reader of a row relies on."""
    kinds: dict[str, tuple[type, str]] = {
        "numerics_version": (int, "must be a whole number"),
        "torch_version": (str, "must be text"),
        "aihwkit_version": (str, "must be text"),
    }
    for name, (kind, allowed) in kinds.items():
        if not isinstance(row.get(name), kind):
            raise InputError(path, f"row.{name}", row.get(name), allowed)
    names = ("test_accuracy", "validation_accuracy")
    shown = {name: row.get(name) for name in names}
    for name, value in shown.items():
        is_share = isinstance(value, int | float) and 0 <= value <= 100
        missing = value is None and any(other is not None for other in shown.values())
        if not (is_share or missing):
            raise InputError(path, f"row.{name}", value, "must be an accuracy, 0 to 100 %")


@dataclass(frozen=True)
class ResultFolder:
    """An output folder that this process may write to."""

    root: Path

    @property
    def trials(self) -> TrialStore:
        """Runs of the study."""
        return TrialStore(self.root / "units")

    @property
    def search(self) -> TrialStore:
        """Runs of the drive search."""
        return TrialStore(self.root / "search")

    @property
    def running(self) -> Path:
        """Folder of what runs leave before they have a row."""
        return self.root / RUNNING

    @property
    def drives(self) -> Path:
        """File with the searched drives that the trials were run with."""
        return self.root / HYPERPARAMETERS_FILE


@contextmanager
def open_folder(root: Path, study: Study) -> Iterator[ResultFolder]:
    """Makes or opens the study's output folder and holds it for this process.

    Raises:
        InputError: it holds another study or other files, cannot be written to, or another
            process is writing to it.
    """
    refuse_foreign(root, study)
    try:
        for folder in ("units", "search", RUNNING):
            (root / folder).mkdir(parents=True, exist_ok=True)
        lock = (root / LOCK_FILE).open("w")
    except OSError as error:
        raise InputError(root, "output folder", error.strerror, "must be writable") from error
    with lock:
        if not _take(lock):
            allowed = "must not be in use: another process is writing to it"
            raise InputError(root, "output folder", "locked", allowed)
        text = _as_understood(study)
        write_whole(root / STUDY_FILE, lambda path: path.write_text(text, encoding="utf-8"))
        yield ResultFolder(root)


def is_in_use(root: Path) -> bool:
    """Whether a process is writing to the folder."""
    try:
        lock = (root / LOCK_FILE).open("rb")
    except OSError:  # never run, or gone
        return False
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # let go as the file closes
        except BlockingIOError:
            return True
    return False


def _take(lock: IO[str]) -> bool:
    """Takes the lock for this process; tries a while, as `is_in_use` holds it for a moment."""
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOCK_SECONDS)
        else:
            return True
    return False


def stored_study(root: Path) -> Study:
    """The study of a result folder.

    Raises:
        InputError: no folder, or no valid study in it.
    """
    path = root / STUDY_FILE
    if not path.is_file():
        allowed = f"must be the output folder of `rpu-ssnn run`, with a {STUDY_FILE} in it"
        raise InputError(root, "result folder", _what_is(root), allowed + _nearby(root))
    return parse_study(read_yaml(path), path, root)


def _what_is(root: Path) -> str:
    if root.is_dir():
        return f"no {STUDY_FILE}"
    return "a file" if root.exists() else "not there"


def _nearby(root: Path) -> str:
    """The result folder that was perhaps meant: inside, around, or of nearly that name."""
    inside = _result_folders(root)
    if len(inside) == 1:
        return f" (did you mean {inside[0]}?)"
    if (root.parent / STUDY_FILE).is_file():
        return f" (did you mean {root.parent}?)"
    beside = {path.name: path for path in _result_folders(root.parent)}
    near = difflib.get_close_matches(root.name, beside, n=1)
    return f" (did you mean {beside[near[0]]}?)" if near else ""


def _result_folders(parent: Path) -> list[Path]:
    try:
        return [path for path in sorted(parent.iterdir()) if (path / STUDY_FILE).is_file()]
    except OSError:
        return []


def refuse_foreign(root: Path, study: Study) -> None:
    """Refuses a folder that is not the study's own to be.

    Raises:
        InputError: it holds another study or other files, or is no folder.
    """
    try:
        holds = sorted(entry.name for entry in root.iterdir()) if root.exists() else []
    except OSError as error:
        raise InputError(root, "output folder", error.strerror, "must be a folder") from error
    if not holds:
        return
    if STUDY_FILE not in holds:
        # Left by a run that was killed in its first moments.
        if set(holds) <= {LOCK_FILE, "units", "search", RUNNING, f"{STUDY_FILE}.tmp"}:
            return
        allowed = "must be new, empty, or the study's own: it holds other files"
        raise InputError(root, "output folder", holds[0], allowed)
    content = read_yaml(root / STUDY_FILE)
    name = content.get("study") if isinstance(content, dict) else None
    if name != study.study:
        allowed = f"holds another study; must be new, empty, or that of {study.study}"
        raise InputError(root, "output folder", name, allowed)


def _as_understood(study: Study) -> str:
    content = study.model_dump(mode="json")
    content["drives"] = HYPERPARAMETERS_FILE
    return to_yaml(content, "The study as it was run, with every default written out.")
