"""The folder that data sets lie in, and the error where a set is not there."""

import os
from pathlib import Path

from rpu_ssnn.common.errors import InputError

DATA_ENV = "RPU_SSNN_DATA"
"""The environment variable that names the data folder where no argument does."""


class MissingDataError(InputError):
    """A data set's files are not there (as opposed to there and damaged)."""


def data_folder(root: Path | None) -> Path | None:
    """Returns the folder that the argument names, or else the environment."""
    if root is None and os.environ.get(DATA_ENV):
        root = Path(os.environ[DATA_ENV])
    return None if root is None else root.expanduser()
