"""If a write fails or a file is incomplete, rows are complete or absent and the next run
continues."""

import errno
import json
import os
import shutil
from contextlib import suppress
from typing import Any

import pandas as pd
import pytest

from rpu_ssnn.common.errors import InputError
from studies.declaration.trial import Trial
from studies.execution.phase import Tables
from studies.execution.progress import Reporter
from studies.results.tables import RESULTS_CSV
from support.studies.harness import Harness, InThisProcess, small_study


class Notes(Reporter):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def run(harness: Harness, reporter: Reporter | None = None, **changes: Any) -> Any:
    options = {"executor": InThisProcess(), "reporter": reporter or Reporter(), **changes}
    return harness.run(small_study(), **options)


class FailsOnce:
    """Makes a system call fail the n-th time."""

    def __init__(self, real: Any, number: int, code: int) -> None:
        self._real, self._left, self._code = real, number, code
        self.failed = False

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self._left -= 1
        if self._left == 0:
            self.failed = True
            raise OSError(self._code, os.strerror(self._code))
        return self._real(*arguments, **options)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EINTR])
@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_each_write_may_fail_once(
    call: str, code: int, harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: dict[str, str] = {}
    for number in range(1, 40, 2):
        shutil.rmtree(harness.out, ignore_errors=True)
        with monkeypatch.context() as patched:
            failing = FailsOnce(getattr(os, call), number, code)
            patched.setattr(f"rpu_ssnn.common.files.os.{call}", failing)
            # Only the tables at the end or the very first files may raise an error.
            with suppress(OSError, InputError):
                run(harness)
        rows = {path.name: path.read_text() for path in (harness.out / "trials").glob("*.json")}
        for name, text in rows.items():
            assert json.loads(text)["digest"]
            assert whole.setdefault(name, text) == text
        assert not list(harness.out.rglob(".*.tmp.*")), "a temporary file is left"
        if not failing.failed:
            break
    assert number > 12, "one write of each of six trials failed, and more"
    assert len(whole) == 6
    shutil.rmtree(harness.out)
    assert len(run(harness).runs) == 6


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a,b\n1,2\n", b"trial\n" + b'"' * 100])
def test_a_list_of_failures_that_is_none_is_set_aside(content: bytes, harness: Harness) -> None:
    run(harness)
    (harness.out / "failures.csv").write_bytes(content)
    told = Notes()
    run(harness, told)
    assert (harness.out / "failures.csv.damaged").read_bytes() == content
    assert [note for note in told.notes if "failures.csv" in note and "kept as" in note]


def test_a_progress_file_that_is_no_text_stops_nothing(harness: Harness) -> None:
    class Scribbling(Reporter):
        def started(self, trial: Trial) -> None:
            (harness.out / "running" / f"{trial.identity}.json").write_bytes(b"\xff\xfe\x00")

    assert len(run(harness, Scribbling()).runs) == 6


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_in_the_place_of_a_trial_file_is_set_aside_or_left(
    kind: str, harness: Harness
) -> None:
    run(harness)
    path = next((harness.out / "trials").glob("*.json"))
    path.unlink()
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    told = Notes()
    if kind == "folder":
        with pytest.raises(IsADirectoryError, match=path.name):
            run(harness, told)
    else:
        assert len(run(harness, told).runs) == 6
    assert any(str(path) in note for note in told.notes)


def test_tables_that_cannot_be_rebuilt_meanwhile_stop_nothing(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tries = Tables.rebuild, []

    def rebuild(tables: Tables) -> None:
        tries.append(1)
        if len(tries) < 4:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(tables)

    monkeypatch.setattr(Tables, "rebuild", rebuild)
    assert len(run(harness).runs) == 6
    assert len(pd.read_csv(harness.out / RESULTS_CSV)) == 6
