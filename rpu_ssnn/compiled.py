"""Decorators for numba: compiled code releases the GIL and is stored on disk.

numba compiles a function again only if the file that defines it changes. The function may call
functions or read constants of other files. The cache folder is therefore named by a hash of all
files with compiled code: an edit of any of them leads to a new folder.

Environment variables, read once at import:
    RPU_SSNN_CHECK=1: every index is checked; buffers end in guard bytes (`engine.checked_arrays`).
    RPU_SSNN_PLAIN=1: plain numba instead of intrinsics (`engine.intrinsics`). This is the default
        with RPU_SSNN_CHECK, since indices of an intrinsic cannot be checked; 0 keeps intrinsics.
    NUMBA_CACHE_DIR=FOLDER: folder of compiled code (numba's own variable).
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numba

_PACKAGE = Path(__file__).parent
_ROOMS = ("devices", "engine", "synapses")
SOURCES = (
    Path(__file__),
    *sorted(file for room in _ROOMS for file in _PACKAGE.glob(f"{room}/**/*.py")),
)
"""Files that hold compiled functions, or constants that these read."""

CHECK = os.environ.get("RPU_SSNN_CHECK", "0") != "0"
PLAIN = os.environ.get("RPU_SSNN_PLAIN", "1" if CHECK else "0") != "0"


def compiled[F: Callable[..., Any]](function: F) -> F:
    """Compile for numpy arrays, without the GIL, and store the code on disk.

    Code of functions outside `SOURCES` is not stored: its edits would not change the folder's name.

    Raises:
        RuntimeError: no folder for the code can be written (`rpu-ssnn doctor` says what to do).
    """
    return _compile(function)


def compiled_in_place[F: Callable[..., Any]](function: F) -> F:
    """As `compiled`, for functions that only write to their array arguments.

    A function that makes an array does not compile. References are not counted: the caller holds
    all arrays. An array must not be returned to Python, which would receive its base instead.

    Raises:
        RuntimeError: as `compiled`.
    """
    # Reference counts need atomic instructions at every call and slice, and numba has no public
    # option against them. Without them the simulation is 1.4 to 1.6 times faster (docs/tried.md).
    return _compile(function, **({} if CHECK else {"_nrt": False}))


def compiled_inside[F: Callable[..., Any]](function: F) -> F:
    """As `compiled_in_place`, and always inlined into the loops that call it.

    Only then can such a loop become vector code. Division by zero gives infinity, as in numpy.
    """
    options: dict[str, Any] = {} if CHECK else {"_nrt": False}
    return _compile(function, forceinline=True, error_model="numpy", **options)


def _compile[F: Callable[..., Any]](function: F, **options: Any) -> F:
    njit: Callable[..., Callable[[F], F]] = numba.njit
    options = {"nogil": True, "boundscheck": CHECK, **options}
    if Path(function.__code__.co_filename) not in SOURCES:
        return njit(**options)(function)
    # numba reads the folder only when a function is decorated.
    config: Any = numba.config
    before, config.CACHE_DIR = config.CACHE_DIR, str(cache_folder())
    try:
        return njit(cache=True, **options)(function)
    finally:
        config.CACHE_DIR = before


@cache
def cache_folder() -> Path:
    """The folder for code compiled from these sources with these switches.

    Raises:
        RuntimeError: no such folder can be written, or the home folder is unknown.
    """
    switches = ("-check" if CHECK else "") + ("-plain" if PLAIN else "")
    name = f"rpu_ssnn-{digest(SOURCES)[:16]}{switches}"
    for parent in _cache_parents():
        folder = parent / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError:
            continue
        return folder
    raise RuntimeError("no folder to keep compiled code in: set NUMBA_CACHE_DIR to one")


def _cache_parents() -> Iterator[Path]:
    """Folders to try in turn; the home folder, which may be unknown, is asked for last."""
    if chosen := vars(numba.config)["CACHE_DIR"]:
        yield Path(chosen)
        return
    yield _PACKAGE / "__pycache__"
    yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def digest(files: Iterable[Path]) -> str:
    """One hash of the contents of all files, in their order."""
    total = hashlib.sha256()
    for file in files:
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()
