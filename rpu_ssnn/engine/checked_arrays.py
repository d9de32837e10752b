"""Arrays of the pass; where indices are checked (RPU_SSNN_CHECK), each one ends in a canary."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from rpu_ssnn.compiled import CHECK

CANARY = np.frombuffer(b"canary: nobody writes here" * 5, dtype=np.uint8)


def zeros(shape: int | tuple[int, ...], dtype: Any) -> Any:
    """numpy's `zeros`, of any dtype, followed by a canary where indices are checked."""
    if not CHECK:
        return np.zeros(shape, dtype=dtype)
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.zeros(size + len(CANARY), dtype=np.uint8)
    memory[size:] = CANARY
    return memory[:size].view(dtype).reshape(shape)


def check_canaries(arrays: Iterable[np.ndarray]) -> None:
    """Raises AssertionError where an array that `zeros` made was written past its end.

    Does nothing where indices are not checked.
    """
    for place, array in enumerate(arrays if CHECK else ()):
        tail = array.base[array.nbytes :] if array.base is not None else CANARY
        if not np.array_equal(tail, CANARY):
            raise AssertionError(f"array {place} was written past its end")
