"""Checks inputs and runs trials in a dask worker.

A worker process runs one trial at a time, since the number of torch threads and the peak memory are
properties of a process. Progress is sent as events of the scheduler, because a worker may not share
a disk with the process that runs the study.
"""

import threading
from dataclasses import dataclass
from pathlib import Path

from distributed import get_worker

from rpu_ssnn.common.errors import InputError, RpuSsnnError
from studies.declaration.trial import Failure, Trial, TrialResult
from studies.results.store import Versions
from studies.workers import worker
from studies.workers.worker import Job
from studies.workers.workspace import TrialProgress, Workspace

_ONE_AT_A_TIME = threading.Lock()
"""A dask worker with n threads takes n tasks, of which n - 1 wait for this lock."""


@dataclass(frozen=True)
class Task:
    """Holds the facts about the study that are sent with each task.

    Attributes:
        versions: versions in the process that runs the study.
        folder: folder of the study's workspace, which is used if the worker shares it.
        token: topic of the progress events, and name of a file in that folder; a worker that finds
            the file shares the folder.
    """

    versions: Versions
    folder: Path | None
    token: str

    def local_workspace(self) -> Workspace:
        """Returns the workspace of the study, without its folder unless this worker shares it."""
        shared = self.folder is not None and (self.folder / self.token).exists()
        return _EventWorkspace(self.folder if shared else None, self.token)

    def unfit(self) -> str:
        """Says how the versions of this worker differ, with an empty text if they do not."""
        return Versions.here().difference(self.versions)


@dataclass(frozen=True)
class _EventWorkspace(Workspace):
    """Sends progress as events."""

    topic: str = ""

    def write_progress(self, trial: Trial, progress: TrialProgress) -> None:
        get_worker().log_event(self.topic, [trial.identity, progress.model_dump_json()])


def check(task: Task, job: Job, trials: list[Trial]) -> RpuSsnnError | None:
    """Checks whether this worker can run the trials.

    Returns:
        The error, with the address of the worker, or None.
    """
    address = get_worker().address
    if unfit := task.unfit():
        allowed = "must be those of the process that runs the study"
        return InputError(f"worker {address}", "versions", unfit, allowed)
    with _ONE_AT_A_TIME:
        fault = worker.check(job, trials)
    if isinstance(fault, InputError):
        where = f"{fault.where} (worker {address})"
        return InputError(where, fault.field, fault.value, fault.allowed)
    return fault


def execute(task: Task, job: Job, trial: Trial) -> TrialResult | Failure:
    """Runs a trial with as many threads as this worker was started with."""
    here = get_worker()
    if unfit := task.unfit():  # the worker may have joined after the check
        return Failure(trial.identity, trial.title, f"worker {here.address} has {unfit}", "")
    with _ONE_AT_A_TIME:
        return worker.execute(job, trial, here.state.nthreads, task.local_workspace())
