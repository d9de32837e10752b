"""The folder of the data sets, the search in it, and the error for a set that is missing."""

import os
from collections.abc import Sequence
from pathlib import Path

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.files import user_path

DATA_ENV = "RPU_SSNN_DATA"
"""The environment variable that names the data folder where no argument does."""


class MissingDataError(InputError):
    """Reports that the files of a data set are missing (as opposed to damaged)."""


def data_folder(root: Path | None) -> Path | None:
    """Returns the folder that the argument names, or else the one that the environment names.

    Raises:
        InputError: the name cannot be that of a folder.
        MissingDataError: there is no such folder.
    """
    named = root if root is not None else os.environ.get(DATA_ENV)
    if not named:
        return None
    where, field = ("environment", DATA_ENV) if root is None else ("data", "folder")
    path = user_path(where, field, named)
    if not path.is_dir():
        raise MissingDataError(where, field, str(named), "must be an existing folder")
    return path


def find_files(
    name: str,
    root: Path | None,
    folders: Sequence[str],
    files: Sequence[str],
    obtain: str,
    *,
    instead: Sequence[str] = (),
    elsewhere: Sequence[Path] = (),
) -> list[Path]:
    """Returns the files of a data set, all of them from the first place that has them all.

    A file may be unpacked or .gz, and the unpacked one is taken if both exist.

    Args:
        name: the data set.
        root: the data folder; None uses the environment variable ``DATA_ENV``.
        folders: the places below the data folder.
        files: the names of the files.
        obtain: a sentence that says how to get the files.
        instead: the names of the files that are taken if no place has ``files``.
        elsewhere: the places outside the data folder, which are searched last.

    Raises:
        MissingDataError: no folder was named, or none of the places holds all files.
    """
    root = data_folder(root)
    places = [*([] if root is None else [root / folder for folder in folders]), *elsewhere]
    if not places:
        allowed = f"must be named by --data or {DATA_ENV}; {obtain}"
        raise MissingDataError(name, "data folder", None, allowed)
    for names in filter(None, (files, instead)):
        for place in places:
            found = _found(place, names)
            if len(found) == len(names):
                return [found[file] for file in names]
    nearest = max((_found(place, files) for place in places), key=len)
    missing = ", ".join(file for file in files if file not in nearest)
    or_else = f" (or {', '.join(instead)} instead)" if instead else ""
    looked = ", ".join(map(str, places))
    allowed = f"must be in one of {looked}, unpacked or as .gz{or_else}; {obtain}"
    raise MissingDataError(name, f"file {missing}", None, allowed)


def _found(place: Path, files: Sequence[str]) -> dict[str, Path]:
    """Returns the path of each of the files that is there."""
    paths = {file: place / file for file in files if (place / file).is_file()}
    packed = {file: place / f"{file}.gz" for file in files if (place / f"{file}.gz").is_file()}
    return packed | paths
