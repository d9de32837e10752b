"""A study comes from a YAML file, from a record, or from the shipped studies.

A record is one folder: `study.yaml`, `hyperparameters.yaml` (found ones, by title of the point;
optional), `rows.csv` (finished rows; optional) and a page about them, `index.md`.
"""

from pathlib import Path

from rpu_ssnn.common.errors import InputError, one_of
from rpu_ssnn.common.files import user_path
from studies.declaration.study import STUDY_FILE, Study, load_study

FOLDER = Path(__file__).parents[1] / "shipped"

KEPT_RECORDS = Path(__file__).parents[2] / "docs" / "results"
"""The records of this repository, in a checkout of it."""

ROWS_FILES = "rows*.csv"
"""The finished rows of a record; rows of further seeds may lie in files of their own."""


def shipped_files() -> dict[str, Path]:
    """Returns the shipped studies by name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}


def find_study(name_or_path: str) -> Study:
    """Returns the study of a YAML file, of a record, or of the name of a shipped or kept one.

    A folder without a `study.yaml` stands for the shipped study of its name, whose rows it keeps.

    Raises:
        InputError: there is none of these, or the file is not a valid study.
    """
    path = user_path("studies", "study", name_or_path)
    shipped = shipped_files()
    if name_or_path in shipped and not path.is_file():  # a folder may be the study's own --out
        return load_study(shipped[name_or_path])
    if (path / STUDY_FILE).is_file():
        return load_study(path / STUDY_FILE)
    if path.name in shipped and path.is_dir():
        return load_study(shipped[path.name])
    if (KEPT_RECORDS / name_or_path / STUDY_FILE).is_file():
        return load_study(KEPT_RECORDS / name_or_path / STUDY_FILE)
    if path.suffix in (".yaml", ".yml") or path.exists():
        return load_study(path)
    allowed = one_of(shipped, name_or_path, "rpu-ssnn studies") + ", a YAML file, or a record"
    beside = path.with_name(f"{path.name}.yaml")
    hint = f"; did you mean {beside.name}?" if beside.is_file() else ""
    raise InputError("studies", "study", name_or_path, allowed + hint)


def kept_rows(name_or_path: str) -> list[Path]:
    """Returns the rows of a record, given as its folder or as the name of one of this
    repository."""
    folder = Path(name_or_path)
    if not folder.is_dir():
        if folder.name != name_or_path:
            return []
        folder = KEPT_RECORDS / name_or_path
    return sorted(folder.glob(ROWS_FILES))
