"""numba's compiler with a cache that knows all the sources a compiled function is made of.

numba keeps a compiled function until the file that defines it changes. What the function calls,
or the constants it reads, may lie in other files: after an edit or an upgrade of those alone it
would go on running the old code, without a word. Here the cache is fresh only while no source of
this package's compiled code has changed.
"""

import hashlib
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit

_PACKAGE = Path(__file__).parent
SOURCES = tuple(sorted([*_PACKAGE.glob("engine/*.py"), *_PACKAGE.glob("synapses/*.py")]))
"""Files that hold compiled functions, or what these read."""


def compiled(function: Callable[..., Any]) -> Any:
    """Compile for numpy arrays, without Python's lock, and keep the code on disk.

    Raises:
        RuntimeError: numba finds no folder to keep it in (`rpu-ssnn doctor` says what to do).
    """
    return _cached(njit(cache=True, nogil=True)(function))


def compiled_in_place(function: Callable[..., Any]) -> Any:
    """As `compiled`, for functions that only write to arrays they were given.

    numba counts how many hold an array at each call and each slice, with operations that cores
    exclude each other from; in the pass over time that was a quarter of the work. Who calls holds
    all arrays here, so nothing is counted. (A function that makes an array does not compile.)

    Raises:
        RuntimeError: as `compiled`.
    """
    options: Any = {"cache": True, "nogil": True, "_nrt": False}
    return _cached(njit(**options)(function))


def _cached(dispatcher: Any) -> Any:
    # numba offers no public way to say what a function depends on.
    dispatcher._cache._cache_file._source_stamp = _stamp()
    return dispatcher


def digest(files: Iterable[Path]) -> str:
    """One hash of the contents of all files, in their order."""
    total = hashlib.sha256()
    for file in files:
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


@cache
def _stamp() -> str:
    return digest(SOURCES)
