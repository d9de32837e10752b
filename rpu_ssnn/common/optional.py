"""Packages that only some uses need; an extra of this package installs each."""

import importlib
import os
from typing import Any

from rpu_ssnn.common.errors import InputError


def optional_package(
    module: str,
    install: str,
    file: str | os.PathLike[str],
    field: str,
    value: object,
    more: str = "",
) -> Any:
    """The module.

    Args:
        install: what pip has to install.
        file, field, value: what needs it, as in an `InputError`.
        more: ends the message.

    Raises:
        InputError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        allowed = f"needs the package {module}: pip install '{install}'{more}"
        raise InputError(file, field, value, allowed) from error
