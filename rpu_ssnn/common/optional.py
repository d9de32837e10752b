"""Imports packages that only some uses need, each installed by an extra of this package."""

import importlib
import os
from typing import Any

from rpu_ssnn.common.errors import InputError


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
