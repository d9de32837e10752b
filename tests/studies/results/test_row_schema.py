"""All readers of rows share one schema."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpu_ssnn.common.errors import InputError
from studies.execution.imported_results import read_imported_rows
from studies.results.result_columns import RESULT_COLUMNS
from studies.results.row_schema import checked_row, value_of_cell
from support.commands import Command, refused
from support.studies.harness import Harness, InThisProcess, small_study, study_file

GOOD: dict[str, Any] = {
    "test_accuracy": 90.0,
    "validation_accuracy": None,
    "numerics_version": 1,
    "torch_version": "2.15.0",
    "aihwkit_version": "1.2.0",
    "T": 10,
    "device": "ideal",
}


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("test_accuracy", 1000.0, "must be an accuracy in %, 0 to 100"),
        ("test_accuracy", True, "must be a number or null, not true"),
        ("test_accuracy", "90", "must be a number or null, not text"),
        ("leak_steps_1", float("inf"), "must be a finite number"),
        ("sweep.overrides.leak_time_constant_s", float("nan"), "must be a finite number"),
        ("T", "abc", "must be a whole number or null, not text"),
        ("T", -1, "greater than or equal to 0"),
        ("numerics_version", None, "must be a whole number"),
        ("torch_version", 2.15, "must be text"),
        ("pulses_up_total_1", "many", "must be a number"),
        ("replayable", "perhaps", "must be true or false"),
        ("device", "a\x1b[31mb", "without control characters"),
    ],
)
def test_a_bad_value_is_named(column: str, value: object, said: str) -> None:
    with refused("a.json", f"row.{column}", said):
        checked_row("a.json", "row", {**GOOD, column: value})


def test_a_study_may_sweep_to_infinity() -> None:
    swept = {"sweep.overrides.leak_time_constant_s": float("inf")}
    row = checked_row("a.json", "row", {**GOOD, **swept})
    assert row["sweep.overrides.leak_time_constant_s"] == float("inf")


def test_a_trial_without_a_test_accuracy_is_not_finished() -> None:
    row = {**GOOD, "test_accuracy": None, "validation_accuracy": 91.0}
    measured_on_test = {**row, "settings": '{"measure":"test"}'}
    with refused("a.json", "row.test_accuracy", "must be an accuracy"):
        checked_row("a.json", "row", measured_on_test)
    for other in (row, {**row, "settings": '{"measure":"validation"}'}):
        assert checked_row("a.json", "row", other)["test_accuracy"] is None


def test_whole_numbers_that_a_merge_made_real_are_whole_again() -> None:
    row = checked_row("a.json", "row", {**GOOD, "numerics_version": 1.0, "T": 10.0})
    assert (row["numerics_version"], row["T"]) == (1, 10)
    assert type(row["numerics_version"]) is type(row["T"]) is int
    assert list(row) == list(GOOD)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    harness = Harness(tmp_path, InThisProcess())
    harness.run(small_study())
    return harness.out / "results.csv"


def damaged(rows: Path, column: str, cell: str) -> Path:
    table = pd.read_csv(rows, dtype=str, na_filter=False)
    table.loc[1, column] = cell
    table.to_csv(rows, index=False)
    return rows


def test_rows_of_unknown_settings_are_named_once(rows: Path) -> None:
    imported = read_imported_rows([damaged(rows, "settings", '{"seed": 0}')])
    assert len(imported.by_identity) == 5
    assert [str(error).partition("settings: ")[2] for error in imported.faults] == [
        "not valid in row 2; must be those of a trial in this version"
    ]


def test_plan_names_a_bad_row_as_run_does(rows: Path, tmp_path: Path, command: Command) -> None:
    study = study_file(tmp_path)
    rows = damaged(rows, "test_accuracy", "1000").rename(tmp_path / "rows.csv")
    code, output, errors = command(
        "plan", study, "--no-estimate", "--out", tmp_path / "new", "--rows", rows
    )
    assert (code, errors.count("\n")) == (0, 1)
    assert errors.startswith(f"left out: {rows}: row 2.test_accuracy: 1000")
    cells = [line.split("|") for line in output.splitlines() if line.startswith("| ")]
    assert [int(one[3]) for one in cells if one[3].strip().isdigit()] == [1, 2, 2]


def test_rows_survive_a_merge_in_pandas(rows: Path) -> None:
    imported = read_imported_rows([damaged(rows, "numerics_version", "1.0")])
    assert len(imported.by_identity) == 6
    assert not imported.faults


@pytest.mark.parametrize(
    ("column", "cell"),
    [("data_file", "007"), ("label", "1e5"), ("machine", "0x10"), ("trial", "860e310356909073")],
)
def test_text_that_looks_like_a_number_stays_text(column: str, cell: str) -> None:
    row = checked_row("a.csv", "row 1", {**GOOD, column: value_of_cell(column, cell)})
    assert row[column] == cell


def test_every_column_of_text_is_read_as_text() -> None:
    """Only `sweep.PATH` and the numbers without a unit are read as what they look like."""
    numbers = {"seed", "bin", "numerics_version", "replayable"}
    for column in RESULT_COLUMNS:
        if column.unit or column.name.startswith("sweep.") or column.name in numbers:
            continue
        assert value_of_cell(column.name, "1e5") == "1e5", column.name


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([*GOOD, "pulses_up_total", "note"]), st.text(max_size=12))
def test_any_cell_is_a_row_or_one_line(column: str, cell: str) -> None:
    said = ""
    try:
        row = checked_row("a.csv", "row 1", {**GOOD, column: value_of_cell(column, cell)})
    except InputError as error:
        said = str(error)
    else:
        accuracy = row["test_accuracy"]
        assert 0 <= accuracy <= 100
    assert "\n" not in said
