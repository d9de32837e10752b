"""numpy archives and folders of idx files; pickled arrays are never opened."""

import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from rpu_ssnn.common.errors import Fault, InputError, require
from rpu_ssnn.common.files import MOST_ARRAY_BYTES, open_regular, refusing
from rpu_ssnn.data import idx
from rpu_ssnn.data.user_data.raw import Part, Raw
from rpu_ssnn.data.user_data.spike_files import NEEDS_BIN, part_of_events, part_of_tensor
from rpu_ssnn.data_spec import SpikeSpec

SPLIT = ("x_train", "y_train", "x_test", "y_test")
WHOLE = ("X", "y")
OTHER_NAMES = (
    ("X_train", "y_train", "X_test", "y_test"),
    ("train_images", "train_labels", "test_images", "test_labels"),
    ("images", "labels"),
)
"""Other libraries give arrays these names."""

EVENTS = ("t", "x", "recording", "labels")
ALLOWED = (
    f"must be {', '.join(SPLIT)}, or {' and '.join(WHOLE)}, and nothing else (`images` for x and "
    "`labels` for y are also known); "
    f"for lists of spikes {', '.join(EVENTS)}, and possibly y (the row of a sensor) and p (the "
    "polarity)"
)


def read_npz(path: Path, spikes: SpikeSpec | None) -> Raw:
    """Returns the content of an archive with the keys `SPLIT`, `WHOLE` or, for spikes, `EVENTS`.

    Raises:
        InputError: the file is no archive, lacks a key, or holds an array of Python objects.
    """
    with _archive(path) as archive:
        keys = set(archive.files)
        if set(EVENTS) <= keys <= {*EVENTS, "y", "p"}:
            if spikes is None:
                raise InputError(path, "spikes", None, NEEDS_BIN)
            events = {key: _array(path, archive, key) for key in archive.files}
            return Raw(part_of_events(path, events, spikes), None)
        expected = next((names for names in (SPLIT, *OTHER_NAMES) if set(names) <= keys), WHOLE)
        there = Fault(f"are {', '.join(archive.files) or 'none'}")
        require(sorted(archive.files) == sorted(expected), path, "keys", there, ALLOWED)
        x, y, *test = (_array(path, archive, key) for key in expected)
        train = _part(path, x, y, spikes)
        return Raw(train, _part(path, test[0], test[1], spikes) if test else None)


def read_arrays(path: Path, keys: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Returns the arrays of an archive with these keys.

    Raises:
        InputError: the file is no archive, lacks a key, or holds an array of Python objects.
    """
    with _archive(path) as archive:
        there, allowed = ", ".join(archive.files), f"must be {', '.join(keys)}"
        require(set(keys) <= set(archive.files), path, "keys", there, allowed)
        return {key: _array(path, archive, key) for key in keys}


@contextmanager
def _archive(path: Path) -> Iterator[np.lib.npyio.NpzFile]:
    """Opens an archive, and turns errors of reading it into one line."""
    # zipfile raises a RuntimeError for an unknown compression, and for a password.
    broken = zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError
    allowed = "must be an undamaged archive of plain arrays"
    with refusing(path, allowed, *broken), open_regular(path) as file:
        is_archive = zipfile.is_zipfile(file)
        require(is_archive, path, "file", path.name, "must be an archive of arrays (np.savez)")
        file.seek(0)
        with np.load(file, allow_pickle=False) as archive:
            yield archive


def _part(path: Path, x: np.ndarray, y: np.ndarray, spikes: SpikeSpec | None) -> Part:
    if spikes is not None:
        return part_of_tensor(path, x, y, spikes)
    allowed = "must have at least two dimensions, with one row per sample"
    require(x.ndim >= 2, path, "shape of x", x.shape, allowed)
    return Part(path, x.reshape(len(x), math.prod(x.shape[1:])), y, x.shape[1:])


def _array(path: Path, archive: np.lib.npyio.NpzFile, key: str) -> np.ndarray:
    """Returns one array, after a check of its header: a damaged one must not size a buffer."""
    assert archive.zip is not None  # the archive is open
    name = f"{key}.npy" if f"{key}.npy" in archive.zip.namelist() else key
    most = min(archive.zip.getinfo(name).file_size, MOST_ARRAY_BYTES)
    with archive.zip.open(name) as member:
        shape, dtype = _header(member)
    allowed = "must be numbers or text, since pickled Python objects are not opened"
    require(not dtype.hasobject, path, key, "object array", allowed)
    promised = math.prod(shape) * dtype.itemsize
    allowed = f"must be at most {most}, which is what the file holds or what can be read"
    field = f"{key}: bytes of {dtype} {list(shape)}"
    require(promised <= most, path, field, promised, allowed)
    array: np.ndarray = archive[key]
    return array


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Returns the shape and the kind of an array, without its values."""
    npy = np.lib.format
    is_first = npy.read_magic(member) == (1, 0)
    read = npy.read_array_header_1_0 if is_first else npy.read_array_header_2_0
    shape, _, dtype = read(member)
    return shape, dtype


def read_idx_folder(folder: Path) -> Raw:
    """Returns the content of four idx files whose names say train or t10k/test, and images or
    labels.

    Raises:
        InputError: one of them is missing, present twice, or damaged.
    """
    names = [path.name for path in folder.iterdir()]
    allowed = "must hold four idx files with MNIST's names; store other images by numpy.savez"
    held = any("idx" in name for name in names)
    require(held, folder, "folder", Fault("no idx file in it"), allowed)
    parts = []
    for part in (("train",), ("t10k", "test")):
        images, labels = (_one_file(folder, names, part, kind) for kind in ("idx3", "idx1"))
        pixels, known = idx.read_images(images), idx.read_labels(labels, 256)
        parts.append(Part(images, pixels.reshape(len(pixels), -1), known, pixels.shape[1:]))
    return Raw(*parts)


def _one_file(folder: Path, names: list[str], parts: tuple[str, ...], kind: str) -> Path:
    named = [name for name in sorted(names) if kind in name and any(part in name for part in parts)]
    plain = [name for name in named if not name.endswith(".gz")] or named
    allowed = f"must be one file with {' or '.join(parts)} and {kind} in its name"
    require(len(plain) == 1, folder, "idx file", plain or None, allowed)
    return folder / plain[0]
