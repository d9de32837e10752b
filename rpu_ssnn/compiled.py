"""The decorator of all compiled functions, and the folder in which numba keeps their code.

numba compiles a function again only if the file that defines it changes, but the function may call
functions or read constants of other files. The folder is therefore named by a hash of all files
that can enter the code: an edit of any of them leads to a new folder.

Two environment variables are read once, at import:
    RPU_SSNN_CHECK=1 checks every index.
    NUMBA_CACHE_DIR=FOLDER is numba's own variable, and names the folder of compiled code.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numba
import numba.extending

from rpu_ssnn.common.errors import InputError

_PACKAGE = Path(__file__).parent
_FOLDERS = "baselines", "engine", "synapses", "devices"
SOURCES = (
    Path(__file__),
    _PACKAGE / "random_numbers.py",
    *sorted(file for name in _FOLDERS for file in _PACKAGE.glob(f"{name}/**/*.py")),
)
"""The files of this package that hold compiled functions, or constants that these read."""

CHECK = os.environ.get("RPU_SSNN_CHECK", "0") != "0"


def compiled[F: Callable[..., Any]](function: F) -> F:
    """Compiles a function that writes only to the arrays it is given, and keeps its code on disk.

    The function runs without the GIL, and compiled functions that call it inline it. Division by
    zero gives infinity, as in numpy. A function that makes an array does not compile, and none may
    return an array to Python.

    A function of another package, or of a file of the user, is compiled likewise. Its code depends
    on this package, on its own file and, in a package, on the files beside it.

    Args:
        function: becomes machine code at its first call.

    Raises:
        InputError: no folder for the code can be written (`rpu-ssnn doctor` says what to do).
    """
    njit: Callable[..., Callable[[F], F]] = numba.njit
    file = Path(function.__code__.co_filename)
    if not file.is_file():  # the function was typed at a prompt
        return njit(**_options(inline=True))(function)
    # numba reads the folder only when a function is decorated.
    config: Any = numba.config
    before, config.CACHE_DIR = config.CACHE_DIR, str(cache_folder(sources_of(file)))
    try:
        return njit(cache=True, **_options(inline=True))(function)
    finally:
        config.CACHE_DIR = before


def inner[F: Callable[..., Any]](function: F, *, inline: bool = True) -> F:
    """Lets compiled functions call a function, which Python itself runs uncompiled.

    Its machine code is part of that of its callers, whose loops can become vector code. It compiles
    in about two thirds of the time of a function that Python can call too (`compiled`).

    Args:
        function: the function, under the conditions of `compiled`.
        inline: whether it is inlined; False suits a function that seldom runs, and whose code would
            take registers from neighbouring loops.
    """
    jitable: Callable[..., Callable[[F], F]] = numba.extending.register_jitable
    return jitable(**_options(inline=inline))(function)


def _options(*, inline: bool) -> dict[str, Any]:
    options: dict[str, Any] = {
        "nogil": True, "boundscheck": CHECK, "forceinline": inline, "error_model": "numpy",
    }  # fmt: skip
    if not CHECK:
        # numba counts references to arrays at every call and slice, and has no public option
        # against it. Counting makes a training step 1.3 to 1.8 times slower; the caller holds all
        # arrays.
        options["_nrt"] = False
    return options


def sources_of(file: Path) -> tuple[Path, ...]:
    """Returns the files that can enter the code of a compiled function.

    Args:
        file: the file that defines the function.
    """
    if file in SOURCES:
        return SOURCES
    in_package = (file.parent / "__init__.py").exists()
    return *SOURCES, *(sorted(file.parent.glob("*.py")) if in_package else [file])


@cache
def cache_folder(sources: tuple[Path, ...]) -> Path:
    """Returns the folder for code that is compiled from these files.

    Raises:
        InputError: no such folder can be written.
        RuntimeError: the home folder is unknown.
    """
    name = f"rpu_ssnn-{digest(sources)[:16]}{'-check' if CHECK else ''}"
    for parent in _cache_parents():
        folder = parent / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError:
            continue
        return folder
    chosen, allowed = os.environ.get("NUMBA_CACHE_DIR"), "must be a folder that can be written to"
    raise InputError("environment", "NUMBA_CACHE_DIR", chosen, f"{allowed}, for compiled code")


def _cache_parents() -> Iterator[Path]:
    """Yields the folders to try in turn; the home folder, which may be unknown, comes last."""
    if chosen := vars(numba.config)["CACHE_DIR"]:
        yield Path(chosen)
        return
    yield _PACKAGE / "__pycache__"
    yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def digest(files: Iterable[Path]) -> str:
    """Returns one hash of the contents of all files, in their order."""
    total = hashlib.sha256()
    for file in files:
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()
