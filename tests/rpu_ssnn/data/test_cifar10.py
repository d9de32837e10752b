"""Tests CIFAR-10 from the original files and from JPEGs, with hand-made files of both kinds."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rpu_ssnn.data import Dataset, MissingDataError, load_dataset, set_facts
from rpu_ssnn.data.cifar10 import TEST_FILE, TRAIN_FILES
from support.commands import refused

RNG = np.random.default_rng(6)
COARSE = RNG.integers(0, 256, (60, 2, 2, 3)).astype(np.uint8)
IMAGES = COARSE.repeat(16, axis=1).repeat(16, axis=2)
"""Images [n, row, column, colour] of four plain squares, which JPEG keeps within a few levels."""
LABELS = (np.arange(60) % 10).astype(np.uint8)


def load(root: Path) -> Dataset:
    return load_dataset("cifar10", root, validation_share=0.0, seed=0)


def write_binary(folder: Path) -> None:
    """Writes files of ten images, each as its label and its three colour planes."""
    folder.mkdir(exist_ok=True)
    for place, name in enumerate((*TRAIN_FILES, TEST_FILE)):
        rows = range(10 * place, 10 * place + 10)
        planes = (
            [LABELS[n].tobytes(), *(IMAGES[n, ..., c].tobytes() for c in range(3))] for n in rows
        )
        (folder / name).write_bytes(b"".join(b"".join(one) for one in planes))


def jpeg(image: np.ndarray) -> bytes:
    packed = io.BytesIO()
    Image.fromarray(image).save(packed, format="JPEG", quality=95, subsampling=0)
    return packed.getvalue()


def write_jpegs(path: Path, **changes: object) -> None:
    arrays: dict[str, object] = {}
    for part, chosen in (("train", slice(50)), ("test", slice(50, 60))):
        files = [jpeg(image) for image in IMAGES[chosen]]
        arrays[f"{part}_jpeg"] = np.frombuffer(b"".join(files), dtype=np.uint8)
        arrays[f"{part}_start"] = np.cumsum([0, *map(len, files)])
        arrays[f"{part}_labels"] = LABELS[chosen]
    np.savez(path, **(arrays | changes))  # type: ignore[arg-type]


def test_original_files_go_before_jpegs_and_both_hold_the_same_images(tmp_path: Path) -> None:
    write_jpegs(tmp_path / "cifar10_jpeg.npz")
    assert set_facts("cifar10", tmp_path).counts == (50, 10)
    copies = load(tmp_path)
    write_binary(tmp_path / "cifar-10-batches-bin")
    assert set_facts("cifar10", tmp_path).counts == (50, 10)
    data = load(tmp_path)
    assert data.image_shape == (32, 32, 3)
    np.testing.assert_array_equal(data.test_images, IMAGES[50:].reshape(10, -1))
    np.testing.assert_array_equal(data.test_labels, LABELS[50:])
    np.testing.assert_array_equal(copies.train_labels, data.train_labels)
    np.testing.assert_allclose(
        np.asarray(copies.train_images, float), np.asarray(data.train_images, float), atol=4
    )
    assert ("original" in data.copy, "JPEG" in copies.copy) == (True, True)
    assert data.digest != copies.digest


def test_files_that_are_missing_or_damaged_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"data_batch_1\.bin.*cifar10_jpeg\.npz"):
        load(tmp_path)
    write_binary(tmp_path)
    path = tmp_path / TRAIN_FILES[2]
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    with refused(str(path), "bytes: 30729", "multiple of 3073"):
        load(tmp_path)
    path.write_bytes(b"\x0b" + content[1:])
    with refused(str(path), "label 0: 11", "from 0 to 9"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"train_labels": LABELS[:49]}, "train_start"),
        ({"test_start": np.arange(11) * 2}, "test_start"),
        ({"train_jpeg": np.zeros(50, np.uint8), "train_start": np.arange(51)}, "train_jpeg 0"),
        ({"test_labels": np.full(10, 10)}, "label 0: 10"),
    ],
)
def test_damaged_archives(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    path = tmp_path / "cifar10_jpeg.npz"
    write_jpegs(path, **changes)
    with refused(str(path), said):
        load(tmp_path)


def test_a_jpeg_of_another_size_is_refused(tmp_path: Path) -> None:
    file = jpeg(np.zeros((40, 32, 3), np.uint8))
    changed = {"test_jpeg": np.frombuffer(file, np.uint8), "test_start": np.array([0, len(file)])}
    write_jpegs(tmp_path / "cifar10_jpeg.npz", **changed, test_labels=LABELS[:1])
    with refused("test_jpeg 0", "(32, 40)", "32 x 32"):
        load(tmp_path)


@pytest.mark.slow
def test_the_real_copies(data_root: Path) -> None:
    if not (data_root / "cifar10_jpeg.npz").is_file():
        pytest.skip("the copies are not there")
    data = load(data_root)
    assert data.train_images.shape == (50_000, 3072)
    assert np.bincount(data.test_labels).tolist() == [1000] * 10
    colours = np.asarray(data.train_images).reshape(-1, 3).mean(axis=0) / 255
    # Mean red, green and blue of the original training images.
    assert colours == pytest.approx([0.4914, 0.4822, 0.4465], abs=2e-3)
