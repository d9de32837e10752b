"""Reads, splits and scales the data files of the user."""

from rpu_ssnn.data.user_data.reading import file_digest, read_own

__all__ = ["file_digest", "read_own"]
