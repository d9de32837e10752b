"""Where each named data set comes from: bundled with scikit-learn, or idx files in a folder."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt8

from rpu_ssnn.common.errors import require
from rpu_ssnn.data import idx
from rpu_ssnn.data.digest import digest_of
from rpu_ssnn.data.folders import find_files
from rpu_ssnn.data.rows import Source
from rpu_ssnn.data.split import hold_out

DIGITS_TEST_SHARE = 0.2
DIGITS_SPLIT_SEED = 20170
"""The seed that chooses which digits are test images, the same for every study."""


@dataclass(frozen=True)
class IdxSet:
    """Describes a data set of four idx files.

    Attributes:
        folder: the name that torchvision gives its folder.
        class_names: the names of the labels 0, 1 and so on.
        obtain: where its files come from, in words.
        transposed: whether the files hold each image column by column.
        crop: the side of the central part of the (square) images that is kept; None keeps all.
        black_from: the grey level from which a pixel is 255, and below which it is 0; None keeps
            grey levels as they are.
        resplit: the numbers of training and test images to draw from both files together, the same
            for every study and seed; None keeps the split of the files.
        files: the names of the files of training images and labels, test images and labels.
    """

    folder: str
    class_names: tuple[str, ...]
    obtain: str
    transposed: bool = False
    crop: int | None = None
    black_from: int | None = None
    resplit: tuple[int, int] | None = None
    files: tuple[str, ...] = (
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    )


_EMNIST_BALANCED = IdxSet(
    folder="EMNIST",
    # Letters whose two cases look alike are one class, named by the capital (Cohen et al. 2017).
    class_names=tuple("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt"),
    obtain="NIST's page 'The EMNIST Dataset' (gzip.zip holds the idx files)",
    transposed=True,
    files=(
        "emnist-balanced-train-images-idx3-ubyte",
        "emnist-balanced-train-labels-idx1-ubyte",
        "emnist-balanced-test-images-idx3-ubyte",
        "emnist-balanced-test-labels-idx1-ubyte",
    ),
)

EMNIST_SPLIT_SEED = 20170
"""The seed that stands in for the paper's own split of EMNIST, which the paper does not list."""

_MNIST = IdxSet(
    folder="MNIST",
    class_names=tuple("0123456789"),
    obtain="Yann LeCun's page 'The MNIST database of handwritten digits'",
)

IDX_SETS = {
    "mnist": _MNIST,
    # As in NeuroSim's manual: cropped to 20 x 20, black and white.
    "mnist_20x20_bw": replace(_MNIST, crop=20, black_from=128),
    "fashion_mnist": IdxSet(
        folder="FashionMNIST",
        class_names=(
            *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
            *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        ),
        obtain="Zalando Research's repository 'fashion-mnist'",
    ),
    "emnist_balanced": _EMNIST_BALANCED,
    "emnist_balanced_120k": replace(_EMNIST_BALANCED, resplit=(120_000, 10_000)),
}

STANDARD_DIGESTS = {"mnist": "91a9d5192603160c", "fashion_mnist": "6c3b2f37fab2b032"}
"""The digest of the training and test images and labels of each set that could be obtained."""


def read_digits() -> Source:
    """Returns scikit-learn's 1797 scanned digits of 8 x 8 pixels with grey levels from 0 to 16.

    They come without a test set; a fixed, stratified share of them (``DIGITS_TEST_SHARE``) serves
    as one.
    """
    from sklearn.datasets import load_digits  # only this set needs this slow import

    images, labels = load_digits(return_X_y=True)
    images, labels = images.astype(np.uint8), labels.astype(np.int64)
    rng = np.random.default_rng(DIGITS_SPLIT_SEED)
    train, test = hold_out(labels, DIGITS_TEST_SHARE, rng)
    names = tuple("0123456789")
    return Source(images[train], labels[train], images[test], labels[test], names, 16, (8, 8))


def read_idx_set(name: str, root: Path | None) -> Source:
    """Returns the whole of an idx data set.

    Args:
        name: a key of ``IDX_SETS``.
        root: the data folder; None uses the environment variable ``DATA_ENV``.

    Raises:
        MissingDataError: no folder was named, or a file is in none of the places searched.
        InputError: a file is damaged, the files do not fit together, or they belong to another set.
    """
    described = IDX_SETS[name]
    folders = f"{described.folder}/raw", described.folder, ""
    obtain = f"get the files from {described.obtain}"
    found = find_files(name, root, folders, described.files, obtain)
    train_images, train_labels, test_images, test_labels = found
    train, labels = _read_pair(train_images, train_labels, described)
    test, tested = _read_pair(test_images, test_labels, described)
    shape, tested_shape = train.shape[1:], test.shape[1:]
    allowed = f"must be {list(shape)}, as in {train_images.name}"
    require(tested_shape == shape, test_images, "rows and columns", list(tested_shape), allowed)
    images = (part.reshape(len(part), -1) for part in (train, test))
    names = described.class_names
    source = Source(next(images), labels, next(images), tested, names, 255, shape)
    _refuse_changed_set(name, source, train_images)
    if described.resplit is not None:
        return _resplit(source, *described.resplit, train_images)
    return source


def _resplit(source: Source, n_train: int, n_test: int, path: Path) -> Source:
    images = np.concatenate([source.train_images, source.test_images])
    labels = np.concatenate([source.train_labels, source.test_labels])
    needed, found = n_train + n_test, len(labels)
    allowed = f"must be at least {needed}, counted with those of the test file"
    require(found >= needed, path, "number of images", found, allowed)
    order = np.random.default_rng(EMNIST_SPLIT_SEED).permutation(len(labels))
    train, test = order[:n_train], order[n_train : n_train + n_test]
    return replace(
        source,
        train_images=images[train],
        train_labels=labels[train],
        test_images=images[test],
        test_labels=labels[test],
    )


def _read_pair(
    images_path: Path, labels_path: Path, described: IdxSet
) -> tuple[UInt8[np.ndarray, "images rows columns"], Int64[np.ndarray, " images"]]:
    images = idx.read_images(images_path)
    if described.transposed:
        images = images.transpose(0, 2, 1)
    if described.crop is not None:
        images = _cropped(images, described.crop, images_path)
    if described.black_from is not None:
        images = np.where(images >= described.black_from, 255, 0).astype(np.uint8)
    labels = idx.read_labels(labels_path, len(described.class_names))
    n, found = len(images), len(labels)
    allowed = f"must be {n}, the number of images in {images_path.name}"
    require(found == n, labels_path, "number of labels", found, allowed)
    return np.ascontiguousarray(images), labels.astype(np.int64)


def _cropped(
    images: UInt8[np.ndarray, "images rows columns"], kept: int, path: Path
) -> UInt8[np.ndarray, "images kept kept"]:
    """Returns the middle of each of the square images."""
    _, side, columns = images.shape
    allowed = f"must be a square of at least {kept} x {kept} pixels, to be cropped to this size"
    require(kept <= side == columns, path, "rows and columns", [side, columns], allowed)
    first = (side - kept) // 2
    middle = slice(first, first + kept)
    return images[:, middle, middle]


def _refuse_changed_set(name: str, source: Source, path: Path) -> None:
    """Refuses other images under the name of a standard set, since result rows would carry that
    name."""
    parts = source.train_images, source.train_labels, source.test_images, source.test_labels
    if name in STANDARD_DIGESTS:
        found, standard = digest_of(*parts), STANDARD_DIGESTS[name]
        allowed = (
            f"must be {standard}, as of the standard {name}; to use these files as your own set, "
            f"write dataset: {{name: my_set, file: {path.parent}}}"
        )
        require(found == standard, path.parent, f"digest of {name}", found, allowed)
