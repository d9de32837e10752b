"""Data of the user's own: every format, the split, the scale, and one line for what is broken."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rpu_ssnn.data import load_dataset, save_dataset
from rpu_ssnn.data.user_data import file_digest, read_own
from rpu_ssnn.data_spec import OwnData, SpikeSpec
from rpu_ssnn.inputs import input_lines
from support.rpu_ssnn.idx import WriteIdx
from support.rpu_ssnn.own_data import Pairs, load, refused

RNG = np.random.default_rng(3)
X = RNG.uniform(-1.0, 1.0, (60, 4, 4))
Y = np.array(["cat", "dog", "eel"])[np.arange(60) % 3]


@pytest.fixture
def npz(tmp_path: Path) -> Path:
    return save_dataset(tmp_path / "mine.npz", (X, Y))


def test_an_archive_is_split_and_scaled_by_its_training_rows(npz: Path) -> None:
    own = OwnData(file=npz, test_share=0.2)
    data = load(own, validation_share=0.25)
    assert data.class_names == ("cat", "dog", "eel")
    assert (len(data.train_labels), len(data.validation_labels), len(data.test_labels)) == (
        36,
        12,
        12,
    )
    assert np.bincount(data.test_labels).tolist() == [4, 4, 4]
    assert data.shape == (4, 4)
    assert data.train_images.shape == (36, 16)
    assert isinstance(data.train_images, np.ndarray)
    assert (data.train_images.min(), data.train_images.max()) == (0.0, 1.0)
    assert load(own, seed=5).test_labels.tolist() == load(own).test_labels.tolist()
    assert load(own).digest == load(own).digest != load(own, seed=5).digest
    assert data.zero is not None
    assert data.zero[0] == pytest.approx(0.5, abs=0.02)


def test_some_test_rows_of_a_sorted_file_are_of_all_classes(tmp_path: Path) -> None:
    path = save_dataset(tmp_path / "m.npz", (X, np.sort(Y)))
    own = OwnData(file=path, test_share=0.5)
    data = load(own, n_test=9)
    assert np.bincount(data.test_labels).tolist() == [3, 3, 3]
    assert load(own, n_test=9, seed=4).test_labels.tolist() == data.test_labels.tolist()
    everything = np.asarray(load(own).test_images).tolist()
    assert np.asarray(load(own, n_test=30).test_images).tolist() == everything


def test_what_is_held_out_has_no_part_in_the_scale(tmp_path: Path) -> None:
    x_train, x_test = np.array([[0.0], [1.0], [2.0]]), np.array([[9.0], [-9.0]])
    arrays = {"x_train": x_train, "y_train": [0, 1, 0], "x_test": x_test, "y_test": [1, 0]}
    np.savez(tmp_path / "m.npz", **arrays)
    data = load(OwnData(file=tmp_path / "m.npz"))
    assert sorted(np.ravel(data.train_images)) == [0.0, 0.5, 1.0]
    assert np.ravel(data.test_images).tolist() == [1.0, 0.0]
    with refused("m.npz: index [0, 0]: 9.0", "within dataset.range, 0 to 2"):
        load(OwnData(file=tmp_path / "m.npz", range=(0.0, 2.0)))


def test_a_value_beyond_the_range_is_named_by_file_row_and_column(tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    lines = [f"{n % 2},{n % 3},{n % 2}" for n in range(20)]
    file.write_text("\n".join(["label,a,b", *lines[:6], "1,1,5", *lines[6:]]))
    with refused("m.csv: data row 7, column b: 5.0", "within dataset.range, 0 to 2"):
        load(OwnData(file=file, test_share=0.5, range=(0.0, 2.0)))


def test_a_range_that_the_values_hardly_fill_is_refused(tmp_path: Path) -> None:
    path = save_dataset(tmp_path / "shares.npz", ((X + 1) / 2, Y))
    with refused("shares.npz", "dataset.range", "[0.0, 255.0]", "must fit the values"):
        load(OwnData(file=path, test_share=0.5, range=(0.0, 255.0)))
    load(OwnData(file=path, test_share=0.5, range=(0.0, 50.0)))


def test_each_column_may_have_its_own_scale(tmp_path: Path) -> None:
    x = np.array([[0.0, 100.0], [1.0, 300.0], [2.0, 500.0]])
    arrays = {"x_train": x, "y_train": [0, 1, 0], "x_test": x[::-1], "y_test": [0, 1, 0]}
    np.savez(tmp_path / "m.npz", **arrays)
    data = load(OwnData(file=tmp_path / "m.npz", range="each"))
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
    with refused("network.encoding.contrast", "'signed'", "no values below zero"):
        input_lines("signed", digits)


def test_a_signed_line_holds_its_value_over_the_largest_of_its_column(tmp_path: Path) -> None:
    """Also where all values of a column have one sign; a column of one value drives no line."""
    x = np.array([[-1.0, 5.0, -10.0, -4.0], [1.0, 10.0, -5.0, -4.0], [0.5, 7.0, -7.0, -4.0]])
    arrays = {"x_train": x, "y_train": [0, 1, 0], "x_test": x[::-1], "y_test": [0, 1, 0]}
    np.savez(tmp_path / "m.npz", **arrays)
    data = load(OwnData(file=tmp_path / "m.npz", range="each"))
    shares = input_lines("signed", data).shares(data.test_images)
    expected = x[::-1] / np.abs(x).max(axis=0) * [1, 1, 1, 0]
    assert np.allclose(shares[:, :4] - shares[:, 4:], expected, atol=1e-6)


def test_a_value_beyond_a_column_of_one_value_is_clipped(tmp_path: Path) -> None:
    x_train, x_test = np.array([[0.0, 3.0], [1.0, 3.0]]), np.array([[0.0, 3.5], [1.0, 9.0]])
    arrays = {"x_train": x_train, "y_train": [0, 1], "x_test": x_test, "y_test": [0, 1]}
    np.savez(tmp_path / "m.npz", **arrays)
    data = load(OwnData(file=tmp_path / "m.npz", range="each"))
    assert np.asarray(data.test_images).tolist() == [[0, 0], [1, 0]]


def test_values_too_far_apart_for_double_precision_are_refused(tmp_path: Path) -> None:
    """Their shares were NaN."""
    path = save_dataset(tmp_path / "m.npz", (np.sign(X) * 1e308, Y))
    with refused("lowest and highest value", "-1e+308", "must be nearer"):
        load(OwnData(file=path, test_share=0.2))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_tables(tmp_path: Path, suffix: str) -> None:
    table = pd.DataFrame(X.reshape(60, -1)).rename(columns=str).assign(kind=Y)
    path = tmp_path / f"table{suffix}"
    table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path)
    source = read_own(OwnData(file=path, label="kind", test_share=0.25))
    assert source.class_names == ("cat", "dog", "eel")
    assert np.asarray(source.train_images).shape == (45, 16)
    with refused(str(path), "label", "'king'", "did you mean kind?", "dataset.label"):
        read_own(OwnData(file=path, label="king", test_share=0.25))
    with refused("data row 1, column kind", "'cat'", "must be a number"):
        read_own(OwnData(file=path, label="3", test_share=0.25))


@pytest.mark.parametrize(("sep", "decimal"), [(";", ","), (";", "."), ("\t", ",")])
def test_tables_with_other_separators(tmp_path: Path, sep: str, decimal: str) -> None:
    table = pd.DataFrame({"a": [0, 1, 2, 3], "kind": ["x", "y"] * 2, "b": [1.0, 2.0, 0.25, 1.5]})
    path = tmp_path / "table.csv"
    table.to_csv(path, index=False, sep=sep, decimal=decimal)
    source = read_own(OwnData(file=path, label="kind", test_share=0.5))
    rows = np.concatenate([np.asarray(source.train_images), np.asarray(source.test_images)])
    assert sorted(rows[:, 1].tolist()) == [0.25, 1.0, 1.5, 2.0]


def test_columns_of_a_test_table_are_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("a,b,label\n0,5,x\n1,9,y\n")
    (tmp_path / "test.csv").write_text("label,b,a\ny,9,1\nx,5,0\n")
    own = OwnData(file=tmp_path / "train.csv", test_file=tmp_path / "test.csv")
    source = read_own(own)
    assert np.asarray(source.test_images).tolist() == [[1, 9], [0, 5]]
    train, test = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("train", "test"))
    source = read_own(OwnData(file=save_dataset(tmp_path / "m.npz", train, test)))
    assert np.asarray(source.test_images).tolist() == [[1, 9], [0, 5]]
    for one, other in ((train, test.drop(columns="b")), (train.drop(columns="b"), test)):
        with refused("save_dataset", "column", "'b'", "in train and in test"):
            save_dataset(tmp_path / "m.npz", one, other)
    (tmp_path / "test.csv").write_text("label,b,c\ny,9,1\nx,5,0\n")
    with refused("test.csv", "column a", "missing", "as in train.csv", "b, c"):
        read_own(own)


def test_a_class_may_be_called_as_a_gap_is(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("a,label\n1,NA\n2,None\n3,NA\n4,None\n")
    assert read_own(OwnData(file=tmp_path / "m.csv", test_share=0.5)).class_names == ("NA", "None")


def test_large_labels_keep_names_of_their_own(tmp_path: Path) -> None:
    path = save_dataset(tmp_path / "m.npz", (X, 1e6 + np.arange(60) % 2))
    names = read_own(OwnData(file=path, test_share=0.5)).class_names
    assert names == ("1000000", "1000001")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"a": pd.array([1, None], dtype="Int64")}, ["data row 2, column a", "nan", "finite"]),
        ({"a": pd.array([True, None], dtype="boolean")}, ["data row 2, column a", "finite"]),
        ([(np.ones(2), [0, 1]), (np.zeros(2), [1, 0])], ["label of item 0", "[0, 1]", "one class"]),
        (([[1, 2], [3]], [0, 1]), ["sample", "inhomogeneous", "one shape"]),
        ((np.ones((2, 2)), [[0], [1, 2]]), ["labels", "inhomogeneous", "one shape"]),
        ((np.ones((2, 2)), ["a", None]), ["label of row 1", "missing", "must be a class"]),
    ],
)
def test_python_data_that_are_refused(tmp_path: Path, data: Any, words: list[str]) -> None:
    given = pd.DataFrame(data | {"label": [0, 1]}) if isinstance(data, dict) else data
    with refused("save_dataset", *words):
        save_dataset(tmp_path / "m.npz", given)


def test_a_column_of_a_table_is_named_once(tmp_path: Path) -> None:
    table = pd.DataFrame([[1, 2, 0], [3, 4, 1]], columns=["a", "a", "label"])
    with refused("save_dataset", "column", "'a'", "named once"):
        save_dataset(tmp_path / "m.npz", table)


def test_idx_files_under_a_name_of_their_own(tmp_path: Path, write_idx: WriteIdx) -> None:
    images, labels = np.arange(40 * 6).reshape(40, 2, 3) % 256, np.arange(40) % 2
    for part, values in (("train", images[::-1]), ("t10k", images)):
        write_idx(tmp_path / f"{part}-images-idx3-ubyte", values)
        write_idx(tmp_path / f"{part}-labels-idx1-ubyte.gz", labels)
    data = load(OwnData(file=tmp_path, range=(0.0, 255.0)))
    assert (data.name, data.shape, data.class_names) == ("mine", (2, 3), ("0", "1"))
    with refused("spikes", "must be in an .npz or .h5 file"):
        load(OwnData(file=tmp_path, spikes=SpikeSpec()))
    before = file_digest(OwnData(file=tmp_path))
    (tmp_path / "pictures").mkdir()
    assert file_digest(OwnData(file=tmp_path)) == before
    assert np.array_equal(data.test_images, (images.reshape(40, 6) / 255).astype(np.float32))
    with refused("name", "'mnist'", "is a standard set's"):
        load_dataset(
            "mnist", None, n_train=None, n_test=None, validation_share=0, seed=0,
            own=OwnData(file=tmp_path),
        )  # fmt: skip


def test_the_file_digest_follows_the_file(npz: Path) -> None:
    own = OwnData(file=npz, test_share=0.2)
    before = file_digest(own)
    save_dataset(npz, (X + 1, Y))
    assert file_digest(own) != before


def test_a_file_in_the_home_folder(npz: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(npz.parent))
    own, whole = (OwnData(file=file, test_share=0.2) for file in (Path("~") / npz.name, npz))
    assert file_digest(own) == file_digest(whole)
    assert load(own).digest == load(whole).digest


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x_train": X, "y_train": Y}, ["keys", "x_train, y_train", "must be x_train"]),
        ({"X": X, "y": Y[:-1]}, ["number of labels", "59", "must be 60, one a row"]),
        ({"X": np.full((4, 2), np.nan), "y": [0, 1, 0, 1]}, ["index [0, 0]", "nan", "finite"]),
        ({"X": X, "y": np.zeros(60)}, ["number of classes", "1", "from 2 to"]),
        ({"X": X, "y": RNG.random(60)}, ["label 0", "text or a whole number"]),
        ({"X": np.array([1.0, 2.0]), "y": [0, 1]}, ["shape of x", "(2,)", "two dimensions"]),
        ({"X": X.astype(complex), "y": Y}, ["kind of values", "complex128", "must be numbers"]),
        ({"X": X[:0], "y": Y[:0]}, ["rows", "0", "at least 1"]),
        (
            {"x_train": X, "y_train": Y, "x_test": X[:2], "y_test": ["cat", "fox"]},
            ["class of a test row", "no training row has the class 'fox'"],
        ),
        (
            {"x_train": X, "y_train": Y, "x_test": X[:, :3], "y_test": Y},
            ["shape of a test row", "(3, 4)", "(4, 4)"],
        ),
    ],
)
def test_broken_archives_get_one_line(
    tmp_path: Path, arrays: dict[str, Any], words: list[str]
) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, **arrays)
    share = None if "x_test" in arrays else 0.2
    with refused(str(path), *words) as error:
        read_own(OwnData(file=path, test_share=share))
    assert "\n" not in str(error.value)


def test_pickled_arrays_are_never_opened(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, X=np.array([{}, {}], dtype=object), y=[0, 1])
    with refused("X", "'object array'", "not opened"):
        read_own(OwnData(file=path, test_share=0.5))


@pytest.mark.parametrize(
    ("name", "content", "spikes", "words"),
    [
        ("m.npz", b"nothing", None, ["mine", "m.npz", "must be"]),
        ("m.npz", b"PK\x03\x04 cut off", None, ["m.npz", "must be"]),
        ("m.h5", b"nothing", SpikeSpec(bin=0.1), ["m.h5", "must be an HDF5 file"]),
        ("m.h5", b"nothing", None, ["spikes", "must be given for .h5"]),
        ("m.csv", b"", None, ["m.csv", "must be CSV"]),
        ("m.csv", b"a,b,label\n0,1,2,c\n0,1,2,d\n", None, ["m.csv", "more cells"]),
        ("m.csv", b"a,a,label\n0,1,c\n0,1,d\n", None, ["column", "'a'", "named once"]),
        ("m.csv", b",a,label\n0,1,c\n1,1,d\n", None, ["name of column 1", "index=False"]),
        ("m.parquet", b"nothing", None, ["m.parquet", "must be a Parquet file"]),
        ("m.xlsx", b"", None, ["'m.xlsx'", "must end in one of .npz"]),
        ("m.csv", b"a,label\n1,2\n", SpikeSpec(), ["spikes", ".npz or .h5"]),
    ],
)
def test_files_that_are_none_get_one_line(
    tmp_path: Path, name: str, content: bytes, spikes: SpikeSpec | None, words: list[str]
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / name).write_bytes(content)
    with refused(*words) as error:
        read_own(OwnData(file=folder / name, test_share=0.5, spikes=spikes))
    assert "\n" not in str(error.value)


def test_files_that_are_missing(tmp_path: Path) -> None:
    with refused("gone.npz", "missing"):
        read_own(OwnData(file=tmp_path / "gone.npz"))
    with refused(str(tmp_path), "no idx file in it", "must hold four idx files"):
        read_own(OwnData(file=tmp_path))


def test_a_split_is_asked_for(npz: Path) -> None:
    with refused("test_share", "missing", "(say 0.2)"):
        read_own(OwnData(file=npz))
    with refused("test_share", "0.001", "must leave both parts a row"):
        read_own(OwnData(file=npz, test_share=0.001))


class Columns(dict[str, Any]):
    """What Hugging Face calls a dataset."""

    @property
    def column_names(self) -> list[str]:
        return list(self)


def test_python_data_of_all_kinds_are_one(tmp_path: Path) -> None:
    import torch

    flat = X.reshape(60, 16)
    kinds: list[Any] = [
        (flat, Y),
        pd.DataFrame(flat).rename(columns=str).assign(label=Y),
        Pairs([(torch.from_numpy(x), y) for x, y in zip(flat, Y, strict=True)]),
        Columns(image=list(flat), label=list(Y)),
    ]
    digests = set()
    for kind in kinds:
        path = save_dataset(tmp_path / "mine.npz", kind, (flat + 1.0, Y))
        digests.add(load(OwnData(file=path)).digest)
    assert len(digests) == 1
    with refused("save_dataset", "data", "'int'", "must be (X, y)"):
        save_dataset(tmp_path / "mine.npz", 3)
    with refused("columns", "['a', 'b', 'label']"):
        save_dataset(tmp_path / "mine.npz", Columns(a=[1], b=[2], label=[0]))
    with refused("nowhere/mine.npz", "No such file or directory", "must be a writable file"):
        save_dataset(tmp_path / "nowhere" / "mine.npz", (X, Y))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.npz")
    with refused("m.npz", "must be a regular file"):
        read_own(OwnData(file=tmp_path / "m.npz", test_share=0.5))
