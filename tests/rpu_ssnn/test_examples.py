"""Runs the examples in docstrings of the names that the package exports."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    "module",
    [
        "common.errors",
        "data.dataset",
        "devices.law",
        "devices.law_parameter",
        "estimator",
        "network.network",
        "spec.network",
        "spec.tile",
        "spec.training",
        "synapses.device_synapses",
        "synapses.float_weights",
        "training.spiking",
    ],
)
def test_examples_of_docstrings_are_right(module: str) -> None:
    results = doctest.testmod(importlib.import_module(f"rpu_ssnn.{module}"))
    assert results.attempted > 0
    assert results.failed == 0
