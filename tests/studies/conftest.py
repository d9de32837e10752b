"""What tests of several folders of studies share."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from support.studies.harness import Harness


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    """Studies with the fake training, in a folder of the test's own; its workers end with it."""
    made = Harness(tmp_path)
    with closing(made.executor):
        yield made
