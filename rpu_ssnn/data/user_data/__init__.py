"""Data sets of the user's own: files of every kind, their split and their scale."""

from rpu_ssnn.data.user_data.python_data import save_dataset
from rpu_ssnn.data.user_data.reading import file_digest, own_counts, read_own

__all__ = ["file_digest", "own_counts", "read_own", "save_dataset"]
