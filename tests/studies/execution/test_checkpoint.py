"""A trial that is killed resumes from its checkpoint; unusable checkpoints are set aside."""

import itertools
import json
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from studies.declaration.trial import Trial
from studies.results.store import Versions
from studies.workers import workspace
from studies.workers.checkpoint import HEADER, UnfitError, read_checkpoint
from studies.workers.run_trial import run_trial
from studies.workers.workspace import TrialSession, Workspace
from support.studies.harness import Harness, small_study, trial_of_case

EPOCHS = 4

QUIET = {"cycle_to_cycle": 0.0}
CASES: dict[str, dict[str, Any]] = {
    "ann": {"update": "ann", "learning_rate": 0.1},
    "rate": {"update": "rate", "learning_rate": 8.0},
    "coincidence": {"update": "coincidence", "learning_rate": 8.0},
    "device": {
        "device": "charge_trap",
        "overrides": QUIET,
        "hyperparameters": {"weight_range": 8, "learning_rate": 8.0},
    },
    "noisy device": {
        "device": "reram_es",
        "hyperparameters": {"weight_range": 8, "learning_rate": 8.0},
    },
}
OWN = {"seconds", "peak_memory_mb", "resumed"}
"""Columns that describe the process, not the result."""


type KillAfter = Callable[[int | None], None]


class KilledError(BaseException):
    """Stands for the death of the process, after which nothing runs."""


def trial_of(case: str, epochs: int = EPOCHS) -> Trial:
    return trial_of_case(CASES[case], training={"epochs": epochs, "batch": 20})


@pytest.fixture
def kill_after(monkeypatch: pytest.MonkeyPatch) -> KillAfter:
    """Returns a function that makes runs end after an epoch and its checkpoint, or, with None,
    run on."""
    over = TrialSession.end_epoch

    def set_to(epoch: int | None) -> None:
        def patched(self: TrialSession, epochs: int, *rest: Any) -> bool:
            stops = over(self, epochs, *rest)
            if epochs == epoch:
                raise KilledError
            return stops

        monkeypatch.setattr(TrialSession, "end_epoch", patched)

    return set_to


@pytest.fixture(autouse=True)
def _after_every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes a checkpoint after every epoch, however long that takes."""
    monkeypatch.setattr(workspace, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    monkeypatch.setattr(workspace, "MOST_SHARE", math.inf)


def interrupted(trial: Trial, folder: Path, kill_after: KillAfter) -> Path:
    """Leaves the checkpoint of a run that was killed after two epochs."""
    kill_after(2)
    with pytest.raises(KilledError):
        run_trial(trial, None, 1, Workspace(folder))
    kill_after(None)
    return folder / f"{trial.identity}.npz"


@pytest.mark.parametrize("case", CASES)
def test_a_killed_unit_ends_with_the_row(case: str, tmp_path: Path, kill_after: KillAfter) -> None:
    trial = trial_of(case)
    straight = run_trial(trial, None, 1)
    assert straight.row["resumed"] == 0
    for epoch in (1, 3):  # The run is killed twice.
        kill_after(epoch)
        with pytest.raises(KilledError):
            run_trial(trial, None, 1, Workspace(tmp_path))
    kill_after(None)
    resumed = run_trial(trial, None, 1, Workspace(tmp_path))
    assert resumed.row["resumed"] == 2
    assert [row["epoch"] for row in resumed.epochs] == [row["epoch"] for row in straight.epochs]
    assert resumed.row["replayable"] is (case != "noisy device")
    if case != "noisy device":
        differing = {name for name in straight.row if straight.row[name] != resumed.row[name]}
        assert differing <= OWN
        runs = straight.epochs, resumed.epochs
        without_time = [[row | {"seconds": 0.0} for row in epochs] for epochs in runs]
        assert without_time[0] == without_time[1]


def test_a_resumed_unit_runs_the_missing_epochs_only(
    tmp_path: Path, kill_after: KillAfter, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = trial_of("rate")
    interrupted(trial, tmp_path, kill_after)
    reached: list[int] = []
    over = TrialSession.end_epoch

    def seen(self: TrialSession, epochs: int, *rest: Any) -> None:
        reached.append(epochs)
        over(self, epochs, *rest)

    monkeypatch.setattr(TrialSession, "end_epoch", seen)
    run_trial(trial, None, 1, Workspace(tmp_path))
    assert reached == [3, 4]
    progress = Workspace(tmp_path).progress_of(trial)
    assert progress.notes == ("it seed 0: resumed after epoch 2 of 4",)
    assert progress.began == 2


def test_time_spent_before_the_kill_counts(tmp_path: Path, kill_after: KillAfter) -> None:
    trial = trial_of("rate")
    path = interrupted(trial, tmp_path, kill_after)
    rewrite(path, seconds=1000.0)
    seconds = run_trial(trial, None, 1, Workspace(tmp_path)).row["seconds"]
    assert 1000.0 < seconds < 1100.0


@pytest.mark.parametrize(("between", "expected"), [(0.0, True), (3600.0, False)])
def test_checkpoints_are_taken_no_more_often_than_asked(
    between: float, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace, "SECONDS_BETWEEN_CHECKPOINTS", between)
    trial = trial_of("rate")
    run_trial(trial, None, 1, Workspace(tmp_path))
    assert (tmp_path / f"{trial.identity}.npz").exists() is expected


def test_a_trial_of_seconds_keeps_an_epoch_and_spends_little_time_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call of this clock advances it by a second, so one checkpoint must do for 50 epochs."""
    clock = SimpleNamespace(monotonic=itertools.count().__next__)
    monkeypatch.setattr(workspace, "time", clock)
    monkeypatch.setattr(workspace, "SECONDS_BETWEEN_CHECKPOINTS", 1.0)
    monkeypatch.setattr(workspace, "MOST_SHARE", 0.02)
    trial = trial_of("ann")
    run_trial(trial, None, 1, Workspace(tmp_path))
    with np.load(tmp_path / f"{trial.identity}.npz", allow_pickle=False) as file:
        assert json.loads(str(file[HEADER]))["epochs"] == 1


def with_arrays(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Edits the arrays of a checkpoint."""
    with np.load(path, allow_pickle=False) as file:
        arrays: dict[str, Any] = dict(file)
    change(arrays)
    with path.open("wb") as out:
        np.savez(out, **arrays)


def rewrite(path: Path, **changes: Any) -> None:
    """Edits the header of a checkpoint."""

    def edit(arrays: dict[str, Any]) -> None:
        header = json.loads(str(arrays[HEADER])) | changes
        arrays[HEADER] = np.array(json.dumps(header))

    with_arrays(path, edit)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2000])


def pickled(path: Path) -> None:
    """Inserts an array of objects, which only a pickle can store."""
    objects = {"state.order.generator": np.array([{}], dtype=object)}
    with_arrays(path, lambda arrays: arrays.update(objects))


def other_code(path: Path) -> None:
    """Removes an array, as if the file came from a version that stored less."""
    with_arrays(path, lambda arrays: arrays.pop("state.network.crossbar_1.step_scale"))


def of_header(**changes: Any) -> Callable[[Path], object]:
    return lambda path: rewrite(path, **changes)


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut": (cut, "is damaged"),
    "empty": (lambda path: path.write_bytes(b""), "is damaged"),
    "no npz": (lambda path: path.write_text("{}"), "is damaged"),
    "pickle": (pickled, "is damaged"),
    "other code": (other_code, "was written by other code"),
    "settings": (of_header(settings={"seed": 1}), "belongs to other settings"),
    "numerics": (of_header(numerics_version=0), "has numerics_version 0 (now "),
    "torch": (of_header(torch_version="1.0"), f"version 1.0 (now {Versions.here().torch_version})"),
    "aihwkit": (of_header(aihwkit_version="0.1"), "has aihwkit_version 0.1 (now "),
    "images": (of_header(data_digest="x"), "has data_digest x (now "),
    "layout": (of_header(format=0), "has format 0 (now "),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_checkpoint_that_does_not_fit_is_set_aside_and_the_unit_starts_anew(
    kind: str, tmp_path: Path, kill_after: KillAfter, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage, words = DAMAGE[kind]
    trial = trial_of("rate")
    path = interrupted(trial, tmp_path, kill_after)
    damage(path)
    monkeypatch.setattr(workspace, "SECONDS_BETWEEN_CHECKPOINTS", 3600.0)
    broken = path.read_bytes()
    result = run_trial(trial, None, 1, Workspace(tmp_path))
    assert result.row["resumed"] == 0
    assert len(result.epochs) == EPOCHS
    assert not path.exists()
    assert path.with_name(f"{path.name}.set_aside").read_bytes() == broken
    progress = Workspace(tmp_path).progress_of(trial)
    assert progress.began == 0
    note = progress.notes[-1]
    assert note.startswith("it seed 0: starts again, as its checkpoint ")
    assert words in note


def test_each_changed_byte_is_noticed_or_harmless(tmp_path: Path, kill_after: KillAfter) -> None:
    """Some bytes of the zip format may not matter; then the same content must be read."""
    trial = trial_of("rate")
    path = interrupted(trial, tmp_path, kill_after)
    content = path.read_bytes()
    with np.load(path, allow_pickle=False) as file:
        digest = json.loads(str(file[HEADER]))["data_digest"]
    whole = read_checkpoint(path, trial, digest)
    noticed = 0
    for place in np.random.default_rng(0).integers(0, len(content), 200):
        changed = bytearray(content)
        changed[place] ^= 0x55
        path.write_bytes(changed)
        try:
            checkpoint = read_checkpoint(path, trial, digest)
        except UnfitError:
            noticed += 1
            continue
        assert (checkpoint.resumed, checkpoint.state.curve) == (whole.resumed, whole.state.curve)
        for name, values in whole.state.arrays.items():
            np.testing.assert_array_equal(checkpoint.state.arrays[name], values)
    assert noticed > 150


def test_a_full_disk_costs_the_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("studies.workers.checkpoint.write_whole", full)
    trial = trial_of("rate")
    result = run_trial(trial, None, 1, Workspace(tmp_path))
    assert len(result.epochs) == EPOCHS
    progress = Workspace(tmp_path).progress_of(trial)
    said = "it seed 0: no checkpoint was written after epoch 1: No space left on device"
    assert progress.notes[0] == said


def test_nothing_is_left_running_when_rows_are_there(harness: Harness) -> None:
    """Files that an earlier process left are removed as well: notes, partial files, and checkpoints
    of trials with a row."""
    outcome = harness.run(small_study())
    folder = harness.out / "running"
    assert list(folder.iterdir()) == []
    done, other = outcome.runs[0][0].identity, "f" * 16
    for name in (f"{done}.npz", f"{other}.npz", f"{other}.json", f"{other}.npz.tmp"):
        (folder / name).write_text("")
    (harness.out / "trials" / f"{outcome.runs[1][0].identity}.json").unlink()
    harness.run(small_study())
    assert [path.name for path in folder.iterdir()] == [f"{other}.npz"]


def test_progress_may_have_no_accuracy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "SECONDS_BETWEEN_CHECKPOINTS", 1e9)
    session = TrialSession(Workspace(tmp_path), trial_of("rate"), "digest")
    session.end_epoch(1, math.nan, lambda: pytest.fail("no checkpoint is due"))
    progress = Workspace(tmp_path).progress_of(trial_of("rate"))
    assert (progress.epoch, progress.accuracy) == (1, None)
