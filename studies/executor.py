"""Where units run: one interface for processes of this machine and workers of a cluster."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from studies.desk import Desk, HowFar
from studies.result import Failure, UnitResult
from studies.unit import Unit
from studies.worker import BrokenPair, Job, Refusal


class Crew(Protocol):
    """Workers while they are hired; one unit each at a time."""

    @property
    def free(self) -> int:
        """Units that may be handed out now."""

    @property
    def running(self) -> Sequence[Unit]:
        """Units that were handed out and have not ended."""

    def check(self, job: Job, units: Sequence[Unit]) -> Sequence[Refusal | BrokenPair | None]:
        """What each worker says of the job's inputs."""

    def hand_out(self, job: Job, unit: Unit) -> None:
        """Gives a worker a unit."""

    def ended(self, seconds: float) -> Sequence[tuple[Unit, UnitResult | Failure]]:
        """The units that ended since the last call; waits for one, at most so long.

        Raises:
            OSError: the workers cannot be reached any more.
        """

    def how_far(self, unit: Unit) -> HowFar | None:
        """What a unit that was handed out said last; None where it said nothing."""


class Executor(Protocol):
    """What hires workers; nothing about it changes a result."""

    def plan(self, n_units: int) -> str:
        """Who will run so many units, in words."""

    def hired(
        self, n_units: int, desk: Desk, note: Callable[[str], None]
    ) -> AbstractContextManager[Crew]:
        """Workers for so many units; whatever still runs when the context ends is given up.

        Args:
            desk: where units leave checkpoints.
            note: told what the user should know, a line each.

        Raises:
            OSError: there is no way to any worker.
        """

    def close(self) -> None:
        """Lets go of what is kept from one crew to the next."""
