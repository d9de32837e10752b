"""Where trials run: one interface for processes of this machine and workers of a cluster."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from rpu_ssnn.common.errors import RpuSsnnError
from studies.declaration.result import Failure, TrialResult
from studies.declaration.trial import Trial
from studies.workers.worker import Job
from studies.workers.workspace import TrialProgress, Workspace


class WorkerPool(Protocol):
    """Workers while they are hired; one trial each at a time."""

    @property
    def free(self) -> int:
        """Trials that may be handed out now."""

    @property
    def running(self) -> Sequence[Trial]:
        """Trials that were handed out and have not ended."""

    def check(
        self, job: Job, trials: Sequence[Trial], look: Callable[[], None]
    ) -> Sequence[RpuSsnnError | None]:
        """What each worker says of the job's inputs.

        Args:
            look: called while waiting; raises where the user wants to stop.

        Raises:
            RpuSsnnError: a worker died of it.
        """

    def submit_trial(self, job: Job, trial: Trial) -> None:
        """Gives a worker a trial."""

    def completed(self, seconds: float) -> Sequence[tuple[Trial, TrialResult | Failure]]:
        """The trials that ended since the last call; waits for one, at most so long.

        Raises:
            OSError: the workers cannot be reached any more.
        """

    def progress_of(self, trial: Trial) -> TrialProgress | None:
        """What a trial that was handed out said last; None where it said nothing."""


class Executor(Protocol):
    """What hires workers; nothing about it changes a result."""

    def plan(self, n_trials: int) -> str:
        """Who will run so many trials, in words."""

    def start_pool(
        self,
        n_trials: int,
        workspace: Workspace,
        note: Callable[[str], None],
        look: Callable[[], None],
    ) -> AbstractContextManager[WorkerPool]:
        """Workers for so many trials; whatever still runs when the context ends is given up.

        Args:
            workspace: where trials leave checkpoints.
            note: told what the user should know, a line each.
            look: called while waiting; raises where the user wants to stop.

        Raises:
            OSError: there is no way to any worker.
        """

    def close(self) -> None:
        """Lets go of what is kept from one worker pool to the next."""
