"""Fixtures that tests of studies in several folders share."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from studies.workers.local_executor import LocalExecutor
from support.studies.harness import Harness


@pytest.fixture(scope="session")
def executor() -> Iterator[LocalExecutor]:
    """Yields one worker process for all tests, since its start takes seconds."""
    with closing(LocalExecutor(1)) as made:
        yield made


@pytest.fixture
def harness(tmp_path: Path, executor: LocalExecutor) -> Harness:
    """Returns a harness with the fake training in a temporary folder."""
    return Harness(tmp_path, executor)
