"""Tests how data sets are read, drawn and split, and the errors for bad arguments."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rpu_ssnn.data import Dataset, load_dataset
from rpu_ssnn.data.idx import read_images
from rpu_ssnn.data.sources import read_idx_set
from rpu_ssnn.data.split import hold_out
from support.commands import refused
from support.rpu_ssnn.idx import WriteIdxSet


def load(name: str, root: Path | None = None, **changes: Any) -> Dataset:
    arguments: dict = {"n_train": None, "n_test": None, "validation_share": 0.0, "seed": 0}
    return load_dataset(name, root, **(arguments | changes))


def rows(images: np.ndarray, labels: np.ndarray) -> list[bytes]:
    """Returns the labelled images as sorted byte strings, for comparison."""
    pairs = zip(images, labels, strict=True)
    return sorted(bytes([label]) + image.tobytes() for image, label in pairs)


def class_counts(labels: np.ndarray) -> list[int]:
    return np.bincount(labels, minlength=10).tolist()


def test_each_image_has_a_label() -> None:
    data = load("digits", n_train=20)
    with refused("digits: number of train_labels: 5", "must be 20"):
        replace(data, train_labels=data.train_labels[:5])


# --- digits


def test_digits_stay_the_same_data() -> None:
    # Rows of past results name this digest, so a change of numpy or scikit-learn that alters the
    # data must be noticed.
    assert load("digits", validation_share=0.1).digest == "39789e725463c3d7"


# --- what is drawn, and what is held out


def test_validation_is_held_out_of_the_drawn(tmp_path: Path, write_idx_set: WriteIdxSet) -> None:
    write_idx_set(tmp_path, n_train=200)
    whole = load("mnist", tmp_path, n_train=100, seed=3)
    split = load("mnist", tmp_path, n_train=100, seed=3, validation_share=0.2)
    assert (len(split.train_labels), len(split.validation_labels)) == (80, 20)
    assert len(whole.validation_labels) == 0
    assert whole.validation_images.shape == (0, 16)
    assert rows(
        np.concatenate([split.train_images, split.validation_images]),
        np.concatenate([split.train_labels, split.validation_labels]),
    ) == rows(whole.train_images, whole.train_labels)
    assert np.array_equal(split.test_images, whole.test_images)


def test_hold_out_takes_the_same_share_of_every_class() -> None:
    labels = np.repeat([0, 1, 2, 5], [70, 30, 9, 1])
    np.random.default_rng(0).shuffle(labels)
    kept, held = hold_out(labels, 0.2, np.random.default_rng(0))
    assert sorted([*kept, *held]) == list(range(110))
    assert np.bincount(labels[held], minlength=6).tolist() == [14, 6, 2, 0, 0, 0]
    other = hold_out(labels, 0.2, np.random.default_rng(1))[1]
    assert not np.array_equal(held, other)


def test_train_images_follow_the_seed_alone(tmp_path: Path, write_idx_set: WriteIdxSet) -> None:
    write_idx_set(tmp_path, n_train=60, n_test=20)
    in_file_order = read_images(tmp_path / "t10k-images-idx3-ubyte.gz").reshape(20, -1)
    one, again, two = (load("mnist", tmp_path, n_train=30, n_test=7, seed=s) for s in (1, 1, 2))
    assert np.array_equal(one.test_images, in_file_order[:7])
    assert np.array_equal(two.test_images, in_file_order[:7])
    assert np.array_equal(one.train_images, again.train_images)
    assert rows(one.train_images, one.train_labels) != rows(two.train_images, two.train_labels)
    # A smaller draw is the start of a larger one.
    fewer = load("mnist", tmp_path, n_train=10, n_test=7, seed=1)
    assert np.array_equal(fewer.train_images, one.train_images[:10])


def test_digest_tells_any_difference_in_data(tmp_path: Path, write_idx_set: WriteIdxSet) -> None:
    root, plain, other = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    write_idx_set(root)
    write_idx_set(plain, gz=False)
    write_idx_set(other, seed=1)
    base = load("mnist", root).digest
    assert re.fullmatch("[0-9a-f]{16}", base)
    assert base == load("mnist", root).digest == load("mnist", plain).digest
    different = [
        load("mnist", other).digest,
        load("mnist", root, seed=1).digest,
        load("mnist", root, n_train=59).digest,
        load("mnist", root, n_test=19).digest,
        load("mnist", root, validation_share=0.1).digest,
    ]
    assert len({base, *different}) == 6


# --- bad arguments


@pytest.mark.parametrize(
    "bad",
    [
        {"n_train": 0},
        {"n_train": 1439},
        {"n_test": 10.5},
        {"validation_share": 0.51},
        {"validation_share": float("nan")},
        {"validation_share": 0.01, "n_train": 20},
        {"seed": -1},
        {"seed": "1"},
        {"time": "shuffled"},
    ],
)
def test_bad_argument(bad: dict[str, Any]) -> None:
    field, value = next(iter(bad.items()))
    with refused("digits", f"{field}: {value!r}"):
        load("digits", **bad)


# --- the real files


@pytest.mark.parametrize(
    ("name", "first_labels", "mean_grey"),
    # First training labels as published; mean grey levels 0.1307 and 0.2860 of 255.
    [("mnist", [5, 0, 4, 1, 9, 2], 0.1307), ("fashion_mnist", [9, 0, 0, 3, 0, 2], 0.2860)],
)
def test_real_files(data_root: Path, name: str, first_labels: list[int], mean_grey: float) -> None:
    data = load(name, data_root, validation_share=0.1)
    assert data.train_images.shape == (54_000, 784)
    assert data.validation_images.shape == (6_000, 784)
    assert data.test_images.shape == (10_000, 784)
    assert class_counts(data.test_labels) == (
        [1000] * 10
        if name == "fashion_mnist"
        else [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    )
    training = np.concatenate([data.train_images, data.validation_images])
    assert training.mean() / data.grey_max == pytest.approx(mean_grey, abs=5e-5)
    assert read_idx_set(name, data_root).train_labels[:6].tolist() == first_labels


def test_real_sets_are_told_apart(data_root: Path) -> None:
    with refused("digest of fashion_mnist"):
        load("fashion_mnist", data_root / "MNIST" / "raw")
    with refused("digest of mnist"):
        load("mnist", data_root / "FashionMNIST" / "raw")
