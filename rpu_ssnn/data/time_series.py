"""Time series as spikes, and the one real set of them that comes in a package: JapaneseVowels."""

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from rpu_ssnn.common.errors import require
from rpu_ssnn.common.files import read_text, refusing
from rpu_ssnn.data.folders import find_files
from rpu_ssnn.data.rows import Source
from rpu_ssnn.data.spike_trains import SpikeTrains

LEVELS = 8
"""A channel of JapaneseVowels has a line for each eighth of its training values."""

VOWELS = (270, 370)
"""The numbers of training and test recordings of the standard set."""
VOWELS_CHANNELS = 12
_FOLDER, _FILES = "JapaneseVowels", ("JapaneseVowels_TRAIN.ts", "JapaneseVowels_TEST.ts")
_OBTAIN = (
    "install the package aeon, which has it (pip install --no-deps aeon), or copy aeon's folder "
    "datasets/data/JapaneseVowels"
)


class Series(NamedTuple):
    """Holds the recordings of one file, each with its values [channels, points] and its label."""

    values: list[Float64[np.ndarray, "channels points"]]
    labels: list[str]


def level_edges(
    training: list[Float64[np.ndarray, "channels points"]], levels: int
) -> Float64[np.ndarray, "channels edges"]:
    """Returns the `levels` - 1 values between which a channel spends equal shares of its time."""
    everything = np.concatenate(training, axis=1)
    edges: np.ndarray = np.quantile(everything, np.arange(1, levels) / levels, axis=1).T
    return edges


def level_spikes(
    series: list[Float64[np.ndarray, "channels points"]],
    edges: Float64[np.ndarray, "channels edges"],
) -> SpikeTrains:
    """Returns recordings in which each point of a channel is one spike, on the line of its value's
    level.

    Point k is slot k. Line c * levels + v is level v (lowest first) of channel c. Every channel
    spikes once per slot, so the total count only gives the length of a recording. The count of a
    line is the time spent in a level; counts do not show the order.
    """
    channels, levels = edges.shape[0], edges.shape[1] + 1
    recording, slot, line = [], [], []
    for n, values in enumerate(series):
        level = np.stack(
            [np.searchsorted(edges[c], values[c], side="right") for c in range(channels)]
        )
        recording.append(np.full(level.size, n))
        slot.append(np.tile(np.arange(level.shape[1]), channels))
        line.append((level + levels * np.arange(channels)[:, None]).ravel())
    of, at, on = map(np.concatenate, (recording, slot, line))
    return SpikeTrains.of_events(of, at, on, len(series), channels * levels)


def read_japanese_vowels(root: Path | None) -> Source:
    """Returns two vowels of nine speakers, in 12 cepstrum channels of 7 to 29 points (Kudo et al.
    1999).

    The values become spikes by `level_spikes`, with the edges of the 270 training recordings.

    Raises:
        MissingDataError: the files are neither in the data folder nor in an installed aeon.
        InputError: the files are damaged, or are other files with these names.
    """
    package = find_spec("aeon")  # This does not import the package.
    installed = () if package is None else package.submodule_search_locations or ()
    elsewhere = [Path(place) / "datasets" / "data" / _FOLDER for place in installed]
    folders = _FOLDER, ""
    train_file, test_file = find_files(
        "japanese_vowels", root, folders, _FILES, _OBTAIN, elsewhere=elsewhere
    )
    train, test = (read_ts(file, VOWELS_CHANNELS) for file in (train_file, test_file))
    found = (len(train.labels), len(test.labels))
    allowed = f"must be {VOWELS}, as in the standard set; give another set as your own data"
    require(found == VOWELS, train_file, "training and test recordings", found, allowed)
    edges = level_edges(train.values, LEVELS)
    names = tuple(sorted(set(train.labels)))
    spikes, tested = level_spikes(train.values, edges), level_spikes(test.values, edges)
    return Source(
        spikes, _numbered(train.labels, names), tested, _numbered(test.labels, names),
        tuple(f"speaker {name}" for name in names), max(1, int(spikes.most_a_line())),
        (max(spikes.slots, tested.slots), spikes.lines), mixed=False,
    )  # fmt: skip


def read_ts(path: Path, channels: int) -> Series:
    """Returns the series of a .ts file, whose channels are separated by colons, with the class
    last.

    Raises:
        InputError: the file cannot be read, is cut off, or has another number of channels.
    """
    with refusing(path, "must be a readable .ts file", OSError, UnicodeDecodeError):
        lines = read_text(path).splitlines()
    starts = [n for n, line in enumerate(lines) if line.strip().lower() == "@data"]
    require(starts, path, "@data", None, "must be there, as in a .ts file")
    values, labels = [], []
    for number, line in enumerate(lines[starts[0] + 1 :], starts[0] + 2):
        if not line.strip():
            continue
        *parts, label = line.strip().split(":")
        allowed = f"must be {channels} channels with equally many finite numbers, then the class"
        with refusing(path, allowed, ValueError, field=f"line {number}"):
            points = np.array([[float(v) for v in part.split(",")] for part in parts])
        fits = points.ndim == 2 and len(points) == channels and bool(np.isfinite(points).all())
        require(fits, path, f"line {number}", line.strip(), allowed)
        values.append(points)
        labels.append(label)
    return Series(values, labels)


def _numbered(labels: list[str], names: tuple[str, ...]) -> Int64[np.ndarray, " n"]:
    return np.array([names.index(label) for label in labels], dtype=np.int64)
