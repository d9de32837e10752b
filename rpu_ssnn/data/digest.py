"""A digest that distinguishes data sets."""

import hashlib

import numpy as np

from rpu_ssnn.data.spike_trains import SpikeTrains


def digest_of(*parts: np.ndarray | SpikeTrains) -> str:
    """Returns 16 hexadecimal digits of the SHA-256 over the parts, their shapes and their order."""
    total = hashlib.sha256()
    for part in parts:
        arrays = part.arrays if isinstance(part, SpikeTrains) else (part,)
        for array in arrays:
            # Without the shape, two splits of the same bytes would have the same digest.
            total.update(repr(array.shape).encode())
            total.update(np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"))))
    return total.hexdigest()[:16]
