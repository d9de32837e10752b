"""Tests how study files are read, and runs that are refused before they write anything."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from studies.declaration.shipped import find_study
from studies.declaration.study import Study, load_study, parse_study
from support.commands import Command, refused
from support.studies.harness import SMALL, InThisProcess, small_study, study_file


def test_a_folder_with_the_name_of_a_shipped_study_does_not_hide_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits_devices").mkdir()
    assert find_study("digits_devices").study == "digits_devices"


def test_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = tmp_path / "windows.yaml"
    text = yaml.safe_dump({**SMALL, "question": "2024-01-01"}).replace("\n", "\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("'", "").encode())
    assert load_study(path).question == "2024-01-01"


def test_thousands_of_faults_are_told_at_once() -> None:
    start = time.process_time()
    with refused("seeds.0", "1.5", "seeds.3 and 8996 more"):
        small_study(seeds=[1.5] * 9000)
    assert time.process_time() - start < 5.0  # It takes 0.05 s, or 20 s if every pair is compared.


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_an_unwritable_output_folder_is_refused(tmp_path: Path, command: Command) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    code, _, error = command("run", study_file(tmp_path), "--out", locked / "out")
    assert (code, error.count("\n")) == (2, 1)


def test_a_run_without_its_images_or_kept_rows_makes_no_folder(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studies.workers.clusters.executor_of", lambda *_: InThisProcess())
    study, out = study_file(tmp_path, dataset={"name": "mnist"}), tmp_path / "new" / "out"
    code, _, error = command("run", study, "--out", out, "--data", tmp_path)
    assert (code, "missing" in error) == (2, True)
    rows = tmp_path / "rows.csv"
    rows.write_text("a,b\n1\n1,2,3\n")
    code, _, error = command("run", study, "--out", out, "--rows", rows)
    assert (code, error.startswith(str(rows))) == (2, True)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("bad", [{"seeds": 2.5}, {"network": {"T": -1}}, {"reference": "rates"}])
def test_a_study_in_python_is_refused_in_one_line(bad: dict[str, Any]) -> None:
    with refused(f"Study: {next(iter(bad))}"):
        Study(**(SMALL | bad))


def test_a_folder_whose_name_is_no_text_is_refused_before_anything_runs() -> None:
    with refused("small.yaml", "folder", "UTF-8"):
        parse_study(SMALL, "small.yaml", Path(os.fsdecode(b"/caf\xe9")))
