"""The side of a study that runs in worker processes: set-up, and a run with its errors caught.

Nothing heavy is imported here: the thread counts must be in the environment before numpy, numba
and torch first load.
"""

import multiprocessing
import os
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path

from rpu_ssnn.common.errors import RpuSsnnError
from studies.declaration.result import Failure, TrialResult
from studies.declaration.trial import Trial
from studies.workers.workspace import Workspace

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


@dataclass(frozen=True)
class Job:
    """How trials are run: module-level functions, since they are sent to other processes.

    Attributes:
        check: looks, before anything runs, at what only a worker can (images, the tile pair);
            raises InputError or `rpu_ssnn.doctor.BrokenPairError`.
        execute: runs one trial; gets the data folder, the number of threads, and the workspace
            for its progress and its checkpoints.
        data_root: folder with the images; None: environment variable or none needed.
    """

    check: Callable[[list[Trial], Path | None], None]
    execute: Callable[[Trial, Path | None, int, Workspace], TrialResult]
    data_root: Path | None


def set_up(threads: int) -> None:
    """Initialises a worker: its threads, and its end when the parent ends."""
    for name in THREAD_VARIABLES:
        os.environ[name] = str(threads)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)  # nobody is left to report to


def check(job: Job, trials: list[Trial]) -> RpuSsnnError | None:
    """``job.check``, with its error as a value, so that all workers can be heard."""
    try:
        job.check(trials, job.data_root)
    except RpuSsnnError as error:
        return error
    return None


def execute(job: Job, trial: Trial, threads: int, workspace: Workspace) -> TrialResult | Failure:
    """``job.execute``, with whatever it raises as a value."""
    try:
        return job.execute(trial, job.data_root, threads, workspace)
    except Exception as error:  # one bad trial must not end a study of hours
        message = " ".join(f"{type(error).__name__}: {error}".split())
        return Failure(trial.identity, trial.title, message, traceback.format_exc())
