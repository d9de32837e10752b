"""Arrays that end in guard bytes with RPU_SSNN_CHECK, to find writes past the end."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from rpu_ssnn.compiled import CHECK

GUARD = np.frombuffer(b"guard: nobody writes here." * 5, dtype=np.uint8)


def zeros(shape: int | tuple[int, ...], dtype: Any) -> Any:
    """numpy's `zeros`, followed by guard bytes if RPU_SSNN_CHECK is set."""
    if not CHECK:
        return np.zeros(shape, dtype=dtype)
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.zeros(size + len(GUARD), dtype=np.uint8)
    memory[size:] = GUARD
    return memory[:size].view(dtype).reshape(shape)


def check_guards(arrays: Iterable[np.ndarray]) -> None:
    """Finds writes past the end of arrays that `zeros` made; does nothing without RPU_SSNN_CHECK.

    Raises:
        AssertionError: an array was written past its end.
    """
    for place, array in enumerate(arrays if CHECK else ()):
        tail = array.base[array.nbytes :] if array.base is not None else GUARD
        if not np.array_equal(tail, GUARD):
            raise AssertionError(f"array {place} was written past its end")
