"""Runs never change files and links that the harness did not create."""

import os
from pathlib import Path

import pytest

from rpu_ssnn.common.files import write_whole
from support.commands import refused
from support.studies.harness import Harness, small_study

PRECIOUS = "precious\n"
KEPT = (".lock", ".rpu-ssnn", "study.yaml", "hyperparameters.yaml")
"""A run does not write these files anew."""


def snapshot(folder: Path) -> dict[str, object]:
    """Returns the content of every file and the target of every link."""
    return {
        str(path.relative_to(folder)): (
            os.readlink(path)
            if path.is_symlink()
            else path.read_bytes()
            if path.is_file()
            else None
        )
        for path in folder.rglob("*")
    }


NOTES = ("notes.json", "draft.tmp", "secret.token", "0123456789abcdef.json")


@pytest.mark.parametrize(
    "names",
    [
        [f"running/{name}" for name in NOTES],
        ["trials/notes.json"],
        ["study.yaml"],
        [".lock"],
        ["../elsewhere/notes.json"],
    ],
)
def test_others_folders_are_untouched(names: list[str], harness: Harness, tmp_path: Path) -> None:
    harness.out.mkdir()
    for name in names:
        (harness.out / name).parent.mkdir(exist_ok=True)
        (harness.out / name).write_text(PRECIOUS)
    if names[0].startswith(".."):
        (harness.out / "running").symlink_to("../elsewhere")
    before = snapshot(tmp_path)
    with refused(str(harness.out), "output folder", "must be new, empty, or the "):
        harness.run(small_study())
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("name", ["trials", "search", "running"])
def test_a_part_that_is_a_link_is_refused(name: str, harness: Harness, tmp_path: Path) -> None:
    harness.run(small_study())
    part, elsewhere = harness.out / name, tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "0123456789abcdef.json").write_text(PRECIOUS)
    for path in part.iterdir():
        path.unlink()
    part.rmdir()
    part.symlink_to(elsewhere)
    before = snapshot(tmp_path)
    with refused(name, "a link", "must be a folder and no link"):
        harness.run(small_study())
    assert snapshot(tmp_path) == before


def test_files_beside_the_runs_own_are_left_alone(harness: Harness) -> None:
    harness.run(small_study())
    foreign = [
        harness.out / "notes.txt",
        harness.out / "running" / "notes.json",
        harness.out / "running" / "draft.tmp",
        harness.out / "running" / "my.token",
        harness.out / "trials" / "notes.json",
        harness.out / "search" / "notes.json",
    ]
    for path in foreign:
        path.write_text(PRECIOUS)
    linked = harness.out / "running" / "0123456789abcdef.json"
    linked.symlink_to(foreign[0])
    harness.run(small_study())
    assert [path.read_text() for path in foreign] == [PRECIOUS] * len(foreign)
    assert linked.is_symlink()


def test_nothing_is_written_through_a_link(harness: Harness, tmp_path: Path) -> None:
    harness.run(small_study())
    target = tmp_path / "precious"
    target.write_text(PRECIOUS)
    for path in sorted(harness.out.rglob("*")):
        if path.is_file() and path.name not in KEPT:
            path.unlink()
            path.symlink_to(target)
    for name in ("results.csv.tmp", "hyperparameters.yaml.tmp", f".{os.getpid()}.tmp.results.csv"):
        (harness.out / name).symlink_to(target)
    harness.run(small_study())
    assert target.read_text() == PRECIOUS


@pytest.mark.parametrize("link", [True, False])
def test_a_lock_of_another_is_refused(link: bool, harness: Harness, tmp_path: Path) -> None:
    harness.run(small_study())
    target, lock = tmp_path / "precious", harness.out / ".lock"
    target.write_text(PRECIOUS)
    lock.unlink()
    if link:
        lock.symlink_to(target)
    else:
        lock.hardlink_to(target)
    with refused(str(harness.out), ".lock", "must be the empty file that a run makes"):
        harness.run(small_study())
    assert target.read_text() == PRECIOUS


def test_what_killed_processes_left_is_removed(harness: Harness) -> None:
    harness.run(small_study())
    left = [
        harness.out / ".0123456789abcdef.tmp.results.csv",
        harness.out / "trials" / ".0123456789abcdef.tmp.fedcba9876543210.json",
        harness.out / "running" / ".0123456789abcdef.tmp.fedcba9876543210.npz",
        harness.out / "running" / "fedcba9876543210.json",
        harness.out / "running" / f"{'ab' * 16}.token",
    ]
    for path in left:
        path.write_text("half")
    harness.run(small_study(seeds=[0, 1, 2]))
    assert not [path for path in left if path.exists()]


def test_a_temporary_file_is_a_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "precious"
    target.write_text(PRECIOUS)
    monkeypatch.setattr("rpu_ssnn.common.files.secrets.token_hex", lambda n: "ab" * n)
    (tmp_path / f".{'ab' * 8}.tmp.rows.csv").symlink_to(target)
    with pytest.raises(FileExistsError):
        write_whole(tmp_path / "rows.csv", lambda path: path.write_text("rows"))
    assert target.read_text() == PRECIOUS
    assert not (tmp_path / "rows.csv").exists()
