"""Fixtures that tests of studies in several folders share."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from support.studies.harness import Harness


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    """Yields a harness with the fake training in a temporary folder, and then ends its workers."""
    made = Harness(tmp_path)
    with closing(made.executor):
        yield made
