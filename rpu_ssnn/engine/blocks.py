"""Blocks of neurons: flags of 64 neurons are the bits of one number."""

import numpy as np
from numba import uint64

from rpu_ssnn.compiled import compiled_in_place

BLOCK = 64
"""Neurons of a block. Each layer has whole blocks; the padding neurons never fire."""

_DE_BRUIJN = 0x03F79D71B4CB0A89
"""Its 64 groups of 6 bits are all different, so a product with 2^k determines k."""
_PLACES = np.zeros(64, dtype=np.int64)
for _k in range(64):
    _PLACES[((_DE_BRUIJN << _k) & (2**64 - 1)) >> 58] = _k


@compiled_in_place
def first_flags(neurons):  # type: ignore[no-untyped-def]
    """Flags of the first so many neurons of a block (at least 1)."""
    return ~uint64(0) >> uint64(BLOCK - min(neurons, BLOCK))


@compiled_in_place
def clear_flag(words, neuron) -> None:  # type: ignore[no-untyped-def]
    words[neuron // BLOCK] &= ~(uint64(1) << uint64(neuron % BLOCK))


@compiled_in_place
def has_flag(words, neuron) -> bool:  # type: ignore[no-untyped-def]
    return bool(words[neuron // BLOCK] >> uint64(neuron % BLOCK) & uint64(1))


@compiled_in_place
def lowest_flag(flags):  # type: ignore[no-untyped-def]
    """Place of the lowest bit that is set; at least one must be set."""
    lowest = flags & (~flags + uint64(1))
    return _PLACES[(lowest * uint64(_DE_BRUIJN)) >> uint64(58)]


@compiled_in_place
def list_spikes(flags, at, events, count):  # type: ignore[no-untyped-def]
    """Append the neurons of a block's flags to `events`, in order; returns the new count."""
    while flags:
        events[count] = at + lowest_flag(flags)
        count += 1
        flags &= flags - uint64(1)
    return count


@compiled_in_place
def list_signed(spikes, positive, at, events, signs, count):  # type: ignore[no-untyped-def]
    """As `list_spikes`, with a sign for each."""
    while spikes:
        place = lowest_flag(spikes)
        events[count] = at + place
        signs[count] = 2 * int((positive >> uint64(place)) & uint64(1)) - 1
        count += 1
        spikes &= spikes - uint64(1)
    return count
