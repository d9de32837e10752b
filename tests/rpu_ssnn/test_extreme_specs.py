"""Networks at the ends of every allowed range run, count no more events than possible, and stay
within their arrays."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from support.rpu_ssnn.extreme_specs import EXTREME, show


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(EXTREME)
def test_networks_at_the_ends_of_their_ranges_run(drawn: dict[str, Any]) -> None:
    show(drawn)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("check", "examples"), [("0", 3000), ("1", 500)], ids=["as it is", "bounds checked"]
)
def test_many_networks_at_the_ends_of_their_ranges_run(check: str, examples: int) -> None:
    """The test uses a new process, since compilation depends on the environment."""
    folder = Path(__file__).parents[1]
    code = f"from support.rpu_ssnn.extreme_specs import show_many; print(show_many({examples}))"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(folder.parent), str(folder)]),
        "RPU_SSNN_CHECK": check,
    }
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    assert int(run.stdout) > examples / 4
