"""This module holds the options of running a study, and its outcome."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from studies.common.choices import OtherVersions
from studies.declaration.result import Failure, Runs
from studies.execution.progress import Reporter
from studies.workers import run_trial
from studies.workers.executor import Executor
from studies.workers.local_executor import LocalExecutor
from studies.workers.worker import Job
from studies.workers.workspace import SECONDS_BETWEEN_CHECKPOINTS


def training_job(data_root: Path | None) -> Job:
    """Returns the job that trains with `rpu_ssnn`."""
    return Job(check=run_trial.check_inputs, execute=run_trial.run_trial, data_root=data_root)


@dataclass(frozen=True)
class Options:
    """These options say how a study is run; none of them changes a result.

    Attributes:
        executor: starts the workers; the caller closes it.
        kept_rows: results files whose rows count as finished; `imported_results`.
        retry_failed: repeat trials that failed in an earlier call; otherwise they stay failed
            and stay listed.
        is_part: other studies run in the same folder, whose failures stay listed too.
        seconds_between_checkpoints: least time between two of a trial; written after an epoch.
    """

    job: Job = field(default_factory=lambda: training_job(None))
    executor: Executor = field(default_factory=LocalExecutor)
    other_versions: OtherVersions = "refuse"
    reporter: Reporter = field(default_factory=Reporter)
    kept_rows: Sequence[Path] = ()
    retry_failed: bool = False
    is_part: bool = False
    seconds_between_checkpoints: float = SECONDS_BETWEEN_CHECKPOINTS


@dataclass(frozen=True)
class Outcome:
    """This is the outcome of a run.

    Attributes:
        failures: trials without a row.
    """

    runs: Runs
    failures: list[Failure]
