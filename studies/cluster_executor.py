"""Runs units on the workers of a dask scheduler, near or far.

This process alone writes rows. It hands out a unit a worker: of a worker that dies, dask gives the
units to others, and counts the death against each unit that the worker had; so it had better have
one.
"""

import queue
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from distributed import Client, KilledWorker
from distributed import Future as DaskFuture

from studies import cluster_worker
from studies.cluster_worker import Errand
from studies.desk import Desk, HowFar
from studies.result import Failure, UnitResult
from studies.results import Versions
from studies.unit import Unit
from studies.worker import BrokenPair, Job, Refusal

SECONDS_TO_ANSWER = 10
"""A scheduler that says nothing for so long is not there."""

PATIENCE_SECONDS = 5.0
"""After it, the user hears that there is no worker yet."""


class ClusterLostError(OSError):
    """The scheduler cannot be reached any more."""


class ClusterExecutor:
    """Workers of a scheduler, asked for once and kept until `close`.

    Args:
        where: what to call it.
        connect: opens the connection, and what is to be closed after it (such as a cluster that
            was started for it).
    """

    def __init__(self, where: str, connect: Callable[[], tuple[Client, Callable[[], None]]]):
        self._where, self._connect = where, connect
        self._open: tuple[Client, Callable[[], None]] | None = None

    def plan(self, n_units: int) -> str:
        """Whose workers."""
        return f"on workers of {self._where}"

    @contextmanager
    def hired(
        self, n_units: int, desk: Desk, note: Callable[[str], None]
    ) -> Iterator["_ClusterCrew"]:
        """The workers that there are, and those that come."""
        if self._open is None:
            self._open = self._connect()
        client = self._open[0]
        token = f"{uuid.uuid4().hex}.token"
        folder = None if desk.folder is None else desk.folder.resolve()
        here = replace(desk, folder=folder)
        errand = Errand(f"rpu-ssnn-{token}", Versions.here(), here, token)
        crew = _ClusterCrew(client, errand, self._where)
        try:
            if folder is not None:
                (folder / token).touch()
            crew.wait_for_a_worker(note)
            yield crew
        finally:
            crew.give_up()
            if folder is not None:
                (folder / token).unlink(missing_ok=True)

    def close(self) -> None:
        """Leaves the scheduler; ends a cluster that was started here."""
        if self._open is not None:
            client, close_rest = self._open
            self._open = None
            with suppress(OSError, TimeoutError):  # of a scheduler that is gone
                client.close()
            close_rest()


class _ClusterCrew:
    def __init__(self, client: Client, errand: Errand, where: str) -> None:
        self._client, self._errand, self._where = client, errand, where
        self._running: dict[str, tuple[Unit, DaskFuture[Any]]] = {}
        self._done: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._said: dict[str, str] = {}
        client.subscribe_topic(errand.topic, self._hear)

    @property
    def free(self) -> int:
        return len(self._workers()) - len(self._running)

    @property
    def running(self) -> list[Unit]:
        return [unit for unit, _ in self._running.values()]

    def check(self, job: Job, units: Sequence[Unit]) -> list[Refusal | BrokenPair | None]:
        job = _anywhere(job)
        checks = {
            address: self._client.submit(
                cluster_worker.check,
                self._errand,
                job,
                list(units),
                workers=[address],
                pure=False,
            )
            for address in self._workers()
        }
        while not all(check.done() for check in checks.values()):
            there = self._workers()
            checks = {address: check for address, check in checks.items() if address in there}
            time.sleep(0.05)
        # One that died of its check: its units, if any, will say so.
        return [check.result() for check in checks.values() if check.status == "finished"]

    def hand_out(self, job: Job, unit: Unit) -> None:
        future = self._client.submit(
            cluster_worker.execute,
            self._errand,
            _anywhere(job),
            unit,
            key=f"{unit.identity}-{self._errand.token}",
        )
        self._running[unit.identity] = unit, future
        self._listen(unit, future)

    def ended(self, seconds: float) -> list[tuple[Unit, UnitResult | Failure]]:
        if self._client.status not in ("running", "connecting"):
            raise ClusterLostError(f"lost the scheduler: {self._where}; finished rows are kept")
        try:
            identity = self._done.get(timeout=seconds)
        except queue.Empty:
            return []
        unit, future = self._running[identity]
        outcome = self._outcome(unit, future)
        if outcome is None:
            self._listen(unit, future)
            return []
        del self._running[identity]
        return [(unit, outcome)]

    def how_far(self, unit: Unit) -> HowFar | None:
        said = self._said.get(unit.identity)
        return None if said is None else HowFar.model_validate_json(said)

    def wait_for_a_worker(self, note: Callable[[str], None]) -> None:
        """For as long as it takes: a batch queue may take hours."""
        started, told = time.monotonic(), False
        while not self._workers():
            if not told and time.monotonic() - started > PATIENCE_SECONDS:
                note(f"waiting for a worker of {self._where}")
                told = True
            time.sleep(0.1)

    def give_up(self) -> None:
        """Takes back what still waits; what a worker has at this moment it ends for nobody."""
        with suppress(OSError, TimeoutError):  # of a scheduler that is gone
            self._client.unsubscribe_topic(self._errand.topic)
            self._client.cancel([future for _, future in self._running.values()], force=True)

    def _listen(self, unit: Unit, future: DaskFuture[Any]) -> None:
        future.add_done_callback(lambda _: self._done.put(unit.identity))

    def _outcome(self, unit: Unit, future: DaskFuture[Any]) -> UnitResult | Failure | None:
        """What a unit came to; None: its worker died with the result, and dask runs it again."""
        status = future.status
        if status in ("lost", "pending"):
            return None
        if status == "finished":
            try:
                outcome: UnitResult | Failure = future.result()
                return outcome
            except KilledWorker:  # died with the result, as did those that ran it again
                status = future.status
        if status == "error":
            error = future.exception()
            died = isinstance(error, KilledWorker)
            message = (
                f"{error.allowed_failures + 1} workers died while they had it, the last "
                f"{error.last_worker.address}"
                if died
                else " ".join(f"{type(error).__name__}: {error}".split())
            )
            return Failure(unit.identity, unit.title, message, "")
        why = getattr(future.exception(), "reason", future.status)
        raise ClusterLostError(f"lost the scheduler: {self._where} ({why}); finished rows are kept")

    def _workers(self) -> dict[str, int]:
        """Threads by address."""
        try:
            return dict(self._client.nthreads())
        except (OSError, TimeoutError) as error:
            raise ClusterLostError(f"lost the scheduler: {self._where} ({error})") from error

    def _hear(self, event: tuple[float, Any]) -> None:
        identity, said = event[1]
        self._said[identity] = said


def _anywhere(job: Job) -> Job:
    """The job with a data folder that does not depend on where a process was started."""
    return job if job.data_root is None else replace(job, data_root=job.data_root.resolve())
