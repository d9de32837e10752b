"""What several test files share: the real data sets' folder, and hand-made idx files."""

import gzip
import os
import re
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rpu_ssnn.data import DATA_ENV, IDX_SETS
from rpu_ssnn.errors import InputError

WriteIdx = Callable[[Path, np.ndarray], Path]
WriteIdxSet = Callable[..., Path]

_BESIDE_THE_REPOSITORY = Path(__file__).resolve().parents[2] / "shared" / "datasets"


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder with the real MNIST and Fashion-MNIST; skips the test where there is none."""
    named = os.environ.get(DATA_ENV)
    root = Path(named) if named else _BESIDE_THE_REPOSITORY
    if not root.is_dir():
        pytest.skip(f"no real data sets: {root} is not there, and {DATA_ENV} may name another")
    return root


@pytest.fixture
def write_idx() -> WriteIdx:
    """Writes an array of unsigned bytes as an idx file; gzipped where the name ends in .gz."""
    return _write_idx


@pytest.fixture
def write_idx_set() -> WriteIdxSet:
    """Writes the four files of a small random data set; see ``_write_idx_set``."""
    return _write_idx_set


type Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `rpu-ssnn` in this process: exit code, output, errors."""
    from studies.cli import main

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["rpu-ssnn", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capsys.readouterr()
        return int(stop.value.code or 0), captured.out, captured.err

    return run


def refused(*words: str) -> Any:
    """Expects an InputError of one line that holds the words in this order."""
    return pytest.raises(
        InputError, match="^[^\n]*" + "[^\n]*".join(map(re.escape, words)) + "[^\n]*$"
    )


def idx_bytes(values: np.ndarray) -> bytes:
    """The idx file of an array of unsigned bytes, spelled out independently of the reader."""
    header = struct.pack(">BBBB", 0, 0, 8, values.ndim) + struct.pack(
        f">{values.ndim}I", *values.shape
    )
    return header + values.astype(np.uint8).tobytes()


def _write_idx(path: Path, values: np.ndarray) -> Path:
    content = idx_bytes(values)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def _write_idx_set(
    folder: Path,
    name: str = "mnist",
    *,
    n_train: int = 60,
    n_test: int = 20,
    side: int = 4,
    gz: bool = True,
    seed: int = 0,
) -> Path:
    """Random images of side x side pixels, labels 0 to 9 in turn; returns ``folder``."""
    rng = np.random.default_rng(seed)
    suffix = ".gz" if gz else ""
    described = IDX_SETS[name]
    for images_file, labels_file, n in (
        (described.train_images, described.train_labels, n_train),
        (described.test_images, described.test_labels, n_test),
    ):
        images = rng.integers(0, 256, size=(n, side, side))
        _write_idx(folder / (images_file + suffix), images)
        _write_idx(folder / (labels_file + suffix), np.arange(n) % 10)
    return folder
