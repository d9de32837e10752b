"""All named data sets, and how each is read and counted."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from rpu_ssnn.data import yin_yang
from rpu_ssnn.data.cifar10 import cifar10_facts, read_cifar10
from rpu_ssnn.data.joined import (
    JOINED_SETS,
    PAIRED_SETS,
    joined_facts,
    paired_facts,
    read_joined,
    read_paired,
)
from rpu_ssnn.data.rows import SetFacts, Source
from rpu_ssnn.data.sources import DIGITS, IDX_SETS, idx_set_facts, read_digits, read_idx_set
from rpu_ssnn.data.time_series import VOWELS, read_japanese_vowels


class NamedSet(NamedTuple):
    """Holds the functions that read and describe a data set.

    Both take the data folder, or None for the one in the environment variable RPU_SSNN_DATA.
    """

    read: Callable[[Path | None], Source]
    facts: Callable[[Path | None], SetFacts]
    """Returns the facts from the headers of the files alone."""


_POINTS = SetFacts(yin_yang.COUNTS)

NAMED_SETS = {
    "digits": NamedSet(lambda _: read_digits(), lambda _: DIGITS),
    **{n: NamedSet(partial(read_idx_set, n), partial(idx_set_facts, n)) for n in IDX_SETS},
    **{n: NamedSet(partial(read_joined, n), partial(joined_facts, n)) for n in JOINED_SETS},
    **{n: NamedSet(partial(read_paired, n), partial(paired_facts, n)) for n in PAIRED_SETS},
    "cifar10": NamedSet(read_cifar10, cifar10_facts),
    "japanese_vowels": NamedSet(read_japanese_vowels, lambda _: VOWELS),
    "yin_yang": NamedSet(lambda _: yin_yang.make_yin_yang(as_spikes=False), lambda _: _POINTS),
    "yin_yang_latency": NamedSet(
        lambda _: yin_yang.make_yin_yang(as_spikes=True), lambda _: _POINTS._replace(recorded=True)
    ),
}
