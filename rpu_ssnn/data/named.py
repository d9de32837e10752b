"""All named data sets, and how each is read."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from rpu_ssnn.data import yin_yang
from rpu_ssnn.data.cifar10 import read_cifar10
from rpu_ssnn.data.joined import JOINED_SETS, PAIRED_SETS, read_joined, read_paired
from rpu_ssnn.data.rows import Source
from rpu_ssnn.data.sources import IDX_SETS, read_digits, read_idx_set
from rpu_ssnn.data.time_series import read_japanese_vowels

NAMED_SETS: dict[str, Callable[[Path | None], Source]] = {
    "digits": lambda _: read_digits(),
    **{name: partial(read_idx_set, name) for name in IDX_SETS},
    **{name: partial(read_joined, name) for name in JOINED_SETS},
    **{name: partial(read_paired, name) for name in PAIRED_SETS},
    "cifar10": read_cifar10,
    "japanese_vowels": read_japanese_vowels,
    "yin_yang": lambda _: yin_yang.make_yin_yang(as_spikes=False),
    "yin_yang_latency": lambda _: yin_yang.make_yin_yang(as_spikes=True),
}
"""The functions that read the sets. They take the data folder, or None for the one in the
environment variable RPU_SSNN_DATA."""
