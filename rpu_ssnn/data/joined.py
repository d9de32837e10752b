"""Data sets with more classes than one idx set has: several sets together, or images in pairs."""

from pathlib import Path

import numpy as np

from rpu_ssnn.data.rows import Source
from rpu_ssnn.data.sources import read_idx_set

JOINED_SETS = {"mnist_and_fashion": ("mnist", "fashion_mnist")}
"""The classes of each set follow those of the sets before it."""

PAIRED_SETS = {"mnist_pairs": "mnist"}
"""Two images stand side by side, so that 10 classes become 100, named by both."""

PAIR_SEED = 20170
"""The seed that draws the right-hand image of each pair, the same for every study."""


def read_joined(name: str, root: Path | None) -> Source:
    """Returns all sets of a key of ``JOINED_SETS``, each read by `read_idx_set`."""
    parts = [read_idx_set(part, root) for part in JOINED_SETS[name]]
    firsts = np.cumsum([0, *(part.n_classes for part in parts)])
    labels = [
        (part.train_labels + first, part.test_labels + first)
        for part, first in zip(parts, firsts, strict=False)
    ]
    return Source(
        train_images=np.concatenate([np.asarray(part.train_images) for part in parts]),
        train_labels=np.concatenate([train for train, _ in labels]),
        # The parts take turns, so that the first test images come from all of them.
        test_images=_in_turns([np.asarray(part.test_images) for part in parts]),
        test_labels=_in_turns([test for _, test in labels]),
        class_names=tuple(name for part in parts for name in part.class_names),
        grey_max=255,
        shape=parts[0].shape,
    )


def read_paired(name: str, root: Path | None) -> Source:
    """Returns the pairs of a key of ``PAIRED_SETS``, whose set is read by `read_idx_set`.

    There are as many pairs as the set has images: each is the left one once and the right one once.
    """
    single = read_idx_set(PAIRED_SETS[name], root)
    rng = np.random.default_rng(PAIR_SEED)
    train = _pairs(np.asarray(single.train_images), single.train_labels, single.n_classes, rng)
    test = _pairs(np.asarray(single.test_images), single.test_labels, single.n_classes, rng)
    names = tuple(f"{left} {right}" for left in single.class_names for right in single.class_names)
    return Source(*train, *test, class_names=names, grey_max=single.grey_max)


def _pairs(
    images: np.ndarray, labels: np.ndarray, n_classes: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    right = rng.permutation(len(labels))
    return np.hstack([images, images[right]]), n_classes * labels + labels[right]


def _in_turns(parts: list[np.ndarray]) -> np.ndarray:
    """Returns one row of each part in turn, then what is left of the longer parts."""
    turns = min(map(len, parts))
    woven = np.stack([part[:turns] for part in parts], axis=1).reshape(-1, *parts[0].shape[1:])
    return np.concatenate([woven, *(part[turns:] for part in parts)])
