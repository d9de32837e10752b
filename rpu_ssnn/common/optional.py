"""Imports packages that only some uses need, each installed by an extra of this package."""

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rpu_ssnn.common.errors import Fault, InputError, require
from rpu_ssnn.common.files import open_regular, refusing


def optional_package(
    module: str, install: str, file: str | os.PathLike[str], field: str, value: object
) -> Any:
    """Returns the module of a package that may be missing.

    Args:
        module: the name of the module.
        install: the name that pip has to install.
        file, field, value: the place that needs the package, as in an `InputError`.

    Raises:
        InputError: the package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        allowed = f"needs the package {module}: pip install '{install}'"
        raise InputError(file, field, value, allowed) from error


def checked_hdf5(path: Path, install: str, allowed: str) -> Any:
    """Returns the package h5py, if a file is one that it can open.

    What is no HDF5 file is refused in a few words; h5py itself would say it in many.

    Args:
        path: the file.
        install: the name that pip has to install.
        allowed: what the file must be, as a phrase.

    Raises:
        InputError: h5py is not installed, or the file is missing, not readable or not HDF5.
    """
    h5py = optional_package("h5py", install, path, "file", path.name)
    with refusing(path, allowed, OSError), open_regular(path):
        require(h5py.is_hdf5(path), path, "file", Fault("not an HDF5 file"), allowed)
    return h5py


@contextmanager
def opened_hdf5(path: Path, install: str, allowed: str) -> Iterator[Any]:
    """Opens an HDF5 file for reading, and turns errors of reading it into one line.

    Args:
        path, install, allowed: as in `checked_hdf5`.

    Raises:
        InputError: as `checked_hdf5`, or what is read in the block is missing or of another kind.
    """
    h5py = checked_hdf5(path, install, allowed)
    with (
        refusing(path, allowed, OSError),
        # h5py raises these for objects of another kind, and for circular links.
        refusing(path, allowed, KeyError, TypeError, ValueError, RuntimeError, field="content"),
        h5py.File(path, "r") as file,
    ):
        yield file
