"""The doctor: a sound installation passes, and each way of being broken is told as itself."""

import importlib.abc
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numba
import pytest
import torch
from aihwkit.simulator.tiles import AnalogTile

from rpu_ssnn import compiled, doctor
from rpu_ssnn.data import DATA_ENV
from rpu_ssnn.doctor import (
    BrokenPairError,
    HealthCheck,
    check_tile_pair,
    diagnose,
    require_tile_pair,
)
from support.rpu_ssnn.idx import WriteIdxSet


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    require_tile_pair.cache_clear()
    yield
    require_tile_pair.cache_clear()


def by_name(checks: Sequence[HealthCheck]) -> dict[str, HealthCheck]:
    return {check.name: check for check in checks}


def broken(fault: str) -> Any:
    """Expects the one line that names the fault, the versions found and the way out."""
    line = (
        r"^aihwkit \S+ with torch \S+ does not work on Python \d\.\d+\.\d+ \([^\n]*"
        + fault
        + r"[^\n]*\); working pairs: aihwkit 1\.2\.\* with torch 2\.13 to 2\.15[^\n]*; "
        + r"[^\n]*make clean && make test[^\n]*$"
    )
    return pytest.raises(BrokenPairError, match=line)


# --- the tile pair


def test_this_pair_works_and_no_random_number_is_used() -> None:
    before = torch.get_rng_state()
    check_tile_pair()
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("method", ["set_weights", "update", "get_weights", "forward", "backward"])
@pytest.mark.parametrize(
    "error",
    [
        TypeError("x_input must be a CPU tensor"),
        RuntimeError("Invalid weights dimensions:\n expected [3,4] tensor"),
    ],
)
def test_tile_call_that_raises(
    monkeypatch: pytest.MonkeyPatch, method: str, error: Exception
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(AnalogTile, method, fail)
    with broken(type(error).__name__ + ": " + ("x_input" if "x_" in str(error) else "Invalid")):
        check_tile_pair()


def test_update_that_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AnalogTile, "update", lambda *_, **__: None)
    with broken("pulsed update left a weight 1 device steps off"):
        check_tile_pair()


def test_update_with_the_wrong_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    update = AnalogTile.update
    monkeypatch.setattr(AnalogTile, "update", lambda tile, x, d: update(tile, x, -d))
    with broken("pulsed update left a weight 2 device steps off"):
        check_tile_pair()


def test_update_that_leaves_no_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = (torch.full((2, 3), torch.nan), None)
    monkeypatch.setattr(AnalogTile, "get_weights", lambda *_, **__: nothing)
    with broken("pulsed update left a weight nan device steps off"):
        check_tile_pair()


@pytest.mark.parametrize(("method", "read"), [("forward", "forward"), ("backward", "transposed")])
def test_wrong_read(monkeypatch: pytest.MonkeyPatch, method: str, read: str) -> None:
    right: Callable[..., torch.Tensor] = getattr(AnalogTile, method)
    monkeypatch.setattr(AnalogTile, method, lambda tile, x: right(tile, x) + 2.0**-20)
    with broken(f"{read} read gave a wrong current"):
        check_tile_pair()


@pytest.mark.parametrize(
    "error",
    [
        ImportError("undefined symbol: _ZN3c10"),
        OSError("libtorch_cpu.so: cannot open shared object file"),
        ModuleNotFoundError("No module named 'aihwkit'"),
    ],
)
@pytest.mark.parametrize("module", ["torch", "aihwkit.simulator.tiles"])
def test_import_that_fails(monkeypatch: pytest.MonkeyPatch, error: Exception, module: str) -> None:
    class Failing(importlib.abc.MetaPathFinder):
        def find_spec(self, fullname: str, *_: Any) -> None:
            if fullname == module:
                raise error

    monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "meta_path", [Failing(), *sys.meta_path])
    with broken(f"{type(error).__name__}: {str(error)[:12]}"):
        check_tile_pair()


def test_missing_package_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(package: str) -> str:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr(metadata, "version", version)
    assert doctor._pair() == "aihwkit (not installed) with torch (not installed)"


def test_sound_pair_is_checked_once_and_a_broken_one_again(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def check() -> None:
        calls.append(len(calls))
        if len(calls) == 1:
            raise BrokenPairError("found", "advice")

    monkeypatch.setattr(doctor, "check_tile_pair", check)
    with pytest.raises(BrokenPairError, match="found; advice"):
        require_tile_pair()
    require_tile_pair()
    require_tile_pair()
    assert len(calls) == 2


# --- the diagnosis


def test_sound_installation(tmp_path: Path, write_idx_set: WriteIdxSet) -> None:
    write_idx_set(tmp_path / "MNIST" / "raw")
    checks = diagnose(tmp_path)
    found = by_name(checks)
    needed = ["python", "tile pair", "numba", "numba cache", "engine"]
    assert list(found) == [*needed, "threads", "mnist", "fashion_mnist", "emnist_balanced"]
    assert all(found[name].ok for name in (*needed, "mnist"))
    assert not doctor.failed(checks)
    lines = doctor.render(checks)
    assert lines[1] == (
        f"ok      aihwkit {doctor._version('aihwkit')} with torch {doctor._version('torch')}: "
        "one pulse moved a weight by one step"
    )
    assert lines[6] == "ok      mnist: 60 training and 20 test images"
    assert lines[7].startswith("note    fashion_mnist not found: file train-images-idx3-ubyte, ")
    assert str(tmp_path / "FashionMNIST" / "raw") in lines[7]
    assert "\n" not in "".join(lines)


def test_broken_pair_is_a_problem_and_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(AnalogTile, "update", lambda *_, **__: None)
    checks = diagnose(tmp_path)
    assert doctor.failed(checks)
    with pytest.raises(BrokenPairError) as caught:
        check_tile_pair()
    (line,) = [line for line in doctor.render(checks) if line.startswith("PROBLEM")]
    assert line == f"PROBLEM {caught.value.found}: {caught.value.advice}"


def test_missing_and_damaged_data_are_notes(
    tmp_path: Path, write_idx_set: WriteIdxSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DATA_ENV, raising=False)
    missing = doctor._check_data("mnist", None)
    assert (missing.ok, missing.needed) == (False, False)
    assert DATA_ENV in missing.advice
    write_idx_set(tmp_path, gz=False)
    with (tmp_path / "train-images-idx3-ubyte").open("ab") as file:
        file.write(b"\0")
    damaged = doctor._check_data("mnist", tmp_path)
    assert (damaged.ok, damaged.needed) == (False, False)
    assert "trailing bytes" in damaged.advice


def test_numba_that_does_not_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ImportError("Numba needs NumPy 2.4 or less")

    monkeypatch.setattr(numba, "njit", fail)
    (check,) = doctor._check_numba()
    assert not check.ok
    assert "ImportError: Numba needs NumPy" in check.found


def test_numba_that_computes_wrongly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba, "njit", lambda: lambda _: lambda number: number)
    (check,) = doctor._check_numba()
    assert not check.ok
    assert "computed 41 for 41 + 1" in check.found


def test_numba_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    not_to_be_imported: Any = None
    monkeypatch.setitem(sys.modules, "numba", not_to_be_imported)
    (check,) = doctor._check_numba()
    assert not check.ok
    assert not doctor._check_threads().ok


def test_numba_cache_without_a_writable_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "file"))
    monkeypatch.setattr(compiled, "cache_folder", compiled.cache_folder.__wrapped__)
    check = doctor._check_numba_cache()
    assert (check.ok, check.needed) == (False, True)
    assert "NUMBA_CACHE_DIR" in check.advice


def test_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "usable_cpus", lambda: 2)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", 2)
    assert doctor._check_threads().ok
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    check = doctor._check_threads()
    assert (check.ok, check.needed) == (False, False)
    assert check.found == "64 torch and 2 numba threads on 2 usable CPUs"
    assert check.advice.endswith("set OMP_NUM_THREADS=2")
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", 3)
    assert doctor._check_threads().advice.endswith("set OMP_NUM_THREADS=2 NUMBA_NUM_THREADS=2")


def test_a_spiking_pass_that_does_not_run_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    from rpu_ssnn import warm_up

    monkeypatch.setattr(warm_up, "spikes_of_a_toy_network", lambda: (1000, 0, 0))
    silent = doctor._check_engine()
    monkeypatch.setattr(warm_up, "spikes_of_a_toy_network", lambda: 1 / 0)
    raising = doctor._check_engine()
    for check, word in ((silent, "(1000, 0, 0)"), (raising, "ZeroDivisionError")):
        assert not check.ok
        assert word in check.found
        assert doctor.failed([check])
