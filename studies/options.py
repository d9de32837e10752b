"""How a study is run, and what a run of it leaves."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from studies import run_unit
from studies.desk import SECONDS_BETWEEN_CHECKPOINTS
from studies.executor import Executor
from studies.local_executor import LocalExecutor
from studies.progress import Reporter, Silent
from studies.result import Failure, Runs
from studies.until import Seeded
from studies.worker import Job

type OtherVersions = Literal["refuse", "accept", "rerun"]
"""What to do with rows made under another numerics, torch or aihwkit version."""


def training_job(data_root: Path | None) -> Job:
    """Real training through `rpu_ssnn`."""
    return Job(check=run_unit.check_inputs, execute=run_unit.run_unit, data_root=data_root)


@dataclass(frozen=True)
class Options:
    """How a study is run; nothing here changes a result.

    Attributes:
        executor: hires the workers; whoever made it closes it.
        kept_rows: results files whose rows count as finished runs (`studies.kept_rows`).
        retry_failed: run again the units that failed in an earlier call; else they are left alone
            and stay listed.
        seconds_between_checkpoints: of one unit, at least; they are taken at the end of an epoch.
    """

    job: Job = field(default_factory=lambda: training_job(None))
    executor: Executor = field(default_factory=LocalExecutor)
    other_versions: OtherVersions = "refuse"
    reporter: Reporter = field(default_factory=Silent)
    kept_rows: Sequence[Path] = ()
    retry_failed: bool = False
    seconds_between_checkpoints: float = SECONDS_BETWEEN_CHECKPOINTS


@dataclass(frozen=True)
class Outcome:
    """What a run leaves.

    Attributes:
        runs: rows in the study's order.
        failures: the units that have none.
        points: with the seeds that they came to have.
    """

    runs: Runs
    failures: list[Failure]
    points: list[Seeded] = field(default_factory=list)
