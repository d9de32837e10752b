"""Where each named data set comes from: bundled with scikit-learn, or idx files in a folder."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt8

from rpu_ssnn.data import idx
from rpu_ssnn.data.split import hold_out
from rpu_ssnn.errors import InputError

DATA_ENV = "RPU_SSNN_DATA"
"""The environment variable that names the data folder where no argument does."""

DIGITS_TEST_SHARE = 0.2
DIGITS_SPLIT_SEED = 20170
"""Fixes which digits are test images, for every study and seed alike."""


class MissingDataError(InputError):
    """A data set's files are not there (as opposed to there and damaged)."""


@dataclass(frozen=True, eq=False)
class Source:
    """A whole data set as its files hold it, before anything is drawn from it."""

    train_images: UInt8[np.ndarray, "train pixels"]
    train_labels: Int64[np.ndarray, " train"]
    test_images: UInt8[np.ndarray, "test pixels"]
    test_labels: Int64[np.ndarray, " test"]
    n_classes: int
    grey_max: int


@dataclass(frozen=True)
class IdxSet:
    """A data set of four idx files.

    Args:
        folder: the name torchvision gives its folder.
        n_classes: labels run from 0 to one below it.
        obtain: where its files come from, in words.
        first_test_labels: how its test labels begin; the sets share their file names, so this is
            what tells one set's files from another's in a folder without a name.
    """

    folder: str
    n_classes: int
    obtain: str
    first_test_labels: tuple[int, ...]
    train_images: str = "train-images-idx3-ubyte"
    train_labels: str = "train-labels-idx1-ubyte"
    test_images: str = "t10k-images-idx3-ubyte"
    test_labels: str = "t10k-labels-idx1-ubyte"

    @property
    def files(self) -> tuple[str, str, str, str]:
        return (self.train_images, self.train_labels, self.test_images, self.test_labels)


IDX_SETS = {
    "mnist": IdxSet(
        folder="MNIST",
        n_classes=10,
        obtain="Yann LeCun's page 'The MNIST database of handwritten digits'",
        first_test_labels=(7, 2, 1, 0, 4, 1, 4, 9, 5, 9, 0, 6, 9, 0, 1, 5),
    ),
    "fashion_mnist": IdxSet(
        folder="FashionMNIST",
        n_classes=10,
        obtain="Zalando Research's repository 'fashion-mnist'",
        first_test_labels=(9, 2, 1, 1, 6, 1, 4, 6, 5, 7, 4, 5, 7, 3, 4, 1),
    ),
}

DATASET_NAMES = ("digits", *IDX_SETS)


def read_digits() -> Source:
    """scikit-learn's 1797 scanned digits, 8x8 pixels, grey levels 0 to 16; no download.

    They come without a test set: the fixed, stratified ``DIGITS_TEST_SHARE`` of them is one.
    """
    from sklearn.datasets import load_digits  # slow to import, and only this set needs it

    images, labels = load_digits(return_X_y=True)
    images, labels = images.astype(np.uint8), labels.astype(np.int64)
    rng = np.random.default_rng(DIGITS_SPLIT_SEED)
    train, test = hold_out(labels, DIGITS_TEST_SHARE, rng)
    return Source(images[train], labels[train], images[test], labels[test], 10, 16)


def read_idx_set(name: str, root: Path | None) -> Source:
    """The whole of an idx data set.

    Args:
        name: a key of ``IDX_SETS``.
        root: the data folder; None takes the environment variable ``DATA_ENV``.

    Raises:
        MissingDataError: no folder was named, or a file is in none of the places looked in.
        InputError: a file is damaged, the files do not fit together, or they are another set's.
    """
    described = IDX_SETS[name]
    train_images, train_labels, test_images, test_labels = locate(name, root)
    source = Source(
        *_read_pair(train_images, train_labels, described.n_classes),
        *_read_pair(test_images, test_labels, described.n_classes),
        n_classes=described.n_classes,
        grey_max=255,
    )
    if source.train_images.shape[1] != source.test_images.shape[1]:
        raise InputError(
            test_images,
            "pixels an image",
            source.test_images.shape[1],
            f"must be {source.train_images.shape[1]}, as in {train_images.name}",
        )
    _refuse_another_set(name, source, test_labels)
    return source


def locate(name: str, root: Path | None) -> list[Path]:
    """The four files (train images, train labels, test images, test labels), from one folder.

    Looked in, first match wins: ``<root>/<Folder>/raw``, ``<root>/<Folder>``, ``<root>``; a file
    may be unpacked or .gz, and the unpacked one is taken where both are there.

    Raises:
        MissingDataError: no folder was named, or none of the places holds all four files.
    """
    described = IDX_SETS[name]
    if root is None and os.environ.get(DATA_ENV):
        root = Path(os.environ[DATA_ENV])
    if root is None:
        raise MissingDataError(
            name,
            "data folder",
            None,
            f"must be named, with --data or {DATA_ENV}; get its files from {described.obtain}",
        )
    root = root.expanduser()
    places = [root / described.folder / "raw", root / described.folder, root]
    found = [[_file_in(place, file) for file in described.files] for place in places]
    for paths in found:
        complete = [path for path in paths if path is not None]
        if len(complete) == len(described.files):
            return complete
    nearest = min(found, key=lambda paths: paths.count(None))
    missing = [file for file, path in zip(described.files, nearest, strict=True) if path is None]
    raise MissingDataError(
        name,
        "file " + ", ".join(missing),
        "missing",
        f"must be, unpacked or as .gz, in one of {', '.join(map(str, places))}; "
        f"get it from {described.obtain}",
    )


def _file_in(folder: Path, file: str) -> Path | None:
    for path in (folder / file, folder / f"{file}.gz"):
        if path.is_file():
            return path
    return None


def _read_pair(
    images_path: Path, labels_path: Path, n_classes: int
) -> tuple[UInt8[np.ndarray, "images pixels"], Int64[np.ndarray, " images"]]:
    images = idx.read_images(images_path)
    labels = idx.read_labels(labels_path, n_classes)
    if len(images) != len(labels):
        raise InputError(
            labels_path,
            "number of labels",
            len(labels),
            f"must be {len(images)}, the number of images in {images_path.name}",
        )
    return images, labels.astype(np.int64)


def _refuse_another_set(name: str, source: Source, labels_path: Path) -> None:
    for other, described in IDX_SETS.items():
        start = described.first_test_labels
        if other != name and tuple(source.test_labels[: len(start)].tolist()) == start:
            raise InputError(
                labels_path,
                "data set",
                other,
                f"must be {name}: these are the files of {other}, and both sets use these names",
            )
