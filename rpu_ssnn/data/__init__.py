"""The data sets a study can name, as raw grey levels with a held-out validation split."""

from rpu_ssnn.data.counts import image_counts
from rpu_ssnn.data.dataset import Dataset, load_dataset
from rpu_ssnn.data.sources import DATA_ENV, DATASET_NAMES, IDX_SETS, MissingDataError

__all__ = [
    "DATASET_NAMES",
    "DATA_ENV",
    "IDX_SETS",
    "Dataset",
    "MissingDataError",
    "image_counts",
    "load_dataset",
]
