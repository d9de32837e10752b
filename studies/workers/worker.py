"""Sets up a worker process, checks inputs in it, and runs trials with their errors caught.

torch and aihwkit are not imported here, because they read the numbers of threads from the
environment when they are imported. Matrix products of numpy take one thread in any case
(`rpu_ssnn.common.parallel`).
"""

import multiprocessing
import os
import resource
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path

from rpu_ssnn.common.errors import RpuSsnnError
from studies.declaration.trial import Failure, Trial, TrialResult
from studies.workers.workspace import Workspace

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


@dataclass(frozen=True)
class Job:
    """Holds the functions that check and run trials; both must be module-level to be pickled.

    Attributes:
        check: checks images and aihwkit in the worker before any trial runs; raises InputError or
            `rpu_ssnn.doctor.BrokenEnvironmentError`.
        execute: runs one trial, given the data folder, the number of threads, and the workspace
            for its progress and checkpoints.
        data_root: folder with the images; None means the environment variable, or that no folder is
            needed.
    """

    check: Callable[[list[Trial], Path | None], None]
    execute: Callable[[Trial, Path | None, int, Workspace], TrialResult]
    data_root: Path | None


def set_up(threads: int) -> None:
    """Prepares a worker process: sets its threads, and makes it end when its parent ends."""
    for name in THREAD_VARIABLES:
        os.environ[name] = str(threads)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)  # there is no process left to receive a result


def check(job: Job, trials: list[Trial]) -> RpuSsnnError | None:
    """Calls ``job.check`` and returns its error, so that each worker can report one."""
    try:
        job.check(trials, job.data_root)
    except RpuSsnnError as error:
        return error
    return None


def execute(job: Job, trial: Trial, threads: int, workspace: Workspace) -> TrialResult | Failure:
    """Calls ``job.execute`` and returns an exception as a `Failure`."""
    try:
        return job.execute(trial, job.data_root, threads, workspace)
    except Exception as error:  # one bad trial must not end a study that takes hours
        message = " ".join(f"{type(error).__name__}: {error}".split())
        return Failure(trial.identity, trial.title, message, traceback.format_exc())


def reset_peak_memory() -> None:
    """Resets the peak memory, so that it is measured for each trial; works on Linux only."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_memory_mb() -> float:
    """Returns the peak resident memory of this process (MiB) since the last reset or its start."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        lines = []
    peak = next((line for line in lines if line.startswith("VmHWM:")), None)
    if peak is None:  # this kernel or system does not report it
        scale = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, others KiB
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 2**20
    return int(peak.split()[1]) / 1024
