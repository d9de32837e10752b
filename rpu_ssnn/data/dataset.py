"""``load_dataset``: the training, validation and test images one unit of a study uses."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt8

from rpu_ssnn.common.errors import InputError, one_of
from rpu_ssnn.data.sources import DATASET_NAMES, Source, read_digits, read_idx_set
from rpu_ssnn.data.split import hold_out

MAX_VALIDATION_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images as raw grey levels, flattened row by row; a pixel's rate is image / ``grey_max``.

    Args:
        class_names: of label 0, 1 and so on.
        grey_max: the grey level of full rate, 16 (digits) or 255.
        digest: 16 hexadecimal digits of the SHA-256 over all images and labels below, their
            order and their split: equal digests mean the very same data.
    """

    name: str
    train_images: UInt8[np.ndarray, "train pixels"]
    train_labels: Int64[np.ndarray, " train"]
    validation_images: UInt8[np.ndarray, "validation pixels"]
    validation_labels: Int64[np.ndarray, " validation"]
    test_images: UInt8[np.ndarray, "test pixels"]
    test_labels: Int64[np.ndarray, " test"]
    class_names: tuple[str, ...]
    grey_max: int
    digest: str

    @property
    def n_classes(self) -> int:
        """Labels run from 0 to one below it."""
        return len(self.class_names)


def load_dataset(
    name: str,
    root: Path | None = None,
    *,
    n_train: int | None,
    n_test: int | None,
    validation_share: float,
    seed: int,
) -> Dataset:
    """Loads a data set and holds a stratified validation split out of its training images.

    The training images are put in an order drawn from ``seed``, and the first ``n_train`` of them
    are what training *and* validation share: ``round(validation_share * n_train)`` of these are
    held out, the rest train. The test images are the first ``n_test`` of the test file, whatever
    the seed; nothing may be chosen by them.

    Args:
        name: one of ``DATASET_NAMES``.
        root: the folder with the idx files; None takes the environment variable RPU_SSNN_DATA.
            ``digits`` comes with scikit-learn and needs neither.
        n_train: how many training images to draw from, None for all.
        n_test: how many test images to use, None for all.
        validation_share: the part of the drawn images to hold out, 0 (none) to 0.5.
        seed: draws the training images, their order and the split; not negative.

    Raises:
        InputError: an argument is out of its range, or a file is missing, damaged or does not fit.
    """
    if name not in DATASET_NAMES:
        raise InputError("load_dataset", "name", name, one_of(DATASET_NAMES, name))
    if not 0 <= validation_share <= MAX_VALIDATION_SHARE:
        raise InputError(
            name, "validation_share", validation_share, f"must be from 0 to {MAX_VALIDATION_SHARE}"
        )
    if seed < 0:
        raise InputError(name, "seed", seed, "must not be negative")
    _check_count(name, "n_train", n_train)
    _check_count(name, "n_test", n_test)
    source = read_digits() if name == "digits" else read_idx_set(name, root)
    _check_count(name, "n_train", n_train, len(source.train_images))
    _check_count(name, "n_test", n_test, len(source.test_images))

    rng = np.random.default_rng(seed)
    drawn = rng.permutation(len(source.train_images))[:n_train]
    kept, held = hold_out(source.train_labels[drawn], validation_share, rng)
    if validation_share > 0 and held.size == 0:
        raise InputError(
            name,
            "validation_share",
            validation_share,
            f"holds out none of {len(drawn)} images: must be 0, or larger, or n_train larger",
        )
    return _assemble(name, source, drawn[kept], drawn[held], n_test)


def _assemble(
    name: str,
    source: Source,
    train: Int64[np.ndarray, " train"],
    validation: Int64[np.ndarray, " validation"],
    n_test: int | None,
) -> Dataset:
    train_images, train_labels = source.train_images[train], source.train_labels[train]
    validation_images = source.train_images[validation]
    validation_labels = source.train_labels[validation]
    test_images, test_labels = source.test_images[:n_test], source.test_labels[:n_test]
    return Dataset(
        name=name,
        train_images=train_images,
        train_labels=train_labels,
        validation_images=validation_images,
        validation_labels=validation_labels,
        test_images=test_images,
        test_labels=test_labels,
        class_names=source.class_names,
        grey_max=source.grey_max,
        digest=_digest(
            train_images,
            train_labels,
            validation_images,
            validation_labels,
            test_images,
            test_labels,
        ),
    )


def _digest(*arrays: np.ndarray) -> str:
    total = hashlib.sha256()
    for array in arrays:
        # The shape keeps apart what the bytes alone would run together, such as two splits.
        total.update(repr(array.shape).encode())
        total.update(np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"))))
    return total.hexdigest()[:16]


def _check_count(name: str, field: str, count: int | None, there: int | None = None) -> None:
    if count is None:
        return
    if count < 1:
        raise InputError(name, field, count, "must be at least 1, or left out for all images")
    if there is not None and count > there:
        raise InputError(name, field, count, f"must be at most {there}, the images there are")
