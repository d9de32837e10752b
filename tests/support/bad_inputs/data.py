"""Data files of the user that are refused."""

import os

import numpy as np

from support.bad_inputs.builders import (
    EVENTS,
    LONG,
    PLAN,
    SPLIT,
    Bad,
    X,
    Y,
    hdf5,
    idx,
    npz,
    of_data,
    parquet,
    promising,
    study,
)

DATA = [
    of_data("no archive", "a.npz", b"no", "archive of arrays"),
    of_data("an archive cut off", "a.npz", npz(**SPLIT)[:-30], "archive"),
    of_data("a pickle", "a.npz", b"\x80\x04N.", "archive of arrays"),
    of_data(
        "1e12 values promised",
        "a.npz",
        promising((10**12,)),
        "bytes of float64",
        "8000000000000",
        test_share=0.5,
    ),
    of_data(
        "1e9 values promised", "a.npz", promising((10**9, 1)), "bytes of float64", test_share=0.5
    ),
    of_data(
        "objects",
        "a.npz",
        npz(X=np.array([{}], dtype=object), y=Y),
        "X: 'object array'",
        "not opened",
    ),
    of_data(
        "text as values",
        "a.npz",
        npz(X=X.astype(str), y=Y),
        "kind of values: 'text'",
        "numbers",
        test_share=0.5,
    ),
    of_data(
        "complex values",
        "a.npz",
        npz(X=X + 1j, y=Y),
        "kind of values: 'complex128'",
        test_share=0.5,
    ),
    of_data("one dimension", "a.npz", npz(X=X[0], y=Y), "shape of x", test_share=0.5),
    of_data(
        "too few labels",
        "a.npz",
        npz(X=X, y=Y[:3]),
        "number of labels: 3",
        "must be 6",
        test_share=0.5,
    ),
    of_data("labels of two columns", "a.npz", npz(X=X, y=X), "number of labels", test_share=0.5),
    of_data("a half class", "a.npz", npz(X=X, y=Y + 0.5), "label 0: 0.5", test_share=0.5),
    of_data(
        "NaN in a cell",
        "a.npz",
        npz(X=np.where(X == 5, np.nan, X), y=Y),
        "row 1, column 1: nan",
        test_share=0.5,
    ),
    of_data(
        "other shapes of test rows",
        "a.npz",
        npz(**SPLIT | {"x_test": X[:, :2]}),
        "shape of a test row: (2,)",
    ),
    of_data(
        "an unknown class", "a.npz", npz(**SPLIT | {"y_test": Y + 5}), "class of a test row: 5"
    ),
    of_data(
        "the same rows twice",
        "a.npz",
        npz(**SPLIT | {"x_test": X}),
        "test rows: the training rows again",
    ),
    of_data(
        "a share of a split", "a.npz", npz(**SPLIT), "test_share: 0.5", "left out", test_share=0.5
    ),
    of_data("no share", "a.npz", npz(X=X, y=Y), "test_share: missing"),
    of_data("one class", "a.npz", npz(X=X, y=Y * 0), "number of classes: 1", test_share=0.5),
    of_data("no rows", "a.npz", npz(X=X[:0], y=Y[:0]), "rows: 0", test_share=0.5),
    of_data("no columns", "a.npz", npz(X=X[:, :0], y=Y), "values a row: 0", test_share=0.5),
    of_data("other keys", "a.npz", npz(a=X), "keys: 'a'", "x_train"),
    of_data("dates", "a.npz", npz(X=X.astype("M8[s]"), y=Y), "kind of values", test_share=0.5),
    of_data(
        "the same file as test_file",
        "a.npz",
        npz(X=X, y=Y),
        "the training rows again",
        test_file="a.npz",
    ),
    of_data("a test_file that is missing", "a.npz", npz(X=X, y=Y), test_file="b.npz")._replace(
        says=("b.npz: file: missing",)
    ),
    of_data(
        "a polarity of 2",
        "a.npz",
        npz(**EVENTS, p=np.array([0, 2, 0, 1])),
        "line x + 2 p of event 1: 5",
        "spikes.lines",
        spikes={"lines": 4},
        test_share=0.5,
    ),
    of_data(
        "a line of 5e9",
        "a.npz",
        npz(**EVENTS | {"x": np.array([0, 1, 0, 5 * 10**9])}),
        "x of event 3: 5000000000",
        spikes={},
        test_share=0.5,
    ),
    of_data(
        "half a line",
        "a.npz",
        npz(**EVENTS | {"x": np.array([0, 0.5, 0, 1])}),
        "x of event 1: 0.5",
        spikes={},
        test_share=0.5,
    ),
    of_data(
        "a time before 0",
        "a.npz",
        npz(**EVENTS | {"t": -np.arange(4.0)}),
        "t of event 1: -1.0",
        spikes={},
        test_share=0.5,
    ),
    of_data(
        "a time without end",
        "a.npz",
        npz(**EVENTS | {"t": np.arange(4.0) * 1e300}),
        "t of event 1: 1e+300",
        spikes={},
        test_share=0.5,
    ),
    of_data(
        "a recording without a label",
        "a.npz",
        npz(**EVENTS | {"recording": np.array([0, 0, 1, 2])}),
        "recording of event 3: 2",
        spikes={},
        test_share=0.5,
    ),
    of_data(
        "text in a cell",
        "a.csv",
        "label,a\n0,1\n1,x\n",
        "row 1, column a: 'x'",
        "must be a number",
        test_share=0.5,
    ),
    of_data(
        "no column of labels",
        "a.csv",
        "class,a\n0,1\n1,2\n",
        "label: 'label'",
        "class",
        test_share=0.5,
    ),
    of_data(
        "a label of 5,000 letters",
        "a.csv",
        "class,a\n0,1\n",
        "label: 'aaa",
        test_share=0.5,
        label=LONG,
    ),
    of_data(
        "a column twice", "a.csv", "label,a,a\n0,1,2\n", "column: 'a'", "named once", test_share=0.5
    ),
    of_data(
        "more cells than names", "a.csv", "label,a\n0,1,2\n1,2,3\n", "more cells", test_share=0.5
    ),
    of_data("an empty table", "a.csv", "", "CSV in UTF-8", test_share=0.5),
    of_data("names alone", "a.csv", "label,a\n", "rows: 0", test_share=0.5),
    of_data("a missing label", "a.csv", "label,a\n0,1\n,2\n", "label 1: missing", test_share=0.5),
    of_data("a table in latin-1", "a.csv", b"label,a\n\xe9,1\n", "UTF-8", test_share=0.5),
    of_data(
        "infinity in a cell",
        "a.csv",
        "label,a\n0,1\n1,inf\n",
        "row 1, column 0: inf",
        test_share=0.5,
    ),
    of_data("a table of bytes", "a.csv", bytes(range(256)), "CSV in UTF-8", test_share=0.5),
    of_data(
        "a gap in a table", "a.csv", "label,a\n0,1\n1,\n", "row 1, column 0: nan", test_share=0.5
    ),
    of_data("no Parquet", "a.parquet", b"PAR1no", "Parquet", test_share=0.5),
    of_data(
        "text in Parquet",
        "a.parquet",
        parquet(label=[0, 1], a=["1", "x"]),
        "row 1, column a: 'x'",
        test_share=0.5,
    ),
    of_data(
        "lists in Parquet",
        "a.parquet",
        parquet(label=[0, 1], a=[[1], [2]]),
        "column a",
        test_share=0.5,
    ),
    of_data("no HDF5", "a.h5", b"no", "HDF5", spikes={}, test_share=0.5),
    of_data("another layout", "a.h5", hdf5(x=X), "spikes/times", spikes={}, test_share=0.5),
    of_data(
        "a group for a list",
        "a.h5",
        hdf5(spikes__times__x=X, spikes__units=X, labels=Y),
        "spikes/times",
        spikes={},
        test_share=0.5,
    ),
    of_data(
        "1e12 recordings promised",
        "a.h5",
        hdf5(spikes__times=(10**12,), spikes__units=(10**12,), labels=Y),
        "1000000000000",
        spikes={},
        test_share=0.5,
    ),
    of_data("HDF5 without spikes", "a.h5", hdf5(x=X), "spikes: missing"),
    of_data("another ending", "a.txt", "1", "must end in one of"),
    of_data("a pipe", "a.npz", os.mkfifo, "regular file"),
    of_data("a link to itself", "a.npz", lambda path: path.symlink_to("a.npz"), "file: missing"),
    of_data("an empty folder", "d", lambda path: path.mkdir(), "idx file: []"),
    Bad(
        "idx cut off",
        PLAN,
        study(dataset={"file": "d"})
        | {
            "d/train-idx3": idx(2, 2, 2, values=7),
            "d/train-idx1": idx(2),
            "d/test-idx3": idx(2, 2, 2),
            "d/test-idx1": idx(2),
        },
        ("train-idx3", "truncated"),
    ),
    Bad(
        "idx that promises all",
        PLAN,
        study(dataset={"file": "d"})
        | {
            "d/train-idx3": idx(1, 1, 1)[:4] + b"\xff" * 12,
            "d/train-idx1": idx(2),
            "d/test-idx3": idx(2, 2, 2),
            "d/test-idx1": idx(2),
        },
        ("train-idx3", "truncated"),
    ),
    Bad(
        "idx twice",
        PLAN,
        study(dataset={"file": "d"})
        | {"d/train-idx3": idx(1, 1, 1), "d/train2-idx3": idx(1, 1, 1)},
        ("idx file", "must be one file"),
    ),
]
