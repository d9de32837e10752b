"""Checks the installation by running small tests, since version numbers hide a broken build.

The compiled part of aihwkit works only with the torch releases it was built for, and its metadata
names none. A wrong pair can be imported, but every tile call fails with a misleading error.

Slow packages are imported in the checks themselves, so that a broken package is reported.
"""

import functools
import importlib
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata

from rpu_ssnn.common.errors import RpuSsnnError, require

WORKING_PAIRS = "aihwkit 1.2.* with torch 2.13 to 2.15 on Python 3.12 to 3.14"
REBUILD = "rebuild the environment with `make clean && make test`"
NEEDS_FOLDER = "set NUMBA_CACHE_DIR to a folder that can be written to"


class BrokenEnvironmentError(RpuSsnnError, RuntimeError):
    """Reports that the installation cannot run anything; the message says what was found and what
    to do."""


@dataclass(frozen=True)
class HealthCheck:
    """Holds the result of one check.

    Args:
        ok: whether the check passed.
        found: what was found and, if the check failed, what to do.
    """

    ok: bool
    found: str

    @property
    def line(self) -> str:
        """Returns the result in one line, which starts with ``ok`` or ``PROBLEM``."""
        return f"{'ok     ' if self.ok else 'PROBLEM'} {self.found}"


def require_compilation() -> None:
    """Checks, without importing numba, that the environment lets it compile.

    Raises:
        InputError: an environment variable turns it off, or gives it no thread.
    """
    setting = os.environ.get("NUMBA_DISABLE_JIT", "")
    allowed = "must be unset, since the pass over time exists only as compiled code"
    require(setting in ("", "0"), "environment", "NUMBA_DISABLE_JIT", setting, allowed)
    threads, allowed = os.environ.get("NUMBA_NUM_THREADS", "1"), "must be a number from 1, or unset"
    fits = threads.isdecimal() and int(threads) > 0
    require(fits, "environment", "NUMBA_NUM_THREADS", threads, allowed)


@functools.cache
def require_compiler() -> None:
    """Imports all compiled code once per process, which needs numba and a folder for the code.

    Raises:
        InputError: as `require_compilation`, or numba finds no folder for the code.
        BrokenEnvironmentError: the home folder, the last place for the code, is unknown.
    """
    require_compilation()
    try:
        importlib.import_module("rpu_ssnn.network")
    except RuntimeError as error:
        raise BrokenEnvironmentError(f"{_one_line(error)}; {NEEDS_FOLDER}") from error


@functools.cache
def check_tile_pair() -> None:
    """Pulses and reads a small noiseless tile, and compares with the exact result; a process does
    so until the pair has passed once.

    Raises:
        BrokenEnvironmentError: aihwkit or torch cannot be imported, a tile call raises, or its
            result is wrong.
    """
    try:
        fault = _tile_fault()
    except RuntimeWarning:  # numba cannot read an environment variable
        raise
    except Exception as error:  # a broken build may raise anything
        fault = _one_line(error)
    if fault is not None:
        found = f"{_pair()} does not work on Python {platform.python_version()} ({fault})"
        raise BrokenEnvironmentError(f"{found}; working pairs: {WORKING_PAIRS}; {REBUILD}")


def _tile_fault() -> str | None:
    """Returns in words what the tile got wrong, or None if everything is right."""
    import torch
    from aihwkit.simulator.configs import ConstantStepDevice, SingleRPUConfig
    from aihwkit.simulator.parameters import IOParameters
    from aihwkit.simulator.tiles import AnalogTile

    from rpu_ssnn.devices.certain_pulses import one_pulse_a_coincidence

    step = 2.0**-6  # so every weight and sum below is exact in float32
    spreads = ("dw_min_dtod", "dw_min_std", "up_down_dtod", "w_max_dtod", "w_min_dtod")
    noiseless = dict.fromkeys(spreads, 0.0)
    device = ConstantStepDevice(dw_min=step, up_down=0.0, w_max=1.0, w_min=-1.0, **noiseless)
    update, read = one_pulse_a_coincidence(), IOParameters(is_perfect=True)
    config = SingleRPUConfig(device=device, update=update, forward=read, backward=read)
    # The tile is not square and no two rows or columns are equal: a transposed result cannot pass.
    start = step * torch.tensor([[4.0, -3.0, 0.0], [1.0, 2.0, -8.0]])
    inputs = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 0.0, 0.0]])  # slots x columns
    errors = torch.tensor([[1.0, -1.0], [0.0, 1.0], [-1.0, 0.0]])  # slots x rows
    tile = AnalogTile(2, 3, config)
    tile.set_weights(start)
    tile.set_learning_rate(step)
    with torch.no_grad():
        tile.update(inputs, errors)
        weights, forward, backward = (
            tile.get_weights()[0], tile.forward(inputs), tile.backward(errors),
        )  # fmt: skip
    exact = start - step * errors.T @ inputs  # the sign is that of SGD
    if not torch.equal(weights, exact):
        steps_off = (weights - exact).abs().max().item() / step
        return f"a pulsed update left a weight wrong by {steps_off:g} device steps"
    if not torch.equal(forward, inputs @ exact.T):
        return "a forward read gave a wrong current"
    return None if torch.equal(backward, errors @ exact) else "a transposed read was wrong"


def diagnose(tell: Callable[[str], object] = print) -> list[HealthCheck]:
    """Checks everything that the commands need, which takes seconds.

    Args:
        tell: called with a line before the check that may take a minute.

    Raises:
        RuntimeWarning: warnings are errors, and numba cannot read an environment variable.
    """
    # Older releases of Python than 3.12 cannot import this package.
    python = HealthCheck(True, f"Python {platform.python_version()}")
    checks = [python, _tried(_tile, REBUILD), _tried(_cache, NEEDS_FOLDER)]
    tell("trying the spiking pass, which the first check compiles for about a minute")
    return [*checks, _tried(_engine, REBUILD)]


def _tried(call: Callable[[], str], advice: str) -> HealthCheck:
    """Makes a check of a call; a mismatched build may raise anything."""
    try:
        return HealthCheck(True, call())
    except RuntimeWarning:
        raise
    except RpuSsnnError as error:
        return HealthCheck(False, str(error))
    except Exception as error:
        return HealthCheck(False, f"{_one_line(error)}: {advice}")


def _tile() -> str:
    check_tile_pair()
    return f"{_pair()}: one pulse moved a weight by one step"


def _cache() -> str:
    from rpu_ssnn import compiled

    return f"compiled code is kept in {compiled.cache_folder(compiled.SOURCES)}"


def _engine() -> str:
    """Trains a toy network, which also fills the cache of compiled code for later commands."""
    from rpu_ssnn.warm_up import spikes_of_a_toy_network

    if not all(spikes := spikes_of_a_toy_network()):
        raise ArithmeticError(f"the spiking pass gave {spikes} spikes per layer")
    return "the spiking pass runs"


def _pair() -> str:
    return f"aihwkit {_version('aihwkit')} with torch {_version('torch')}"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _one_line(error: Exception, limit: int = 150) -> str:
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= limit else text[: limit - 3] + "..."
