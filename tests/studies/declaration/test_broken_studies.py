"""Broken studies and folders: one line each, naming file, field, value and what is allowed."""

import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from rpu_ssnn.common.errors import InputError
from studies.cli.app import main
from studies.declaration.shipped import find_study
from studies.declaration.study import Study, load_study
from support.studies.harness import SMALL, small_study
from support.studies.results_fakes import write_folder

PYTHON_WORDS = re.compile(r"\b(tuple|dict\w*|instance|string|str|int|float|bool|Input|Spec)\b")
"""None of a user's."""


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line with which the command line refuses."""
    sys.argv = ["rpu-ssnn", *arguments]
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.endswith("\n")
    return captured.err


@pytest.fixture(autouse=True)
def _argv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", sys.argv)


@pytest.mark.parametrize(
    ("text", "field", "value", "allowed"),
    [
        ("study: [", "line 1, column 9", "", "valid YAML"),
        ("study: a\nseeds: [1]\nseeds: [2]\n", "line 3, column 1", "'seeds'", "only once"),
        ("a: &a [*a]", "line 1, column 8", "'*a'", "must not be within what it stands for"),
        (
            "a0: &a0 [x, x]\n"
            + "".join(f"a{k}: &a{k} [*a{k - 1}, *a{k - 1}]\n" for k in range(1, 40)),
            "line 19, column 6",
            "1048575",
            "must expand to at most 1000000 values",
        ),
        ("study: " + "9" * 5000, "line 1, column 8", "", "at most 300 digits"),
        ("", "content", "missing", "mapping"),
        ("\r\n# nothing\r\n", "content", "missing", "mapping"),
        ("2024-01-01", "content", "'2024-01-01'", "mapping"),
        ("just text", "content", "'just text'", "mapping"),
        ("study: !!python/object:os.system {}", "line 1, column 8", "", "without a tag"),
        ("study: \xff", "file", "", "UTF-8"),
        (None, "file", "No such file or directory", "readable file"),
    ],
)
def test_a_file_that_is_no_yaml_is_refused(
    text: str | None,
    field: str,
    value: str,
    allowed: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "broken.yaml"
    if text is not None:
        path.write_bytes(text.encode("latin-1"))
    line = refused(["run", str(path)], capsys)
    assert line.startswith(f"{path}: {field}: {value}")
    assert allowed in line


def test_a_folder_for_a_study_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(["run", str(tmp_path)], capsys)
    assert line == f"{tmp_path}: file: Is a directory; must be a readable file\n"


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


def test_thousands_of_faults_are_one_line_at_once() -> None:
    start = time.process_time()
    with pytest.raises(InputError, match=r"seeds\.0: 1\.5 is not .* \(and 8999 more\)$"):
        small_study(seeds=[1.5] * 9000)
    assert time.process_time() - start < 5.0  # 0.05 s; a look at every pair takes 20 s


def test_an_unknown_name_lists_the_shipped_studies(capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(["run", "digits_device"], capsys)
    assert "did you mean digits_devices?" in line


def _valid(folder: Path, **changes: Any) -> Path:
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump({**SMALL, **changes}))
    return path


def test_the_folder_of_another_study_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    write_folder(out, small_study(study="other"))
    line = refused(["run", str(_valid(tmp_path)), "--out", str(out)], capsys)
    assert line.startswith(f"{out}: output folder: 'other' is not allowed; holds another study")
    assert "small" in line


def test_a_folder_with_other_files_is_refused_and_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "results.csv").write_text("precious")
    line = refused(["run", str(_valid(tmp_path)), "--out", str(out)], capsys)
    assert line.startswith(f"{out}: output folder: 'results.csv'")
    assert [entry.name for entry in out.iterdir()] == ["results.csv"]


def test_an_output_folder_below_a_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "out"
    line = refused(["run", str(_valid(tmp_path)), "--out", str(out)], capsys)
    assert line.startswith(f"{out}: output folder: Not a directory; must be")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_an_unwritable_output_folder_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    line = refused(["run", str(_valid(tmp_path)), "--out", str(locked / "out")], capsys)
    assert "Permission denied; must be writable" in line


def test_a_drives_file_with_a_wrong_value_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drives = tmp_path / "drives.yaml"
    drives.write_text("rate: {learning_rate: -1, validation_accuracy: 90, searched_for: 00}\n")
    study = _valid(tmp_path, cases=[{"update": "rate"}], drives="drives.yaml")
    line = refused(["run", str(study), "--out", str(tmp_path / "out")], capsys)
    assert line.startswith(f"{drives}: rate.learning_rate: -1 is not allowed; must be greater")


def test_a_folder_without_a_study_has_no_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(["table", str(tmp_path)], capsys)
    assert line.startswith(f"{tmp_path}: result folder: ")


@pytest.mark.parametrize(
    ("dataset", "changes", "field", "value", "allowed"),
    [
        ({"n_train": 5000}, {}, "dataset.n_train", "5000", "at most 1438, the images there are"),
        ({"n_test": 360}, {}, "dataset.n_test", "360", "at most 359, the images there are"),
        (
            {"n_train": 4},
            {},
            "dataset.validation_share",
            "0.1",
            "holds none of 4 images out: must be 0, or above 0.125",
        ),
        (
            {},
            {"sweep": {"dataset.n_train": [100, 2000]}},
            "sweep.dataset.n_train",
            "2000",
            "must be at most 1438",
        ),
        (
            {},
            {"cases": [{"update": "rate"}], "search": {"n_train": 3000}},
            "search.n_train",
            "3000",
            "must be at most 1438",
        ),
        (
            {},
            {"cases": [{"update": "rate"}], "search": {"n_train": 5}},
            "search.n_train",
            "5",
            "must be at least 6, or the validation share of 0.1 holds no image out",
        ),
        (
            {"n_train": 100, "validation_share": 0},
            {"cases": [{"update": "rate"}], "search": {"validation_share": 0.001}},
            "search.validation_share",
            "0.001",
            "holds none of 100 images out: must be above 0.005, or dataset.n_train larger",
        ),
    ],
)
@pytest.mark.parametrize("command", ["run", "search", "plan"])
def test_images_that_are_not_there_are_refused_before_anything_is_written(
    command: str,
    dataset: dict[str, Any],
    changes: dict[str, Any],
    field: str,
    value: str,
    allowed: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "studies.workers.local_executor._pool_of_one", None
    )  # no process may be started
    study = _valid(tmp_path, dataset={"name": "digits", **dataset}, **changes)
    line = refused([command, str(study), "--out", str(tmp_path / "new" / "out")], capsys)
    assert line.startswith(f"{study}: {field}: {value} is not allowed; ")
    assert allowed in line
    assert not (tmp_path / "new").exists()


def test_a_run_without_its_images_or_kept_rows_makes_no_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = _valid(tmp_path, dataset={"name": "mnist"})
    arguments = ["run", str(study), "--out", str(tmp_path / "new" / "out")]
    assert "missing" in refused([*arguments, "--data", str(tmp_path)], capsys)
    rows = tmp_path / "rows.csv"
    rows.write_text("a,b\n1\n1,2,3\n")
    assert refused([*arguments, "--rows", str(rows)], capsys).startswith(f"{rows}: rows: ")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("bad", "line"),
    [
        ({"seeds": 2.5}, "study: seeds: 2.5 is not allowed; must be a number n, "),
        ({"network": {"T": -1}}, "study: network.T: -1 is not allowed; must be greater"),
        ({"reference": "rates"}, "study: reference: 'rates' is not allowed; did you mean rate?"),
        ({"sedes": [1], "network": {"T": -1}}, "study: sedes: 'sedes' is not allowed; unknown key"),
    ],
)
def test_a_study_in_python_is_refused_in_one_line(bad: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError) as found:
        Study(**(SMALL | bad))
    assert str(found.value).startswith(line)
    assert "\n" not in str(found.value)


def test_the_drives_file_may_be_in_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert load_study(_valid(tmp_path, drives="~/d.yaml")).drives == tmp_path / "home" / "d.yaml"
