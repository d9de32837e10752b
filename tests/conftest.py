"""Fixtures that several test files share, such as the folder of the real data sets."""

import os
import sys
from pathlib import Path

import pytest
import torch

from rpu_ssnn.data import DATA_ENV, Dataset, load_dataset, sources
from support.commands import Command
from support.rpu_ssnn.idx import WriteIdx, WriteIdxSet, write_idx_file, write_idx_set_files

_BESIDE_THE_REPOSITORY = Path(__file__).resolve().parents[2] / "shared" / "datasets"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option for the file into which slow tests of the fits write their counts."""
    parser.addoption("--coverage-rows", type=Path, help="CSV that test_coverage.py writes into")


@pytest.fixture
def coverage_rows(pytestconfig: pytest.Config) -> Path | None:
    """Returns the CSV that the option names."""
    rows: Path | None = pytestconfig.getoption("--coverage-rows")
    return rows


@pytest.fixture(scope="session", autouse=True)
def kept_fits(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Gives the tests their own cache of fits, so that the user's cache is not touched."""
    os.environ["RPU_SSNN_FITS"] = str(tmp_path_factory.mktemp("fits"))


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Keeps torch and aihwkit at one thread, as threads that wait for each other take time from the
    other processes of the tests."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def digits() -> Dataset:
    """Returns all of the bundled digits, with a fifth of the training images held out."""
    return load_dataset("digits", n_train=None, n_test=None, validation_share=0.2, seed=0)


@pytest.fixture(scope="session")
def data_root() -> Path:
    """Returns the folder with the real MNIST and Fashion-MNIST; skips the test if it is missing."""
    named = os.environ.get(DATA_ENV)
    root = Path(named) if named else _BESIDE_THE_REPOSITORY
    if not root.is_dir():
        pytest.skip(f"no real data sets: {root} is not there, and {DATA_ENV} may name another")
    return root


@pytest.fixture
def no_standard_digests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets hand-made images replace a standard set, which would otherwise be refused."""
    monkeypatch.setattr(sources, "STANDARD_DIGESTS", {})


@pytest.fixture
def write_idx(no_standard_digests: None) -> WriteIdx:
    """Writes an array of unsigned bytes as an idx file, gzipped if the name ends in .gz."""
    return write_idx_file


@pytest.fixture
def write_idx_set(no_standard_digests: None) -> WriteIdxSet:
    """Writes the four files of a small random data set; see ``write_idx_set_files``."""
    return write_idx_set_files


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `rpu-ssnn` in this process; returns exit code, output and errors."""
    from studies.cli.app import main

    monkeypatch.setenv("MPLBACKEND", "agg")  # The command sets it too, but would not undo it.

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["rpu-ssnn", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capsys.readouterr()
        return int(stop.value.code or 0), captured.out, captured.err

    return run
