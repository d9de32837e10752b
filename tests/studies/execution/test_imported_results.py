"""Tests runs that reuse finished rows from a CSV."""

from pathlib import Path

import pandas as pd
import pytest

from studies.declaration.study import load_study
from studies.execution.api import load_results, run_study
from studies.execution.imported_results import NEEDED, read_imported_rows
from studies.results.summary import summary
from studies.results.tables import results_frame
from support.commands import Command, refused
from support.studies.harness import DRIVE, RATE, SMALL, Harness, small_study, study_file
from support.studies.results_fakes import runs_of


@pytest.fixture
def halves(harness: Harness) -> tuple[pd.DataFrame, Path, Path]:
    """Returns the table of a run, and two files with parts of it that have a row in common."""
    harness.run(small_study())
    harness.take_log()
    table = load_results(harness.out)
    first, second = (harness.out.parent / f"{name}.csv" for name in ("first", "second"))
    table.iloc[:4].to_csv(first, index=False)
    table.iloc[3:].to_csv(second, index=False)
    return table, first, second


def test_rows_of_several_files_count_and_a_run_in_two_counts_once(
    harness: Harness, halves: tuple[pd.DataFrame, Path, Path]
) -> None:
    table, first, second = halves
    harness.out = harness.out.parent / "elsewhere"
    harness.run(small_study(), kept_rows=[first, second])
    assert not harness.take_log()
    pd.testing.assert_frame_equal(load_results(harness.out), table, check_dtype=False)


def test_rows_of_one_run_that_differ_are_one_error(
    harness: Harness, halves: tuple[pd.DataFrame, Path, Path]
) -> None:
    table, first, second = halves
    table.iloc[3:].assign(test_accuracy=1.0).to_csv(second, index=False)
    with refused(f"rows: test_accuracy is 1 in row 1 of {second} and 81 in row 4 of {first}"):
        read_imported_rows([first, second])
    with refused(f"test_accuracy is 81 in rate seed 1 of {harness.out} and 1 in {second}"):
        load_results(harness.out, [second])


def test_results_are_those_of_a_study_and_several_files(
    halves: tuple[pd.DataFrame, Path, Path], tmp_path: Path
) -> None:
    table, *files = halves
    study = study_file(tmp_path)
    files.append(tmp_path / "other.csv")
    other = results_frame(runs_of(small_study(training={"epochs": 2}), lambda trial: 90.0))
    other.to_csv(files[2], index=False)
    pd.testing.assert_frame_equal(load_results(study, files[:2]), table, check_dtype=False)
    with pytest.warns(UserWarning, match="6 rows of the files belong to no trial of small"):
        load_results(study, files)
    with refused("rows: only those of other trials; must have rows of trials of small"):
        load_results(study, files[2:])


def test_rows_from_before_a_setting_existed_are_taken_up(harness: Harness) -> None:
    """Their old names do not matter, since their settings identify them."""
    harness.run(small_study())
    harness.take_log()
    table = load_results(harness.out)
    assert table["settings"].str.contains('"clocked":false,').all()
    table["settings"] = table["settings"].str.replace('"clocked":false,', "")
    table["trial"] = [f"old{n}" for n in range(len(table))]
    kept = harness.out.parent / "kept.csv"
    table.to_csv(kept, index=False)
    harness.out = harness.out.parent / "elsewhere"
    harness.run(small_study(), kept_rows=[kept])
    assert not harness.take_log()


def test_a_plan_counts_kept_rows_done(harness: Harness, tmp_path: Path, command: Command) -> None:
    harness.run(small_study())
    kept = tmp_path / "kept.csv"
    table = load_results(harness.out)
    table.loc[0, "torch_version"] = "1.0"
    table.iloc[:4].to_csv(kept, index=False)
    study = study_file(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    arguments = ("plan", study, "--out", elsewhere, "--no-estimate")
    assert "6 trials, 0 done, 6 to run" in command(*arguments)[1]
    code, printed, errors = command(*arguments, "--rows", kept)
    assert (code, errors) == (0, "")
    assert "6 trials, 4 done, 2 to run" in printed
    assert "1 row was made under other versions" in printed
    assert not elsewhere.exists()
    # The run does what the plan announced, with rows of the folder and kept rows together.
    harness.out, before = elsewhere, harness.out
    harness.take_log()
    harness.run(small_study(), kept_rows=[kept], other_versions="accept")
    assert harness.take_log() == {"test coincidence seed 0": 1, "test coincidence seed 1": 1}
    assert "6 trials, 6 done" in command("plan", study, "--out", before, "--rows", kept)[1]
    assert "6 trials, 6 done" in command("plan", elsewhere)[1]  # a folder's study goes on in it


def test_kept_rows_need_no_images(harness: Harness, tmp_path: Path, command: Command) -> None:
    path = study_file(tmp_path, dataset={"name": "mnist", "n_train": 100, "n_test": 50})
    study = load_study(path)
    table = results_frame(runs_of(study, lambda trial: 90.0))
    table.to_csv(tmp_path / "kept.csv", index=False)
    arguments = ("plan", path, "--out", tmp_path / "out", "--data", tmp_path)
    assert command(*arguments)[0] == 2
    code, printed, _ = command(*arguments, "--rows", tmp_path / "kept.csv")
    assert (code, "6 trials, 6 done" in printed) == (0, True)


NAMES = ",".join(NEEDED) + "\n"


@pytest.mark.parametrize("content", [None, "", "a,b\n1,2\n", NAMES, NAMES + "x,{},1,90,0,,\n"])
def test_what_is_no_results_file_is_refused(harness: Harness, content: str | None) -> None:
    path = harness.out.parent / "rows.csv"
    if content is not None:
        path.write_text(content)
    with refused(str(path)):
        harness.run(small_study(), kept_rows=[path])
    assert not harness.take_log()


def test_a_parquet_file_of_rows_is_refused_by_name(harness: Harness) -> None:
    with refused("rows.parquet: file: a Parquet file", "must be the results.csv"):
        harness.run(small_study(), kept_rows=[Path("rows.parquet")])


@pytest.mark.parametrize("column", ["seed", "pulses_per_device_mean", "saturated_fraction"])
def test_a_file_without_what_tables_need_is_refused(column: str, tmp_path: Path) -> None:
    rows = results_frame(runs_of(small_study(), lambda trial: 90.0)).drop(columns=column)
    rows.to_csv(tmp_path / "cut.csv", index=False)
    with refused(f"{tmp_path / 'cut.csv'}: {column}: missing", "must be a column"):
        read_imported_rows([tmp_path / "cut.csv"])


@pytest.mark.parametrize(
    ("column", "value", "allowed"),
    [
        ("seed", 7, "must be 0"),
        ("T", 99, "must be 10"),
        ("update", "coincidence", "must be pulses"),
        ("learning_rate", 2.5, f"must be {DRIVE['learning_rate']}"),
        ("device", "capacitor", "must be reram_es"),
        ("n_train", 99, "must be 90"),
        ("n_test", 49, "must be 50"),
        ("test_accuracy", 90.1, "must be the share of a whole number of the 50"),
        ("test_accuracy", "9_0", "must be a number"),
        ("saturated_fraction", 500.0, "must be a share, 0 to 1"),
        ("pulses_per_device_mean", -3.0, "must be 0 or above"),
        ("pulses_up_total_1", -3, "must be 0 or above"),
    ],
)
def test_a_row_that_contradicts_its_settings_is_left_out(
    column: str, value: object, allowed: str, tmp_path: Path
) -> None:
    cases = [SMALL["cases"][0], {"device": "reram_es", "hyperparameters": DRIVE}, RATE]
    study = small_study(cases=cases)
    rows = results_frame(runs_of(study, lambda trial: 90.0)).assign(n_test=50)
    path = tmp_path / "rows.csv"
    rows.to_csv(path, index=False)
    assert len(read_imported_rows([path]).by_identity) == 6
    if column not in rows:
        rows[column] = None
    rows[column] = rows[column].astype(object)
    rows.loc[2, column] = value
    rows.to_csv(path, index=False)
    imported = read_imported_rows([path])
    assert len(imported.by_identity) == 5
    (error,) = imported.faults
    assert str(error).startswith(f"{path}: row 3.{column}: {value!r} is not allowed; {allowed}")


def test_rows_of_one_seed_are_of_the_same_images(tmp_path: Path) -> None:
    rows = results_frame(runs_of(small_study(), lambda trial: 90.0)).assign(data_digest="one")
    rows.loc[4, "data_digest"] = "two"
    rows.to_csv(tmp_path / "rows.csv", index=False)
    imported = read_imported_rows([tmp_path / "rows.csv"])
    assert len(imported.by_identity) == 5
    assert ["row 5.data_digest: 'two'" in str(fault) for fault in imported.faults] == [True]


def test_a_file_that_is_cut_in_its_last_row_loses_that_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    results_frame(runs_of(small_study(), lambda trial: 90.0)).to_csv(path, index=False)
    whole = path.read_text()
    path.write_text(whole[: whole.rindex(",")])
    imported = read_imported_rows([path])
    assert len(imported.by_identity) == 5
    assert f"{path}: row 6.cells" in str(imported.faults[0])
    path.write_text(whole[:-1])  # This cuts the last cell.
    imported = read_imported_rows([path])
    assert (len(imported.by_identity), len(imported.faults)) == (5, 1)
    path.write_text(whole[: whole.rindex('"') - 9])  # This cuts the settings.
    with refused(f"{path}: rows"):
        read_imported_rows([path])


def test_rows_of_changed_data_are_refused_before_a_folder(tmp_path: Path, command: Command) -> None:
    (tmp_path / "a.csv").write_text("label,x\n" + "a,1\nb,2\n" * 20)
    file = study_file(tmp_path, dataset={"file": "a.csv", "test_share": 0.5})
    study = load_study(file)
    made_of = {"data_file": "a.csv", "file_digest": "older"}
    results_frame(runs_of(study, lambda trial: 90.0)).assign(**made_of).to_csv(
        tmp_path / "rows.csv", index=False
    )
    before = sorted(tmp_path.iterdir())
    rows, out = ("--rows", tmp_path / "rows.csv"), ("--out", tmp_path / "out")
    for name, *more in (("run", *out), ("plan", *out), ("table",)):
        code, _, error = command(name, file, *rows, *more)
        assert (code, error.count("\n"), "a.csv: digest" in error) == (2, 1, True), name
    assert sorted(tmp_path.iterdir()) == before


def test_functions_of_python_refuse_what_is_no_path_number_or_table(tmp_path: Path) -> None:
    rows = results_frame(runs_of(small_study(), lambda trial: 90.0))
    rows.to_csv(tmp_path / "rows.csv", index=False)
    study_file(tmp_path, "s.yaml")
    assert len(load_results(tmp_path / "s.yaml", rows=str(tmp_path / "rows.csv"))) == 6
    with refused("workers: '2' is not allowed; must be a whole number"):
        run_study(small_study(), tmp_path / "out", workers="2")  # type: ignore[arg-type]
    for junk in ("rows.csv", None, [1]):
        with refused("summary: results", "must be a table"):
            summary(junk)  # type: ignore[arg-type]
    for column in ("seed", "label", "saturated_fraction"):
        with refused(f"results: {column}: missing"):
            summary(rows.drop(columns=column), "rate")
