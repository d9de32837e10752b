"""The data sets of studies, named or user-defined, with held-out validation data."""

from rpu_ssnn.data.dataset import DATASET_NAMES, Dataset, load_dataset, set_facts
from rpu_ssnn.data.folders import DATA_ENV, MissingDataError
from rpu_ssnn.data.rows import SetFacts
from rpu_ssnn.data.sources import IDX_SETS

__all__ = [
    "DATASET_NAMES",
    "DATA_ENV",
    "IDX_SETS",
    "Dataset",
    "MissingDataError",
    "SetFacts",
    "load_dataset",
    "set_facts",
]
