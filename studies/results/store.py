"""Writes and reads trial files, each of which holds the row and learning curve of one run."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from rpu_ssnn.common.errors import InputError, require
from rpu_ssnn.common.files import is_regular, reason, text_of, write_whole
from rpu_ssnn.common.validation import validated
from rpu_ssnn.spec import Spec
from rpu_ssnn.version import NUMERICS_VERSION
from studies.common.settings import short_hash
from studies.declaration.trial import Row, Trial, TrialResult, stored_identity
from studies.results.row_schema import CheckedEpoch, checked_row

FORMAT: Literal[1] = 1
"""Trial files have this version of their layout."""

_NAME = re.compile(r"[0-9a-f]{16}\.json")


class _TrialFile(Spec):
    format: Literal[1]
    trial: str
    settings: dict[str, Any]
    row: Row
    epochs: list[Row]
    digest: str

    def expected_digest(self) -> str:
        return short_hash([self.trial, self.settings, self.row, self.epochs])


@dataclass(frozen=True)
class Versions:
    """Holds the versions in which rows must agree to be compared."""

    numerics_version: int
    torch_version: str
    aihwkit_version: str

    @classmethod
    def here(cls) -> "Versions":
        """Returns the versions of this environment without importing anything heavy."""
        return cls(NUMERICS_VERSION, metadata.version("torch"), metadata.version("aihwkit"))

    @classmethod
    def of(cls, result: TrialResult) -> "Versions":
        """Returns the versions of a finished run."""
        return cls(**{name: result.row[name] for name in cls.__dataclass_fields__})  # type: ignore[arg-type]

    def __str__(self) -> str:
        return ", ".join(f"{name} {version}" for name, version in vars(self).items())

    def difference(self, other: "Versions") -> str:
        """Returns the differences in words, or an empty text if there are none."""
        pairs = [(name, getattr(self, name), getattr(other, name)) for name in vars(self)]
        return ", ".join(f"{name} {mine} (now {now})" for name, mine, now in pairs if mine != now)


@dataclass(frozen=True)
class TrialStore:
    """Writes and reads the trial files of one folder."""

    folder: Path

    def write(self, trial: Trial, result: TrialResult) -> None:
        """Writes the file of a finished run, whole or not at all.

        Raises:
            OSError: the disk is full or the folder is gone.
        """
        content = _TrialFile(
            format=FORMAT,
            trial=trial.identity,
            settings=trial.settings.model_dump(mode="json"),
            row=result.row,
            epochs=result.epochs,
            digest="",
        )
        whole = content.model_copy(update={"digest": content.expected_digest()})
        text = json.dumps(whole.model_dump(), indent=1, allow_nan=False)
        write_whole(self.folder / f"{trial.identity}.json", lambda path: path.write_text(text))

    def _files(self) -> list[Path]:
        try:
            entries = sorted(self.folder.iterdir())
        except FileNotFoundError:
            return []
        except OSError as error:
            allowed = "must be a readable folder of trial files"
            raise InputError(self.folder, "folder", reason(error), allowed) from error
        return [
            path for path in entries if path.suffix == ".json" and not path.name.startswith(".")
        ]

    def read_all(self) -> "StoredRuns":
        """Returns every run of the folder; damaged or foreign files become errors in `faults`.

        Raises:
            InputError: the folder is not a folder, or cannot be read.
        """
        runs = StoredRuns({}, [])
        for path in self._files():
            try:
                content = _read_trial_file(path)
            except InputError as error:
                runs.faults.append(error)
                continue
            identity = stored_identity(content.settings, NUMERICS_VERSION) or content.trial
            runs.add(identity, TrialResult(row=content.row, epochs=content.epochs))
        return runs


@dataclass(frozen=True)
class StoredRuns:
    """Holds finished runs that were read from files.

    Identities are those that the settings of the runs have today, whatever the names of the files.
    Of runs that differ only in the numerics, one of today's counts, or else one of the latest.

    Attributes:
        by_identity: runs by identity.
        faults: errors of the files or rows that were left out.
    """

    by_identity: dict[str, TrialResult]
    faults: list[InputError]

    def add(self, identity: str, run: TrialResult) -> bool:
        """Adds a run unless there is one with the same or better numerics, and says whether."""
        known = self.by_identity.get(identity)
        if known is not None and _numerics(run) <= _numerics(known):
            return False
        self.by_identity[identity] = run
        return True

    @property
    def made_here(self) -> dict[str, TrialResult]:
        """Returns the runs that were made under the versions of this environment."""
        here = Versions.here()
        return {key: run for key, run in self.by_identity.items() if Versions.of(run) == here}

    def n_beside(self, trials: Iterable[Trial]) -> int:
        """Counts the runs that do not belong to any of these trials."""
        return len(self.by_identity.keys() - {trial.identity for trial in trials})


def _numerics(run: TrialResult) -> tuple[bool, int]:
    version = int(str(run.row["numerics_version"]))
    return version == NUMERICS_VERSION, version


def is_trial_file(path: Path) -> bool:
    """Says whether this is a regular file with the name of a trial file; no other is renamed."""
    return _NAME.fullmatch(path.name) is not None and is_regular(path)


def _read_trial_file(path: Path) -> _TrialFile:
    """Reads a trial file.

    Raises:
        InputError: the file is cut off, edited, renamed, or not in this format.
    """
    text = text_of(path)
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:  # a number may have too many digits
        raise InputError(path, "file", reason(error), "must be complete JSON") from error
    content = validated(_TrialFile, raw, "", path)
    allowed = f"must be {path.stem}, the file's own name"
    require(content.trial == path.stem, path, "trial", content.trial, allowed)
    if content.digest != content.expected_digest():
        allowed = f"must be {content.expected_digest()}, that of the content, which was changed"
        raise InputError(path, "digest", content.digest, allowed)
    epochs = [
        checked_row(path, f"epochs.{k}", row, CheckedEpoch) for k, row in enumerate(content.epochs)
    ]
    return content.model_copy(
        update={"row": checked_row(path, "row", content.row), "epochs": epochs}
    )
