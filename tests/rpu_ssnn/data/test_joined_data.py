"""Tests MNIST as NeuroSim's manual describes it, and data sets joined from several."""

from pathlib import Path

import numpy as np
import pytest

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.data import sources
from rpu_ssnn.data.joined import read_joined, read_paired
from rpu_ssnn.data.rows import Source
from rpu_ssnn.data.sources import read_idx_set
from support.rpu_ssnn.idx import write_idx_file, write_idx_set_files


@pytest.mark.usefixtures("no_standard_digests")
def test_a_crop_keeps_the_middle(tmp_path: Path) -> None:
    write_idx_set_files(tmp_path, side=26)
    whole = np.asarray(read_idx_set("mnist", tmp_path).train_images).reshape(-1, 26, 26)
    kept = np.asarray(read_idx_set("mnist_20x20_bw", tmp_path).train_images).reshape(-1, 20, 20)
    np.testing.assert_array_equal(kept, np.where(whole[:, 3:23, 3:23] >= 128, 255, 0))


@pytest.mark.usefixtures("no_standard_digests")
@pytest.mark.parametrize("shape", [(19, 19), (20, 21)])
def test_what_is_no_square_or_too_small_is_one_line(shape: tuple[int, int], tmp_path: Path) -> None:
    write_idx_set_files(tmp_path)
    for file in (sources.IDX_SETS["mnist"].files[0], sources.IDX_SETS["mnist"].files[2]):
        write_idx_file(tmp_path / f"{file}.gz", np.zeros((60, *shape)))
    with pytest.raises(InputError, match="must be a square of at least 20 x 20"):
        read_idx_set("mnist_20x20_bw", tmp_path)


def test_the_classes_of_a_joined_set_follow_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def part(name: str, root: Path | None) -> Source:
        first = 0 if name == "mnist" else 100
        images = np.arange(first, first + 6, dtype=np.uint8).reshape(6, 1)
        labels = np.array([0, 1, 2, 0, 1, 2])
        return Source(images[:4], labels[:4], images[4:], labels[4:], (name, "b", "c"), 255)

    monkeypatch.setattr("rpu_ssnn.data.joined.read_idx_set", part)
    both = read_joined("mnist_and_fashion", None)
    assert both.n_classes == 6
    np.testing.assert_array_equal(both.train_labels, [0, 1, 2, 0, 3, 4, 5, 3])
    # The first test images come from both parts.
    np.testing.assert_array_equal(both.test_images[:, 0], [4, 104, 5, 105])
    np.testing.assert_array_equal(both.test_labels, [1, 4, 2, 5])


def test_pairs_hold_each_image_on_both_sides_and_its_label(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.arange(12, dtype=np.uint8).reshape(12, 1)
    labels = np.arange(12, dtype=np.int64) % 3
    single = Source(images[:8], labels[:8], images[8:], labels[8:], ("a", "b", "c"), 255)
    monkeypatch.setattr("rpu_ssnn.data.joined.read_idx_set", lambda name, root: single)
    paired = read_paired("mnist_pairs", None)
    assert paired.class_names[5] == "b c"
    for rows, found, first in (
        (np.asarray(paired.train_images), paired.train_labels, 0),
        (np.asarray(paired.test_images), paired.test_labels, 8),
    ):
        np.testing.assert_array_equal(rows[:, 0], first + np.arange(len(rows)))
        np.testing.assert_array_equal(np.sort(rows[:, 1]), first + np.arange(len(rows)))
        np.testing.assert_array_equal(found, 3 * (rows[:, 0] % 3) + rows[:, 1] % 3)
