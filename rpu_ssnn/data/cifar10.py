"""CIFAR-10 (Krizhevsky 2009): colour images of 32 x 32 pixels, from the original files or JPEGs.

The original files are the binary version, in which an image is its label and the bytes of its red,
green and blue planes. Copies as JPEG, all in one archive, have slightly different pixels.
"""

import io
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt8

from rpu_ssnn.common.errors import require
from rpu_ssnn.common.files import read_bytes, refusing
from rpu_ssnn.data.folders import find_files
from rpu_ssnn.data.idx import refuse_unknown_labels
from rpu_ssnn.data.rows import Source
from rpu_ssnn.data.user_data.array_files import read_arrays

CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
SIDE, COLOURS = 32, 3
SHAPE = (SIDE, SIDE, COLOURS)
RECORD_BYTES = 1 + SIDE * SIDE * COLOURS
"""The bytes of an image of the binary version, its label first."""

TRAIN_FILES = tuple(f"data_batch_{n}.bin" for n in range(1, 6))
TEST_FILE = "test_batch.bin"
JPEG_FILE = "cifar10_jpeg.npz"
MOST_BYTES = 2**28
_OBTAIN = "get the files from the binary version on Alex Krizhevsky's page 'The CIFAR-10 dataset'"


type _Part = tuple[UInt8[np.ndarray, "n values"], Int64[np.ndarray, " n"]]
"""The images and labels of one part of the set."""


def read_cifar10(root: Path | None) -> Source:
    """Returns the whole set, with values ordered by row, then by column, then by colour.

    Args:
        root: the data folder; None uses the environment variable ``DATA_ENV``.

    Raises:
        MissingDataError: no folder was named, or it has the files of neither version.
        InputError: a file is damaged.
    """
    folders, originals = ("cifar-10-batches-bin", ""), (*TRAIN_FILES, TEST_FILE)
    found = find_files("cifar10", root, folders, originals, _OBTAIN, instead=(JPEG_FILE,))
    if len(found) == 1:
        train, test = (_read_jpegs(found[0], part) for part in ("train", "test"))
        copy = f"{JPEG_FILE}: JPEG copies, whose pixels differ a little"
    else:
        *parts, test = map(_read_binary, found)
        images, labels = zip(*parts, strict=True)
        train = np.concatenate(images), np.concatenate(labels)
        copy = "data_batch_*.bin: the original files"
    return Source(*train, *test, CLASSES, 255, SHAPE, copy=copy)


def _read_binary(path: Path) -> _Part:
    with refusing(path, "must be readable", OSError):
        content = read_bytes(path, MOST_BYTES)
    allowed = f"must be a multiple of {RECORD_BYTES}, and not 0"
    require(content and len(content) % RECORD_BYTES == 0, path, "bytes", len(content), allowed)
    records = np.frombuffer(content, dtype=np.uint8).reshape(-1, RECORD_BYTES)
    planes = records[:, 1:].reshape(-1, COLOURS, SIDE, SIDE)
    images = np.ascontiguousarray(planes.transpose(0, 2, 3, 1)).reshape(len(records), -1)
    refuse_unknown_labels(path, records[:, 0], len(CLASSES))
    return images, records[:, 0].astype(np.int64)


def _read_jpegs(path: Path, part: str) -> _Part:
    from PIL import Image  # it is slow to import, and only this set needs it

    names = f"{part}_jpeg", f"{part}_start", f"{part}_labels"
    files, starts, labels = read_arrays(path, names).values()
    fits = all(array.dtype.kind in "iu" and array.ndim == 1 for array in (files, starts, labels))
    fits = fits and len(starts) == len(labels) + 1 > 1 and bool((starts[1:] > starts[:-1]).all())
    fits = fits and (starts[0], starts[-1]) == (0, len(files))
    allowed = f"must rise from 0 to the bytes of {part}_jpeg, with one number more than labels"
    require(fits, path, f"{part}_start", starts.shape, allowed)
    images = np.empty((len(labels), SIDE, SIDE, COLOURS), dtype=np.uint8)
    allowed = f"must be a JPEG of {SIDE} x {SIDE} pixels"
    content = files.astype(np.uint8, copy=False).tobytes()
    for n, (first, last) in enumerate(pairwise(starts)):
        field = f"{part}_jpeg {n}"
        with (
            refusing(path, allowed, OSError, ValueError, SyntaxError, field=field),
            Image.open(io.BytesIO(content[first:last]), formats=("JPEG",)) as image,
        ):
            require(image.size == (SIDE, SIDE), path, field, image.size, allowed)
            images[n] = np.asarray(image.convert("RGB"))
    refuse_unknown_labels(path, labels, len(CLASSES))
    return images.reshape(len(labels), -1), labels.astype(np.int64)
