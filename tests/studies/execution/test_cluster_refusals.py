"""What names no cluster, or one that cannot be started, is refused in one line."""

import sys
from contextlib import closing
from pathlib import Path

import distributed
import pytest
import yaml
from distributed import Security

from studies.workers import clusters
from studies.workers.clusters import executor_of
from support.commands import Command, refused
from support.studies.harness import SMALL, Harness, small_study


def test_tls_without_certificates_is_one_line() -> None:
    with refused("--scheduler: 'tls://127.0.0.1:9'", "distributed.comm.tls.client"):
        executor_of(None, "tls://127.0.0.1:9", None)


@pytest.mark.parametrize("cluster", [None, "local"])
def test_no_workers_are_refused_in_one_line(cluster: str | None) -> None:
    with refused("workers: 0", "at least 1"):
        executor_of(0, None, cluster)


@pytest.mark.parametrize("name", ["run", "search", "attribute", "require"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--scheduler", "tcp://127.0.0.1:9", "--cluster", "local"], "must not come with"),
        (["--scheduler", "tcp://127.0.0.1:9", "--workers", "2"], "whose workers are those"),
        (["--scheduler", "nowhere:at:all"], "must be the address of a running dask scheduler"),
        (["--cluster", "slurmm", "--workers", "2"], "did you mean slurm?"),
        (["--cluster", "slurm", "--workers", "2"], "pip install 'dask-jobqueue'; must be one of"),
    ],
)
def test_what_names_no_cluster_is_refused_in_one_line(
    name: str,
    options: list[str],
    said: str,
    tmp_path: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)
    study = tmp_path / "small.yaml"
    study.write_text(yaml.safe_dump(SMALL))
    device = ["--device", "capacitor"] if name in ("attribute", "require") else []
    code, printed, errors = command(name, study, "--out", tmp_path / "out", *device, *options)
    assert (code, printed, errors.count("\n")) == (2, "", 1)
    assert said in errors
    assert not (tmp_path / "out").exists()


def test_without_the_package_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    for arguments in ((None, "tcp://127.0.0.1:9", None), (None, None, "local")):
        with refused("needs the package", "pip install 'rpu-ssnn[cluster]'"):
            executor_of(*arguments)


class FakeQueue:
    """A cluster of a batch system that was told how many workers to ask for."""

    def __init__(self, *, protocol: str, security: Security) -> None:
        assert protocol == "tls://"
        assert security.require_encryption
        raise ValueError("You must specify\nhow many cores to use")


def test_a_cluster_that_dask_cannot_start_is_refused(
    monkeypatch: pytest.MonkeyPatch, harness: Harness
) -> None:
    module = type(sys)("dask_jobqueue")
    module.SLURMCluster = FakeQueue  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "dask_jobqueue", module)
    assert clusters.KINDS["slurm"] == ("dask_jobqueue", "SLURMCluster")
    with refused("--workers: missing", "how many workers"):
        executor_of(None, None, "slurm")
    with (
        closing(executor_of(2, None, "slurm")) as executor,
        refused("--cluster: 'slurm'", "You must specify how many cores"),
    ):
        harness.run(small_study(), executor=executor)


class FakeCluster:
    """A cluster that does not answer."""

    closed = False

    def __init__(self, **options: object) -> None:
        """Takes what dask takes."""

    def close(self) -> None:
        FakeCluster.closed = True


def test_a_cluster_that_does_not_answer_is_closed(
    monkeypatch: pytest.MonkeyPatch, harness: Harness
) -> None:
    def client(*arguments: object, **options: object) -> None:
        raise TimeoutError("no answer")

    monkeypatch.setattr(distributed, "LocalCluster", FakeCluster)
    monkeypatch.setattr(distributed, "Client", client)
    with closing(executor_of(1, None, "local")) as executor, pytest.raises(TimeoutError):
        harness.run(small_study(), executor=executor)
    assert FakeCluster.closed
