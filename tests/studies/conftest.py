"""Fixtures that tests of studies in several folders share."""

from pathlib import Path

import pytest

from support.studies.harness import Harness, InThisProcess


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    """Returns a harness with the fake training, in this process and a temporary folder."""
    return Harness(tmp_path, InThisProcess())
