"""Tests the output of the command line, and its exit codes."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from device_presets import get_preset
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.files import write_together
from rpu_ssnn.data import load_dataset
from rpu_ssnn.doctor import BrokenEnvironmentError, HealthCheck
from rpu_ssnn.version import VERSION
from studies.declaration.shipped import shipped_files
from studies.declaration.trial import Trial
from studies.execution.api import run_study
from studies.workers.worker import Job
from support.commands import Command
from support.studies.harness import (
    DRIVE,
    SMALL,
    Harness,
    InThisProcess,
    accept_all,
    fake_training,
    study_file,
)


@pytest.fixture
def harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Harness:
    """Puts the fake training, in this process, behind the command line."""
    harness = Harness(tmp_path, InThisProcess())
    job = Job(check=accept_all, execute=fake_training, data_root=harness.orders)
    monkeypatch.setattr("studies.execution.phase.training_job", lambda data_root: job)
    monkeypatch.setattr("studies.workers.clusters.executor_of", lambda *_: InThisProcess())
    return harness


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return study_file(tmp_path)


def test_the_command_line_starts_without_the_heavy_packages() -> None:
    heavy = ("torch", "aihwkit", "numba", "pandas", "matplotlib", "scipy", "sklearn")
    code = f"import studies.cli.app, sys; print([name for name in {heavy} if name in sys.modules])"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert output.stdout.decode().strip() == "[]"


def test_a_run_ends_with_the_table_and_says_where_everything_is(
    command: Command, harness: Harness, study: Path
) -> None:
    code, output, errors = command("run", study, "--out", harness.out)
    assert code == 0
    assert output.startswith("small: ")  # This is the line with the question.
    lines = [line for line in output.splitlines() if line.startswith("|")]
    assert lines[0].split("|")[1:3] == [" case        ", " accuracy % "]
    assert [line.split()[1] for line in lines[2:5]] == ["ann", "rate", "coincidence"]
    assert "+4.10" in lines[2]
    for name in ("results.csv", "results.parquet", "small.png"):
        assert f"{harness.out / name}" in output
        assert (harness.out / name).stat().st_size > 0
    progress = [line for line in errors.splitlines() if line.startswith("[")]
    assert [line[:5] for line in progress] == [f"[{n}/6]" for n in range(1, 7)]
    assert all(line.endswith(" left") for line in progress)


@pytest.mark.parametrize(("learning_rate", "loses"), [(1.0, True), (20.0, False)])
def test_a_run_warns_of_devices_that_are_alike_and_names_the_next_commands(
    learning_rate: float, loses: bool, command: Command, harness: Harness, tmp_path: Path
) -> None:
    other = {"update": "coincidence", "learning_rate": learning_rate}
    good = {"device": "neurosim_pcmo", "hyperparameters": DRIVE}
    worse = {**good, "label": "first", "hyperparameters": {**DRIVE, "learning_rate": 3}}
    cases = [*SMALL["cases"][:2], other, worse, good]
    study_file(tmp_path, "of pcmo.yaml", cases=cases, reference="coincidence")
    output = command("run", tmp_path / "of pcmo.yaml", "--out", harness.out)[1]
    assert "All devices of an array are alike in these cases: first, neurosim_pcmo." in output
    asked = f"'{tmp_path}/of pcmo.yaml' --device neurosim_pcmo --rows {harness.out}/results.csv"
    for question in ("decompose", "attribute"):
        assert f"rpu-ssnn {question} {asked}" in output
    assert (f"rpu-ssnn require {asked}" in output) == loses


def test_an_interrupted_command_says_so(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("studies.declaration.shipped.shipped_files", interrupt)
    assert command("studies") == (130, "", "interrupted\n")


def test_an_unwritable_table_is_named(command: Command, harness: Harness, study: Path) -> None:
    arguments = "run", study, "--out", harness.out
    assert command(*arguments)[0] == 0
    (harness.out / "results.csv").unlink()
    (harness.out / "results.csv").mkdir()
    code, _, errors = command(*arguments)
    message = f"{harness.out}/results.csv: file: Is a directory; must be usable"
    assert (code, errors.count("\n"), errors.startswith(message)) == (1, 1, True), errors


@pytest.fixture(scope="module")
def real_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the result folder of a study that really trained."""
    folder = tmp_path_factory.mktemp("real")
    devices = [{"device": name, "hyperparameters": DRIVE} for name in ("ideal", "reram_es")]
    study = study_file(
        folder,
        dataset={"name": "digits", "n_train": 60, "n_test": 40},
        network={"hidden": [6], "T": 6},
        seeds=[0],
        cases=[*SMALL["cases"], *devices],
    )
    run_study(study, folder / "out", executor=InThisProcess())
    return folder / "out"


def test_a_real_study_trains_on_real_images(real_folder: Path) -> None:
    rows = pd.read_parquet(real_folder / "results.parquet").set_index("label")
    assert list(rows.index) == ["ann", "rate", "coincidence", "ideal", "reram_es"]
    assert rows["test_accuracy"].between(0, 100).all()
    assert (rows["n_train"] == 54).all()
    assert (rows["n_validation"] == 6).all()
    assert (rows["n_test"] == 40).all()
    assert rows["data_digest"].nunique() == 1
    assert set(rows["network"]) == {"64-6-10"}
    assert list(rows["update"]) == ["ann", "rate", "coincidence", "pulses", "pulses"]
    assert rows["pulses_per_device_mean"].notna().tolist() == [False, False, False, True, True]
    assert rows["pulses_per_device_mean"][-2:].gt(0).all()
    assert rows["saturated_fraction"][-2:].between(0, 1).all()
    assert rows["replayable"].tolist() == [True, True, True, True, False]
    assert rows["seconds"].gt(0).all()
    assert rows["peak_memory_mb"].between(50, 10_000).all()
    curves = pd.read_csv(real_folder / "curves.csv")
    assert list(curves["label"]) == ["ann", "rate", "coincidence", "ideal", "reram_es"]
    assert {"train_accuracy", "validation_accuracy", "rates_1"} <= set(curves.columns)


def test_a_finished_trial_is_exported(command: Command, real_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    from rpu_ssnn.export import read_network

    path = tmp_path / "net.h5"
    code, output, errors = command("export", real_folder, path, "--case", "ideal")
    assert (code, errors) == (0, "")
    row = pd.read_parquet(real_folder / "results.parquet").set_index("label").loc["ideal"]
    accuracy = f"{row['test_accuracy']:.2f} %"
    assert f"accuracy {accuracy} on test samples; its row has {accuracy}" in output
    data = load_dataset("digits", n_train=60, n_test=40, validation_share=0.1, seed=0)
    with read_network(path) as network:
        again = network.accuracy(data.test_images, data.test_labels)
    assert 100 * again == pytest.approx(row["test_accuracy"])


def test_failed_units_end_in_1_and_a_list(command: Command, harness: Harness, study: Path) -> None:
    harness.order("raise", "ann seed 0")
    code, output, errors = command("run", study, "--out", harness.out)
    assert code == 1
    assert "failed: ann seed 0: RuntimeError: weights exploded" in errors
    assert f"1 trial failed; {harness.out / 'failures.csv'} lists what failed" in errors
    rows = [line for line in output.splitlines() if line.startswith("|")]
    table = [[cell.strip() for cell in line.split("|")] for line in rows]
    assert [row[table[0].index("n")] for row in table if row[1:2] == ["ann"]] == ["1"]


def test_without_the_reference_there_is_no_table_but_the_rows_are_there(
    command: Command, harness: Harness, study: Path
) -> None:
    harness.order("raise", "rate seed 0", "rate seed 1")
    code, output, _ = command("run", study, "--out", harness.out)
    assert code == 1
    assert "no table of gaps yet, as the reference rate has no finished trial" in output
    assert len(pd.read_csv(harness.out / "results.csv")) == 4


def broken_pair(trials: list[Trial], data_root: Path | None) -> None:
    raise BrokenEnvironmentError("aihwkit 0 with torch 0 does not work; rebuild")


def test_a_broken_pair_is_one_line_and_exit_code_1(
    command: Command, harness: Harness, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(check=broken_pair, execute=fake_training, data_root=harness.orders)
    monkeypatch.setattr("studies.execution.phase.training_job", lambda data_root: job)
    code, _, errors = command("run", study, "--out", harness.out)
    assert code == 1
    starting, refusal = errors.splitlines()
    assert "in this process" in starting
    assert refusal == "aihwkit 0 with torch 0 does not work; rebuild"


def test_shipped_studies_are_listed_with_their_questions(command: Command) -> None:
    code, output, _ = command("studies")
    assert code == 0
    names = [line for line in output.splitlines() if not line.startswith(" ")]
    assert names == list(shipped_files())
    assert {"digits_devices", "mnist_devices", "mnist_quick"} <= set(names)
    assert output.count("?\n") == len(names)
    assert max(map(len, output.splitlines())) <= 80


def test_a_preset_is_shown_without_a_plot(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command("presets", "show", "ideal", "--no-plot")[0] == 0
    assert not list(tmp_path.iterdir())


def test_files_keep_their_own_names_in_errors(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_text("mine: {model: none}")
        get_preset(str(path))

    target = tmp_path / "mine.yaml"
    with pytest.raises(InputError) as caught:
        write_together("mine", {target: fail})
    assert str(caught.value).startswith(f"{target}:mine: ")
    nowhere, first = tmp_path / "no" / "x.yaml", tmp_path / "first.yaml"
    writers = dict.fromkeys((first, nowhere), lambda path: path.write_text(""))
    with pytest.raises(InputError) as caught:
        write_together("mine", writers)
    assert (caught.value.where, caught.value.value) == ("mine", str(nowhere))
    assert not list(tmp_path.iterdir())
    first.write_text("before")
    with pytest.raises(InputError):
        write_together("mine", writers | {target: fail})
    assert first.read_text() == "before"
    first.unlink()
    for before in ({}, {first: writers[first]}):
        with pytest.raises(InputError, match=r"file: '\.'"):
            write_together("mine", {**before, Path("."): writers[first]})
    taken = tmp_path / "taken"
    taken.mkdir()
    with pytest.raises(InputError) as caught:
        write_together("mine", {taken: writers[first], first: writers[first]})
    assert caught.value.value == str(taken)
    taken.rmdir()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("ok", "expected"), [(True, 0), (False, 1)])
def test_the_doctor_says_what_it_found(
    command: Command, monkeypatch: pytest.MonkeyPatch, ok: bool, expected: int
) -> None:
    checks = [HealthCheck(ok, "found this")]
    monkeypatch.setattr("rpu_ssnn.doctor.diagnose", lambda tell: tell("compiling") or checks)
    code, output, errors = command("doctor")
    assert (code, errors) == (expected, "compiling\n")
    assert "found this" in output


def test_the_version_is_printed(command: Command) -> None:
    assert command("--version")[1].startswith(f"rpu-ssnn {VERSION}, numerics ")
