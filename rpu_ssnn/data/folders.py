"""The folder of the data sets, and the error for a set that is missing."""

import os
from pathlib import Path

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.files import user_path

DATA_ENV = "RPU_SSNN_DATA"
"""The environment variable that names the data folder where no argument does."""


class MissingDataError(InputError):
    """Reports that the files of a data set are missing (as opposed to damaged)."""


def data_folder(root: Path | None) -> Path | None:
    """Returns the folder that the argument names, or else the one that the environment names.

    Raises:
        InputError: the name cannot be that of a folder.
        MissingDataError: there is no such folder.
    """
    named = root if root is not None else os.environ.get(DATA_ENV)
    if not named:
        return None
    where, field = ("environment", DATA_ENV) if root is None else ("data", "folder")
    path = user_path(where, field, named)
    if not path.is_dir():
        raise MissingDataError(where, field, str(named), "must be an existing folder")
    return path
