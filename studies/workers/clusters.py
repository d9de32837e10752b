"""Makes an executor from the address of a scheduler or a kind of cluster.

Anyone who can connect to a dask scheduler can run code as its user. A cluster that is started here
therefore has temporary certificates of its own. A scheduler at `tls://` is protected by the
certificates of dask's configuration. A scheduler at `tcp://` is open to everyone who reaches its
port.
"""

import logging
import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from platform import node
from shutil import rmtree
from tempfile import TemporaryDirectory, gettempdir
from typing import TYPE_CHECKING, Any

from rpu_ssnn.common.errors import InputError, one_of
from rpu_ssnn.common.optional import optional_package
from rpu_ssnn.common.parallel import usable_cpus
from studies.workers.executor import Executor
from studies.workers.local_executor import LocalExecutor

if TYPE_CHECKING:
    from distributed import Client

KINDS = {
    "local": ("distributed", "LocalCluster"),
    "htcondor": ("dask_jobqueue", "HTCondorCluster"),
    "lsf": ("dask_jobqueue", "LSFCluster"),
    "moab": ("dask_jobqueue", "MoabCluster"),
    "oar": ("dask_jobqueue", "OARCluster"),
    "pbs": ("dask_jobqueue", "PBSCluster"),
    "sge": ("dask_jobqueue", "SGECluster"),
    "slurm": ("dask_jobqueue", "SLURMCluster"),
}
"""Module and class of each kind; dask's own configuration holds the settings."""

INSTALLS = {
    "distributed": "rpu-ssnn[cluster]",
    "cryptography": "rpu-ssnn[cluster]",
    "dask_jobqueue": "dask-jobqueue",
}
"""Package to install for a module."""

_SCRATCH = f"rpu-ssnn-dask-{node()}-"
"""Begins the name of a cluster's folder of temporary files; the number of its process follows."""

_PAGES = ("distributed.scheduler.http.routes", "distributed.worker.http.routes")


def executor_of(workers: int | None, scheduler: str | None, cluster: str | None) -> Executor:
    """Makes an executor: processes of this machine, workers of a scheduler, or of a new cluster.

    Args:
        workers: processes to start, here or in the cluster.
        scheduler: address of a running dask scheduler.
        cluster: one of `KINDS`.

    Raises:
        InputError: two of them at once, fewer than one worker, no such kind, a package missing, a
            scheduler that does not answer, or a cluster that dask cannot start as it is configured.
    """
    if scheduler is not None and cluster is not None:
        raise InputError("run", "--cluster", cluster, "must not come with --scheduler")
    if scheduler is not None:
        if workers is not None:
            allowed = "must not come with --scheduler, whose workers are those that it has"
            raise InputError("run", "--workers", workers, allowed)
        return _on_scheduler(scheduler)
    local = LocalExecutor(workers)
    return local if cluster is None else _on_cluster(cluster, workers)


def _on_scheduler(address: str) -> Executor:
    _imported("distributed", "--scheduler", address)
    from distributed import Client, Security

    if (
        address.startswith("tls:")
        and Security().get_connection_args("client")["ssl_context"] is None
    ):
        allowed = "needs the certificates of dask's configuration, distributed.comm.tls.client"
        raise InputError("run", "--scheduler", address, allowed)

    from studies.workers.cluster_executor import SECONDS_TO_ANSWER, ClusterExecutor

    def client() -> "Client":
        return Client(address, set_as_default=False, timeout=SECONDS_TO_ANSWER)

    try:
        client().close()
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        said = " ".join(str(error).split())
        allowed = f"must be the address of a running dask scheduler, tcp://HOST:PORT ({said})"
        raise InputError("run", "--scheduler", address, allowed) from error
    return ClusterExecutor(address, lambda: (client(), lambda: None))


def _on_cluster(kind: str, workers: int | None) -> Executor:
    if kind not in KINDS:
        raise InputError("run", "--cluster", kind, one_of(KINDS, kind))
    module, name = KINDS[kind]
    for needed in dict.fromkeys(("distributed", module)):
        _imported(needed, "--cluster", kind)
    if kind != "local" and workers is None:
        allowed = f"must be given with --cluster {kind}: how many workers to ask it for"
        raise InputError("run", "--workers", None, allowed)
    import dask
    from distributed import Client, Security

    from studies.workers.cluster_executor import SECONDS_TO_ANSWER, ClusterExecutor

    _imported("cryptography", "--cluster", kind)
    start: Callable[..., Any] = getattr(_imported(module, "--cluster", kind), name)

    def connect() -> "tuple[Client, Callable[[], None]]":
        with ExitStack() as made:  # closed here if the cluster does not answer
            scratch = made.enter_context(_scratch())
            try:
                only_us = Security.temporary()
                here: dict[str, Any] = {}
                if kind == "local":
                    n = workers or usable_cpus()
                    here = {
                        "n_workers": n,
                        "threads_per_worker": max(1, usable_cpus() // n),
                        "host": "127.0.0.1",
                        "local_directory": scratch,
                        "dashboard_address": "127.0.0.1:0",  # any free port
                        "scheduler_kwargs": {"dashboard": False},
                        "memory_limit": 0,  # no limit, as for processes without a cluster
                        "silence_logs": logging.ERROR,  # the study reports workers that end
                    }
                # Pages of dask need no password, so that a local cluster serves none.
                with dask.config.set({page: [] for page in _PAGES} if here else {}):
                    started = start(protocol="tls://", security=only_us, **here)
                made.callback(started.close)
                if kind != "local":
                    started.scale(workers)
            except (ValueError, TypeError, RuntimeError) as error:
                said = " ".join(str(error).split())
                allowed = f"must be a cluster that dask can start as it is configured ({said})"
                raise InputError("run", "--cluster", kind, allowed) from error
            client = Client(started, set_as_default=False, timeout=SECONDS_TO_ANSWER)
            return client, made.pop_all().close

    return ClusterExecutor(f"the {kind} cluster", connect)


def _scratch() -> TemporaryDirectory[str]:
    """Makes a folder for the workers of a cluster, and removes those whose process was killed."""
    for path in Path(gettempdir()).glob(f"{_SCRATCH}*"):
        process = path.name.removeprefix(_SCRATCH).partition("-")[0]
        with suppress(OSError):  # another start removes it, too
            ours = not path.is_symlink() and path.stat().st_uid == os.getuid()
            if ours and process.isdecimal() and not _runs(int(process)):
                rmtree(path, ignore_errors=True)
    return TemporaryDirectory(prefix=f"{_SCRATCH}{os.getpid()}-")


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True


def _imported(module: str, option: str, value: str) -> Any:
    more = f"; {one_of(KINDS)}" if option == "--cluster" else ""
    return optional_package(module, INSTALLS[module], "run", option, value, more)
