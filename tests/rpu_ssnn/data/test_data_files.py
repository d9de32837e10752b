"""Tests where idx files are looked for, and the errors for damaged ones."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from rpu_ssnn.data import DATA_ENV, IDX_SETS, Dataset, MissingDataError, load_dataset
from rpu_ssnn.data.idx import read_images, read_labels
from support.commands import refused
from support.rpu_ssnn.idx import WriteIdx, WriteIdxSet, idx_bytes


def load(name: str, root: Path | None = None) -> Dataset:
    return load_dataset(name, root, n_train=None, n_test=None, validation_share=0.0, seed=0)


# --- where files are looked for


@pytest.mark.parametrize("gz", [True, False])
@pytest.mark.parametrize(
    ("name", "place"),
    [("mnist", "MNIST/raw"), ("mnist", "MNIST"), ("mnist", "."), ("fashion_mnist", "FashionMNIST")],
)
def test_files_are_found(
    tmp_path: Path, write_idx_set: WriteIdxSet, name: str, place: str, gz: bool
) -> None:
    write_idx_set(tmp_path / place, name, gz=gz)
    data = load(name, tmp_path)
    assert data.train_images.shape == (60, 16)
    assert data.image_shape == (4, 4, 1)


def test_a_missing_file_is_named(tmp_path: Path, write_idx_set: WriteIdxSet) -> None:
    raw = write_idx_set(tmp_path / "FashionMNIST" / "raw", "fashion_mnist")
    (raw / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(MissingDataError, match=f"t10k-labels-idx1-ubyte.*{tmp_path}"):
        load("fashion_mnist", tmp_path)


def test_argument_goes_before_environment(
    tmp_path: Path, write_idx_set: WriteIdxSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_idx_set(tmp_path / "named", n_train=30)
    write_idx_set(tmp_path / "environment", n_train=40)
    monkeypatch.setenv(DATA_ENV, str(tmp_path / "environment"))
    assert len(load("mnist").train_labels) == 40
    assert len(load("mnist", tmp_path / "named").train_labels) == 30


def test_without_a_folder_it_says_how_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA_ENV, "")  # An empty value does not name a folder.
    with refused("mnist: data folder", DATA_ENV):
        load("mnist")
    monkeypatch.setenv(DATA_ENV, "/no/images")
    with refused(f"environment: {DATA_ENV}: '/no/images'", "an existing folder"):
        load("mnist")
    monkeypatch.setenv(DATA_ENV, "~nosuchuser/images")
    with refused(f"environment: {DATA_ENV}: '~nosuchuser/images'"):
        load("mnist")


# --- damaged files

IMAGES = idx_bytes(np.arange(2 * 3 * 3).reshape(2, 3, 3))
PACKED = gzip.compress(IMAGES, mtime=0)


@pytest.mark.parametrize(
    "content",
    [
        b"", idx_bytes(np.arange(3)), b"\0\0\x0d\3" + IMAGES[4:], PACKED, IMAGES[:9], IMAGES[:-1],
        IMAGES + b"\0", b"\0\0\x08\3" + b"\xff" * 12, idx_bytes(np.zeros((0, 3, 3))),
    ],
)  # fmt: skip
def test_damaged_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "images"
    path.write_bytes(content)
    with refused(str(path)):
        read_images(path)


@pytest.mark.parametrize(
    "content",
    [
        IMAGES, b"", PACKED[:-12], PACKED[:-8] + b"\0" * 8, PACKED[:10] + b"\xff" * 20,
        gzip.compress(IMAGES[:-1], mtime=0),
    ],
)  # fmt: skip
def test_damaged_gzip_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(content)
    with refused(str(path)):
        read_images(path)


def test_label_out_of_range(tmp_path: Path, write_idx: WriteIdx) -> None:
    path = write_idx(tmp_path / "labels", np.array([9, 0, 10, 11]))
    with refused(str(path), "label 2: 10", "from 0 to 9"):
        read_labels(path, 10)
    assert read_labels(path, 12).tolist() == [9, 0, 10, 11]


def test_images_fit_labels(tmp_path: Path, write_idx_set: WriteIdxSet, write_idx: WriteIdx) -> None:
    write_idx_set(tmp_path, gz=False)
    write_idx(tmp_path / "train-labels-idx1-ubyte", np.arange(59) % 10)
    with refused("train-labels-idx1-ubyte", "number of labels: 59", "must be 60"):
        load("mnist", tmp_path)
    write_idx_set(tmp_path, gz=False)
    write_idx(tmp_path / "t10k-images-idx3-ubyte", np.zeros((20, 5, 5)))
    with refused("t10k-images-idx3-ubyte", "rows and columns: [5, 5]", "must be [4, 4]"):
        load("mnist", tmp_path)


# --- EMNIST Balanced


def write_emnist(folder: Path, images: np.ndarray, labels: np.ndarray, n_test: int) -> None:
    """Writes the four files in NIST's form, with each image stored column by column."""
    described = IDX_SETS["emnist_balanced"]
    stored = images.transpose(0, 2, 1)
    for images_file, labels_file, part in (
        (*described.files[:2], slice(n_test, None)),
        (*described.files[2:], slice(n_test)),
    ):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{images_file}.gz").write_bytes(gzip.compress(idx_bytes(stored[part]), mtime=0))
        (folder / f"{labels_file}.gz").write_bytes(gzip.compress(idx_bytes(labels[part]), mtime=0))


def test_emnist_images_stand_upright_and_keep_their_labels(tmp_path: Path) -> None:
    images = np.zeros((60, 6, 5), dtype=np.uint8)
    images[:, 0, :] = 200  # A bar at the top and a bar at the left make an upside-down L.
    images[:, :, 0] = np.arange(60)[:, None]
    write_emnist(tmp_path / "EMNIST" / "raw", images, np.arange(60) % 47, n_test=10)
    data = load("emnist_balanced", tmp_path)
    assert data.n_classes == 47
    assert (len(data.train_labels), len(data.test_labels)) == (50, 10)
    assert data.image_shape == (6, 5, 1)
    upright = data.test_images.reshape(10, 6, 5)
    assert (upright[:, 0, 1:] == 200).all()
    assert (upright[:, 1:, 1:] == 0).all()
    np.testing.assert_array_equal(upright[:, 3, 0], np.arange(10))
    number = data.train_images.reshape(50, 6, 5)[:, 3, 0]
    np.testing.assert_array_equal(number % 47, data.train_labels)


def test_the_paper_s_emnist_split_draws_from_both_files(tmp_path: Path) -> None:
    n = 131_600
    number = np.arange(n, dtype=">u4")[:, None].view(np.uint8).reshape(n, 2, 2)
    write_emnist(tmp_path, number, np.arange(n) % 47, n_test=18_800)
    standard, paper = (load(name, tmp_path) for name in ("emnist_balanced", "emnist_balanced_120k"))
    assert (len(standard.train_labels), len(standard.test_labels)) == (112_800, 18_800)
    assert (len(paper.train_labels), len(paper.test_labels)) == (120_000, 10_000)
    numbers = [
        np.ascontiguousarray(images).view(">u4")[:, 0]
        for images in (paper.train_images, paper.test_images)
    ]
    assert len(np.unique(np.concatenate(numbers))) == 130_000
    np.testing.assert_array_equal(numbers[0] % 47, paper.train_labels)
    np.testing.assert_array_equal(numbers[1] % 47, paper.test_labels)
    assert (numbers[1] < 18_800).any()
    assert (numbers[1] >= 18_800).any()
    again = load_dataset(
        "emnist_balanced_120k", tmp_path, n_train=None, n_test=None, validation_share=0.0, seed=9
    )
    np.testing.assert_array_equal(again.test_images, paper.test_images)


def test_too_few_emnist_images_for_the_paper_s_split(tmp_path: Path) -> None:
    write_emnist(tmp_path, np.zeros((60, 2, 2), dtype=np.uint8), np.arange(60) % 47, n_test=10)
    with refused("emnist-balanced-train-images", "60"):
        load("emnist_balanced_120k", tmp_path)
