"""What several test files share: the real data sets' folder, and hand-made idx files."""

import os
import sys
from pathlib import Path

import pytest

from rpu_ssnn.data import DATA_ENV, sources
from support.commands import Command
from support.rpu_ssnn.idx import WriteIdx, WriteIdxSet, write_idx_file, write_idx_set_files

_BESIDE_THE_REPOSITORY = Path(__file__).resolve().parents[2] / "shared" / "datasets"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where slow tests of the fits leave what they counted."""
    parser.addoption("--coverage-rows", type=Path, help="CSV that test_coverage.py writes into")


@pytest.fixture
def coverage_rows(pytestconfig: pytest.Config) -> Path | None:
    """The CSV that was asked for."""
    rows: Path | None = pytestconfig.getoption("--coverage-rows")
    return rows


@pytest.fixture(scope="session", autouse=True)
def kept_fits(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reads or leaves fits in the cache of who runs it."""
    os.environ["RPU_SSNN_FITS"] = str(tmp_path_factory.mktemp("fits"))


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder with the real MNIST and Fashion-MNIST; skips the test where there is none."""
    named = os.environ.get(DATA_ENV)
    root = Path(named) if named else _BESIDE_THE_REPOSITORY
    if not root.is_dir():
        pytest.skip(f"no real data sets: {root} is not there, and {DATA_ENV} may name another")
    return root


@pytest.fixture
def no_standard_digests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets hand-made images stand for a standard set, which is refused otherwise."""
    monkeypatch.setattr(sources, "STANDARD_DIGESTS", {})


@pytest.fixture
def write_idx(no_standard_digests: None) -> WriteIdx:
    """Writes an array of unsigned bytes as an idx file; gzipped where the name ends in .gz."""
    return write_idx_file


@pytest.fixture
def write_idx_set(no_standard_digests: None) -> WriteIdxSet:
    """Writes the four files of a small random data set; see ``write_idx_set_files``."""
    return write_idx_set_files


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `rpu-ssnn` in this process: exit code, output, errors."""
    from studies.cli.app import main

    monkeypatch.setenv("MPLBACKEND", "agg")  # as the command does, but taken back

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["rpu-ssnn", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capsys.readouterr()
        return int(stop.value.code or 0), captured.out, captured.err

    return run
