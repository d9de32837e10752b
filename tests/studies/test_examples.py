"""Runs the examples in docstrings of the names that `studies` exports."""

import doctest
import importlib
import inspect

import pytest

import studies


@pytest.mark.parametrize("name", studies.__all__)
def test_exported_names_have_examples_that_run(name: str) -> None:
    exported = getattr(studies, name)
    module = importlib.import_module(exported.__module__)
    tests = doctest.DocTestFinder(recurse=False).find(exported, name, module, vars(module))
    assert tests, "it has a docstring"
    assert tests[0].examples, f"{inspect.getsourcefile(exported)}: {name} has no example"
    assert doctest.DocTestRunner().run(tests[0]).failed == 0
