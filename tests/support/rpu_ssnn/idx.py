"""Makes idx files by hand."""

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

from rpu_ssnn.data import IDX_SETS

WriteIdx = Callable[[Path, np.ndarray], Path]
WriteIdxSet = Callable[..., Path]


def idx_bytes(values: np.ndarray) -> bytes:
    """Returns the idx file of an array of unsigned bytes, independently of the reader's code."""
    header = struct.pack(">BBBB", 0, 0, 8, values.ndim) + struct.pack(
        f">{values.ndim}I", *values.shape
    )
    return header + values.astype(np.uint8).tobytes()


def write_idx_file(path: Path, values: np.ndarray) -> Path:
    content = idx_bytes(values)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def write_idx_set_files(
    folder: Path,
    name: str = "mnist",
    *,
    n_train: int = 60,
    n_test: int = 20,
    side: int = 4,
    gz: bool = True,
    seed: int = 0,
) -> Path:
    """Writes random images of side x side pixels with labels 0 to 9 in turn; returns ``folder``."""
    rng = np.random.default_rng(seed)
    suffix = ".gz" if gz else ""
    described = IDX_SETS[name]
    for images_file, labels_file, n in (
        (*described.files[:2], n_train),
        (*described.files[2:], n_test),
    ):
        images = rng.integers(0, 256, size=(n, side, side))
        write_idx_file(folder / (images_file + suffix), images)
        write_idx_file(folder / (labels_file + suffix), np.arange(n) % 10)
    return folder
