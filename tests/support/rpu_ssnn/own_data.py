"""Writes and loads user-defined data."""

from pathlib import Path
from typing import Any

import numpy as np

from rpu_ssnn.data import Dataset, load_dataset
from rpu_ssnn.data_spec import OwnData
from support.commands import refused as refused


def load(own: OwnData, **changes: Any) -> Dataset:
    arguments: dict[str, Any] = {"n_train": None, "n_test": None, "validation_share": 0.0}
    return load_dataset("mine", None, **(arguments | {"seed": 0} | changes), own=own)


def write_npz(path: Path | str, train: tuple[Any, Any], test: Any = None) -> Path:
    """Writes an archive of rows and labels, with or without a test set; returns its path."""
    if test is None:
        np.savez(path, X=train[0], y=train[1])
    else:
        np.savez(path, x_train=train[0], y_train=train[1], x_test=test[0], y_test=test[1])
    return Path(path)
