"""Runs that are stopped for being hopeless: by what, their row, and what leaves them out."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.version import NUMERICS_VERSION
from studies.declaration.result import PRUNED, TrialResult
from studies.declaration.search.candidates import best, candidates
from studies.declaration.trial import Trial, stored_identity
from studies.execution.api import load_results
from studies.execution.imported_results import read_imported_rows
from studies.execution.study_runs import look_into
from studies.report.page.build import write_report
from studies.report.status_view import lines, study_status
from studies.results.ledger import ledger_columns
from studies.results.summary import summary
from studies.workers.checkpoint import HEADER, read_checkpoint
from studies.workers.run_trial import run_trial
from studies.workers.worker import Job
from studies.workers.workspace import TrialSession, Workspace
from support.commands import Command
from support.studies.harness import (
    Harness,
    InThisProcess,
    accept_all,
    declared_trials,
    fake_training,
    small_study,
)

EPOCHS = 3
RULE = {"after_epochs": 2, "below": 60}
CASES: dict[str, dict[str, Any]] = {
    "ann": {"update": "ann", "learning_rate": 0.1},
    "rate": {"update": "rate", "learning_rate": 8.0},
    "device": {
        "device": "capacitor",
        "overrides": {"cycle_to_cycle": 0.0, "leak_time_constant_s": 100.0},
        "tile": {"storage_seconds": 10.0},
        "hyperparameters": {"weight_range": 8, "learning_rate": 8.0},
    },
}
HOPELESS = {"learning_rate": 1e-6}


def trial_of(case: str, rule: dict[str, Any] | None, **changes: Any) -> Trial:
    study = small_study(
        cases=[{**CASES[case], **changes, "label": "it"}],
        reference="it",
        seeds=[0],
        dataset={"name": "digits", "n_train": 400, "n_test": 50},
        training={"epochs": EPOCHS, "batch": 20},
        prune=rule,
    )
    return declared_trials(study)[0]


def run(trial: Trial, workspace: Workspace | None = None) -> TrialResult:
    return run_trial(trial, None, 1) if workspace is None else run_trial(trial, None, 1, workspace)


@pytest.mark.parametrize("case", list(CASES))
def test_a_hopeless_run_stops_and_never_reads_a_test_image(
    case: str,
) -> None:
    hopeless = (
        {"hyperparameters": {"weight_range": 8, **HOPELESS}} if case == "device" else HOPELESS
    )
    trial = trial_of(case, RULE, **hopeless)
    row, epochs = run(trial).row, run(trial).epochs
    assert row[PRUNED] == 2
    assert row["test_accuracy"] is None
    assert isinstance(row["validation_accuracy"], float)
    assert row["validation_accuracy"] < 60
    assert row["epochs"] == EPOCHS  # as declared
    assert [epoch["epoch"] for epoch in epochs] == [0, 1]
    if case != "ann":
        assert epochs[-1]["validation_accuracy"] == row["validation_accuracy"]
    if case == "device":
        whole = run(trial_of(case, None, **hopeless))
        short = ledger_columns(trial, run(trial))["training_time_s"]
        assert short == pytest.approx(2 / 3 * ledger_columns(trial, whole)["training_time_s"])


@pytest.mark.parametrize("case", list(CASES))
def test_a_run_that_passes_is_that_without_a_rule(case: str) -> None:
    ruled, plain = run(trial_of(case, {"after_epochs": 1, "below": 1})), run(trial_of(case, None))
    own = ("seconds", "peak_memory_mb", "settings", PRUNED)
    assert ruled.row[PRUNED] is None
    assert PRUNED not in plain.row
    assert {k: v for k, v in ruled.row.items() if k not in own} == {
        k: v for k, v in plain.row.items() if k not in own
    }


def test_the_rule_is_part_of_an_identity_where_there_is_one() -> None:
    plain, ruled = trial_of("rate", None), trial_of("rate", RULE)
    other = trial_of("rate", {**RULE, "below": 61})
    assert len({plain.identity, ruled.identity, other.identity}) == 3
    # Settings as they were stored before there were rules are of the same run.
    stored = plain.settings.model_dump(mode="json")
    del stored["prune"]
    assert stored_identity(stored, NUMERICS_VERSION) == plain.identity


def test_it_does_not_act_on_peers_searches_and_runs_too_short_for_it() -> None:
    study = small_study(
        training={"epochs": 3},
        prune=RULE,
        cases=[
            {"update": "rate", "learning_rate": 1.0},
            {"update": "conversion", "learning_rate": 1.0},
            {"label": "short", "update": "coincidence", "training": {"epochs": 2}},
        ],
    )
    points = study.points()
    assert [point.prune is not None for point in points] == [True, False, False]
    searched = candidates(study, [points[0]])
    assert {run.trial.settings.prune for run in searched} == {None}


def test_a_killed_run_is_stopped_at_the_same_epoch(tmp_path: Path) -> None:
    rule = {"after_epochs": 2, "below": 99.9}
    trial, workspace = trial_of("rate", rule), Workspace(tmp_path, seconds_between_checkpoints=0.0)
    expected = run(trial).row
    assert run(trial, workspace).row[PRUNED] == 2
    # The checkpoint is that of the epoch before: one of the last would be gone on from.
    checkpoint = workspace.checkpoint(trial.identity)
    assert checkpoint is not None
    again = run(trial, workspace).row
    assert again["resumed"] == 1
    assert again[PRUNED] == 2
    assert again["validation_accuracy"] == expected["validation_accuracy"]


def test_a_checkpoint_from_before_a_setting_came_to_exist_still_fits(tmp_path: Path) -> None:
    trial, workspace = trial_of("rate", None), Workspace(tmp_path, seconds_between_checkpoints=0.0)
    digest = str(run(trial, workspace).row["data_digest"])
    path = workspace.checkpoint(trial.identity)
    assert path is not None
    with np.load(path) as file:
        arrays = dict(file)
    header = json.loads(str(arrays[HEADER]))
    del header["settings"]["prune"]
    arrays[HEADER] = np.array(json.dumps(header))
    np.savez(path, **arrays)
    assert read_checkpoint(path, trial, digest).state.epochs == EPOCHS
    session = TrialSession(workspace, trial, digest)
    assert session.resume() is not None


PRUNED_TRIALS = {"coincidence seed 1", "ann seed 0", "ann seed 1"}


def pruned_training(
    trial: Trial, data_root: Path | None, threads: int, workspace: Workspace
) -> TrialResult:
    result = fake_training(trial, data_root, threads, workspace)
    if trial.title not in PRUNED_TRIALS:
        return TrialResult({**result.row, PRUNED: None}, result.epochs)
    row = {**result.row, "test_accuracy": None, "validation_accuracy": 11.0, PRUNED: 2}
    return TrialResult(row, result.epochs)


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    harness = Harness(tmp_path)
    job = Job(check=accept_all, execute=pruned_training, data_root=harness.orders)
    study = small_study(training={"epochs": 3}, prune=RULE)
    harness.run(study, job=job, executor=InThisProcess())
    return harness


def test_pruned_runs_are_in_no_mean_and_listed(harness: Harness, command: Command) -> None:
    results = load_results(harness.out)
    assert results[PRUNED].notna().sum() == 3
    table = summary(results, "rate").set_index("case")
    assert list(table.index) == ["rate", "coincidence"]
    assert table.loc["coincidence", "n"] == 1
    assert table.loc["coincidence", "accuracy"] == 80.0
    assert len(look_into(harness.out, on_damage=lambda _: None).complete) == 3
    code, printed, _ = command("table", harness.out)
    assert code == 0
    assert "ann" not in printed
    page = write_report(harness.out).read_text()
    assert "6 of 6 trials done" in page


def test_pruned_runs_are_done_and_kept_as_rows(harness: Harness, tmp_path: Path) -> None:
    stands = study_status(harness.out)
    assert (stands.done, stands.total) == (6, 6)
    assert any("pruned after epoch 2" in line for line in lines(stands))
    rows = pd.read_csv(harness.out / "results.csv")
    assert rows.loc[rows[PRUNED].notna(), "test_accuracy"].isna().all()
    assert len(read_imported_rows([harness.out / "results.csv"])) == 6
    harness.take_log()
    study = small_study(training={"epochs": 3}, prune=RULE)
    (tmp_path / "elsewhere").mkdir()
    elsewhere = Harness(tmp_path / "elsewhere")
    again = elsewhere.run(study, kept_rows=[harness.out / "results.csv"], executor=InThisProcess())
    assert not elsewhere.take_log()
    assert [result.pruned for _, result in again.runs] == [True, True, False, False, False, True]


def test_a_study_of_which_all_of_the_reference_was_pruned_has_no_table(
    harness: Harness,
) -> None:
    results = load_results(harness.out)
    with pytest.raises(ValueError, match="must be one of rate, coincidence"):
        summary(results, "ann")


# --- in a search --------------------------------------------------------------------------------


def searching(**search: Any) -> Any:
    return small_study(
        cases=[{"update": "ann"}],
        reference="ann",
        seeds=[0],
        dataset={"name": "digits", "n_train": 400, "n_test": 50},
        search={"epochs": EPOCHS, "ann_learning_rate": [1e-6, 0.1], **search},
    )


def test_a_search_stops_runs_by_the_same_rule_and_finds_the_same() -> None:
    found = []
    for rule in ({}, {"prune": {"after_epochs": 1, "below": 25}}):
        study = searching(**rule)
        runs = [(c, run(c.trial)) for c in candidates(study, study.points())]
        assert [result.row.get(PRUNED) for _, result in runs] == [1 if rule else None, None]
        assert [len(result.epochs) for _, result in runs] == [1 if rule else EPOCHS, EPOCHS]
        assert all(result.row["test_accuracy"] is None for _, result in runs)
        (outcome,) = best(runs, study.search).values()
        found.append(outcome.found)
    assert found[0].hyperparameters == found[1].hyperparameters
    assert found[0].searched_for != found[1].searched_for


def test_a_search_that_ends_before_its_rule_looks_is_refused() -> None:
    with pytest.raises(InputError, match=r"prune\.after_epochs must be below the epochs, 3"):
        searching(prune={"after_epochs": EPOCHS, "below": 60})
