"""Helpers for tests of the command line and of its errors of one line."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from rpu_ssnn.common.errors import InputError

type Command = Callable[..., tuple[int, str, str]]


def refused(*words: str) -> Any:
    """Expects an InputError of one line that contains the words in this order."""
    return pytest.raises(
        InputError, match="^[^\n]*" + "[^\n]*".join(map(re.escape, words)) + "[^\n]*$"
    )
