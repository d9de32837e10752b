"""Checks the installation by running small tests, since version numbers hide a broken build.

The compiled part of aihwkit works only with the torch releases it was built for, and its metadata
names none. A wrong pair can be imported, but every tile call fails with a misleading error.

Slow packages are imported in the checks themselves, so that a broken package is reported.
"""

import functools
import importlib
import os
import platform
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from rpu_ssnn.common.errors import InputError, RpuSsnnError
from rpu_ssnn.common.parallel import usable_cpus
from rpu_ssnn.data import IDX_SETS, MissingDataError, load_dataset

WORKING_PAIRS = "aihwkit 1.2.* with torch 2.13 to 2.15 on Python 3.12 to 3.14"
REBUILD = "rebuild the environment with `make clean && make test`"
NO_FOLDER = "numba has no folder to keep compiled code in"
NEEDS_FOLDER = "set NUMBA_CACHE_DIR to a folder that can be written to"


class BrokenEnvironmentError(RpuSsnnError, RuntimeError):
    """The installation cannot run anything; the message says what was found and what to do."""

    def __init__(self, found: str, advice: str) -> None:
        self.found = found
        self.advice = advice
        super().__init__(f"{found}; {advice}")

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        """Makes the error picklable."""
        return type(self), (self.found, self.advice)


class BrokenPairError(BrokenEnvironmentError):
    """aihwkit does not work with this torch."""


@dataclass(frozen=True)
class HealthCheck:
    """The result of one check.

    Args:
        name: a short key.
        ok: whether the check passed.
        found: what was found, complete in itself.
        advice: what to do if the check failed, else empty.
        needed: whether commands fail without it; if not, a failure is only a note.
    """

    name: str
    ok: bool
    found: str
    advice: str = ""
    needed: bool = True


@functools.cache
def require_tile_pair() -> None:
    """``check_tile_pair``, once a process, before tiles are used.

    Raises:
        BrokenPairError: as ``check_tile_pair``, on every call while the pair is broken.
    """
    check_tile_pair()


@functools.cache
def require_compiler() -> None:
    """Imports all compiled code, once a process: this needs numba and a folder for the code.

    Raises:
        InputError: an environment variable turns numba's compilation off.
        BrokenEnvironmentError: numba finds no folder for the code.
    """
    told = os.environ.get("NUMBA_DISABLE_JIT", "")
    if told not in ("", "0"):
        allowed = "must be unset: the pass over time exists as compiled code only"
        raise InputError("environment", "NUMBA_DISABLE_JIT", told, allowed)
    try:
        importlib.import_module("rpu_ssnn.network")
    except RuntimeError as error:
        raise BrokenEnvironmentError(f"{NO_FOLDER} ({_one_line(error)})", NEEDS_FOLDER) from error


def check_tile_pair() -> None:
    """Pulses and reads a small noiseless tile, and compares with the exact result.

    Raises:
        BrokenPairError: aihwkit or torch cannot be imported, a tile call raises, or its result
            is wrong.
    """
    try:
        fault = _tile_fault()
    except Exception as error:  # a broken build may raise anything
        fault = f"{type(error).__name__}: {_one_line(error)}"
    if fault is not None:
        raise BrokenPairError(
            f"{_pair()} does not work on Python {platform.python_version()} ({fault})",
            f"working pairs: {WORKING_PAIRS}; {REBUILD}",
        )


def _tile_fault() -> str | None:
    """The wrong result of the tile, in words; None: all correct."""
    import torch
    from aihwkit.simulator.configs import ConstantStepDevice, SingleRPUConfig
    from aihwkit.simulator.parameters import IOParameters
    from aihwkit.simulator.tiles import AnalogTile

    from rpu_ssnn.common.certain_pulses import one_pulse_a_coincidence

    step = 2.0**-6  # a power of two, so that every weight and sum below is exact in float32
    device = ConstantStepDevice(
        dw_min=step,
        dw_min_dtod=0.0,
        dw_min_std=0.0,
        up_down=0.0,
        up_down_dtod=0.0,
        w_max=1.0,
        w_min=-1.0,
        w_max_dtod=0.0,
        w_min_dtod=0.0,
    )
    perfect_read = IOParameters(is_perfect=True)
    # Not square, and no two rows or columns alike: a transposed result cannot pass.
    start = step * torch.tensor([[4.0, -3.0, 0.0], [1.0, 2.0, -8.0]])
    inputs = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 0.0, 0.0]])  # slots x columns
    errors = torch.tensor([[1.0, -1.0], [0.0, 1.0], [-1.0, 0.0]])  # slots x rows

    tile = AnalogTile(
        2,
        3,
        SingleRPUConfig(
            device=device,
            update=one_pulse_a_coincidence(),
            forward=perfect_read,
            backward=perfect_read,
        ),
    )
    tile.set_weights(start)
    tile.set_learning_rate(step)
    with torch.no_grad():
        tile.update(inputs, errors)
        weights = tile.get_weights()[0]
        forward = tile.forward(inputs)
        backward = tile.backward(errors)

    exact = start - step * errors.T @ inputs  # SGD's sign
    if not torch.equal(weights, exact):
        steps_off = (weights - exact).abs().max().item() / step
        return f"a pulsed update left a weight {steps_off:g} device steps off"
    if not torch.equal(forward, inputs @ exact.T):
        return "a forward read gave a wrong current"
    if not torch.equal(backward, errors @ exact):
        return "a transposed read gave a wrong current"
    return None


def diagnose(data_root: Path | None) -> list[HealthCheck]:
    """Checks everything that the commands need; takes seconds and raises nothing.

    Args:
        data_root: the folder with the idx files; None takes the environment variable
            RPU_SSNN_DATA.
    """
    return [
        # Older releases than 3.12 cannot import this package.
        HealthCheck("python", True, f"Python {platform.python_version()}"),
        _check_pair(),
        *_check_numba(),
        _check_engine(),
        _check_threads(),
        # A set that is split otherwise has the same files.
        *(_check_data(name, data_root) for name, one in IDX_SETS.items() if one.is_as_published),
    ]


def failed(checks: Iterable[HealthCheck]) -> bool:
    """Whether a needed check failed."""
    return any(check.needed and not check.ok for check in checks)


def render(checks: Iterable[HealthCheck]) -> list[str]:
    """One line a check: ``ok``, ``note`` (not needed by every command) or ``PROBLEM``."""
    lines = []
    for check in checks:
        if check.ok:
            lines.append(f"ok      {check.found}")
        else:
            mark = "PROBLEM" if check.needed else "note   "
            lines.append(f"{mark} {check.found}: {check.advice}")
    return lines


def _check_pair() -> HealthCheck:
    try:
        check_tile_pair()
    except BrokenPairError as error:
        return HealthCheck("tile pair", False, error.found, error.advice)
    return HealthCheck("tile pair", True, f"{_pair()}: one pulse moved a weight by one step")


def _tried(name: str, fault: str, found: Callable[[], str], advice: str = REBUILD) -> HealthCheck:
    """Whether a call passes; a mismatched build may raise anything."""
    try:
        return HealthCheck(name, True, found())
    except Exception as error:
        raised = f"{type(error).__name__}: {_one_line(error)}"
        return HealthCheck(name, False, f"{fault} ({raised})", advice)


def _check_numba() -> list[HealthCheck]:
    check = _tried("numba", "numba does not compile", _compile)
    return [check, _check_numba_cache()] if check.ok else [check]


def _compile() -> str:
    import numba

    if (answer := numba.njit()(_next_number)(41)) != 42:
        raise ArithmeticError(f"numba {numba.__version__} computed {answer} for 41 + 1")
    return f"numba {numba.__version__} compiles"


def _next_number(number: int) -> int:
    return number + 1


def _check_numba_cache() -> HealthCheck:
    from rpu_ssnn import compiled

    def found() -> str:
        return f"compiled code is kept in {compiled.cache_folder()}"

    return _tried("numba cache", NO_FOLDER, found, NEEDS_FOLDER)


def _check_engine() -> HealthCheck:
    """Trains a toy network once, which also fills numba's cache for all later commands."""
    return _tried("engine", "the spiking pass does not run", _train)


def _train() -> str:
    started = time.perf_counter()
    from rpu_ssnn.warm_up import spikes_of_a_toy_network

    if not all(spikes := spikes_of_a_toy_network()):
        raise ArithmeticError(f"it gave {spikes} spikes a layer")
    return f"the spiking pass runs (ready after {time.perf_counter() - started:.0f} s)"


def _check_threads() -> HealthCheck:
    cpus = usable_cpus()
    try:
        import numba
        import torch

        threads = {
            "OMP_NUM_THREADS": ("torch", torch.get_num_threads()),
            "NUMBA_NUM_THREADS": ("numba", int(vars(numba.config)["NUMBA_NUM_THREADS"])),
        }
    except Exception as error:  # reported by the checks above; here only the counts are missing
        return HealthCheck(
            "threads", False, f"threads unknown ({_one_line(error)})", REBUILD, False
        )
    counts = " and ".join(f"{count} {library}" for library, count in threads.values())
    found = f"{counts} threads on {cpus} usable CPUs"
    too_many = [name for name, (_, count) in threads.items() if count > cpus]
    if too_many:
        advice = "threads wait for each other; set " + " ".join(f"{n}={cpus}" for n in too_many)
        return HealthCheck("threads", False, found, advice, needed=False)
    return HealthCheck("threads", True, found)


def _check_data(name: str, data_root: Path | None) -> HealthCheck:
    try:
        # Loads all images, since files with the right names may be damaged.
        data = load_dataset(
            name, data_root, n_train=None, n_test=None, validation_share=0.0, seed=0
        )
    except MissingDataError as error:
        return HealthCheck(
            name, False, f"{name} not found", f"{error.field} {error.allowed}", False
        )
    except InputError as error:
        return HealthCheck(name, False, f"{name} cannot be used", str(error), False)
    counts = f"{len(data.train_labels)} training and {len(data.test_labels)} test images"
    return HealthCheck(name, True, f"{name}: {counts}")


def _pair() -> str:
    return f"aihwkit {_version('aihwkit')} with torch {_version('torch')}"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _one_line(error: Exception, limit: int = 100) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= limit else text[: limit - 3] + "..."
