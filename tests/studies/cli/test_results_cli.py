"""Tests the commands about results: their output, their files and their exit codes."""

import re
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from rpu_ssnn.common.errors import InputError
from studies.declaration.shipped import KEPT_RECORDS
from studies.execution.api import load_results, run_study
from studies.execution.export import export_trial
from studies.report.page.build import write_report
from studies.results.summary import summary
from studies.workers.cluster_executor import ClusterExecutor
from studies.workers.run_trial import run_trial
from studies.workers.worker import Job
from studies.workers.workspace import TrialSession
from support.commands import Command, full_disk, refused
from support.studies.fake_timing import fake_steps
from support.studies.harness import (
    DRIVE,
    RATE,
    SMALL,
    InThisProcess,
    accept_all,
    declared_trials,
    study_file,
)
from support.studies.results_fakes import nasty_study, runs_of, write_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "out", nasty_study())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("table", "--rows", "none.csv"), "none.csv: file: No such file"),
        (("table", "--against", ""), "results: against: ''"),
        (("plot", "--x", "", "--kind", "sweep"), "plot: --x: '' is not allowed"),
        (("plot", "--x", "seed", "--kind", "gaps"), "plot: --x: 'seed'"),
    ],
)
def test_bad_arguments_are_one_line(
    arguments: tuple[str, ...], message: str, command: Command, folder: Path
) -> None:
    name, *options = arguments
    code, output, errors = command(name, folder, *options)
    assert (code, output, errors.count("\n")) == (2, "", 1)
    assert errors.startswith(message)


def test_a_table_of_exact_numbers_goes_into_a_file(
    command: Command, folder: Path, tmp_path: Path
) -> None:
    _, printed, _ = command("table", folder)
    target = tmp_path / "t.csv"

    with full_disk(10):
        code, output, errors = command("table", folder, "--out", target)
    assert (code, output, errors.count("\n")) == (2, "", 1), "nothing is printed before"
    code, output, _ = command("table", folder, "--out", target)
    assert (code, output) == (0, f"{printed}table   {target}\n")
    exact, table = pd.read_csv(target), summary(load_results(folder), "rate")
    np.testing.assert_array_equal(exact["gap_ci"], table["gap_ci"])


def test_a_folder_with_nothing_to_draw_says_so(command: Command, tmp_path: Path) -> None:
    cases = [{"update": "ann", "learning_rate": 0.1}]
    folder = write_folder(tmp_path / "out", nasty_study(cases=cases, reference="ann", sweep={}))
    code, output, errors = command("plot", folder)
    assert (code, output) == (2, "")
    assert errors.endswith(
        ": figures: nothing to draw; there must be learning curves, a swept setting, or a case "
        "beside the reference\n"
    )


def test_a_figure_that_cannot_be_drawn_leaves_no_others(command: Command, folder: Path) -> None:
    code, output, error = command("plot", folder, "--x", "nonsense")
    assert (code, output) == (2, "")
    assert error.startswith("plot: --x: 'nonsense' is not allowed; must be one of ")
    assert not list(folder.glob("*.png"))


def test_all_figures_are_drawn_and_named(command: Command, folder: Path) -> None:
    code, output, _ = command("plot", folder)
    assert code == 0
    paths = [folder / f"small_{kind}.png" for kind in ("curves", "sweep", "gaps")]
    assert output.split() == [str(path) for path in paths]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)


def test_one_figure_goes_where_it_is_wanted(command: Command, folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "fig.pdf"
    arguments = "--kind", "sweep", "--x", "network.T", "--out", target
    code, output, _ = command("plot", folder, *arguments)
    assert (code, output) == (0, f"{target}\n")
    assert target.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("estimate", [True, False])
def test_a_plan_starts_and_writes_nothing(
    estimate: bool, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(accept_all, fake_steps, None)
    monkeypatch.setattr("studies.execution.timing.timing_job", lambda data_root: job)
    path = study_file(tmp_path, cases=SMALL["cases"][:2])
    option = "--estimate" if estimate else "--no-estimate"
    code, output, errors = command("plan", path, "--out", tmp_path / "out", option)
    assert code == 0
    assert "4 trials, 0 done, 4 to run" in output
    assert ("a trial" in output) is ("workers" in output) is estimate
    counts = "4 trials, 0 done, 4 to run; timing a few steps of each case\n"
    counts += "timed 1 of 2 cases\ntimed 2 of 2 cases\n"
    assert errors == (counts if estimate else "")
    assert list(tmp_path.iterdir()) == [path]


def test_a_question_says_what_it_would_train_and_trains_nothing(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(accept_all, fake_steps, None)
    monkeypatch.setattr("studies.execution.timing.timing_job", lambda data_root: job)
    monkeypatch.setattr("studies.execution.plan.LocalExecutor", lambda _: InThisProcess())
    path, out = study_file(tmp_path), ("--out", tmp_path / "out")
    for question, said in (
        ("attribute", "30 trials, 0 done, 30 to run after 6 runs of the search"),
        ("require --parameter levels", "22 trials, 0 done, 22 to run after 6 runs of the search"),
    ):
        asked = *question.split(), path, "--device", "ecram", *out, "--plan"
        code, output, _ = command(*asked)
        assert code == 0
        assert said in output
        assert "about" in output
        _, at_once, _ = command(*asked, "--no-estimate")
        assert said in at_once
        assert "about" not in at_once
    assert list(tmp_path.iterdir()) == [path]


def test_the_rows_that_are_kept_of_a_shipped_study_are_a_table(command: Command) -> None:
    code, output, _ = command("table", "paper_table1_mnist")
    assert code == 0
    assert "| SSNN-BP, WTA, dropout  " in output
    assert "98.63 ± 0.07" in output
    code, _, errors = command("table", "mnist_quick")  # This shipped study has no kept rows.
    assert code == 2
    assert "result folder" in errors
    _, _, errors = command("ledger", "paper_table1_mnits")
    assert "not there; did you mean paper_table1_mnist? must be the output folder" in errors


@pytest.mark.parametrize("by_name", [True, False])
def test_kept_rows_of_further_seeds_are_in_the_table(by_name: bool, command: Command) -> None:
    names = ("rows", "rows_seeds_6_to_8")
    kept = [KEPT_RECORDS / "mnist_decomposition" / f"{name}.csv" for name in names]
    files = [word for file in kept for word in ("--rows", file)]
    code, output, _ = command("table", "mnist_decomposition", *([] if by_name else files))
    assert code == 0
    (row,) = [line for line in output.splitlines() if line.startswith("| charge_trap ")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1:3] == ["97.18 ± 0.10", "-0.76 ± 0.14"]  # README.md quotes these numbers.
    assert cells[5] == "8"


def test_gaps_are_measured_against_any_case(command: Command) -> None:
    code, output, _ = command("table", "mnist_decomposition", "--against", "charge_trap")
    (row,) = [line for line in output.splitlines() if line.startswith("| rate ")]
    assert (code, "| gap to charge_trap |" in output, " +0.76 ± 0.14 |" in row) == (0, True, True)
    code, output, errors = command("table", "mnist_decomposition", "--against", "chargetrap")
    assert (code, output, errors.count("\n")) == (2, "", 1)
    assert "against: 'chargetrap' is not allowed; did you mean charge_trap" in errors


def test_files_of_rows_are_tabulated_drawn_and_reported(
    folder: Path, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two files with half of the rows each, and one row in both, give the same as the folder."""
    monkeypatch.chdir(tmp_path)
    results = load_results(folder)
    files = []
    for name, half in (("a", results.iloc[:8]), ("b", results.iloc[7:])):
        half.to_csv(tmp_path / f"{name}.csv", index=False)
        files += ["--rows", f"{name}.csv"]
    study = tmp_path / "whole.yaml"
    study.write_text((folder / "study.yaml").read_text())
    assert command("table", study, *files) == command("table", folder)
    code, output, _ = command("report", study, *files)
    assert (code, output) == (0, "small_report.html\n")
    text = (tmp_path / "small_report.html").read_text()
    assert "no row yet" not in text
    assert command("plot", study, "--kind", "gaps", *files)[1] == "small_gaps.png\n"


def test_files_without_a_row_that_counts_say_why(folder: Path, tmp_path: Path) -> None:
    results, file = load_results(folder), tmp_path / "a.csv"
    results.iloc[:0].to_csv(file, index=False)
    with refused("a.csv: rows: none"):
        write_report(folder / "study.yaml", rows=str(file))
    results.assign(numerics_version=0).to_csv(file, index=False)
    with refused("a.csv: numerics_version: 0 in 15 rows"):
        load_results(folder / "study.yaml", rows=file)


def test_arguments_of_another_type_are_refused_before_anything_is_made(tmp_path: Path) -> None:
    for wrong in ({"out": 5}, {"data": 5}, {"data": "gone"}, {"executor": "local"}):
        field, value = next(iter(wrong.items()))
        arguments: dict[str, Any] = {"out": tmp_path / "out", **wrong}
        with refused("run_study", field, repr(value)):
            run_study("digits_devices", **arguments)
    with refused("progress", "bool"):
        run_study("digits_devices", tmp_path / "out", progress=cast(bool, "no"))
    with refused("ClusterExecutor: connect: 'tcp://host:1'", "function"):
        ClusterExecutor("host", cast(Any, "tcp://host:1"))
    with refused("load_results", "rows", "5"):
        load_results("digits_devices", rows=cast(Path, 5))
    assert not list(tmp_path.iterdir())


def test_rows_of_different_versions_are_told_in_words(command: Command, tmp_path: Path) -> None:
    study = nasty_study()
    runs = runs_of(study)
    runs[0][1].row["torch_version"] = "1.0"
    code, _, errors = command("table", write_folder(tmp_path / "out", study, runs))
    assert code == 0
    (warning,) = re.findall("The rows were made under different versions: (.*)[.]", errors)
    versions = warning.split("; ")
    assert len(versions) == 2
    assert versions == sorted(versions)
    assert all(version.startswith("numerics_version ") for version in versions)
    assert "torch_version 1.0, " in warning


def test_the_ledger_says_each_reason_once(command: Command, tmp_path: Path) -> None:
    case = {"device": "reram_es", "hyperparameters": DRIVE}
    cases = [RATE, *(case | {"label": label} for label in "abc")]
    study = nasty_study(cases=cases, sweep={})
    runs = runs_of(study)
    for _, result in runs:
        result.row.update(devices_total=10, pulses_up_total=5.0, pulses_down_total=5.0)
    code, output, _ = command("ledger", write_folder(tmp_path / "out", study, runs))
    assert code == 0
    assert output.count("energy_per_pulse_j and endurance_cycles: not known to the preset") == 1
    assert "a, b, c: energy_per_pulse_j" in output


def test_a_trial_is_exported_by_title_of_table_or_of_study(folder: Path, tmp_path: Path) -> None:
    for title in ("rate [T = 10]", "rate [network.T=10]"):
        with pytest.raises(InputError) as caught:
            export_trial(folder, title, tmp_path / "net.nir", seed=9)
        assert caught.value.field == "seed"
    with refused("seed: True", "must be one of 0"):
        export_trial(folder, "rate [T = 10]", tmp_path / "net.nir", seed=True)
    with refused("case: 'rate [T = 2'", "rate [T = 20]"):
        export_trial(folder, "rate [T = 2", tmp_path / "net.nir", seed=9)
    with refused("case: 'ann'", "a case with a spiking network, which ann does not train"):
        export_trial(folder, "ann", tmp_path / "net.nir")


def test_inhibition_is_left_out_of_nir_alone(folder: Path, tmp_path: Path) -> None:
    with refused("without_inhibition: True", ".nir"):
        export_trial(folder, "rate", tmp_path / "net.h5", without_inhibition=True)


def test_what_cannot_be_exported_is_refused_before_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(TrialSession, "trained")
    study = nasty_study(network={"T": 10, "inhibition": {"clocked": True}}, sweep={})
    with refused("inhibition.clocked: True"):
        export_trial(write_folder(tmp_path / "out", study), "rate", tmp_path / "net.nir", seed=0)
    with refused("trials: 0"):
        export_trial(write_folder(tmp_path / "empty", study, []), "rate", tmp_path / "net.nir")


def test_an_export_is_what_was_tested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is exported after the storage that the study declares, and any spelling of the ending
    selects the format."""
    device = {
        "device": "capacitor",
        "hyperparameters": DRIVE,
        "overrides": {"leak_time_constant_s": 1.0},
        "tile": {"simulator": "native", "storage_seconds": 20.0},
    }
    cases = [RATE, device]
    study = nasty_study(cases=cases, sweep={}, seeds=[0], training={"epochs": 3})
    trial = declared_trials(study)[-1]
    run = trial, run_trial(trial, None, 1)
    root = write_folder(tmp_path / "out", study, [run])
    written: list[Path] = []
    where = "studies.execution.export.write_nir"
    monkeypatch.setattr(where, lambda path, *_, **__: written.append(path))
    done = export_trial(root, "capacitor", tmp_path / "net.NIR")
    assert written == [tmp_path / "net.NIR"]
    assert done.replayable
    assert done.accuracy == done.in_row
