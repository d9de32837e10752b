"""Runs the examples in docstrings of the names that the package exports."""

import doctest
import importlib
from pathlib import Path

import pytest

import rpu_ssnn

PACKAGE = Path(rpu_ssnn.__file__).parent
WITH_EXAMPLES = [file for file in sorted(PACKAGE.rglob("*.py")) if ">>> " in file.read_text()]
assert len(WITH_EXAMPLES) > 10


@pytest.mark.parametrize("file", WITH_EXAMPLES, ids=lambda file: file.stem)
def test_examples_of_docstrings_are_right(file: Path) -> None:
    name = ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts)
    results = doctest.testmod(importlib.import_module(name))
    assert results.attempted > 0
    assert results.failed == 0
