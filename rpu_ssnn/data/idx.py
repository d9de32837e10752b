"""Reads the idx files MNIST and its relatives come in, and trusts nothing in them.

The format: two zero bytes, a type byte (8 = unsigned byte), the number of dimensions, each
dimension as a big-endian 32-bit count, then the values in row-major order and nothing after.
"""

import gzip
import io
import math
import zlib
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from rpu_ssnn.common.errors import InputError

_GZIP_START = b"\x1f\x8b"
_UNSIGNED_BYTE = 8
_PACKED_HEADER = 65536  # bytes of a gzip file that are sure to hold the header of what is in it


def read_images(path: Path, transposed: bool = False) -> UInt8[np.ndarray, "images pixels"]:
    """The images of an idx3 file, grey levels 0 to 255, each flattened row by row.

    Args:
        transposed: the file holds each image column by column.

    Raises:
        InputError: the file is unreadable, not idx3, truncated, too long, or holds no image.
    """
    images = _read(path, dimensions=3)
    if transposed:
        images = np.ascontiguousarray(images.transpose(0, 2, 1))
    return images.reshape(images.shape[0], -1)


def read_labels(path: Path, n_classes: int) -> UInt8[np.ndarray, " labels"]:
    """The labels of an idx1 file, each from 0 to ``n_classes - 1``.

    Raises:
        InputError: as for ``read_images``, or a label is out of range.
    """
    labels = _read(path, dimensions=1)
    wrong = np.flatnonzero(labels >= n_classes)
    if wrong.size:
        raise InputError(
            path, f"label {wrong[0]}", int(labels[wrong[0]]), f"must be from 0 to {n_classes - 1}"
        )
    return labels


def image_shape(path: Path) -> tuple[int, int]:
    """Rows and columns of an image, by the header of an idx3 file.

    Raises:
        InputError: the file is unreadable, or no idx3 file.
    """
    _, rows, columns = _shape(path, _content(path, size=_header_size(3)), dimensions=3)
    return rows, columns


def count_images(path: Path) -> int:
    """Images that the header of an idx3 file promises; nothing behind the header is read.

    Raises:
        InputError: the file is unreadable, or no idx3 file.
    """
    return _shape(path, _content(path, size=_header_size(3)), dimensions=3)[0]


def _read(path: Path, dimensions: int) -> UInt8[np.ndarray, "..."]:
    content = _content(path)
    shape = _shape(path, content, dimensions)
    header_size = _header_size(dimensions)
    expected_size = header_size + math.prod(shape)
    if len(content) != expected_size:
        fault = "is truncated" if len(content) < expected_size else "has trailing bytes"
        raise InputError(
            path,
            "size in bytes",
            len(content),
            f"{fault}: its header promises {'x'.join(map(str, shape))} values, "
            f"{expected_size} bytes in all",
        )
    return np.frombuffer(content, dtype=np.uint8, offset=header_size).reshape(shape).copy()


def _header_size(dimensions: int) -> int:
    return 4 + 4 * dimensions


def _shape(path: Path, content: bytes, dimensions: int) -> tuple[int, ...]:
    """What the header says, checked but for the number of values behind it."""
    expected_magic = bytes([0, 0, _UNSIGNED_BYTE, dimensions])
    header_size = _header_size(dimensions)
    if content[:4] != expected_magic:
        hint = "; it starts like gzip: add .gz to its name" if content[:2] == _GZIP_START else ""
        raise InputError(
            path,
            "magic number",
            "0x" + content[:4].hex(),
            f"must be 0x{expected_magic.hex()}, an idx{dimensions} file of unsigned bytes{hint}",
        )
    if len(content) < header_size:
        raise InputError(
            path, "size in bytes", len(content), f"is truncated: its header takes {header_size}"
        )
    shape = tuple(int(count) for count in np.frombuffer(content[4:header_size], dtype=">u4"))
    if 0 in shape:
        raise InputError(path, "dimensions", shape, "must all be at least 1")
    return shape


def _content(path: Path, size: int = -1) -> bytes:
    """The unpacked content; ``size``: its first bytes only."""
    try:
        # Read whole, never by the header's counts: a damaged header must not size a buffer.
        with path.open("rb") as file:
            stored = file.read(size if path.suffix != ".gz" or size < 0 else _PACKED_HEADER)
    except OSError as error:
        raise InputError(path, "file", error.strerror, "must be readable") from error
    if path.suffix != ".gz":
        return stored
    if stored[:2] != _GZIP_START:
        raise InputError(
            path, "first bytes", "0x" + stored[:2].hex(), "must be 0x1f8b: named .gz but not gzip"
        )
    try:
        if size >= 0:
            return gzip.GzipFile(fileobj=io.BytesIO(stored)).read(size)
        return gzip.decompress(stored)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(
            path, "gzip stream", str(error), "must be whole: truncated or damaged, get it again"
        ) from error
