"""The studies that come with the package, and how a study is found by name or path."""

from pathlib import Path

from rpu_ssnn.common.errors import InputError, one_of
from rpu_ssnn.common.files import user_path
from studies.declaration.study import Study, load_study

FOLDER = Path(__file__).parents[1] / "library"


def shipped_names() -> list[str]:
    """Names of the shipped studies."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def find_study(name_or_path: str) -> Study:
    """A study by the path of its file or by the name of a shipped one.

    Raises:
        InputError: neither is there, or the file is not a valid study.
    """
    path = user_path("studies", "study", name_or_path)
    if path.suffix in (".yaml", ".yml") or path.exists():
        return load_study(path)
    if name_or_path in shipped_names():
        return load_study(FOLDER / f"{name_or_path}.yaml")
    allowed = "must be a YAML file; by name it " + one_of(shipped_names(), name_or_path)
    raise InputError("studies", "study", name_or_path, allowed)
