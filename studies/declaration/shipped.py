"""The shipped studies, and the search of a study by name or path."""

from pathlib import Path

from rpu_ssnn.common.errors import InputError, one_of
from rpu_ssnn.common.files import user_path
from studies.declaration.study import Study, load_study

FOLDER = Path(__file__).parents[1] / "shipped"


NOT_STUDIES = "drives"
"""Subfolder of the shipped studies that holds hyperparameters."""


def shipped_files() -> dict[str, Path]:
    """The shipped studies by name; subfolders (`peers`) group them."""
    found = {path.stem: path for path in FOLDER.rglob("*.yaml") if path.parent.name != NOT_STUDIES}
    return dict(sorted(found.items()))


def find_study(name_or_path: str) -> Study:
    """A study by the path of its file or by the name of a shipped one.

    Raises:
        InputError: neither is there, or the file is not a valid study.
    """
    path = user_path("studies", "study", name_or_path)
    shipped = shipped_files()
    if name_or_path in shipped and not path.is_file():  # a folder may be the study's own --out
        return load_study(shipped[name_or_path])
    if path.suffix in (".yaml", ".yml") or path.exists():
        return load_study(path)
    allowed = one_of(shipped, name_or_path, "rpu-ssnn studies") + ", or a YAML file"
    raise InputError("studies", "study", name_or_path, allowed)
