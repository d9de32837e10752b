"""The cache of compiled code depends on every source of that code."""

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core.errors import TypingError

import rpu_ssnn
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.compiled import SOURCES, cache_folder, compiled, digest, sources_of
from rpu_ssnn.engine import slot_loop
from rpu_ssnn.synapses.float_weights import add_coincidences
from rpu_ssnn.synapses.tiles.pulse_rows import _fill as write_rows

PACKAGE = Path(rpu_ssnn.__file__).parent


def test_code_is_kept_in_a_folder_named_after_all_sources() -> None:
    names = {file.relative_to(PACKAGE).as_posix() for file in SOURCES}
    assert names >= {"compiled.py", "engine/slot_loop.py", "engine/neurons.py"}
    assert names >= {"engine/strategies/batched.py", "synapses/tiles/pulse_rows.py"}
    functions = slot_loop.advance, add_coincidences, write_rows
    folders = {Path(each.stats.cache_path).parent for each in functions}
    assert folders == {cache_folder(SOURCES)}
    assert digest(SOURCES)[:16] in cache_folder(SOURCES).name


def test_every_compiled_function_of_the_package_lies_in_a_source() -> None:
    decorator = re.compile(r"^@(compiled|inner|njit|numba)", re.MULTILINE)
    decorated = [file for file in PACKAGE.rglob("*.py") if decorator.search(file.read_text())]
    assert len(decorated) > 10
    assert set(decorated) <= set(SOURCES)


def test_code_of_other_files_is_kept_by_their_content(tmp_path: Path) -> None:
    file = tmp_path / "law.py"
    file.write_text(
        "from rpu_ssnn.compiled import compiled\n@compiled\ndef step(n):\n    return n + 1\n"
    )
    step = runpy.run_path(str(file))["step"]
    assert step(1) == 2
    assert sources_of(file) == (*SOURCES, file)
    assert Path(step.stats.cache_path).parent == cache_folder(sources_of(file))
    (tmp_path / "__init__.py").touch()
    assert sources_of(file) == (*SOURCES, tmp_path / "__init__.py", file)


def test_no_folder_that_can_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(file))
    with pytest.raises(InputError, match="environment: NUMBA_CACHE_DIR: "):
        cache_folder.__wrapped__(SOURCES)


def test_a_chosen_folder_needs_no_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", unknown)
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert cache_folder.__wrapped__(SOURCES).parent == tmp_path


def test_the_digest_follows_each_file_and_their_order(tmp_path: Path) -> None:
    files = [tmp_path / "a.py", tmp_path / "b.py"]
    for file in files:
        file.write_text(f"# {file.name}\n")
    before = digest(files)
    assert digest(reversed(files)) != before
    files[1].write_text("# changed\n")
    assert digest(files) != before


def test_what_is_compiled_cannot_make_an_array() -> None:
    """Compiled code does not count references, so the array would never be freed."""

    @compiled
    def may_not(n):  # type: ignore[no-untyped-def]
        return np.zeros(n)[0]

    with pytest.raises(TypingError, match="zeros"):
        may_not(3)


@pytest.mark.slow
def test_an_edit_of_a_called_function_is_not_missed(tmp_path: Path) -> None:
    """slot_loop.py, which calls neurons.py, is unchanged, so numba alone would not notice."""
    package = tmp_path / "rpu_ssnn"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))

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
    neurons = package / "engine" / "neurons.py"
    source = neurons.read_text()
    asked = "keep, theta = net.kernel_keep, net.theta"
    assert source.count(asked) == 1
    neurons.write_text(source.replace(asked, asked + " + net.theta"))
    assert spikes() != before
