"""Tests user-defined data: formats, the split, the scale, and the one-line errors."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rpu_ssnn.data import load_dataset
from rpu_ssnn.data.user_data import file_digest, read_own
from rpu_ssnn.data_spec import OwnData
from rpu_ssnn.network.inputs import input_lines
from support.rpu_ssnn.idx import WriteIdx
from support.rpu_ssnn.own_data import load, refused, write_npz

RNG = np.random.default_rng(3)
X = RNG.uniform(-1.0, 1.0, (60, 4, 4))
Y = np.array(["cat", "dog", "eel"])[np.arange(60) % 3]


@pytest.fixture
def npz(tmp_path: Path) -> Path:
    return write_npz(tmp_path / "mine.npz", (X, Y))


def test_an_archive_is_split_and_scaled_by_its_training_rows(npz: Path) -> None:
    own = OwnData(file=npz, test_share=0.2)
    data = load(own, validation_share=0.25)
    assert data.class_names == ("cat", "dog", "eel")
    parts = data.train_labels, data.validation_labels, data.test_labels
    assert [len(part) for part in parts] == [36, 12, 12]
    assert np.bincount(data.test_labels).tolist() == [4, 4, 4]
    assert data.shape == (4, 4)
    assert data.train_images.shape == (36, 16)
    assert (data.train_images.min(), data.train_images.max()) == (0.0, 1.0)
    assert load(own, seed=5).test_labels.tolist() == load(own).test_labels.tolist()
    assert load(own).digest == load(own).digest != load(own, seed=5).digest
    assert data.zero[0] == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("rows", "given", "found"),
    [
        (X, None, (4, 4, 1)),
        (X.reshape(60, 4, 2, 2), None, (4, 2, 2)),
        (X.reshape(60, 16), None, None),
        (X.reshape(60, 16), (2, 4, 2), (2, 4, 2)),
    ],
)
def test_arrays_have_the_shape_of_an_image_or_are_given_one(
    tmp_path: Path, rows: np.ndarray, given: tuple[int, int, int] | None, found: object
) -> None:
    path = write_npz(tmp_path / "m.npz", (rows, Y))
    data = load(OwnData(file=path, test_share=0.5, shape=given))
    assert data.image_shape == found
    assert data.train_images.shape == (30, 16)


def test_a_shape_of_another_size_is_refused(npz: Path) -> None:
    with refused("m", "dataset.shape", "[3, 5, 1]", "16 values"):
        load(OwnData(file=npz, test_share=0.5, shape=(3, 5, 1)))


def test_some_test_rows_of_a_sorted_file_are_of_all_classes(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "m.npz", (X, np.sort(Y)))
    own = OwnData(file=path, test_share=0.5)
    data = load(own, n_test=9)
    assert np.bincount(data.test_labels).tolist() == [3, 3, 3]
    assert load(own, n_test=9, seed=4).test_labels.tolist() == data.test_labels.tolist()
    everything = np.asarray(load(own).test_images).tolist()
    assert np.asarray(load(own, n_test=30).test_images).tolist() == everything


def test_what_is_held_out_has_no_part_in_the_scale(tmp_path: Path) -> None:
    x_train, x_test = np.array([[0.0], [1.0], [2.0]]), np.array([[9.0], [-9.0]])
    path = tmp_path / "m.npz"
    np.savez(path, X_train=x_train, y_train=[0, 1, 0], X_test=x_test, y_test=[1, 0])
    data = load(OwnData(file=path))
    assert sorted(np.ravel(data.train_images)) == [0.0, 0.5, 1.0]
    assert np.ravel(data.test_images).tolist() == [1.0, 0.0]
    with refused("m.npz: index [0, 0]: 9.0", "0 to 2"):
        load(OwnData(file=path, range=(0.0, 2.0)))


def test_arrays_may_have_the_names_of_other_libraries(tmp_path: Path) -> None:
    np.savez(tmp_path / "whole.npz", images=X, labels=Y)
    data = load(OwnData(file=tmp_path / "whole.npz", test_share=0.2))
    assert len(data.train_labels) + len(data.test_labels) == len(Y)
    halves = {"train_images": X[::2], "train_labels": Y[::2]}
    halves |= {"test_images": X[1::2], "test_labels": Y[1::2]}
    np.savez(tmp_path / "m.npz", **halves)
    assert len(load(OwnData(file=tmp_path / "m.npz")).test_labels) == len(Y[1::2])


def test_a_value_beyond_the_range_is_named_by_file_row_and_column(tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    lines = [f"{n % 2},{n % 3},{n % 2}" for n in range(20)]
    file.write_text("\n".join(["label,a,b", *lines[:6], "1,1,5", *lines[6:]]))
    with refused("m.csv: data row 7, column b: 5.0", "0 to 2"):
        load(OwnData(file=file, test_share=0.5, range=(0.0, 2.0)))


def test_a_range_that_the_values_hardly_fill_is_refused(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "shares.npz", ((X + 1) / 2, Y))
    with refused("shares.npz", "dataset.range", "[0.0, 255.0]"):
        load(OwnData(file=path, test_share=0.5, range=(0.0, 255.0)))
    load(OwnData(file=path, test_share=0.5, range=(0.0, 50.0)))


def test_each_column_may_have_its_own_scale(tmp_path: Path) -> None:
    x = np.array([[0.0, 100.0], [1.0, 300.0], [2.0, 500.0]])
    path = write_npz(tmp_path / "m.npz", (x, [0, 1, 0]), (x[::-1], [0, 1, 0]))
    data = load(OwnData(file=path, range="each"))
    assert np.asarray(data.test_images).tolist() == [[1, 1], [0.5, 0.5], [0, 0]]


def test_signed_data_take_two_lines_a_value(npz: Path) -> None:
    data = load(OwnData(file=npz, test_share=0.2, range=(-1.0, 1.0)))
    inputs = input_lines("signed", data)
    shares = inputs.shares(data.test_images)
    assert inputs.lines == 32
    value = 2 * np.asarray(data.test_images) - 1
    assert np.allclose(shares[:, :16], np.maximum(value, 0), atol=1e-6)
    assert np.allclose(shares[:, 16:], np.maximum(-value, 0), atol=1e-6)
    digits = load_dataset("digits", n_train=50, n_test=9, validation_share=0.0, seed=0)
    with refused("network.encoding.contrast", "'signed'"):
        input_lines("signed", digits)


def test_a_signed_line_holds_its_value_over_the_largest_of_its_column(tmp_path: Path) -> None:
    """This also holds if a column has values of one sign; a constant column drives no line."""
    x = np.array([[-1.0, 5.0, -10.0, -4.0], [1.0, 10.0, -5.0, -4.0], [0.5, 7.0, -7.0, -4.0]])
    path = write_npz(tmp_path / "m.npz", (x, [0, 1, 0]), (x[::-1], [0, 1, 0]))
    data = load(OwnData(file=path, range="each"))
    shares = input_lines("signed", data).shares(data.test_images)
    expected = x[::-1] / np.abs(x).max(axis=0) * [1, 1, 1, 0]
    assert np.allclose(shares[:, :4] - shares[:, 4:], expected, atol=1e-6)


def test_a_value_beyond_a_column_of_one_value_is_clipped(tmp_path: Path) -> None:
    x_train, x_test = np.array([[0.0, 3.0], [1.0, 3.0]]), np.array([[0.0, 3.5], [1.0, 9.0]])
    path = write_npz(tmp_path / "m.npz", (x_train, [0, 1]), (x_test, [0, 1]))
    data = load(OwnData(file=path, range="each"))
    assert np.asarray(data.test_images).tolist() == [[0, 0], [1, 0]]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_tables(tmp_path: Path, suffix: str) -> None:
    table = pd.DataFrame(X.reshape(60, -1)).rename(columns=str).assign(kind=Y)
    path = tmp_path / f"table{suffix}"
    table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path)
    source = read_own(OwnData(file=path, label="kind", test_share=0.25))
    assert source.class_names == ("cat", "dog", "eel")
    assert np.asarray(source.train_images).shape == (45, 16)


@pytest.mark.parametrize(("sep", "decimal"), [(";", ","), (";", "."), ("\t", ",")])
def test_tables_with_other_separators(tmp_path: Path, sep: str, decimal: str) -> None:
    table = pd.DataFrame({"a": [0, 1, 2, 3], "kind": ["x", "y"] * 2, "b": [1.0, 2.0, 0.25, 1.5]})
    path = tmp_path / "table.csv"
    table.to_csv(path, index=False, sep=sep, decimal=decimal)
    source = read_own(OwnData(file=path, label="kind", test_share=0.5))
    rows = np.concatenate([np.asarray(source.train_images), np.asarray(source.test_images)])
    assert sorted(rows[:, 1].tolist()) == [0.25, 1.0, 1.5, 2.0]


def test_columns_of_a_test_table_are_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("a, b, label\n0, 5, x\n1, 9, y\n")
    (tmp_path / "test.csv").write_text("label,b,a\ny,9,1\nx,5,0\n")
    own = OwnData(file=tmp_path / "train.csv", test_file=tmp_path / "test.csv")
    source = read_own(own)
    assert np.asarray(source.test_images).tolist() == [[1, 9], [0, 5]]
    (tmp_path / "test.csv").write_text("label,b,c\ny,9,1\nx,5,0\n")
    with refused("test.csv", "column a", "missing"):
        read_own(own)


@pytest.mark.parametrize(("name", "step"), [("order", 1), ("Id", 2), ("Unnamed: 0", 3)])
def test_a_column_of_row_numbers_is_refused(tmp_path: Path, name: str, step: int) -> None:
    """Where rows are sorted by class, it would reveal the class."""
    table = pd.DataFrame({name: step * np.arange(60), "kind": Y, "b": X[:, 0, 0]})
    table.sample(frac=1, random_state=0).to_csv(tmp_path / "m.csv", index=False)
    with refused(f"m.csv: column {name}: [0.0, {59 * step}.0]", "must be deleted"):
        read_own(OwnData(file=tmp_path / "m.csv", label="kind", test_share=0.2))


def test_a_class_may_be_called_as_a_gap_is(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("a,label\n1,NA\n2,None\n3,NA\n4,None\n")
    assert read_own(OwnData(file=tmp_path / "m.csv", test_share=0.5)).class_names == ("NA", "None")


def test_large_labels_keep_names_of_their_own(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "m.npz", (X, 1e6 + np.arange(60) % 2))
    names = read_own(OwnData(file=path, test_share=0.5)).class_names
    assert names == ("1000000", "1000001")


def test_idx_files_under_a_name_of_their_own(tmp_path: Path, write_idx: WriteIdx) -> None:
    images, labels = np.arange(40 * 6).reshape(40, 2, 3) % 256, np.arange(40) % 2
    for part, values in (("train", 255 - images), ("t10k", images)):
        write_idx(tmp_path / f"{part}-images-idx3-ubyte", values)
        write_idx(tmp_path / f"{part}-labels-idx1-ubyte.gz", labels)
    data = load(OwnData(file=tmp_path, range=(0.0, 255.0)))
    assert (data.name, data.shape, data.class_names) == ("mine", (2, 3), ("0", "1"))
    before = file_digest(OwnData(file=tmp_path))
    (tmp_path / "pictures").mkdir()
    assert file_digest(OwnData(file=tmp_path)) == before
    assert np.array_equal(data.test_images, (images.reshape(40, 6) / 255).astype(np.float32))
    with refused("name", "'mnist'"):
        load_dataset(
            "mnist", None, n_train=None, n_test=None, validation_share=0, seed=0,
            own=OwnData(file=tmp_path),
        )  # fmt: skip


def test_the_file_digest_follows_the_file(npz: Path) -> None:
    own = OwnData(file=npz, test_share=0.2)
    before = file_digest(own)
    write_npz(npz, (X + 1, Y))
    assert file_digest(own) != before


def test_a_file_in_the_home_folder(npz: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(npz.parent))
    own, whole = (OwnData(file=file, test_share=0.2) for file in (Path("~") / npz.name, npz))
    assert file_digest(own) == file_digest(whole)
    assert load(own).digest == load(whole).digest
