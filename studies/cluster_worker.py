"""The side of a study that runs in a dask worker, on whatever machine that is.

A worker process runs one unit at a time: the number of torch's threads, and the peak of the
memory, are of the process. What a unit says on its way travels as an event of the scheduler, since
a worker need not share a disk with the process that runs the study.
"""

import threading
from dataclasses import dataclass

from distributed import get_worker

from studies import worker
from studies.desk import Desk, HowFar
from studies.result import Failure, UnitResult
from studies.results import Versions
from studies.unit import Unit
from studies.worker import BrokenPair, Job, Refusal

_ONE_AT_A_TIME = threading.Lock()
"""Of this process: a dask worker of n threads takes n tasks, of which n - 1 wait here."""


@dataclass(frozen=True)
class Errand:
    """What a task knows of the study that sent it.

    Attributes:
        topic: of the events that tell how far units are.
        versions: that the rows of the study are made under.
        desk: of the study; its folder is used where this worker sees it too.
        token: file in that folder by which a worker knows that it is the very same.
    """

    topic: str
    versions: Versions
    desk: Desk
    token: str

    def desk_here(self) -> Desk:
        """The study's desk, without its folder where this worker does not share it."""
        folder = self.desk.folder
        shared = folder is not None and (folder / self.token).exists()
        return _SpokenDesk(
            folder if shared else None, self.desk.seconds_between_checkpoints, self.topic
        )

    def unfit(self) -> str:
        """How this worker's versions differ; empty where they do not."""
        return Versions.here().difference(self.versions)


@dataclass(frozen=True)
class _SpokenDesk(Desk):
    """A desk whose words are events."""

    topic: str = ""

    def say(self, unit: Unit, how_far: HowFar) -> None:
        get_worker().log_event(self.topic, [unit.identity, how_far.model_dump_json()])


def check(errand: Errand, job: Job, units: list[Unit]) -> Refusal | BrokenPair | None:
    """Whether this worker can run the units.

    Returns:
        What is wrong, with the worker's address; None: nothing.
    """
    address = get_worker().address
    if unfit := errand.unfit():
        return Refusal(
            f"worker {address}", "versions", unfit, "must be those of the process that runs it"
        )
    with _ONE_AT_A_TIME:
        fault = worker.check(job, units)
    if isinstance(fault, Refusal):
        return Refusal(f"{fault.where} (worker {address})", fault.field, fault.value, fault.allowed)
    return fault


def execute(errand: Errand, job: Job, unit: Unit) -> UnitResult | Failure:
    """Runs a unit with as many threads as this worker was started with."""
    here = get_worker()
    if unfit := errand.unfit():  # one that joined after the check
        return Failure(unit.identity, unit.title, f"worker {here.address} has {unfit}", "")
    with _ONE_AT_A_TIME:
        return worker.execute(job, unit, here.state.nthreads, errand.desk_here())
