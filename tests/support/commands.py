"""Helpers for tests of the command line and of its errors of one line."""

import re
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from rpu_ssnn.common.errors import InputError

type Command = Callable[..., tuple[int, str, str]]


def refused(*words: str) -> Any:
    """Expects an InputError of one line that contains the words in this order."""
    return pytest.raises(
        InputError, match="^[^\n]*" + "[^\n]*".join(map(re.escape, words)) + "[^\n]*$"
    )


@contextmanager
def full_disk(most: int) -> Iterator[None]:
    """Lets every write into a file fail that makes it larger than this (bytes)."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
