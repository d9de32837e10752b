"""Reads the idx files MNIST and its relatives come in, and trusts nothing in them.

The format: two zero bytes, a type byte (8 = unsigned byte), the number of dimensions, each
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

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.files import open_regular, refusing

_GZIP_START = b"\x1f\x8b"
_UNSIGNED_BYTE = 8
_MOST_PACKED = 1100  # times that gzip can make a file smaller


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


def image_header(path: Path) -> tuple[int, int, int]:
    """Images, rows and columns that the header of an idx3 file promises; nothing more is read.

    Raises:
        InputError: the file is unreadable, or no idx3 file.
    """
    with _unpacked(path) as file:
        images, rows, columns = _shape(path, _bytes(path, file, _header_size(3)), dimensions=3)
    return images, rows, columns


def _read(path: Path, dimensions: int) -> UInt8[np.ndarray, "..."]:
    header_size, packed = _header_size(dimensions), path.suffix == ".gz"
    with _unpacked(path) as file:
        shape = _shape(path, _bytes(path, file, header_size), dimensions)
        promised, stored = math.prod(shape), path.stat().st_size
        # A damaged header must not size a buffer: a file holds so much, packed or not, at most.
        too_many = header_size + promised > stored * (_MOST_PACKED if packed else 1)
        # One more, to see that nothing comes after.
        values = b"" if too_many else _bytes(path, file, promised + 1)
    if len(values) != promised:
        fault = "is truncated" if len(values) < promised else "has trailing bytes"
        raise InputError(
            path,
            "size in bytes",
            header_size + len(values) if packed and not too_many else stored,
            f"{fault}: its header promises {'x'.join(map(str, shape))} values, "
            f"{header_size + promised} bytes in all",
        )
    return np.frombuffer(values, dtype=np.uint8).reshape(shape).copy()


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


@contextmanager
def _unpacked(path: Path) -> Iterator[IO[bytes] | gzip.GzipFile]:
    """The file's content, unpacked as it is read and no further."""
    with refusing(path, "must be readable", OSError), open_regular(path) as stored:
        if path.suffix != ".gz":
            yield stored
            return
        first = stored.read(2)
        if first != _GZIP_START:
            allowed = "must be 0x1f8b: named .gz but not gzip"
            raise InputError(path, "first bytes", "0x" + first.hex(), allowed)
        stored.seek(0)
        with gzip.GzipFile(fileobj=stored) as file:
            yield file


def _bytes(path: Path, file: IO[bytes] | gzip.GzipFile, size: int) -> bytes:
    """So many bytes, or as many as there are."""
    damaged = EOFError, gzip.BadGzipFile, zlib.error
    allowed = "must be whole: truncated or damaged, get it again"
    with refusing(path, allowed, *damaged, field="gzip stream"):
        return file.read(size)
