"""Writes and reads the checkpoint of a trial: an npz file without pickle, with a header in JSON.

The arrays have the names of `rpu_ssnn.common.training_state`, and the zip format keeps a checksum
of each. The header names the trial, images and versions to which the checkpoint belongs.
"""

import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from rpu_ssnn.common.errors import RpuSsnnError
from rpu_ssnn.common.files import open_regular, write_whole
from rpu_ssnn.common.training_state import EpochRow, TrainingState
from studies.common.settings import canonical
from studies.declaration.trial import Trial, TrialSettings
from studies.results.store import Versions

FORMAT = 1
"""This version of the layout is raised whenever it changes."""

HEADER = "header"
ARRAY = "state."
"""The name of each array of the state has this prefix."""


class UnfitError(RpuSsnnError):
    """Raised when a checkpoint cannot be used; its message completes "its checkpoint ..."."""


@dataclass(frozen=True)
class Checkpoint:
    """Stores a trial in the middle of its training.

    Attributes:
        resumed: how often the trial was resumed from a checkpoint.
        seconds: time spent on the trial so far, s.
    """

    state: TrainingState
    resumed: int
    seconds: float


def write_checkpoint(path: Path, checkpoint: Checkpoint, trial: Trial, data_digest: str) -> None:
    """Writes the file whole or not at all.

    Raises:
        OSError: the disk is full or the folder is missing; an earlier checkpoint is then unchanged.
    """
    state = checkpoint.state
    header = {
        **_belongs_to(trial, data_digest),
        "resumed": checkpoint.resumed,
        "seconds": checkpoint.seconds,
        "epochs": state.epochs,
        "curve": [asdict(row) for row in state.curve],
    }
    arrays: dict[str, Any] = {f"{ARRAY}{name}": values for name, values in state.arrays.items()}
    arrays[HEADER] = np.array(json.dumps(header))

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:  # numpy would add a suffix to a path
            np.savez(file, **arrays)

    write_whole(path, write)


def read_checkpoint(path: Path, trial: Trial, data_digest: str) -> Checkpoint:
    """Reads the checkpoint of exactly this trial, these images and the present versions.

    Raises:
        UnfitError: it is damaged, or belongs to another trial, other images or other versions.
    """
    try:
        with open_regular(path) as raw, np.load(raw, allow_pickle=False) as file:
            # Members are stored uncompressed, so none can be larger than the file.
            if any(member.compress_type != zipfile.ZIP_STORED for member in file.zip.infolist()):
                raise UnfitError("is damaged (packed)")
            header = json.loads(str(file[HEADER]))
            # The header is compared first, since another version may have other arrays.
            _refuse_foreign(header, _belongs_to(trial, data_digest))
            arrays = {name.removeprefix(ARRAY): file[name] for name in file.files if name != HEADER}
        curve = tuple(_epoch_row(row) for row in header["curve"])
        state = TrainingState(int(header["epochs"]), arrays, curve)
        return Checkpoint(state, int(header["resumed"]), float(header["seconds"]))
    except UnfitError:
        raise
    except Exception as error:  # zip, zlib, numpy's header and its tokeniser raise many kinds
        raise UnfitError(f"is damaged ({type(error).__name__})") from error


def _belongs_to(trial: Trial, data_digest: str) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "settings": json.loads(canonical(trial.settings.model_dump(mode="json"))),
        "data_digest": data_digest,
        **asdict(Versions.here()),
    }


def _refuse_foreign(header: dict[str, Any], here: dict[str, Any]) -> None:
    if _as_known_today(header.get("settings")) != here["settings"]:
        raise UnfitError("belongs to other settings")
    for name, mine in here.items():
        if name != "settings" and header.get(name) != mine:
            raise UnfitError(f"has {name} {header.get(name)} (now {mine})")


def _as_known_today(settings: object) -> object:
    """Returns stored settings as this version writes them, with defaults for newer settings."""
    try:
        return json.loads(canonical(TrialSettings.model_validate(settings).model_dump(mode="json")))
    except ValidationError:
        return settings


def _epoch_row(row: dict[str, Any]) -> EpochRow:
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
    return EpochRow(**fields)
