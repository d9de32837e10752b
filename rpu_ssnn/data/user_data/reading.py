"""Reads a user's data set from any supported kind of file, and trusts nothing in it."""

import hashlib
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from rpu_ssnn.common.errors import Fault, require
from rpu_ssnn.common.files import open_regular, refusing
from rpu_ssnn.common.wording import listed
from rpu_ssnn.data.rows import Source
from rpu_ssnn.data.spike_trains import SpikeTrains
from rpu_ssnn.data.split import hold_out
from rpu_ssnn.data.user_data import array_files, spike_files, table_files
from rpu_ssnn.data.user_data.raw import Part, Raw
from rpu_ssnn.data_spec import Bounds, OwnData

HDF5 = (".h5", ".hdf5")
SUFFIXES = (".npz", *table_files.READERS, *HDF5)
MOST_CLASSES = 1000
MOST_APART = 20.0
"""Test values are at most this factor larger or smaller than training values."""

LEAST_FILLED = 0.01
"""Values span at least this share of a declared range; values of 0 to 1 span 0.4 % of 0 to 255."""

_FEWEST, _BY_CHANCE = 10, 0.1
"""Of at least 10 test rows, a tenth may be training rows by chance."""


type _Classes = Int64[np.ndarray, " rows"]
"""The class of each row."""


def read_own(own: OwnData) -> Source:
    """Returns the whole of a user's data set, split as its files or `own` say.

    Raises:
        InputError: a file is missing, damaged or does not fit.
    """
    train, test = _read(own.file, own)
    if own.test_file is not None:
        allowed = f"must be left out, since {own.file.name} has its own test rows"
        require(test is None, own.test_file, "test_file", own.test_file.name, allowed)
        test, more = _read(own.test_file, own)
        allowed = "must hold test rows only"
        require(more is None, own.test_file, "test_file", own.test_file.name, allowed)
    for part in (train, test):
        if part is not None:
            _check_part(part)
            _refuse_beyond(part, own.range)
    if test is None:
        return _source(own, *_split(own, train))
    allowed = "must be left out, since the file has its own test rows"
    require(own.test_share is None, own.file, "test_share", own.test_share, allowed)
    _refuse_training_rows(train, _with_columns_of(train, test))
    return _source(own, train, test)


def file_digest(own: OwnData) -> str:
    """Returns 16 hexadecimal digits of the SHA-256 of the file (or files) as they are on the disk.

    Raises:
        InputError: a file cannot be read.
    """
    total = hashlib.sha256()
    for given in (own.file, own.test_file):
        if given is None:
            continue
        path = given.expanduser()
        # A folder may hold folders, which are not read.
        files = sorted(f for f in path.iterdir() if not f.is_dir()) if path.is_dir() else [path]
        for file in files:
            with refusing(file, "must be readable", OSError), open_regular(file) as content:
                total.update(hashlib.file_digest(content, "sha256").digest())
    return total.hexdigest()[:16]


def _read(path: Path, own: OwnData) -> Raw:
    path, spikes = path.expanduser(), own.spikes
    require(path.exists(), path, "file", None, "must exist (relative to the study's file)")
    suffix = path.suffix.lower()
    if path.is_dir() or suffix in table_files.READERS:
        require(spikes is None, path, "spikes", path.name, "must be in an .npz or .h5 file")
    if path.is_dir():
        return array_files.read_idx_folder(path)
    named = path == own.file.expanduser() and own.label != OwnData.model_fields["label"].default
    allowed = f"must be left out, since it is a column of a table, which a {suffix} file is not"
    require(not named or suffix in table_files.READERS, path, "label", own.label, allowed)
    # Reading a pipe or a device could block, or never end.
    require(path.is_file(), path, "file", path.name, "must be a regular file or a folder")
    if suffix in table_files.READERS:
        return table_files.read_labelled_table(path, own.label)
    allowed = f"must end in {', '.join(SUFFIXES)}, or be a folder with idx files"
    require(suffix in SUFFIXES, path, "file", path.name, allowed)
    if suffix == ".npz":
        return array_files.read_npz(path, spikes)
    return spike_files.read_hdf5(path, spikes)


def _refuse_training_rows(train: Part, test: Part) -> None:
    """Refuses test rows that are training rows in any order, except a tenth of them, or as many as
    training rows occur twice."""
    mine, theirs = _digests(train), _digests(test)
    twice = 1 - len(set(mine)) / len(mine)
    share = float(np.isin(theirs, mine).mean())
    there = mine == theirs or (len(theirs) >= _FEWEST and share > twice + _BY_CHANCE)
    fault = Fault(f"{100 * share:.0f} % of them are training rows")
    require(not there, test.where, "test rows", fault, "must be other rows")


def _digests(part: Part) -> list[int]:
    """Returns a hash of each row, whatever its label."""
    if not isinstance(part.rows, SpikeTrains):
        return [hash(row.astype(np.float64).tobytes()) for row in part.rows]
    recordings = (part.rows[k : k + 1] for k in range(len(part.rows)))
    return [hash(recording.slot.tobytes() + recording.line.tobytes()) for recording in recordings]


def _check_part(part: Part) -> None:
    """Refuses rows and labels of different numbers, NaN, recordings without any spike, and labels
    that are not classes."""
    where, rows, labels = part.where, part.rows, part.labels
    require(len(rows), where, "rows", 0, "must be at least 1")
    count = len(labels) if labels.ndim == 1 else labels.shape
    allowed = f"must be {len(rows)}, one per row"
    require(count == len(rows), where, "number of labels", count, allowed)
    kind = str(labels.dtype)
    allowed = "must be text or whole numbers"
    require(labels.dtype.kind in "biufSU", where, "kind of labels", kind, allowed)
    names = list(map(str, np.unique(labels))) if labels.dtype.kind == "U" else []
    bare = {name.strip(): name for name in names}
    for name in names:
        other, allowed = bare[name.strip()], f"must be written as {name!r} everywhere"
        require(other == name, where, "label", other, allowed)
        require(name.strip(), where, "label", name, "must be a name, not blank")
    if labels.dtype.kind == "f":
        broken = np.flatnonzero(~np.isfinite(labels) | (labels != np.rint(labels)))
        first = broken[0] if len(broken) else 0
        allowed = "must be a class: text or a whole number"
        require(not len(broken), where, f"label {first}", float(labels[first]), allowed)
    if isinstance(rows, SpikeTrains):
        fault = Fault("there is none in any recording")
        require(len(rows.slot), where, "spikes", fault, "must be at least one")
        return
    kind = "text" if rows.dtype.kind in "US" else str(rows.dtype)
    require(rows.dtype.kind in "biuf", where, "kind of values", kind, "must be numbers")
    require(rows.shape[1], where, "values per row", 0, "must be at least 1")
    part.refuse(~np.isfinite(rows), "must be a finite number")


def _refuse_beyond(part: Part, rule: Bounds | str) -> None:
    """Refuses values whose difference is infinite, and those outside the range that the user
    declares, or in less than a hundredth of it; without such a range, a lowest or highest value
    (such as -999 for a gap) that leaves less than a hundredth of the range to all others."""
    rows = part.rows
    if isinstance(rows, SpikeTrains):
        return
    least, most = float(rows.min()), float(rows.max())
    field, allowed = "lowest and highest value", "must be closer together"
    require(math.isfinite(most - least), part.where, field, [least, most], allowed)
    if isinstance(rule, str):
        low = float(rows.min(where=rows > least, initial=rows.max()))
        high = float(rows.max(where=rows < most, initial=rows.min()))
        for end, first, last in ((least, low, most), (most, least, high)):
            apart = max(first - end, end - last) > (1 - LEAST_FILLED) * (most - least)
            allowed = f"must be nearer to all other values, {first:g} to {last:g}, or left out"
            part.refuse((rows == end) & (rule == "training" and first < last and apart), allowed)
        return
    low, high = rule
    hardly = 0 < most - least < LEAST_FILLED * (high - low) and low <= least and most <= high
    allowed = f"must fit the values, {least:g} to {most:g}, or they make hardly any spikes"
    require(not hardly, part.where, "dataset.range", [low, high], allowed)
    allowed = f"must lie within dataset.range, {low:g} to {high:g}"
    part.refuse((rows < low) | (rows > high), allowed)


def _split(own: OwnData, part: Part) -> tuple[Part, Part]:
    """Returns the rows to train on, and a stratified share of the rows to test on."""
    allowed = "must be given in the study's dataset (such as 0.2), since the file has no test rows"
    require(own.test_share is not None, part.where, "test_share", None, allowed)
    assert own.test_share is not None
    _, labels = np.unique(part.labels, return_inverse=True)
    rng = np.random.default_rng(own.split_seed)
    kept, held = hold_out(labels.astype(np.int64), own.test_share, rng)
    trained = np.isin(labels, labels[kept]).all()
    allowed = f"must leave rows to test on, and each class some of the {len(labels)} to train on"
    require(len(held) and trained, part.where, "test_share", own.test_share, allowed)
    return part.at(kept), part.at(held)


def _source(own: OwnData, train: Part, test: Part) -> Source:
    allowed = f"must be {train.shape}, the shape of the training rows"
    fits = train.shape == test.shape or isinstance(train.rows, SpikeTrains)
    require(fits, test.where, "shape of a test row", test.shape, allowed)
    test = _with_columns_of(train, test)
    names, labels, tested_labels = _labels(train, test)
    if own.spikes is not None:
        train, test = spike_files.numbered_alike(train, test, own.spikes)
    rows, tested = train.rows, test.rows
    if isinstance(rows, SpikeTrains) and isinstance(tested, SpikeTrains):
        lines = own.spikes.lines if own.spikes and own.spikes.lines else rows.lines
        allowed = f"must be below {lines}; give spikes.lines if the test file has more lines"
        require(tested.lines <= lines, test.where, "line", tested.lines - 1, allowed)
        rows, tested = rows.with_lines(lines), tested.with_lines(lines)
        peak = max(1, int(rows.most_a_line()))
        shape = rows.slots, lines
        return Source(rows, labels, tested, tested_labels, names, peak, shape, mixed=False)
    alike = isinstance(own.range, str) and np.all(
        rows == (rows[0] if own.range == "each" else rows[0, 0])
    )
    allowed = "must differ, or no input line spikes (unless dataset.range gives them a rate)"
    require(not alike, train.where, "values", Fault("all training rows are equal"), allowed)
    assert isinstance(rows, np.ndarray)
    assert isinstance(tested, np.ndarray)
    usual, found = _usual_size(rows), _usual_size(tested)
    apart = found * MOST_APART < usual or found > MOST_APART * usual  # both are False for NaN
    allowed = f"must be on the scale of the training rows, whose median size is {usual:g}"
    require(not apart, test.where, "median size of test values", float(f"{found:.3g}"), allowed)
    of_row, values = own.shape or train.shape, rows.shape[1]
    allowed = f"must have {values} values in all, as a row has"
    require(math.prod(of_row) == values, train.where, "dataset.shape", list(of_row), allowed)
    return Source(
        np.ascontiguousarray(rows), labels, np.ascontiguousarray(tested), tested_labels,
        names, 1, of_row, own.range, mixed=False,
    )  # fmt: skip


def _usual_size(rows: np.ndarray) -> float:
    """Returns the median size of values other than 0 in the first thousand rows, NaN if all are
    0."""
    sizes = np.abs(rows[:1000].astype(np.float64))
    return float(np.median(sizes[sizes > 0.0])) if sizes.any() else math.nan


def _with_columns_of(train: Part, test: Part) -> Part:
    """Returns the test rows of a table with their columns in the order of the training table."""
    if test.columns == train.columns or not (test.columns and train.columns):
        return test
    missing = [name for name in train.columns if name not in test.columns]
    allowed = f"must be there, as in {train.where.name}; there are {listed(test.columns, 20)}"
    require(not missing, test.where, f"column {', '.join(missing)}", None, allowed)
    assert isinstance(test.rows, np.ndarray)
    order = [test.columns.index(name) for name in train.columns]
    return replace(test, rows=test.rows[:, order], columns=train.columns)


def _labels(train: Part, test: Part) -> tuple[tuple[str, ...], _Classes, _Classes]:
    """Returns the names of the classes, which are the sorted labels of the training rows, and the
    classes of training and test rows."""
    classes, numbers = np.unique(train.labels, return_inverse=True)
    allowed = f"must be from 2 to {MOST_CLASSES} in the training rows"
    fits = 2 <= len(classes) <= MOST_CLASSES
    require(fits, train.where, "number of classes", len(classes), allowed)
    mine, theirs = (
        "text" if part.labels.dtype.kind in "US" else "numbers" for part in (train, test)
    )
    allowed = f"must be {mine}, as in the training rows"
    require(mine == theirs, test.where, "kind of labels", theirs, allowed)
    unknown = [label.item() for label in test.labels[~np.isin(test.labels, classes)][:1]]
    found = Fault(f"no training row has the class {unknown[0]!r}" if unknown else "")
    allowed = "every class of the test rows must be among the training rows"
    require(not unknown, test.where, "class of a test row", found, allowed)
    tested = np.searchsorted(classes, test.labels).astype(np.int64)
    names = tuple(_name(value) for value in classes.tolist())
    return names, numbers.astype(np.int64), tested


def _name(label: object) -> str:
    if isinstance(label, bytes):
        return label.decode(errors="replace")
    return str(int(label)) if isinstance(label, float) else str(label)
