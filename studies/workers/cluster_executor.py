"""Runs trials on the workers of a dask scheduler, on this machine or others.

Only this process writes rows. Each worker gets one trial at a time. If a worker dies, dask gives
its trials to other workers and counts the death against each of these trials.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from typing import Any

from distributed import Client, KilledWorker

from rpu_ssnn.common.errors import RpuSsnnError, require
from studies.common import interrupts
from studies.declaration.trial import Failure, Trial, TrialResult
from studies.results.store import Versions
from studies.workers import cluster_worker
from studies.workers.cluster_worker import Task
from studies.workers.executor import Running, WorkerPool
from studies.workers.worker import Job
from studies.workers.workspace import TrialProgress, Workspace

SECONDS_TO_ANSWER = 10
"""A scheduler that does not answer within this time counts as missing."""

PATIENCE_SECONDS = 5.0
"""After this time a note says that there is no worker yet."""


class ClusterLostError(RpuSsnnError, OSError):
    """Raised when the scheduler cannot be reached any more."""


class ClusterExecutor:
    """Runs trials on the workers of a scheduler, with one connection that lasts until `close`.

    >>> from studies import ClusterExecutor, run_study
    >>> from distributed import Client
    >>> def connect():
    ...     return Client("tcp://host:8786")
    >>> run_study("mnist_devices", executor=ClusterExecutor("host", connect))  # doctest: +SKIP

    Args:
        where: name of the scheduler in messages.
        connect: opens the connection.

    Raises:
        InputError: `connect` is not a function.
    """

    def __init__(self, where: str, connect: Callable[[], Client]) -> None:
        allowed = "must be a function that opens a Client, such as lambda: Client(cluster)"
        require(callable(connect), "ClusterExecutor", "connect", connect, allowed)
        self._where, self._connect = where, connect
        self._client: Client | None = None

    def plan(self, n_trials: int) -> str:
        """Says which workers run the trials."""
        return f"on workers of {self._where}"

    @contextmanager
    def start_pool(
        self, n_trials: int, workspace: Workspace, note: Callable[[str], None]
    ) -> Iterator["_ClusterPool"]:
        """Yields the workers of the scheduler, including those that join later."""
        if self._client is None:
            with interrupts.blocked():  # new threads and processes inherit the block
                self._client = self._connect()
        token = f"{uuid.uuid4().hex}.token"
        folder = None if workspace.folder is None else workspace.folder.resolve()
        task = Task(Versions.here(), folder, token)
        pool = _ClusterPool(self._client, task, self._where)
        try:
            if folder is not None:
                (folder / token).touch()
            pool.wait_for_a_worker(note)
            yield pool
        finally:
            pool.cancel()
            if folder is not None:
                (folder / token).unlink(missing_ok=True)

    def close(self) -> None:
        """Closes the connection."""
        if self._client is not None:
            with suppress(OSError, TimeoutError):  # the scheduler may be gone
                self._client.close()
            self._client = None


class _ClusterPool(WorkerPool):
    def __init__(self, client: Client, task: Task, where: str) -> None:
        super().__init__()
        self._client, self._task, self._where = client, task, where
        self._executor = client.get_executor(pure=False)
        self._progress: dict[str, str] = {}
        client.subscribe_topic(task.token, self._on_event)

    @property
    def free(self) -> int:
        return len(self._workers()) - len(self._running)

    def check(self, job: Job, trials: Sequence[Trial]) -> list[RpuSsnnError | None]:
        given = cluster_worker.check, self._task, job, list(trials)
        addresses = self._workers()
        checks = {each: self._executor.submit(*given, workers=[each]) for each in addresses}
        while any(not check.done() for each, check in checks.items() if each in addresses):
            interrupts.raise_if_interrupted()
            time.sleep(0.05)
            addresses = self._workers()
        # A worker that died in its check gives no result; a trial sent to it fails.
        ended = [check for check in checks.values() if check.done() and not check.cancelled()]
        return [check.result() for check in ended if not check.exception()]

    def completed(self, seconds: float) -> Sequence[tuple[Trial, TrialResult | Failure]]:
        if self._client.status not in ("running", "connecting"):
            raise self._lost()
        return super().completed(seconds)

    def progress_of(self, trial: Trial) -> TrialProgress | None:
        progress = self._progress.get(trial.identity)
        return None if progress is None else TrialProgress.model_validate_json(progress)

    def wait_for_a_worker(self, note: Callable[[str], None]) -> None:
        """Waits for a worker without a limit, since a batch queue may take hours."""
        started, is_noted = time.monotonic(), False
        while not self._workers():
            if not is_noted and time.monotonic() - started > PATIENCE_SECONDS:
                note(f"waiting for a worker of {self._where}")
                is_noted = True
            interrupts.raise_if_interrupted()
            time.sleep(0.1)

    def cancel(self) -> None:
        """Cancels waiting trials; the results of running ones are lost."""
        with suppress(OSError, TimeoutError):  # the scheduler may be gone
            self._client.unsubscribe_topic(self._task.token)
            self._executor.shutdown(wait=False)

    def _started(self, job: Job, trial: Trial) -> Running:
        running: Running = self._executor.submit(cluster_worker.execute, self._task, job, trial)
        return running

    def _why(self, error: Exception) -> str:
        if isinstance(error, CancelledError):
            raise self._lost() from error
        if isinstance(error, KilledWorker):
            died = f"{error.allowed_failures + 1} workers died while they ran it"
            return f"{died}, the last of them {error.last_worker.address}"
        return super()._why(error)

    def _workers(self) -> dict[str, int]:
        """Returns the number of threads of each worker by its address."""
        try:
            return dict(self._client.nthreads())
        except (OSError, TimeoutError) as error:
            raise self._lost(f" ({error})") from error

    def _lost(self, why: str = "") -> ClusterLostError:
        lost = f"the connection to {self._where} was lost{why}; finished rows are kept"
        return ClusterLostError(lost)

    def _on_event(self, event: tuple[float, Any]) -> None:
        identity, progress = event[1]
        self._progress[identity] = progress
