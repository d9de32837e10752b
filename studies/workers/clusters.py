"""Makes an executor that uses processes of this machine or the workers of a dask scheduler.

Anyone who can connect to a dask scheduler can run code as its user. A scheduler at `tls://` is
protected by the certificates of dask's configuration. A scheduler at `tcp://` is open to everyone
who can reach its port.
"""

from typing import TYPE_CHECKING

from rpu_ssnn.common.errors import InputError, require
from rpu_ssnn.common.optional import optional_package
from studies.workers.executor import Executor
from studies.workers.local_executor import LocalExecutor

if TYPE_CHECKING:
    from distributed import Client


def executor_of(workers: int | None, scheduler: str | None) -> Executor:
    """Makes an executor that uses processes of this machine or the workers of a scheduler.

    Args:
        workers: number of processes to start here; None means one per CPU.
        scheduler: address of a running dask scheduler; None means this machine.

    Raises:
        InputError: both are given, there is less than one worker, dask is missing, or the scheduler
            does not answer.
    """
    if scheduler is None:
        return LocalExecutor(workers)
    allowed = "must not be given together with --scheduler, which has its own workers"
    require(workers is None, "run", "--workers", workers, allowed)
    optional_package("distributed", "rpu-ssnn[cluster]", "run", "--scheduler", scheduler)
    from distributed import Client, Security
    from distributed.comm.addressing import get_address_host_port

    if scheduler.startswith("tls:"):
        known = Security().get_connection_args("client")["ssl_context"] is not None
        allowed = "must have certificates in dask's configuration, distributed.comm.tls.client"
        require(known, "run", "--scheduler", scheduler, allowed)

    from studies.workers.cluster_executor import SECONDS_TO_ANSWER, ClusterExecutor

    def client() -> "Client":
        return Client(scheduler, set_as_default=False, timeout=SECONDS_TO_ANSWER)

    try:
        get_address_host_port(scheduler)  # a client of a bad address prints errors of its own
        client().close()
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        detail = "" if isinstance(error, ValueError) else f" ({' '.join(str(error).split())})"
        allowed = f"must be the address of a running dask scheduler, tcp://HOST:PORT{detail}"
        raise InputError("run", "--scheduler", scheduler, allowed) from error
    return ClusterExecutor(scheduler, client)
