"""Reads a data set of the user's own, whatever file it comes in, and trusts nothing in it."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

from rpu_ssnn.common.errors import Fault, InputError, one_of
from rpu_ssnn.common.files import open_regular, refusing
from rpu_ssnn.common.wording import listed
from rpu_ssnn.data.rows import Source
from rpu_ssnn.data.split import hold_out
from rpu_ssnn.data.user_data import array_files, spike_files, table_files
from rpu_ssnn.data.user_data.raw import Part, Raw
from rpu_ssnn.data_spec import Bounds, OwnData
from rpu_ssnn.spike_trains import SpikeTrains

ARRAYS = (".npz", ".h5", ".hdf5")
SUFFIXES = (".npz", ".csv", ".parquet", ".h5", ".hdf5")
MOST_CLASSES = 1000
LEAST_FILLED = 0.01
"""Share of a declared range that values span at least. Values of 0 to 1 span 0.4 % of 0 to 255."""


class _Labels(NamedTuple):
    names: tuple[str, ...]
    train: Int64[np.ndarray, " train"]
    test: Int64[np.ndarray, " test"]


def read_own(own: OwnData) -> Source:
    """The whole of a user's data set, split as its files or `own` say.

    Raises:
        InputError: a file that is missing, damaged or does not fit; in one line.
    """
    raw = _read(own.file, own)
    if own.test_file is not None:
        if raw.test is not None:
            allowed = f"must be left out: {own.file.name} holds its own test rows"
            raise InputError(own.test_file, "test_file", own.test_file.name, allowed)
        other = _read(own.test_file, own)
        if other.test is not None:
            allowed = "must hold test rows only"
            raise InputError(own.test_file, "test_file", own.test_file.name, allowed)
        raw = Raw(raw.train, other.train)
    for part in (raw.train, raw.test):
        if part is not None:
            _check_part(part)
            _refuse_beyond(part, own.range)
    if raw.test is None:
        train, test = _split(own, raw.train)
    else:
        if own.test_share is not None:
            allowed = "must be left out: the file has its own test rows"
            raise InputError(own.file, "test_share", own.test_share, allowed)
        train, test = raw.train, raw.test
        if _same_rows(train, test):
            allowed = "must be other rows than the training rows, all of which they repeat"
            raise InputError(test.where, "test rows", Fault("the training rows again"), allowed)
    return _source(own, train, test)


def own_counts(own: OwnData) -> tuple[int, int]:
    """Training and test rows; the files are read, as most formats tell in no other way.

    Raises:
        InputError: as `read_own`.
    """
    source = read_own(own)
    return len(source.train_labels), len(source.test_labels)


def file_digest(own: OwnData) -> str:
    """16 hexadecimal digits of the SHA-256 of the file (or files) as they are on the disk.

    Raises:
        InputError: a file cannot be read.
    """
    total = hashlib.sha256()
    for given in (own.file, own.test_file):
        if given is None:
            continue
        path = given.expanduser()
        # A folder may hold others, which are not read.
        files = sorted(f for f in path.iterdir() if not f.is_dir()) if path.is_dir() else [path]
        for file in files:
            with refusing(file, "must be readable", OSError), open_regular(file) as content:
                total.update(hashlib.file_digest(content, "sha256").digest())
    return total.hexdigest()[:16]


def _read(path: Path, own: OwnData) -> Raw:
    of_label = path == own.file and own.label != OwnData.model_fields["label"].default
    path = path.expanduser()
    if not path.exists():
        raise InputError(path, "file", None, "must be there (relative to the study's file)")
    if path.is_dir():
        if own.spikes is not None:
            raise InputError(path, "spikes", path.name, "must be in an .npz or .h5 file")
        return array_files.read_idx_folder(path)
    if not path.is_file():  # a pipe or a device would be waited for, or read without end
        raise InputError(path, "file", path.name, "must be a regular file or a folder")
    suffix = path.suffix.lower()
    if of_label and suffix in ARRAYS:
        allowed = f"names a column of a table, which a {suffix} file does not have: leave label out"
        raise InputError(path, "label", own.label, allowed)
    if suffix not in SUFFIXES:
        allowed = f"{one_of(SUFFIXES)}, or a folder with idx files"
        raise InputError(path, "file", path.name, allowed.replace("must be", "must end in", 1))
    if suffix in (".h5", ".hdf5"):
        if own.spikes is None:
            allowed = "must be given for .h5 files: spikes: {bin: SECONDS A SLOT}"
            raise InputError(path, "spikes", None, allowed)
        return spike_files.read_hdf5(path, own.spikes)
    if suffix == ".npz":
        return array_files.read_npz(path, own.spikes)
    if own.spikes is not None:
        raise InputError(path, "spikes", path.name, "must be in an .npz or .h5 file")
    return table_files.read_table(path, own.label)


def _same_rows(one: Part, other: Part) -> bool:
    """Whether two parts hold the same samples in the same order, whatever files they come from."""
    pairs = zip(_arrays(one), _arrays(other), strict=False)
    return all(np.array_equal(mine, theirs) for mine, theirs in pairs)


def _arrays(part: Part) -> tuple[np.ndarray, ...]:
    return part.rows.arrays[:-1] if isinstance(part.rows, SpikeTrains) else (part.rows,)


def _check_part(part: Part) -> None:
    """Rows and labels of one number, no NaN, and one label of a kind for each row."""
    where, rows, labels = part.where, part.rows, part.labels
    if len(rows) == 0:
        raise InputError(where, "rows", 0, "must be at least 1")
    if labels.ndim != 1 or len(labels) != len(rows):
        allowed = f"must be {len(rows)}, one a row"
        found = len(labels) if labels.ndim == 1 else labels.shape
        raise InputError(where, "number of labels", found, allowed)
    if labels.dtype.kind not in "biufSU":
        allowed = "must be text or whole numbers"
        raise InputError(where, "kind of labels", str(labels.dtype), allowed)
    if labels.dtype.kind == "f":
        broken = np.flatnonzero(~np.isfinite(labels) | (labels != np.rint(labels)))
        if len(broken):
            allowed = "must be a class: text or a whole number"
            raise InputError(where, f"label {broken[0]}", float(labels[broken[0]]), allowed)
    if isinstance(rows, SpikeTrains):
        return
    if rows.dtype.kind not in "biuf":
        kind = "text" if rows.dtype.kind in "US" else str(rows.dtype)
        raise InputError(where, "kind of values", kind, "must be numbers")
    if rows.shape[1] == 0:
        raise InputError(where, "values a row", 0, "must be at least 1")
    finite = np.isfinite(rows)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        allowed = "must be a finite number"
        raise InputError(where, part.place(row, column), float(rows[row, column]), allowed)


def _refuse_beyond(part: Part, rule: Bounds | str) -> None:
    """Refuses values beyond a range that the user declares, or in a hundredth of it."""
    rows = part.rows
    if isinstance(rule, str) or isinstance(rows, SpikeTrains):
        return
    low, high = rule
    least, most = float(rows.min()), float(rows.max())
    if 0 < most - least < LEAST_FILLED * (high - low) and low <= least and most <= high:
        allowed = f"must fit the values, {least:g} to {most:g}, which make hardly any spike so"
        raise InputError(part.where, "dataset.range", [low, high], allowed)
    if (beyond := (rows < low) | (rows > high)).any():
        row, column = np.argwhere(beyond)[0]
        allowed = f"must lie within dataset.range, {low:g} to {high:g}"
        raise InputError(part.where, part.place(row, column), float(rows[row, column]), allowed)


def _split(own: OwnData, part: Part) -> tuple[Part, Part]:
    """A stratified share of the rows to test on."""
    if own.test_share is None:
        allowed = (
            "must be given in the study's dataset (say 0.2): the file has no test rows of its own"
        )
        raise InputError(part.where, "test_share", None, allowed)
    _, labels = np.unique(part.labels, return_inverse=True)
    rng = np.random.default_rng(own.split_seed)
    kept, held = hold_out(labels.astype(np.int64), own.test_share, rng)
    if not len(held) or not len(kept):
        allowed = f"must leave both parts a row, of {len(labels)}"
        raise InputError(part.where, "test_share", own.test_share, allowed)
    return part.at(kept), part.at(held)


def _source(own: OwnData, train: Part, test: Part) -> Source:
    if train.shape != test.shape and not isinstance(train.rows, SpikeTrains):
        allowed = f"must be {train.shape}, as of the training rows"
        raise InputError(test.where, "shape of a test row", test.shape, allowed)
    test = _with_columns_of(train, test)
    labels = _labels(train, test)
    if own.spikes is not None:
        train, test = spike_files.numbered_alike(train, test, own.spikes)
    rows, tested = train.rows, test.rows
    if isinstance(rows, SpikeTrains) and isinstance(tested, SpikeTrains):
        lines = own.spikes.lines if own.spikes and own.spikes.lines else rows.lines
        if tested.lines > lines:
            allowed = f"must be below {lines}: give spikes.lines where a test file has more"
            raise InputError(test.where, "line", tested.lines - 1, allowed)
        rows, tested = rows.with_lines(lines), tested.with_lines(lines)
        peak = max(1, int(rows.most_a_line()))
        names, shape = labels.names, (rows.slots, lines)
        return Source(rows, labels.train, tested, labels.test, names, peak, shape, mixed=False)
    first = rows[0] if own.range == "each" else rows[0, 0]
    if isinstance(own.range, str) and np.all(rows == first):
        allowed = "must differ, else no input spikes (dataset.range may say which rate they have)"
        raise InputError(train.where, "values", Fault("all training rows alike"), allowed)
    return Source(
        np.ascontiguousarray(rows), labels.train, np.ascontiguousarray(tested), labels.test,
        labels.names, 1, train.shape, own.range, mixed=False,
    )  # fmt: skip


def _with_columns_of(train: Part, test: Part) -> Part:
    """The test rows of a table with their columns in the order of the training table."""
    if test.columns == train.columns or not (test.columns and train.columns):
        return test
    if missing := [name for name in train.columns if name not in test.columns]:
        allowed = f"must be there, as in {train.where.name}; there are {listed(test.columns, 20)}"
        raise InputError(test.where, f"column {missing[0]}", None, allowed)
    assert isinstance(test.rows, np.ndarray)
    order = [test.columns.index(name) for name in train.columns]
    return replace(test, rows=test.rows[:, order], columns=train.columns)


def _labels(train: Part, test: Part) -> _Labels:
    """Classes are what the training rows have, in sorted order."""
    classes, numbers = np.unique(train.labels, return_inverse=True)
    if not 2 <= len(classes) <= MOST_CLASSES:
        allowed = f"must be from 2 to {MOST_CLASSES}, by the labels of the training rows"
        raise InputError(train.where, "number of classes", len(classes), allowed)
    if train.labels.dtype.kind != test.labels.dtype.kind and "U" in (
        train.labels.dtype.kind,
        test.labels.dtype.kind,
    ):
        allowed = f"must be as of the training rows, {train.labels.dtype}"
        raise InputError(test.where, "kind of labels", str(test.labels.dtype), allowed)
    unknown = test.labels[~np.isin(test.labels, classes)]
    if len(unknown):
        found = Fault(f"no training row has the class {unknown[0].item()!r}")
        allowed = "every class of the test rows must be among the training rows"
        raise InputError(test.where, "class of a test row", found, allowed)
    tested = np.searchsorted(classes, test.labels).astype(np.int64)
    names = tuple(_name(value) for value in classes.tolist())
    return _Labels(names, numbers.astype(np.int64), tested)


def _name(label: object) -> str:
    if isinstance(label, bytes):
        return label.decode(errors="replace")
    return str(int(label)) if isinstance(label, float) else str(label)
