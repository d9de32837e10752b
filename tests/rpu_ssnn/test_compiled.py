"""The cache of compiled code follows every source that the code is made of."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba.core.errors import TypingError

import rpu_ssnn
from rpu_ssnn.compiled import SOURCES, _stamp, compiled, compiled_in_place, digest
from rpu_ssnn.engine import kernel


def test_the_cache_is_stamped_with_all_sources() -> None:
    assert {file.name for file in SOURCES} >= {
        "kernel.py",
        "neurons.py",
        "state.py",
        "pulse_rows.py",
    }
    assert kernel.advance._cache._cache_file._source_stamp == _stamp()


def test_the_digest_follows_each_file_and_their_order(tmp_path: Path) -> None:
    files = [tmp_path / "a.py", tmp_path / "b.py"]
    for file in files:
        file.write_text(f"# {file.name}\n")
    before = digest(files)
    assert digest(reversed(files)) != before
    files[1].write_text("# changed\n")
    assert digest(files) != before


def test_what_is_compiled_in_place_cannot_make_an_array() -> None:
    """Nobody would count who holds it."""

    @compiled
    def may_make_one(n):  # type: ignore[no-untyped-def]
        return np.zeros(n)[0]

    @compiled_in_place
    def may_not(n):  # type: ignore[no-untyped-def]
        return np.zeros(n)[0]

    assert may_make_one(3) == 0.0
    with pytest.raises(TypingError, match="zeros"):
        may_not(3)


@pytest.mark.slow
def test_an_edit_of_a_called_function_is_not_missed(tmp_path: Path) -> None:
    """kernel.py, which calls firing.py, stays untouched: numba's own cache would not notice."""
    package = tmp_path / "rpu_ssnn"
    shutil.copytree(
        Path(rpu_ssnn.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__")
    )

    def spikes() -> str:
        code = "from rpu_ssnn.warm_up import spikes_of_a_toy_network as s; print(s())"
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        run = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True,
            capture_output=True, text=True,
        )  # fmt: skip
        return run.stdout

    before = spikes()
    assert spikes() == before
    firing = package / "engine" / "firing.py"
    source = firing.read_text()
    asked = 'builder.fcmp_ordered(">=", moved, theta)'
    assert asked in source
    firing.write_text(source.replace(asked, asked.replace("theta", "builder.fadd(theta, theta)")))
    assert spikes() != before
