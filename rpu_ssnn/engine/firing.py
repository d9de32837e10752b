"""Which neurons of a layer spike in a slot, compiled.

All are asked without branches, which compiles to vector code (a branch on each membrane is guessed
wrong at most spikes); then the few are gathered.
"""

import numpy as np
from numba import uint64

from rpu_ssnn.compiled import compiled

ONE_A_BYTE = uint64(0x0101010101010101)
GATHER = uint64(0x0102040810204080)
"""Times this, eight bytes of 0 or 1 have those bits, in order, in the highest byte."""
DE_BRUIJN = uint64(0x03F79D71B4CB0A89)
"""Times a power of two, the six highest bits tell which it is (de Bruijn sequence)."""
BIT_NUMBER = np.zeros(64, dtype=np.int32)
for _bit in range(64):
    BIT_NUMBER[((0x03F79D71B4CB0A89 << _bit) & (2**64 - 1)) >> 58] = _bit


@compiled
def reset(membrane, theta, to_zero, alive, mask) -> None:  # type: ignore[no-untyped-def]
    """Lower the membranes that reach theta; mask: 1 where one does and is not dropped out."""
    for j in range(len(mask)):
        fires = (membrane[j] >= theta) & (alive[j] == 1)
        after = np.float32(0.0) if to_zero else membrane[j] - theta
        membrane[j] = after if fires else membrane[j]
        mask[j] = 1 if fires else 0


@compiled
def reset_coupled(  # type: ignore[no-untyped-def]
    net, theta, to_zero, fired, is_output, hold, mask
) -> None:
    """Move coupled branches that are half a threshold from rest back by theta.

    mask: 1 where the positive branch spikes, 2 where the negative one does.
    """
    half, zero = np.float32(0.5) * theta, np.float32(0.0)
    for j in range(len(mask)):
        is_open = is_output | (fired[j] == 1)
        up = (net[j] >= half) & (net[j] > zero)
        over = abs(net[j]) >= half
        moved = net[j] - theta if up else net[j] + theta
        after = zero if to_zero else moved
        net[j] = after if over & (is_open | (not hold)) else net[j]
        mask[j] = (1 if up else 2) if over & is_open else 0


@compiled
def note(mask, fired) -> None:  # type: ignore[no-untyped-def]
    for j in range(len(mask)):
        fired[j] |= mask[j]


@compiled
def places(words, n, events) -> int:  # type: ignore[no-untyped-def]
    """Places of a mask of n neurons that are not 0, in order, into events; returns how many.

    words: the mask, eight neurons each; beyond the n-th it may hold anything.
    """
    count = 0
    for first in range(0, n, 64):
        bits = uint64(0)
        for k in range(min(8, (n - first + 7) // 8)):
            word = words[first // 8 + k]
            marks = (word | (word >> uint64(1))) & ONE_A_BYTE
            bits |= ((marks * GATHER) >> uint64(56)) << uint64(8 * k)
        if n - first < 64:
            bits &= (uint64(1) << uint64(n - first)) - uint64(1)
        while bits:
            lowest = bits & (~bits + uint64(1))
            events[count] = first + BIT_NUMBER[(lowest * DE_BRUIJN) >> uint64(58)]
            count += 1
            bits ^= lowest
    return count
