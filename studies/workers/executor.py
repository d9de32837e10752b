"""Defines the interface to workers, which are processes of this machine or of a cluster."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from rpu_ssnn.common.errors import RpuSsnnError
from studies.declaration.trial import Failure, Trial, TrialResult
from studies.workers.worker import Job
from studies.workers.workspace import TrialProgress, Workspace


class WorkerPool(Protocol):
    """Manages workers that have started, each of which runs one trial at a time."""

    @property
    def free(self) -> int:
        """Returns how many trials can be submitted now."""

    @property
    def running(self) -> Sequence[Trial]:
        """Returns the submitted trials that have not ended."""

    def check(self, job: Job, trials: Sequence[Trial]) -> Sequence[RpuSsnnError | None]:
        """Lets each worker check the inputs of the job, and returns each error or None.

        Raises:
            RpuSsnnError: a worker died during its check.
            KeyboardInterrupt: the user stops the study.
        """

    def submit_trial(self, job: Job, trial: Trial) -> None:
        """Sends a trial to a free worker."""

    def completed(self, seconds: float) -> Sequence[tuple[Trial, TrialResult | Failure]]:
        """Returns the trials that ended since the last call, after waiting up to ``seconds``.

        Raises:
            OSError: the workers cannot be reached any more.
        """

    def progress_of(self, trial: Trial) -> TrialProgress | None:
        """Returns the last progress of a submitted trial, or None if there is none yet."""


class Executor(Protocol):
    """Starts workers; the choice of executor does not change any result."""

    def plan(self, n_trials: int) -> str:
        """Describes in a phrase the workers that will run this number of trials."""

    def start_pool(
        self, n_trials: int, workspace: Workspace, note: Callable[[str], None]
    ) -> AbstractContextManager[WorkerPool]:
        """Starts workers for this number of trials; trials still running at the end are abandoned.

        Args:
            workspace: where trials write progress and checkpoints.
            note: called with each line for the user.

        Raises:
            OSError: no worker can be reached.
            KeyboardInterrupt: the user stops the study.
        """

    def close(self) -> None:
        """Closes everything that outlasts a worker pool, such as a connection."""
