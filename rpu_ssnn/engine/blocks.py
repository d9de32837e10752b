"""Blocks of neurons: flags of 64 neurons are the bits of one number."""

from typing import cast

import numpy as np
from jaxtyping import Int8, Int32, UInt64
from numba import uint64

from rpu_ssnn.compiled import inner

BLOCK = 64
"""A block has this many neurons. Each layer has whole blocks; the padding neurons never fire."""

_DE_BRUIJN = 0x03F79D71B4CB0A89
"""The 64 groups of 6 bits of this number all differ, so a product with 2^k determines k."""
_PLACES = np.zeros(64, dtype=np.int64)
for _k in range(64):
    _PLACES[((_DE_BRUIJN << _k) & (2**64 - 1)) >> 58] = _k

ZERO = cast(int, np.int64(0))
"""Counts begin with this number. A plain 0 has another type, for which numba would compile a
function again."""

type Flags = UInt64[np.ndarray, " blocks"]
type Events = Int32[np.ndarray, " neurons"]
"""The neurons that spike in a slot, in order; only the first places of the array are used."""
type Signs = Int8[np.ndarray, " neurons"]
"""The stream of each gradient spike: 1 is positive, -1 negative."""


@inner
def first_flags(neurons: int) -> np.uint64:
    """Returns the flags of the first `neurons` neurons of a block (at least 1)."""
    return ~uint64(0) >> uint64(BLOCK - min(neurons, BLOCK))


@inner
def clear_flag(words: Flags, neuron: int) -> None:
    words[neuron // BLOCK] &= ~(uint64(1) << uint64(neuron % BLOCK))


@inner
def has_flag(words: Flags, neuron: int) -> bool:
    return bool(words[neuron // BLOCK] >> uint64(neuron % BLOCK) & uint64(1))


@inner
def lowest_flag(flags: np.uint64) -> np.int64:
    """Returns the place of the lowest bit that is set; at least one must be set."""
    lowest = flags & (~flags + uint64(1))
    place: np.int64 = _PLACES[(lowest * uint64(_DE_BRUIJN)) >> uint64(58)]
    return place


@inner
def list_spikes(flags: np.uint64, at: int, events: Events, count: int) -> int:
    """Appends the neurons of a block's flags to `events` in order, and returns the new count."""
    while flags:
        events[count] = at + lowest_flag(flags)
        count += 1
        flags &= flags - uint64(1)
    return count


@inner
def list_signed(
    spikes: np.uint64, positive: np.uint64, at: int, events: Events, signs: Signs, count: int
) -> int:
    """Appends neurons as `list_spikes` does, with the sign of each, and returns the new count."""
    while spikes:
        place = lowest_flag(spikes)
        events[count] = at + place
        signs[count] = 2 * int((positive >> uint64(place)) & uint64(1)) - 1
        count += 1
        spikes &= spikes - uint64(1)
    return count
