"""The doctor accepts a working installation, and names each fault of a broken one."""

import importlib.abc
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numba
import pytest
import torch
from aihwkit.simulator.tiles import AnalogTile

from rpu_ssnn import compiled, warm_up
from rpu_ssnn.doctor import BrokenEnvironmentError, check_tile_pair, diagnose


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    check_tile_pair.cache_clear()
    yield
    check_tile_pair.cache_clear()


def broken(fault: str) -> Any:
    """Expects one line that names the installed versions, the fault and the remedy."""
    line = rf"^aihwkit \S+ with torch [^\n]*{fault}[^\n]*working pairs[^\n]*make[^\n]*$"
    return pytest.raises(BrokenEnvironmentError, match=line)


def test_this_pair_works_and_no_random_number_is_used() -> None:
    before = torch.get_rng_state()
    check_tile_pair()
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("method", ["set_weights", "update", "get_weights", "forward", "backward"])
def test_tile_call_that_raises(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("Invalid weights dimensions:\n expected [3,4] tensor")

    monkeypatch.setattr(AnalogTile, method, fail)
    with broken("RuntimeError: Invalid"):
        check_tile_pair()


def test_update_that_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AnalogTile, "update", lambda *_, **__: None)
    with broken("wrong by 1 device steps"):
        check_tile_pair()


def test_update_with_the_wrong_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    update = AnalogTile.update
    monkeypatch.setattr(AnalogTile, "update", lambda tile, x, d: update(tile, x, -d))
    with broken("wrong by 2 device steps"):
        check_tile_pair()


def test_update_that_leaves_no_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = (torch.full((2, 3), torch.nan), None)
    monkeypatch.setattr(AnalogTile, "get_weights", lambda *_, **__: nothing)
    with broken("wrong by nan device steps"):
        check_tile_pair()


@pytest.mark.parametrize(("method", "read"), [("forward", "forward"), ("backward", "transposed")])
def test_wrong_read(monkeypatch: pytest.MonkeyPatch, method: str, read: str) -> None:
    right: Callable[..., torch.Tensor] = getattr(AnalogTile, method)
    monkeypatch.setattr(AnalogTile, method, lambda tile, x: right(tile, x) + 2.0**-20)
    with broken(read):
        check_tile_pair()


@pytest.mark.parametrize("module", ["torch", "aihwkit.simulator.tiles"])
def test_import_that_fails(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    class Failing(importlib.abc.MetaPathFinder):
        def find_spec(self, fullname: str, *_: Any) -> None:
            if fullname == module:
                raise OSError("libtorch_cpu.so: cannot open shared object file")

    monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "meta_path", [Failing(), *sys.meta_path])
    with broken("OSError: libtorch_cpu"):
        check_tile_pair()


def test_a_sound_installation_has_no_problem() -> None:
    lines = [check.line for check in diagnose()]
    assert len(lines) == 4
    assert all(line.startswith("ok ") and "\n" not in line for line in lines)


def test_each_problem_comes_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(AnalogTile, "update", lambda *_, **__: None)
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "file"))
    monkeypatch.setattr(compiled, "cache_folder", compiled.cache_folder.__wrapped__)
    monkeypatch.setattr(warm_up, "spikes_of_a_toy_network", lambda: (1000, 0, 0))
    _, pair, cache, engine = (check.line for check in diagnose())
    for line, words in (
        (pair, "working pairs"),
        (cache, "must be a folder that can be written to, for compiled code"),
        (engine, "make clean"),
    ):
        assert line.startswith("PROBLEM ")
        assert words in line
