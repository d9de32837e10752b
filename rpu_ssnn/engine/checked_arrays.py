"""Arrays that end in guard bytes (a canary) with RPU_SSNN_CHECK, to find writes past the end."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from rpu_ssnn.compiled import CHECK

CANARY = np.frombuffer(b"canary: nobody writes here" * 5, dtype=np.uint8)


def zeros(shape: int | tuple[int, ...], dtype: Any) -> Any:
    """numpy's `zeros`, followed by a canary if RPU_SSNN_CHECK is set."""
    if not CHECK:
        return np.zeros(shape, dtype=dtype)
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.zeros(size + len(CANARY), dtype=np.uint8)
    memory[size:] = CANARY
    return memory[:size].view(dtype).reshape(shape)


def check_canaries(arrays: Iterable[np.ndarray]) -> None:
    """Finds writes past the end of arrays that `zeros` made; does nothing without RPU_SSNN_CHECK.

    Raises:
        AssertionError: an array was written past its end.
    """
    for place, array in enumerate(arrays if CHECK else ()):
        tail = array.base[array.nbytes :] if array.base is not None else CANARY
        if not np.array_equal(tail, CANARY):
            raise AssertionError(f"array {place} was written past its end")
