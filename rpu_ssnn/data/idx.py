"""Reads the idx files that MNIST and its relatives come in, and trusts nothing in them.

The format is two zero bytes, a type byte (8 is an unsigned byte), the number of dimensions, each
dimension as a big-endian 32-bit count, then the values in row-major order and nothing after.
"""

import math
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from rpu_ssnn.common.errors import InputError, require
from rpu_ssnn.common.files import read_bytes, refusing

_UNSIGNED_BYTE = 8

MOST_BYTES = 2**30
"""A file has at most this size, unpacked; EMNIST, the largest known set, has 0.6 GB."""


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
    with refusing(path, "must be readable and whole", OSError):
        content = read_bytes(path, MOST_BYTES)
    size = 4 + 4 * dimensions
    header, expected = content[:size], bytes([0, 0, _UNSIGNED_BYTE, dimensions])
    starts = header[:4] == expected and len(header) == size
    allowed = f"must start with 0x{expected.hex()} and {dimensions} counts, as an idx file does"
    require(starts, path, "header", f"0x{header.hex()}", allowed)
    shape = tuple(int(count) for count in np.frombuffer(header[4:], dtype=">u4"))
    require(0 not in shape, path, "dimensions", shape, "must all be at least 1")
    n, promised = len(content) - size, math.prod(shape)
    fault = "is truncated" if n < promised else "has trailing bytes"
    allowed = f"must be {' x '.join(map(str, shape))}, as in the header: the file {fault}"
    require(n == promised, path, "values", n, allowed)
    return np.frombuffer(content, dtype=np.uint8, offset=size).reshape(shape).copy()
