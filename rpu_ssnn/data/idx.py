"""Reads the idx files that MNIST and its relatives come in, and trusts nothing in them.

The format is two zero bytes, a type byte (8 is an unsigned byte), the number of dimensions, each
dimension as a big-endian 32-bit count, then the values in row-major order and nothing after.
"""

import gzip
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from jaxtyping import UInt8

from rpu_ssnn.common.errors import InputError, require
from rpu_ssnn.common.files import open_regular, refusing

_UNSIGNED_BYTE = 8

_MOST_PACKED = 1100
"""gzip can make a file smaller by this factor at most."""


def read_images(path: Path) -> UInt8[np.ndarray, "images rows columns"]:
    """Returns the images of an idx3 file, with grey levels from 0 to 255.

    Args:
        path: the file; it is unpacked if its name ends in .gz.

    Raises:
        InputError: the file is unreadable, not idx3, truncated, too long, or has no image.
    """
    return _read(path, dimensions=3)


def read_labels(path: Path, n_classes: int) -> UInt8[np.ndarray, " labels"]:
    """Returns the labels of an idx1 file, each from 0 to ``n_classes - 1``.

    Raises:
        InputError: as for ``read_images``, or a label is out of range.
    """
    labels = _read(path, dimensions=1)
    refuse_unknown_labels(path, labels, n_classes)
    return labels


def refuse_unknown_labels(path: Path, labels: np.ndarray, n_classes: int) -> None:
    """Raises an InputError if a label is not from 0 to ``n_classes - 1``."""
    wrong = np.flatnonzero(labels >= n_classes)
    if wrong.size:
        allowed = f"must be from 0 to {n_classes - 1}"
        raise InputError(path, f"label {wrong[0]}", int(labels[wrong[0]]), allowed)


def _read(path: Path, dimensions: int) -> UInt8[np.ndarray, "..."]:
    with _unpacked(path) as file:
        shape = _shape(path, file, dimensions)
        promised = math.prod(shape)
        # A damaged header must not size a buffer: it may not promise more than the file can hold.
        most = path.stat().st_size * (_MOST_PACKED if path.suffix == ".gz" else 1)
        # One more byte is requested, to check that nothing follows.
        values = b"" if promised > most else file.read(promised + 1)
    fault = "is truncated" if len(values) < promised else "has trailing bytes"
    allowed = f"must be {' x '.join(map(str, shape))}, as in the header: the file {fault}"
    require(len(values) == promised, path, "values", len(values), allowed)
    return np.frombuffer(values, dtype=np.uint8).reshape(shape).copy()


def _shape(path: Path, file: IO[bytes] | gzip.GzipFile, dimensions: int) -> tuple[int, ...]:
    """Returns the shape in the header, checked except for the number of values that follow."""
    header = file.read(4 + 4 * dimensions)
    expected = bytes([0, 0, _UNSIGNED_BYTE, dimensions])
    if header[:4] != expected or len(header) < 4 + 4 * dimensions:
        allowed = f"must start with 0x{expected.hex()} and {dimensions} counts, as an idx file does"
        raise InputError(path, "header", "0x" + header.hex(), allowed)
    shape = tuple(int(count) for count in np.frombuffer(header[4:], dtype=">u4"))
    require(0 not in shape, path, "dimensions", shape, "must all be at least 1")
    return shape


@contextmanager
def _unpacked(path: Path) -> Iterator[IO[bytes] | gzip.GzipFile]:
    """Returns the file's content, unpacked as it is read and no further."""
    damaged = OSError, EOFError, zlib.error
    with refusing(path, "must be readable and whole", *damaged), open_regular(path) as stored:
        if path.suffix == ".gz":
            with gzip.GzipFile(fileobj=stored) as file:
                yield file
        else:
            yield stored
