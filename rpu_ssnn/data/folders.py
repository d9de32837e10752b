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
    """
    if root is None and (named := os.environ.get(DATA_ENV)):
        return user_path("environment", DATA_ENV, named)
    return None if root is None else user_path("data", "folder", root)
