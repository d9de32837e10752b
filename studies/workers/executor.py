"""Defines the interface to workers, which are processes of this machine or of a cluster."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractContextManager
from typing import Protocol

from rpu_ssnn.common.errors import RpuSsnnError
from studies.declaration.trial import Failure, Trial, TrialResult
from studies.workers.worker import Job
from studies.workers.workspace import TrialProgress, Workspace

type Running = Future[TrialResult | Failure]
"""This is a trial in a worker; if the worker dies, it raises an exception."""


class WorkerPool(ABC):
    """Manages workers that have started, each of which runs one trial at a time."""

    def __init__(self) -> None:
        self._running: dict[Running, Trial] = {}

    @property
    def running(self) -> Sequence[Trial]:
        """Returns the submitted trials that have not ended."""
        return list(self._running.values())

    def submit_trial(self, job: Job, trial: Trial) -> None:
        """Sends a trial to a free worker."""
        self._running[self._started(job, trial)] = trial

    def completed(self, seconds: float) -> Sequence[tuple[Trial, TrialResult | Failure]]:
        """Returns the trials that ended since the last call, after waiting up to ``seconds``.

        Raises:
            OSError: the workers cannot be reached any more.
        """
        done, _ = wait(self._running, timeout=seconds, return_when=FIRST_COMPLETED)
        ended = [(self._running.pop(future), future) for future in done]
        return [(trial, self._outcome(trial, future)) for trial, future in ended]

    def _outcome(self, trial: Trial, future: Running) -> TrialResult | Failure:
        try:
            return future.result()
        except Exception as error:
            return Failure(trial.identity, trial.title, self._why(error), "")

    @property
    @abstractmethod
    def free(self) -> int:
        """Returns how many trials can be submitted now."""

    @abstractmethod
    def check(self, job: Job, trials: Sequence[Trial]) -> Sequence[RpuSsnnError | None]:
        """Lets each worker check the inputs of the job, and returns each error or None.

        Raises:
            RpuSsnnError: a worker died during its check.
            KeyboardInterrupt: the user stops the study.
        """

    @abstractmethod
    def progress_of(self, trial: Trial) -> TrialProgress | None:
        """Returns the last progress of a submitted trial, or None if there is none yet."""

    @abstractmethod
    def _started(self, job: Job, trial: Trial) -> Running:
        """Returns the trial after sending it to a free worker."""

    def _why(self, error: Exception) -> str:
        """Says in one line why a trial gave no result.

        Raises:
            OSError: the workers cannot be reached any more.
        """
        return " ".join(f"{type(error).__name__}: {error}".split())


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
