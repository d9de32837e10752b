"""All named data sets, and how each is read and counted."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from rpu_ssnn.data.cifar10 import SHAPE, count_cifar10, read_cifar10
from rpu_ssnn.data.joined import JOINED_SETS, PAIRED_SETS, count_joined, read_joined, read_paired
from rpu_ssnn.data.rows import Source
from rpu_ssnn.data.sources import (
    DIGITS_COUNTS,
    DIGITS_SHAPE,
    IDX_SETS,
    count_idx_set,
    idx_set_shape,
    read_digits,
    read_idx_set,
)
from rpu_ssnn.data.time_series import VOWELS_COUNTS, read_japanese_vowels
from rpu_ssnn.data.yin_yang import COUNTS, make_yin_yang


class NamedSet(NamedTuple):
    """Holds the functions that read and describe a data set.

    All functions take the data folder, or None for the one in the environment variable
    RPU_SSNN_DATA.
    """

    read: Callable[[Path | None], Source]
    counts: Callable[[Path | None], tuple[int, int]]
    """Counts training and test images by the headers of the files alone."""

    shape: Callable[[Path | None], tuple[int, ...]] = lambda _: ()
    """Returns the shape of an image from a header alone; it is empty if it is not known."""

    recorded: bool = False
    """Says whether the samples are recordings of spikes."""


NAMED_SETS = {
    "digits": NamedSet(lambda _: read_digits(), lambda _: DIGITS_COUNTS, lambda _: DIGITS_SHAPE),
    **{
        n: NamedSet(partial(read_idx_set, n), partial(count_idx_set, n), partial(idx_set_shape, n))
        for n in IDX_SETS
    },
    **{
        n: NamedSet(
            partial(read_joined, n), partial(count_joined, n), partial(idx_set_shape, first)
        )
        for n, (first, *_) in JOINED_SETS.items()
    },
    **{
        n: NamedSet(partial(read_paired, n), partial(count_idx_set, part))
        for n, part in PAIRED_SETS.items()
    },
    "cifar10": NamedSet(read_cifar10, count_cifar10, lambda _: SHAPE),
    "japanese_vowels": NamedSet(read_japanese_vowels, lambda _: VOWELS_COUNTS, recorded=True),
    "yin_yang": NamedSet(lambda _: make_yin_yang(as_spikes=False), lambda _: COUNTS),
    "yin_yang_latency": NamedSet(
        lambda _: make_yin_yang(as_spikes=True), lambda _: COUNTS, recorded=True
    ),
}
