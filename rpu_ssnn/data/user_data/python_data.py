"""Data from Python as a file that studies read: arrays, pandas, torch, Hugging Face, tonic.

Recognised by what they can do, so that none of those packages is needed.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.files import reason, refusing, write_whole
from rpu_ssnn.data.user_data.table_files import part_of_table

WHERE = "save_dataset"


class Samples(NamedTuple):
    """Rows [n, ...] of values, or structured arrays of events; and their labels."""

    rows: np.ndarray | list[np.ndarray]
    labels: np.ndarray


def save_dataset(path: str | Path, train: Any, test: Any = None, *, label: str = "label") -> Path:
    """Writes data as the .npz that `dataset: {file: PATH}` of a study reads.

    Args:
        path: the file, ending in .npz.
        train: a pair (X, y) of arrays; a pandas table with the column `label`; a Hugging Face
            dataset with that column and one other; or a sequence of pairs (sample, label), as
            torch and tonic have them. Samples of tonic are structured arrays with `t`, `x` and,
            where there are, `y` and `p`.
        test: the same, of the test rows; None: the study splits (`test_share`).
        label: name of the column that holds the class.

    Returns:
        The path.

    Raises:
        InputError: none of these, rows of different shapes, a missing label, events beside a
            `test` (write two files, and name the second as `test_file`), or a file that cannot be
            written.
    """
    path = Path(path)
    if path.suffix != ".npz":
        raise InputError(WHERE, "path", str(path), "must end in .npz")
    found = samples_of(train, label)
    if isinstance(found.rows, list):
        if test is not None:
            allowed = "must be a file of its own (test_file), where samples are events"
            raise InputError(WHERE, "test", type(test).__name__, allowed)
        arrays = _events(found.rows) | {"labels": found.labels}
    elif test is None:
        arrays = {"X": found.rows, "y": found.labels}
    else:
        held = samples_of(_columns_as_in(train, test), label)
        if isinstance(held.rows, list):
            raise InputError(WHERE, "test", "events", "must be values, as train is")
        arrays = {
            "x_train": found.rows,
            "y_train": found.labels,
            "x_test": held.rows,
            "y_test": held.labels,
        }

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)

    with refusing(path, "must be a writable file", OSError):
        write_whole(path, write)
    return path


def _columns_as_in(train: Any, test: Any) -> Any:
    """Test rows; of a pandas table with its columns in the order of the training table."""
    import pandas as pd

    if not (isinstance(train, pd.DataFrame) and isinstance(test, pd.DataFrame)):
        return test
    both = train.columns, test.columns
    if len(odd := both[0].symmetric_difference(both[1], sort=False)):
        raise InputError(WHERE, "column", str(odd[0]), "must be in train and in test")
    return test[list(train.columns)]


def samples_of(data: Any, label: str = "label") -> Samples:
    """Rows and labels of whatever `save_dataset` takes.

    Raises:
        InputError: as there.
    """
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        part = part_of_table(Path(WHERE), data, label)
        assert isinstance(part.rows, np.ndarray)
        return Samples(part.rows, part.labels)
    if hasattr(data, "column_names"):
        return _of_columns(data, label)
    if isinstance(data, tuple) and len(data) == 2:
        return Samples(_array(data[0]), _labels(data[1]))
    if hasattr(data, "__len__") and hasattr(data, "__getitem__"):
        return _of_pairs(data[n] for n in range(len(data)))
    allowed = (
        "must be (X, y), a pandas table, a Hugging Face dataset, or a sequence of (sample, label)"
    )
    raise InputError(WHERE, "data", type(data).__name__, allowed)


def _of_columns(data: Any, label: str) -> Samples:
    names = list(data.column_names)
    others = [name for name in names if name != label]
    if label not in names or len(others) != 1:
        allowed = f"must be {label} and one other: select_columns, or name the label's (label=)"
        raise InputError(WHERE, "columns", names, allowed)
    rows = [_array(sample) for sample in data[others[0]]]
    return Samples(_stacked(rows), _labels(data[label]))


def _of_pairs(pairs: Iterable[Any]) -> Samples:
    rows, labels = [], []
    for n, pair in enumerate(pairs):
        if not isinstance(pair, Sequence) or len(pair) != 2:
            raise InputError(WHERE, f"item {n}", type(pair).__name__, "must be (sample, label)")
        rows.append(_array(pair[0]))
        label = _array(pair[1])
        if label.size != 1:
            allowed = "must be one class: of a one-hot label give its argmax"
            raise InputError(WHERE, f"label of item {n}", label.tolist(), allowed)
        labels.append(label.reshape(-1)[0])
    if not rows:
        raise InputError(WHERE, "samples", 0, "must be at least 1")
    if rows[0].dtype.names is not None:
        return Samples(rows, np.array(labels))
    return Samples(_stacked(rows), np.array(labels))


def _events(samples: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Structured arrays of events as the arrays of `spike_files.part_of_events`."""
    names = samples[0].dtype.names or ()
    if not {"t", "x"} <= set(names):
        raise InputError(WHERE, "fields of events", names, "must have t and x")
    together = np.concatenate(samples)
    events = {
        "t": together["t"],
        "recording": np.repeat(np.arange(len(samples)), [len(one) for one in samples]),
    }
    return events | {n: together[n].astype(np.int64) for n in ("x", "y", "p") if n in names}


def _stacked(rows: list[np.ndarray]) -> np.ndarray:
    shapes = sorted({row.shape for row in rows})
    if len(shapes) > 1:
        raise InputError(WHERE, "shapes of samples", shapes[:3], "must all be one shape")
    return np.stack(rows)


def _array(values: Any) -> np.ndarray:
    """An array of numbers, of whatever numpy takes (tensors, PIL images, lists)."""
    array = _of_one_shape(values, "sample")
    if array.dtype.kind == "O":
        raise InputError(WHERE, "sample", type(values).__name__, "must be numbers of one shape")
    return array


def _labels(values: Any) -> np.ndarray:
    import pandas as pd

    labels = _of_one_shape(values, "labels")
    if labels.dtype.kind != "O":
        return labels
    if (missing := pd.isna(labels)).any():
        at = f"label of row {int(np.argmax(missing))}"
        raise InputError(WHERE, at, None, "must be a class, in every row")
    return labels.astype(np.str_)


def _of_one_shape(values: Any, field: str) -> np.ndarray:
    try:
        return np.asarray(values)
    except ValueError as error:  # numpy's, of parts of different shapes
        raise InputError(WHERE, field, reason(error), "must all be one shape") from error
