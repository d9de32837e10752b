"""The folder of the data sets, and the error for a set that is missing."""

import os
from pathlib import Path

from rpu_ssnn.common.errors import InputError

DATA_ENV = "RPU_SSNN_DATA"
"""The environment variable that names the data folder where no argument does."""


class MissingDataError(InputError):
    """Reports that the files of a data set are missing (as opposed to damaged)."""


def data_folder(root: Path | None) -> Path | None:
    """Returns the folder that the argument names, or else the one that the environment names."""
    if root is None and os.environ.get(DATA_ENV):
        root = Path(os.environ[DATA_ENV])
    return None if root is None else root.expanduser()
