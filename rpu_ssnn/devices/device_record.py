"""The layout of a device in memory: its state and its parameters are together, and two devices
share a cache line."""

from typing import Any, Protocol, get_type_hints

import numpy as np


class Device(Protocol):
    """One `RECORD` as compiled code sees it; it is a view, so assignments to it change the record.

    Attributes:
        state: what pulses move; -1 to 1 is the nominal range.
        low, high: the bounds of the state.
        up, down: the step up and the step down at state zero, without nonlinearity (states).
        a, b: further parameters of the law, or the hidden states of a user's law.
        pulses: number of pulses that the device has received.
    """

    state: np.float32
    low: np.float32
    high: np.float32
    up: np.float32
    down: np.float32
    a: np.float32
    b: np.float32
    pulses: np.uint32


RECORD = np.dtype(list(get_type_hints(Device).items()))

MEMORY = np.dtype([("last", "i8"), ("log_kept", "f8")])
"""`last` is the slot of the last pulse, in slots since training began. `log_kept` is the logarithm
of the share that was then left of a charge held from the start."""

CACHE_LINE = 64


def empty_records(n: int, record: np.dtype[Any] = RECORD) -> np.ndarray:
    """Returns n records of zeros; the first begins at the start of a cache line."""
    room = np.zeros(n * record.itemsize + CACHE_LINE, dtype=np.uint8)
    start = -room.ctypes.data % CACHE_LINE
    return room[start : start + n * record.itemsize].view(record)
