"""Runs a real dask scheduler and real worker processes on the loopback address."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from distributed import Client

from support.waiting import PATIENCE, wait_until


class DaskProcesses:
    """Runs a scheduler with workers that a test may kill.

    Attributes:
        address: the address of the scheduler.
        workers: the worker processes, which are not restarted.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "scheduler.json"
        self._folder = folder
        self.workers: list[subprocess.Popen[bytes]] = []
        scheduler_file = ("--scheduler-file", str(self._file))
        self.scheduler = self._start(
            "dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
            *scheduler_file,
        )  # fmt: skip
        wait_until(self._written, "the scheduler")
        self.address: str = json.loads(self._file.read_text())["address"]

    def start_workers(self, *threads: int) -> None:
        """Starts a worker process for each number of threads, and waits for them."""
        before = len([worker for worker in self.workers if worker.poll() is None])
        for n in threads:
            self.workers.append(
                self._start(
                    "dask_worker", "--host", "127.0.0.1", "--nthreads", str(n),
                    "--no-nanny", "--no-dashboard", "--scheduler-file", str(self._file),
                    "--local-directory", str(self._folder),
                )
            )  # fmt: skip
        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(before + len(threads), timeout=PATIENCE)

    def kill_all(self) -> None:
        """Kills all processes at the end of a test."""
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()

    def _written(self) -> bool:
        """Returns whether the scheduler's file is complete; dask writes it in place."""
        try:
            return "address" in json.loads(self._file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return False

    def _start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        here = str(Path(__file__).parents[2])
        # The death of two workers fails a trial, where dask's own setting would take four.
        settings = {"PYTHONPATH": here, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
        with (self._folder / "dask.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{module}", *arguments],
                env={**os.environ, **settings},
                stdout=log,
                stderr=log,
            )


@contextmanager
def dask_processes(folder: Path, threads: Sequence[int] = ()) -> Iterator[DaskProcesses]:
    """Runs a scheduler with a worker for each number of threads until the context ends."""
    processes = DaskProcesses(folder)
    try:
        if threads:
            processes.start_workers(*threads)
        yield processes
    finally:
        processes.kill_all()
