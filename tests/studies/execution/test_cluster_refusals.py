"""An address or a file that names no scheduler is refused in one line."""

import sys
from pathlib import Path

import pytest
import yaml

from studies.workers.clusters import executor_of
from support.commands import Command, refused
from support.studies.harness import SMALL


def test_tls_without_certificates_is_one_line() -> None:
    with refused("--scheduler: 'tls://127.0.0.1:9'", "distributed.comm.tls.client"):
        executor_of(None, "tls://127.0.0.1:9")


@pytest.mark.parametrize("name", ["run", "attribute", "require"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--scheduler", "tcp://127.0.0.1:9", "--workers", "2"], "which has its own workers"),
        (["--scheduler", "nowhere:at:all"], "must be the address of a running dask scheduler"),
    ],
)
def test_what_names_no_scheduler_is_refused_in_one_line(
    name: str,
    options: list[str],
    said: str,
    tmp_path: Path,
    command: Command,
) -> None:
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
    with refused("needs the package", "pip install 'rpu-ssnn[cluster]'"):
        executor_of(None, "tcp://127.0.0.1:9")
