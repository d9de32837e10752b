"""Tests studies on user-defined data: their declaration, their errors, and their rows."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from studies import InputError, load_results, load_study, run_study, summary
from studies.declaration.study import Study, parse_study
from studies.execution.plan import make_plan
from studies.report.summary_view import readable
from studies.workers.run_trial import run_trial
from support.commands import refused
from support.rpu_ssnn.own_data import write_npz
from support.studies.harness import RATE, InThisProcess, small_study, study_file
from support.studies.harness import declared_trials as trials

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (60, 3, 3)) + 2 * np.arange(60)[:, None, None] % 2
Y = np.array(["odd", "even"])[np.arange(60) % 2]


CASES = [RATE, {"update": "ann", "learning_rate": 0.1}]
OWN = {"file": "mine.npz", "test_share": 0.2}
SPIKES = {"file": "spikes.npz", "test_share": 0.2, "spikes": {}}
SETTINGS: dict[str, Any] = {"network": {"hidden": [8], "T": 20}, "seeds": 1}


def declared(folder: Path, dataset: dict[str, Any], **changes: Any) -> Study:
    return small_study(folder, dataset=dataset, cases=CASES, **SETTINGS, **changes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_npz(tmp_path / "mine.npz", (X, Y))
    tensor = (RNG.random((30, 24, 5)) < 0.2).astype(np.uint8)
    write_npz(tmp_path / "spikes.npz", (tensor, np.arange(30) % 3))
    return tmp_path


def test_rows_say_where_the_data_come_from(folder: Path) -> None:
    study = declared(folder, {**OWN, "range": [-1, 3]})
    row = run_trial(trials(study)[0], None, 1).row
    assert row["dataset"] == "mine"
    assert (row["data_file"], row["data_shape"]) == ("mine.npz", "3x3")
    assert row["data_split"] == "stratified, test_share 0.2, seed 0"
    assert row["data_range"] == "-1 to 3"
    assert row["network"] == "9-8-2"
    assert row["largest_class"] == 50.0
    assert len(str(row["file_digest"])) == len(str(row["data_digest"])) == 16


def test_rows_say_who_sees_the_timing_of_spikes(folder: Path) -> None:
    rate, ann = (run_trial(trial, None, 1).row for trial in trials(declared(folder, SPIKES)))
    assert "counts only" in str(rate["input"])
    assert "timing is not seen" in str(ann["input"])
    assert rate["time"] == "kept"
    spikes = np.load(folder / "spikes.npz")["X"]
    assert rate["spikes_after_T"] == pytest.approx(spikes[:, 20:].sum() / spikes.sum(), abs=0.05)


def test_no_case_sees_spikes_after_T(folder: Path) -> None:
    """Shuffled slots and counts, too, are of the slots that a network is shown."""
    kept, shuffled = (
        trials(declared(folder, SPIKES | {"time": time}))[0].images(None)
        for time in ("kept", "shuffled")
    )
    spikes = np.load(folder / "spikes.npz")["X"]
    for data in (kept, shuffled):
        assert data.train_images.slots <= 20
        assert data.grey_max <= spikes[:, :20].sum(axis=1).max() < spikes.sum(axis=1).max()
    assert np.array_equal(kept.train_images.counts(), shuffled.train_images.counts())


def test_an_identity_knows_the_file_but_not_its_folder(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    shutil.copy(folder / "mine.npz", other)
    here, there = (trials(declared(place, OWN))[0] for place in (folder, other))
    assert here.identity == there.identity
    assert here.identity != trials(declared(folder, OWN | {"test_share": 0.3}))[0].identity


SCRIPT = """
from studies import load_results, load_study, run_study, summary
from studies.execution.plan import make_plan
results = run_study("own.yaml", out="out", workers=1, data=".")
print(summary(results)["case"].tolist(), len(load_results("out")), load_study("own.yaml").study)
"""


def test_a_script_without_a_guard_runs_a_study(folder: Path) -> None:
    (folder / "script.py").write_text(SCRIPT)
    study_file(folder, "own.yaml", study="own", dataset=OWN, cases=[RATE], **SETTINGS)
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['rate'] 1 own"
    assert "rate seed 0" in done.stderr

    write_npz(folder / "mine.npz", (X + 1, Y))
    with pytest.raises(InputError, match=r"digest.*that of the rows in"):
        run_study(folder / "own.yaml", out=folder / "out", executor=InThisProcess())
    results = load_results(str(folder / "out"))
    assert summary(results)["case"].tolist() == ["rate"]
    assert summary(results.rename(columns=str).copy(), "rate").shape == summary(results).shape
    results.attrs.clear()
    assert summary(results)["n"].tolist() == [1]
    with pytest.raises(InputError, match="only if exactly one case is a rate case"):
        summary(results.assign(update="coincidence"))
    with pytest.raises(InputError, match="must be a readable file"):
        load_study("nothing.yaml")


@pytest.mark.parametrize("part", ["trials", "search"])
def test_another_file_is_refused_before_the_folder_changes(folder: Path, part: str) -> None:
    changes = {"dataset": OWN, "cases": [{"update": "rate"}], "search": {"points": 2}, **SETTINGS}
    study, out = study_file(folder, **changes), folder / "out"
    run_study(study, out=out, executor=InThisProcess())
    shutil.rmtree(out / ("trials" if part == "search" else "search"))  # The run stopped earlier.
    before = (out / "study.yaml").read_bytes()
    write_npz(folder / "mine.npz", (X + 1, Y))
    study_file(folder, question="another", **changes)
    with refused("mine.npz", "digest", "that of the rows in", "or give another --out"):
        run_study(study, out=out, executor=InThisProcess())
    with refused("mine.npz", "digest"):
        make_plan(load_study(study), out)
    assert (out / "study.yaml").read_bytes() == before


def test_the_table_says_who_sees_counts_only(folder: Path) -> None:
    shown = trials(declared(folder, SPIKES))
    rows = [{"label": trial.label, **run_trial(trial, None, 1).row} for trial in shown]
    table = summary(pd.DataFrame(rows))
    text = readable(table, "rate").markdown
    assert "rate: given spikes; the update (Eq. 9) sees their counts only" in text
    assert "ann: spike counts: timing is not seen" in text


def test_varied_files_start_at_the_study(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "other").mkdir()
    monkeypatch.chdir(folder / "other")
    (folder / "second.npz").write_bytes((folder / "mine.npz").read_bytes())
    names = ["mine.npz", "second.npz"]
    study = declared(folder, {"file": "mine.npz"}, sweep={"dataset.file": names})
    points = {dict(point.sweep)["dataset.file"]: point.dataset.file for point in study.points()}
    assert points == {name: folder / name for name in names}
    elsewhere = study.model_dump(mode="json")  # An output folder stores this form.
    again = parse_study(elsewhere, "study.yaml", folder / "other")
    assert {point.dataset.file for point in again.points()} == set(points.values())
    monkeypatch.chdir(folder.parent)
    relative = parse_study({**elsewhere, "folder": "."}, "study.yaml", Path(folder.name))
    assert relative.folder == folder
    with refused("folder", "must name a file or folder"):
        parse_study(elsewhere | {"folder": 1}, "study.yaml", folder)
    with refused("sweep.dataset", "'mnist' is not allowed"):
        declared(folder, {"file": "mine.npz"}, sweep={"dataset": ["mnist"]})


def test_files_of_one_name_are_not_taken_for_one_file(folder: Path) -> None:
    (folder / "other").mkdir()
    files = [str(path / "mine.npz") for path in (folder, folder / "other")]
    end = "other/mine.npz' is not allowed"  # The path may be shortened if it is long.
    with refused("dataset.file", end, "must have another name than", files[0]):
        declared(folder, {"file": "mine.npz"}, sweep={"dataset.file": files})
