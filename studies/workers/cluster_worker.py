"""The side of a study that runs in a dask worker, on whatever machine that is.

A worker process runs one trial at a time: the number of torch's threads, and the peak of the
memory, are of the process. What a trial says on its way travels as an event of the scheduler, since
a worker need not share a disk with the process that runs the study.
"""

import threading
from dataclasses import dataclass

from distributed import get_worker

from rpu_ssnn.common.errors import InputError, RpuSsnnError
from studies.declaration.result import Failure, TrialResult
from studies.declaration.trial import Trial
from studies.results.tables import Versions
from studies.workers import worker
from studies.workers.worker import Job
from studies.workers.workspace import TrialProgress, Workspace

_ONE_AT_A_TIME = threading.Lock()
"""Of this process: a dask worker of n threads takes n tasks, of which n - 1 wait here."""


@dataclass(frozen=True)
class Task:
    """What a task knows of the study that sent it.

    Attributes:
        topic: of the events that tell how far trials are.
        versions: that the rows of the study are made under.
        workspace: of the study; its folder is used where this worker sees it too.
        token: file in that folder by which a worker knows that it is the very same.
    """

    topic: str
    versions: Versions
    workspace: Workspace
    token: str

    def local_workspace(self) -> Workspace:
        """The study's workspace, without its folder where this worker does not share it."""
        folder = self.workspace.folder
        shared = folder is not None and (folder / self.token).exists()
        return _EventWorkspace(
            folder if shared else None, self.workspace.seconds_between_checkpoints, self.topic
        )

    def unfit(self) -> str:
        """How this worker's versions differ; empty where they do not."""
        return Versions.here().difference(self.versions)


@dataclass(frozen=True)
class _EventWorkspace(Workspace):
    """A workspace whose words are events."""

    topic: str = ""

    def say(self, trial: Trial, progress: TrialProgress) -> None:
        get_worker().log_event(self.topic, [trial.identity, progress.model_dump_json()])


def check(task: Task, job: Job, trials: list[Trial]) -> RpuSsnnError | None:
    """Whether this worker can run the trials.

    Returns:
        What is wrong, with the worker's address; None: nothing.
    """
    address = get_worker().address
    if unfit := task.unfit():
        return InputError(
            f"worker {address}", "versions", unfit, "must be those of the process that runs it"
        )
    with _ONE_AT_A_TIME:
        fault = worker.check(job, trials)
    if isinstance(fault, InputError):
        return InputError(
            f"{fault.where} (worker {address})", fault.field, fault.value, fault.allowed
        )
    return fault


def execute(task: Task, job: Job, trial: Trial) -> TrialResult | Failure:
    """Runs a trial with as many threads as this worker was started with."""
    here = get_worker()
    if unfit := task.unfit():  # one that joined after the check
        return Failure(trial.identity, trial.title, f"worker {here.address} has {unfit}", "")
    with _ONE_AT_A_TIME:
        return worker.execute(job, trial, here.state.nthreads, task.local_workspace())
