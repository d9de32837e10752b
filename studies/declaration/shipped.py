"""Finds a study, which may be a YAML file, a record, or a shipped study.

A record is a folder with `study.yaml`, optionally `hyperparameters.yaml` (those that were found, by
title of the point) and `rows.csv` (finished rows), and `index.md`, a page about them.
"""

from pathlib import Path

from rpu_ssnn.common.errors import InputError, meant, nearest
from rpu_ssnn.common.files import YAML_SUFFIXES, user_path
from studies.declaration.study import STUDY_FILE, Study, load_study

FOLDER = Path(__file__).parents[1] / "shipped"

KEPT_RECORDS = Path(__file__).parents[2] / "docs" / "results"
"""A checkout of this repository has its records in this folder."""

ROWS_FILES = "rows*.csv"
"""Matches the files of a record's finished rows; rows of further seeds may have separate files."""


def shipped_files() -> dict[str, Path]:
    """Returns the shipped studies by name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}


def find_study(name_or_path: str) -> Study:
    """Returns the study of a YAML file or of a record, or the shipped or kept study of this name.

    A folder without a `study.yaml` keeps rows of the shipped study with the folder's name.

    Raises:
        InputError: there is no such study, or the file is not a valid one.
    """
    path = user_path("studies", "study", name_or_path)
    shipped = shipped_files()
    if name_or_path in shipped and not path.is_file():  # a folder may be the study's output
        return load_study(shipped[name_or_path])
    if (path / STUDY_FILE).is_file():
        return load_study(path / STUDY_FILE)
    if path.name in shipped and path.is_dir():
        return load_study(shipped[path.name])
    if (KEPT_RECORDS / name_or_path / STUDY_FILE).is_file():
        return load_study(KEPT_RECORDS / name_or_path / STUDY_FILE)
    if path.suffix in YAML_SUFFIXES:
        return load_study(path)
    beside = path.parent / f"{path.name}.yaml"
    near = [beside.name] if beside.is_file() else nearest(shipped, name_or_path)
    allowed = (
        f"{meant(near)}must be a YAML file, the folder of a record, or a study that "
        "`rpu-ssnn studies` lists"
    )
    raise InputError("studies", "study", name_or_path, allowed)


def records() -> list[str]:
    """Returns the names of the records in this repository, which an installation may lack."""
    return sorted(rows.parent.name for rows in KEPT_RECORDS.glob(f"*/{ROWS_FILES}"))


def kept_rows(name_or_path: str) -> list[Path]:
    """Returns the files of rows of a record, which is a folder or a name in this repository."""
    folder = Path(name_or_path)
    if not folder.is_dir():
        if folder.name != name_or_path:
            return []
        folder = KEPT_RECORDS / name_or_path
    return sorted(folder.glob(ROWS_FILES))
