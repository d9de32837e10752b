"""Provides fakes for the tests of the harness: instant training in real worker processes."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from rpu_ssnn.common.errors import InputError, RpuSsnnError
from rpu_ssnn.version import NUMERICS_VERSION
from studies.declaration.cases import Case
from studies.declaration.hyperparameters import trials_of
from studies.declaration.study import Study, parse_study
from studies.declaration.trial import Failure, Trial, TrialResult
from studies.declaration.update_rules.ann import AnnRule
from studies.declaration.update_rules.pulses import PulseRule
from studies.execution.phase import Options, Outcome
from studies.execution.progress import Reporter
from studies.execution.study_runs import run_in_folder
from studies.results.store import Versions
from studies.workers import worker
from studies.workers.executor import Executor
from studies.workers.worker import Job
from studies.workers.workspace import TrialProgress, Workspace

RATE: dict[str, Any] = {"update": "rate", "learning_rate": 1.0}
DRIVE = {"weight_range": 8.0, "learning_rate": 1.0}
"""The fake training reaches most with these hyperparameters."""

SMALL: dict[str, Any] = {
    "study": "small",
    "question": "Does the harness work?",
    "dataset": {"name": "digits", "n_train": 100, "n_test": 50},
    "network": {"hidden": [8], "T": 10},
    "training": {"epochs": 1},
    "seeds": [0, 1],
    "cases": [
        {"update": "ann", "learning_rate": 0.1},
        RATE,
        {"update": "coincidence", "learning_rate": 1.0},
    ],
}


BRIEF: dict[str, Any] = {
    "dataset": {"name": "digits", "n_train": 200, "n_test": 50},
    "network": {"hidden": [16], "T": 20},
    "training": {"epochs": 1, "batch": 20},
}
"""With these settings a training takes a second or two."""


def small_study(beside: Path = Path(), **changes: Any) -> Study:
    """Returns the small study with some of its keys replaced, as if its file were in a folder."""
    return parse_study({**SMALL, **changes}, beside / "small.yaml", beside)


def study_file(folder: Path, name: str = "small.yaml", **changes: Any) -> Path:
    """Writes the small study with some of its keys replaced, and returns its file."""
    path = folder / name
    path.write_text(yaml.safe_dump({**SMALL, **changes}))
    return path


def accuracy_of(trial: Trial) -> float:
    """Returns the accuracy (%) of the fake training, best at learning rate 1, weight range 8."""
    method = trial.settings.method
    accuracy = 80.0 + trial.settings.seed
    if isinstance(method, AnnRule):
        accuracy += 5.0
    accuracy -= abs(method.learning_rate - 1.0)
    if isinstance(method, PulseRule):
        accuracy -= 2.0 + abs(method.tile.weight_range - 8.0)
    return accuracy


def accept_all(trials: list[Trial], data_root: Path | None) -> None:
    """Accepts all trials, as a job does that has all its inputs."""


def refuse(trials: list[Trial], data_root: Path | None) -> None:
    """Refuses all trials, as a job does whose images are missing."""
    raise InputError("digits", "images", "nowhere", "must be somewhere")


def fake_training(trial: Trial, data_root: Any, threads: int, workspace: Any) -> TrialResult:
    """Returns a result at once. ``data_root`` holds the test's orders and a log of what was run.

    An order is a file ``raise``, ``die``, ``die once``, ``slow`` or ``sleep`` with the titles of
    the trials that obey it.
    """
    kind = trial.settings.measure if trial.stop_after is None else "search"
    with (data_root / "log").open("a+") as log:
        log.seek(0)
        before = log.read()
        log.write(f"{kind} {trial.title}\n")
    if _ordered(data_root, "raise", trial):
        raise RuntimeError("weights\nexploded")
    again = trial.title in before
    if _ordered(data_root, "die", trial) or (not again and _ordered(data_root, "die once", trial)):
        os.kill(os.getpid(), signal.SIGKILL)
    if _ordered(data_root, "slow", trial):
        time.sleep(3)
    if _ordered(data_root, "sleep", trial):
        time.sleep(60)
    tested = trial.settings.measure == "test" and trial.stop_after is None
    here = Versions.here()
    reached = accuracy_of(trial) - 0.5 if trial.stop_after else 60.0
    on_tile = isinstance(trial.settings.method, PulseRule)
    return TrialResult(
        row={
            "dataset": trial.settings.dataset.name,
            "T": trial.settings.network.T,
            "seed": trial.settings.seed,
            "test_accuracy": accuracy_of(trial) if tested else None,
            "validation_accuracy": accuracy_of(trial) - 0.5,
            "pulses_per_device_mean": 12.5 if on_tile else None,
            "saturated_fraction": 0.25 if on_tile else None,
            **({} if trial.stop_after else {"settings": trial.settings_json}),
            "n_validation": 10_000,
            "numerics_version": NUMERICS_VERSION,
            "torch_version": here.torch_version,
            "aihwkit_version": here.aihwkit_version,
        },
        epochs=[
            {"epoch": epoch, "train_accuracy": 50.0, "validation_accuracy": reached}
            for epoch in range(trial.stop_after or 1)
        ],
    )


def _ordered(data_root: Path, order: str, trial: Trial) -> bool:
    path = data_root / order
    return path.exists() and trial.title in path.read_text().splitlines()


class InThisProcess:
    """Executes trials without other processes, for tests of what is run rather than of how."""

    def plan(self, n_trials: int) -> str:
        return "in this process"

    @contextmanager
    def start_pool(
        self, n_trials: int, workspace: Workspace, note: Callable[[str], None]
    ) -> Iterator["_OneAtATime"]:
        yield _OneAtATime(workspace)

    def close(self) -> None:
        """Does nothing, since there is nothing to close."""


class _OneAtATime:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._given: list[tuple[Job, Trial]] = []

    @property
    def free(self) -> int:
        return 1 - len(self._given)

    @property
    def running(self) -> list[Trial]:
        return [trial for _, trial in self._given]

    def check(self, job: Job, trials: Sequence[Trial]) -> list[RpuSsnnError]:
        fault = worker.check(job, list(trials))
        return [] if fault is None else [fault]

    def submit_trial(self, job: Job, trial: Trial) -> None:
        self._given.append((job, trial))

    def completed(self, seconds: float) -> list[tuple[Trial, TrialResult | Failure]]:
        job, trial = self._given.pop()
        return [(trial, worker.execute(job, trial, 1, self._workspace))]

    def progress_of(self, trial: Trial) -> TrialProgress | None:
        return self._workspace.progress_of(trial)


class Harness:
    """Runs studies with the fake training in one folder."""

    def __init__(self, folder: Path, executor: Executor) -> None:
        self.out = folder / "out"
        self.orders = folder / "orders"
        self.orders.mkdir(exist_ok=True)
        self._executor = executor

    def order(self, name: str, *titles: str) -> None:
        """Makes the named trials misbehave from now on, and all others behave."""
        (self.orders / name).write_text("\n".join(titles))

    def options(self, **changes: Any) -> Options:
        """Returns the options of a run with the fake training."""
        job = Job(check=accept_all, execute=fake_training, data_root=self.orders)
        return Options(**{"job": job, "executor": self._executor, **changes})

    def run(self, study: Study, **changes: Any) -> Outcome:
        """Runs the study."""
        return run_in_folder(study, self.out, self.options(**changes))

    def take_log(self) -> Counter[str]:
        """Returns what was run since the last call, as counts of `measure title`."""
        path = self.orders / "log"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return Counter(lines)


def declared_trials(study: Study) -> list[Trial]:
    """Returns the trials of every point with the declared seeds; no hyperparameter is searched."""
    return trials_of(study, {})


def trial_of_case(case: dict[str, Any], **keys: Any) -> Trial:
    """Returns the trial with seed 0 of a small study that has this case alone."""
    label = case.get("label", "it")
    study = small_study(cases=[{**case, "label": label}], reference=label, seeds=[0], **keys)
    return declared_trials(study)[0]


LABELS = "ann", "rate", "coincidence"
EACH_ONCE = {f"test {label} seed {seed}": 1 for label in LABELS for seed in (0, 1)}
"""The log of a small study in which each trial ran once."""


def in_device(device: str, **keys: Any) -> Case:
    """Returns a case that is trained by spikes in a device."""
    return Case.model_validate({"device": device, **keys})


class Listening(Reporter):
    """Records the notes and the progress that it receives."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []
        self.reached_by: dict[str, TrialProgress] = {}

    def note(self, text: str) -> None:
        self.notes.append(text)

    def reached(self, trial: Trial, progress: TrialProgress) -> None:
        self.reached_by[trial.title] = progress
