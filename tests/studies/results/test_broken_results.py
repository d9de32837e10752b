"""Each damaged result folder gives one line with file, key, value and what is allowed."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from studies.common.settings import short_hash
from support.commands import Command
from support.studies.harness import RATE
from support.studies.results_fakes import nasty_study, write_folder

READING = ("table", "plot", "report", "ledger")

type Damage = Callable[[Path], object]


def _study(root: Path) -> Path:
    return root / "study.yaml"


def _replaced_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _trials_are_a_file(root: Path) -> None:
    shutil.rmtree(root / "trials")
    (root / "trials").write_text("")


def _edited(old: str, new: str) -> Damage:
    """Returns what replaces one text of the study by another."""

    def edit(root: Path) -> None:
        before, text = _study(root).read_text().split(old, 1)
        _study(root).write_text(before + new + text)

    return edit


def _written(name: str, content: str | bytes) -> Damage:
    raw = content if isinstance(content, bytes) else content.encode()
    return lambda root: (root / name).write_bytes(raw)


STUDY, FOUND = "study.yaml", "hyperparameters.yaml"
A_FLAG = "rate: {learning_rate: true, validation_accuracy: 90}"
TWICE: Damage = lambda root: _study(root).write_text(_study(root).read_text() + "seeds: [1]\n")  # noqa: E731

# The columns are id, damage, then place below the folder, key and value as in the error line.
NONE = ("", "result folder", "a folder without study.yaml")
BROKEN: list[tuple[str, Damage, str, str, str]] = [
    ("no study", lambda root: _study(root).unlink(), *NONE),
    ("folder for the study", lambda root: _replaced_by_folder(_study(root)), *NONE),
    ("empty study", _written(STUDY, ""), STUDY, "content", "missing"),
    ("cut off", _written(STUDY, "study: s\ncases: [{update: rate"), STUDY, "line 2", ""),
    ("encoding", _written(STUDY, "study: größe".encode("latin-1")), STUDY, "file", ""),
    ("key of the study", _edited("question:", "qestion:"), STUDY, "qestion", "unknown key"),
    ("key of the study twice", TWICE, STUDY, "line ", "'seeds'"),
    ("device of the study", _edited("reram_es", "reram_ez"), STUDY, "case 3.device", "'reram_ez'"),
    ("text", _written(FOUND, "none"), FOUND, "content", "'none'"),
    ("flag", _written(FOUND, A_FLAG), FOUND, "rate.learning_rate", "True"),
    ("folder of that name", lambda root: (root / FOUND).mkdir(), FOUND, "file", "Is a directory"),
    ("file for trials", _trials_are_a_file, "trials", "folder", "Not a directory"),
]


def changed(path: Path, sealed: bool, **changes: Any) -> None:
    """Changes keys of a trial file (``row_x`` for its row), with a new digest if `sealed`."""
    content = json.loads(path.read_text())
    for key, value in changes.items():
        part = content["row"] if key.startswith("row_") else content
        part[key.removeprefix("row_")] = value
    if sealed:
        content["digest"] = short_hash([content[k] for k in ("trial", "settings", "row", "epochs")])
    path.write_text(json.dumps(content))


# The columns are id, damage of one trial file, then key and value as in the error line.
BROKEN_TRIAL: list[tuple[str, Damage, str, str]] = [
    ("empty", lambda path: path.write_text(""), "file", "line 1"),
    ("cut off", lambda path: path.write_text(path.read_text()[:99]), "file", "line "),
    ("binary", lambda path: path.write_bytes(b"\xff\x00"), "file", ""),
    ("folder", _replaced_by_folder, "file", "Is a directory"),
    ("list", lambda path: path.write_text("[1]"), "content", "[1]"),
    ("edited", lambda path: changed(path, False, row_T=11), "digest", "'"),
    ("other file's", lambda path: changed(path, True, trial="x"), "trial", "'x'"),
    ("later format", lambda path: changed(path, True, format=2), "format", "2"),
    ("near key", lambda path: changed(path, True, epoch=1), "epoch", "unknown key"),
    ("range", lambda path: changed(path, True, row_test_accuracy=950), "row.test_accuracy", "950"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "out", nasty_study(seeds=[0, 1], sweep={}))


@pytest.mark.parametrize(
    ("damage", "place", "key", "value"), [pytest.param(*rest, id=name) for name, *rest in BROKEN]
)
def test_a_broken_folder_is_refused_in_one_line(
    damage: Damage, place: str, key: str, value: str, folder: Path, command: Command
) -> None:
    damage(folder)
    before = sorted(folder.rglob("*"))
    for name in READING:
        code, output, errors = command(name, folder)
        assert (code, output, errors.count("\n")) == (2, "", 1), (name, errors)
        assert errors.startswith(f"{folder / place}: {key}"), name
        assert f": {value}" in errors
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("damage", "key", "value"), [pytest.param(*rest, id=name) for name, *rest in BROKEN_TRIAL]
)
def test_a_broken_unit_file_is_told_in_one_line_and_left_out(
    damage: Damage, key: str, value: str, folder: Path, command: Command
) -> None:
    path = sorted((folder / "trials").iterdir())[0]
    damage(path)
    code, output, errors = command("table", folder)
    assert (code, errors.count("\n")) == (0, 1), errors
    assert errors.startswith(f"left out: {path}: {key}")
    assert f": {value}" in errors
    assert "| ann" in output


def test_where_all_is_damaged_the_first_is_the_one_line(folder: Path, command: Command) -> None:
    first, *_ = paths = sorted((folder / "trials").iterdir())
    for path in paths:
        path.write_text("x")
    code, output, errors = command("table", folder)
    assert (code, output, errors.count("\n")) == (2, "", 1)
    assert errors.startswith(f"{first}: file: ")


@pytest.mark.parametrize("name", ["table", "plot", "report", "ledger"])
def test_a_folder_without_units_is_refused(name: str, folder: Path, command: Command) -> None:
    for path in (folder / "trials").iterdir():
        path.unlink()
    code, output, errors = command(name, folder)
    assert (code, output, errors.count("\n")) == (2, "", 1)
    assert errors.startswith(f"{folder}: trials: 0 is not allowed; there must be at least one")


def test_a_ledger_needs_a_device(tmp_path: Path, command: Command) -> None:
    ideal = nasty_study(cases=[RATE], sweep={})
    root = write_folder(tmp_path / "ideal", ideal)
    code, output, errors = command("ledger", root)
    assert (code, output) == (2, "")
    assert errors == (
        f"{root}: trials: 0 is not allowed; there must be at least one finished trial on a device\n"
    )
