"""numpy archives and folders of idx files; pickled arrays are never opened."""

import math
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from rpu_ssnn.common.errors import Fault, InputError
from rpu_ssnn.common.files import MOST_ARRAY_BYTES, open_regular, refusing
from rpu_ssnn.data import idx
from rpu_ssnn.data.user_data.raw import Part, Raw
from rpu_ssnn.data.user_data.spike_files import part_of_events, part_of_tensor
from rpu_ssnn.data_spec import SpikeSpec

SPLIT = ("x_train", "y_train", "x_test", "y_test")
WHOLE = ("X", "y")
EVENTS = ("t", "x", "recording", "labels")
ALLOWED = (
    f"must be {', '.join(SPLIT)}, or {' and '.join(WHOLE)}; "
    f"for lists of spikes {', '.join(EVENTS)} (and y, the row of a sensor, and p, the polarity, or "
    "none)"
)


def read_npz(path: Path, spikes: SpikeSpec | None) -> Raw:
    """An archive with the keys `SPLIT`, `WHOLE` or, of spikes, `EVENTS`.

    Raises:
        InputError: no archive, a missing key, or an array of Python objects.
    """
    # The last one is of zipfile: a packing that it does not know, a password.
    cut_off = zipfile.BadZipFile, zlib.error, EOFError, RuntimeError
    with (
        refusing(path, "must be an .npz file of plain arrays", ValueError),
        refusing(path, "must be a whole .npz file", *cut_off),
        refusing(path, "must be a readable .npz file", OSError),
        open_regular(path) as file,
    ):
        if not zipfile.is_zipfile(file):
            raise InputError(path, "file", path.name, "must be an archive of arrays (np.savez)")
        file.seek(0)
        with np.load(file, allow_pickle=False) as archive:
            return _raw(path, archive, spikes)


def _raw(path: Path, archive: np.lib.npyio.NpzFile, spikes: SpikeSpec | None) -> Raw:
    keys = set(archive.files)
    if spikes is not None and set(EVENTS) <= keys:
        found = {key: _array(path, archive, key) for key in (*EVENTS, "y", "p") if key in keys}
        return Raw(part_of_events(path, found, spikes), None)
    if set(SPLIT) <= keys:
        x, y, x_test, y_test = (_array(path, archive, key) for key in SPLIT)
        return Raw(_part(path, x, y, spikes), _part(path, x_test, y_test, spikes))
    if set(WHOLE) <= keys:
        x, y = (_array(path, archive, key) for key in WHOLE)
        return Raw(_part(path, x, y, spikes), None)
    raise InputError(path, "keys", ", ".join(archive.files), ALLOWED)


def _part(path: Path, x: np.ndarray, y: np.ndarray, spikes: SpikeSpec | None) -> Part:
    if spikes is not None:
        return part_of_tensor(path, x, y, spikes)
    if x.ndim < 2:
        allowed = "must have two dimensions or more: one row an image"
        raise InputError(path, "shape of x", x.shape, allowed)
    return Part(path, x.reshape(len(x), math.prod(x.shape[1:])), y, x.shape[1:])


def _array(path: Path, archive: np.lib.npyio.NpzFile, key: str) -> np.ndarray:
    """One array, after a look at its header: a damaged one must not size a buffer."""
    assert archive.zip is not None  # it is open
    name = f"{key}.npy" if f"{key}.npy" in archive.zip.namelist() else key
    stored = archive.zip.getinfo(name).file_size
    with archive.zip.open(name) as member:
        shape, dtype = _header(member)
    if dtype.hasobject:
        allowed = "must be numbers or text: arrays of Python objects are pickled, and not opened"
        raise InputError(path, key, "object array", allowed)
    promised = math.prod(shape) * dtype.itemsize
    if promised > (most := min(stored, MOST_ARRAY_BYTES)):
        allowed = f"must be at most {most}, as many as are stored or as can be read"
        raise InputError(path, f"{key}: bytes of {dtype} {list(shape)}", promised, allowed)
    found: np.ndarray = archive[key]
    return found


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and kind of an array, without its values."""
    version = np.lib.format.read_magic(member)
    if version == (1, 0):
        read = np.lib.format.read_array_header_1_0
    else:
        read = np.lib.format.read_array_header_2_0
    shape, _, dtype = read(member)
    return shape, dtype


def read_idx_folder(folder: Path) -> Raw:
    """Four idx files whose names say which they are: train or t10k/test, images or labels.

    Raises:
        InputError: one of them is missing, there twice, or damaged.
    """
    if not any("idx" in path.name for path in folder.iterdir()):
        allowed = (
            "must hold four idx files with MNIST's names; put images of other formats into one "
            ".npz, with numpy.savez"
        )
        raise InputError(folder, "folder", Fault("no idx file in it"), allowed)
    parts = []
    for names in (("train",), ("t10k", "test")):
        images = _one_file(folder, names, "idx3")
        labels = _one_file(folder, names, "idx1")
        pixels = idx.read_images(images)
        known = idx.read_labels(labels, 256)
        parts.append(Part(images, pixels, known, idx.image_header(images)[1:]))
    return Raw(parts[0], parts[1])


def _one_file(folder: Path, parts: tuple[str, ...], kind: str) -> Path:
    found = [
        path
        for path in sorted(folder.iterdir())
        if kind in path.name and any(part in path.name for part in parts)
    ]
    plain = [path for path in found if path.suffix != ".gz"] or found
    if len(plain) != 1:
        allowed = f"must be one file with {' or '.join(parts)} and {kind} in its name"
        raise InputError(folder, "idx file", [path.name for path in plain], allowed)
    return plain[0]
