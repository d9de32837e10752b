"""Data files of the user: reading, split and scale."""

from rpu_ssnn.data.user_data.reading import file_digest, own_counts, read_own

__all__ = ["file_digest", "own_counts", "read_own"]
