"""Bad inputs of every kind and command, and what the one line that refuses each must say."""

import gzip
import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from support.harness import SMALL

type Content = str | bytes | Callable[[Path], object]
type Files = dict[str, Content]


class Bad(NamedTuple):
    """A command line that must be refused.

    Attributes:
        command: words of the command line; HERE is the folder of the files.
        files: name -> text, bytes, or what writes it.
        says: what the line holds, in this order.
        environment: variables.
    """

    name: str
    command: list[str]
    files: Files
    says: tuple[str, ...]
    environment: dict[str, str] = {}  # noqa: RUF012


def write(folder: Path, files: Files) -> None:
    """Puts files into a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if callable(content):
            content(path)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)


RATE = {"update": "rate", "learning_rate": 1.0}
PLAN = ["plan", "HERE/s.yaml", "--no-estimate", "--out", "HERE/out"]
X = np.arange(24.0).reshape(6, 4)
Y = np.array([0, 1, 0, 1, 0, 1])
SPLIT = {"x_train": X, "y_train": Y, "x_test": X + 1, "y_test": Y}
EVENTS = {
    "t": np.arange(4.0),
    "x": np.array([0, 1, 0, 1]),
    "recording": np.array([0, 0, 1, 1]),
    "labels": np.array([0, 1]),
}


def study(**changes: Any) -> Files:
    """The small study, with changes (JSON is YAML)."""
    return {"s.yaml": json.dumps({**SMALL, **changes})}


def of_study(name: str, *says: str, **changes: Any) -> Bad:
    """A study file that is refused."""
    return Bad(name, PLAN, study(**changes), ("s.yaml: ", *says))


def of_device(name: str, device: object, *says: str, files: Files | None = None, **more: Any) -> Bad:
    """A device that is refused."""
    cases = [RATE, {"device": device, "tile": {"simulator": "native"}, **more}]
    return Bad(name, PLAN, study(cases=cases) | (files or {}), says)


def of_data(name: str, file: str, content: Content, *says: str, **dataset: Any) -> Bad:
    """A data file that is refused; the line names it."""
    named = study(dataset={"file": file, **dataset})
    return Bad(name, PLAN, named | {file: content}, (file, *says))


def npz(**arrays: Any) -> bytes:
    """An archive of arrays."""
    content = io.BytesIO()
    np.savez(content, **{key: np.asarray(value) for key, value in arrays.items()})
    return content.getvalue()


def promising(shape: tuple[int, ...]) -> bytes:
    """An archive whose header promises more than it holds."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for key in ("X", "y"):
            member = io.BytesIO()
            header = {"descr": "<f8", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(member, header)
            archive.writestr(f"{key}.npy", member.getvalue() + bytes(80))
    return content.getvalue()


def hdf5(**parts: Any) -> Callable[[Path], object]:
    """A file with data sets; a tuple is the shape of one that was never written."""

    def made(path: Path) -> None:
        import h5py

        with h5py.File(path, "w") as file:
            for key, value in parts.items():
                if isinstance(value, tuple):
                    file.create_dataset(key.replace("__", "/"), shape=value, chunks=True)
                else:
                    file[key.replace("__", "/")] = value

    return made


def parquet(**columns: Any) -> Callable[[Path], object]:
    return lambda path: pd.DataFrame(columns).to_parquet(path)


def idx(*dimensions: int, values: int | None = None) -> bytes:
    """An idx file of zeros."""
    head = bytes([0, 0, 8, len(dimensions)])
    head += b"".join(size.to_bytes(4, "big") for size in dimensions)
    return head + bytes(int(np.prod(dimensions)) if values is None else values)


TABLE = "1e-6 2e-6 3e-6\n0 1\n0 0 0\n1e-7 1e-7 1e-7\n"


def both(rows: str) -> Files:
    """The two files of a jump table."""
    return {f"t/dG_{way}creasing.txt": rows for way in ("in", "de")}


PULSES = "\n".join(f"{n % 50 + 1},{('up', 'down')[n // 50 % 2]}," for n in range(200))


def measured(first: str = "", column: str = "1.5", head: str = "pulse,polarity,conductance") -> str:
    """A measured CSV whose cells of conductance are `column`."""
    rows = [f"{line}{column}" for line in PULSES.splitlines()]
    return "\n".join([head, *([first] if first else []), *rows]) + "\n"


FIT = ["presets", "fit", "HERE/m.csv", "--name", "mine", "--out", "HERE/mine.yaml"]


def of_fit(name: str, content: Content, *says: str, options: tuple[str, ...] = ()) -> Bad:
    return Bad(name, [*FIT, *options], {"m.csv": content}, says)


def plain(name: str, command: str, *says: str, files: Files | None = None, **variables: str) -> Bad:
    """A command line by itself; words are told apart by spaces."""
    return Bad(name, command.split(" "), files or {}, says, variables)


METRICS = (
    "presets from-metrics --name mine --on-off 10 --states-up 50 --states-down 50 --nonlinearity-up 1 "
    "--nonlinearity-down -1 --cycle-to-cycle 0.01 --device-to-device 0"
)
LONG = "a" * 5000

STUDIES = [
    of_study("a number in quotes", "network.T: '10'", "not text", network={"T": "10"}),
    of_study("a number in quotes in a list", "hidden.0: '8'", "not text", network={"hidden": ["8"]}),
    of_study("a swept number in quotes", "sweep.network.T: '5'", "not text", sweep={"network.T": ["5"]}),
    of_study("yes", "gradient.relay: 'yes'", "true or false", network={"gradient": {"relay": "yes"}}),
    of_study("1 for a flag", "gradient.relay: 1", "true or false", network={"gradient": {"relay": 1}}),
    of_study("two lines of label", "case 1.label", "one line", cases=[{**RATE, "label": "a\nb"}]),
    of_study("spaces round a label", "case 1.label", "spaces", cases=[{**RATE, "label": " a"}]),
    of_study("a label that is too long", "case 1.label", "at most 60 characters", cases=[{**RATE, "label": LONG}]),
    of_study("20,000 seeds", "line 1", "at most 10000", seeds=list(range(20_000))),
    of_study("20,000 sweep values", "line 1", "at most 10000", sweep={"network.T": [1] * 20_000}),
    of_study("101 grid values", "search.learning_rate", "at most 100", search={"learning_rate": [1.0] * 101}),
    of_study("too many seeds by count", "seeds.count: 20000", "10000", seeds=20_000),
    of_study("half a seed", "seeds.0: 1.5", "whole number", seeds=[1.5]),
    of_study("no layer", "hidden: []", "at least 1", network={"hidden": []}),
    of_study("null for a network", "network: missing", "mapping", network=None),
    of_study("null for cases", "cases: missing", "list", cases=None),
    of_study("a null case", "case 1", cases=[None]),
    of_study("a case of text", "case 1", "'rate'", cases=["rate"]),
    of_study("an empty path", "sweep: ''", sweep={"": [1]}),
    of_study("a path with a gap", "sweep: 'network..T'", "a point between", sweep={"network..T": [1]}),
    of_study("a path to a section", "sweep.network", sweep={"network": [1]}),
    of_study("a path beyond a value", "sweep.network.T.x", sweep={"network.T.x": [1]}),
    of_study("a mapping as a swept value", "sweep.network.T", sweep={"network.T": [{"a": 1}]}),
    of_study("a null swept value", "sweep.network.T", sweep={"network.T": [None]}),
    of_study("nothing together", "together", together=[{}]),
    of_study("too large a sample", "sample.n", "10000", sample={"n": 10_001, "over": {"network.T": [1, 2]}}),
    of_study("a name too long", "study:", study="a" * 61),
    of_study("no file", "dataset", dataset={"file": ""}),
    of_study("a file of 5,000 letters", dataset={"file": LONG})._replace(says=("dataset.file", "too long")),
    of_study("a data name of two lines", "dataset.name", "one line", dataset={"name": "a\nb", "file": "a.npz"}),
    Bad("a range with NaN", PLAN, {"s.yaml": json.dumps({**SMALL, "dataset": {"file": "a.npz"}}).replace('.npz"', '.npz", range: [.nan, 1]')}, ("dataset.range.0: nan", "finite number")),
    of_study("a range of text", "dataset.range.0: '0'", "not text", dataset={"file": "a.npz", "range": ["0", 1]}),
    of_study("a range the wrong way", "dataset.range: [1.0, 0.0]", "low below high", dataset={"file": "a.npz", "range": [1, 0]}),
    of_study("a number for a range", "dataset.range: 5", "list or 'training'", dataset={"file": "a.npz", "range": 5}),
    of_study("a share of everything", "dataset.test_share", "0.9", dataset={"file": "a.npz", "test_share": 1}),
    of_study("a missing file", dataset={"file": "a.npz"})._replace(says=("a.npz: file: missing",)),
    Bad("drives that are a folder", PLAN, study(drives="d") | {"d/x": ""}, ("d: file: Is a directory",)),
    Bad("drives with a fault", PLAN, study(drives="d.yaml") | {"d.yaml": "a: 5"}, ("d.yaml: a", "5")),
    Bad("drives with text", PLAN, study(drives="d.yaml") | {"d.yaml": "{a: {x: }"}, ("d.yaml: line 1",)),
    Bad("a tab", PLAN, {"s.yaml": "study: a\n\tseeds: 1\n"}, ("s.yaml: line 2", "valid YAML")),
    Bad("keys that are numbers", PLAN, {"s.yaml": "1: 2\n"}, ("s.yaml: 1: must",)),
    Bad("a study of bytes", PLAN, {"s.yaml": bytes(range(256))}, ("s.yaml: file", "UTF-8")),
]

DEVICES = [
    of_device("an empty device", {}, "case 2.device: {}", "{table: FOLDER}"),
    of_device("a device of a list", [], "case 2.device: []", "name of a device"),
    of_device("an argument twice", "SoftBoundsDevice(dw_min=0.01, dw_min=0.02)", "dw_min", "'0.02'", "once"),
    of_device("an argument of text", "SoftBoundsDevice(dw_min='a')", "SoftBoundsDevice.dw_min", "must be a number"),
    of_device("an argument without a name", "SoftBoundsDevice(0.1)", "CLASS(field=value, ...)"),
    of_device("a deep argument", f"SoftBoundsDevice(dw_min={'[' * 500}1{']' * 500})", "CLASS(field=value, ...)"),
    of_device("an unknown class", "HardBoundsDevice(dw_min=0.1)", "'HardBoundsDevice'"),
    of_device("a home of nobody", "~nosuchuser/x.yaml", "~nosuchuser has no home"),
    of_device("a missing preset file", "nosuch.yaml", "nosuch.yaml", "No such file"),
    of_device("an override in quotes", "ideal", "overrides.cycle_to_cycle: '0.1'", "not text", overrides={"cycle_to_cycle": "0.1"}),
    of_device("an override of a list", "ideal", "overrides.cycle_to_cycle: [1]", overrides={"cycle_to_cycle": [1]}),
    of_device("an override of nothing", "ideal", "overrides.cycle_to_cycle", overrides={"cycle_to_cycle": None}),
    of_device("a factor of nothing", "ideal", "overrides.levels: 'x'", "factor", overrides={"levels": "x"}),
    of_device("a cell around nothing", "two_sided()", "'two_sided'", "must be one of"),
    of_device("a cell without an end", "one_sided_pair(pcm", "one_sided_pair(pcm"),
    of_device("a table that is not there", {"table": "nosuch"}, "'nosuch'", "dG_increasing.txt"),
    of_device("no table", {"table": []}, "[]", "folder"),
    of_device("a table and more", {"table": "t", "x": 1}, "case 2.device", "{table: FOLDER}"),
    of_device("one conductance", {"table": "HERE/t"}, "dG_increasing.txt", "conductances 1", "at least 2", files=both("1e-6\n0 1\n0\n1e-7\n")),
    of_device("points from 0.2", {"table": "HERE/t"}, "from 0.2 to 1", "from 0 to 1", files=both("1e-6 2e-6\n0.2 1\n0 0\n1e-7 1e-7\n")),
    of_device("a negative conductance", {"table": "HERE/t"}, "conductance -1e-06", "0 S or above", files=both("-1e-6 2e-6\n0 1\n0 0\n1e-7 1e-7\n")),
    of_device("one direction only", {"table": "HERE/t"}, "no dG_decreasing.txt", files={"t/dG_increasing.txt": TABLE}),
    of_device("a broken gzip", {"table": "HERE/t"}, "dG_increasing.txt.gz", files={"t/dG_increasing.txt.gz": b"no", "t/dG_decreasing.txt": TABLE}),
    of_device("a gzip cut off", {"table": "HERE/t"}, "dG_increasing.txt.gz", files={"t/dG_increasing.txt.gz": gzip.compress(b"1" * 999)[:-9], "t/dG_decreasing.txt": TABLE}),
    of_device("a gzip of 100 MB", {"table": "HERE/t"}, "dG_increasing.txt.gz", "Larger than", files={"t/dG_increasing.txt.gz": gzip.compress(bytes(100 << 20), 1), "t/dG_decreasing.txt": TABLE}),
    of_device("a member without a table", {"table": "HERE/t"}, "t/2", "as the other folders", files={"t/1/dG_increasing.txt": TABLE, "t/1/dG_decreasing.txt": TABLE, "t/2/dG_inc.txt": TABLE}),
    of_device("a table of words", {"table": "HERE/t"}, "dG_increasing.txt", files=both("a b c\n")),
    of_device("a table with a hole", {"table": "HERE/t"}, "dG_increasing.txt, row 4", "finite numbers", files=both("1e-6 2e-6\n0 1\n0 0\n1e-7 nan\n")),
    of_device("a table of bytes", {"table": "HERE/t"}, "dG_increasing.txt", "readable table", files=both("\x00") | {"t/dG_increasing.txt": b"\xff\xfe\x00"}),
]

DATA = [
    of_data("no archive", "a.npz", b"no", "archive of arrays"),
    of_data("an archive cut off", "a.npz", npz(**SPLIT)[:-30], "archive"),
    of_data("a pickle", "a.npz", b"\x80\x04N.", "archive of arrays"),
    of_data("1e12 values promised", "a.npz", promising((10**12,)), "bytes of float64", "8000000000000", test_share=0.5),
    of_data("1e9 values promised", "a.npz", promising((10**9, 1)), "bytes of float64", test_share=0.5),
    of_data("objects", "a.npz", npz(X=np.array([{}], dtype=object), y=Y), "X: 'object array'", "not opened"),
    of_data("text as values", "a.npz", npz(X=X.astype(str), y=Y), "kind of values: 'text'", "numbers", test_share=0.5),
    of_data("complex values", "a.npz", npz(X=X + 1j, y=Y), "kind of values: 'complex128'", test_share=0.5),
    of_data("one dimension", "a.npz", npz(X=X[0], y=Y), "shape of x", test_share=0.5),
    of_data("too few labels", "a.npz", npz(X=X, y=Y[:3]), "number of labels: 3", "must be 6", test_share=0.5),
    of_data("labels of two columns", "a.npz", npz(X=X, y=X), "number of labels", test_share=0.5),
    of_data("a half class", "a.npz", npz(X=X, y=Y + 0.5), "label 0: 0.5", test_share=0.5),
    of_data("NaN in a cell", "a.npz", npz(X=np.where(X == 5, np.nan, X), y=Y), "row 1, column 1: nan", test_share=0.5),
    of_data("other shapes of test rows", "a.npz", npz(**SPLIT | {"x_test": X[:, :2]}), "shape of a test row: (2,)"),
    of_data("an unknown class", "a.npz", npz(**SPLIT | {"y_test": Y + 5}), "class of a test row: 5"),
    of_data("the same rows twice", "a.npz", npz(**SPLIT | {"x_test": X}), "test rows: the training rows again"),
    of_data("a share of a split", "a.npz", npz(**SPLIT), "test_share: 0.5", "left out", test_share=0.5),
    of_data("no share", "a.npz", npz(X=X, y=Y), "test_share: missing"),
    of_data("one class", "a.npz", npz(X=X, y=Y * 0), "number of classes: 1", test_share=0.5),
    of_data("no rows", "a.npz", npz(X=X[:0], y=Y[:0]), "rows: 0", test_share=0.5),
    of_data("no columns", "a.npz", npz(X=X[:, :0], y=Y), "values a row: 0", test_share=0.5),
    of_data("other keys", "a.npz", npz(a=X), "keys: 'a'", "x_train"),
    of_data("dates", "a.npz", npz(X=X.astype("M8[s]"), y=Y), "kind of values", test_share=0.5),
    of_data("the same file as test_file", "a.npz", npz(X=X, y=Y), "the training rows again", test_file="a.npz"),
    of_data("a test_file that is missing", "a.npz", npz(X=X, y=Y), test_file="b.npz")._replace(says=("b.npz: file: missing",)),
    of_data("a polarity of 2", "a.npz", npz(**EVENTS, p=np.array([0, 2, 0, 1])), "line x + 2 p of event 1: 5", "spikes.lines", spikes={"lines": 4}, test_share=0.5),
    of_data("a line of 5e9", "a.npz", npz(**EVENTS | {"x": np.array([0, 1, 0, 5 * 10**9])}), "x of event 3: 5000000000", spikes={}, test_share=0.5),
    of_data("half a line", "a.npz", npz(**EVENTS | {"x": np.array([0, 0.5, 0, 1])}), "x of event 1: 0.5", spikes={}, test_share=0.5),
    of_data("a time before 0", "a.npz", npz(**EVENTS | {"t": -np.arange(4.0)}), "t of event 1: -1.0", spikes={}, test_share=0.5),
    of_data("a time without end", "a.npz", npz(**EVENTS | {"t": np.arange(4.0) * 1e300}), "t of event 1: 1e+300", spikes={}, test_share=0.5),
    of_data("a recording without a label", "a.npz", npz(**EVENTS | {"recording": np.array([0, 0, 1, 2])}), "recording of event 3: 2", spikes={}, test_share=0.5),
    of_data("text in a cell", "a.csv", "label,a\n0,1\n1,x\n", "row 1, column a: 'x'", "must be a number", test_share=0.5),
    of_data("no column of labels", "a.csv", "class,a\n0,1\n1,2\n", "label: 'label'", "class", test_share=0.5),
    of_data("a label of 5,000 letters", "a.csv", "class,a\n0,1\n", "label: 'aaa", test_share=0.5, label=LONG),
    of_data("a column twice", "a.csv", "label,a,a\n0,1,2\n", "column: 'a'", "named once", test_share=0.5),
    of_data("more cells than names", "a.csv", "label,a\n0,1,2\n1,2,3\n", "more cells", test_share=0.5),
    of_data("an empty table", "a.csv", "", "CSV in UTF-8", test_share=0.5),
    of_data("names alone", "a.csv", "label,a\n", "rows: 0", test_share=0.5),
    of_data("a missing label", "a.csv", "label,a\n0,1\n,2\n", "label 1: missing", test_share=0.5),
    of_data("a table in latin-1", "a.csv", b"label,a\n\xe9,1\n", "UTF-8", test_share=0.5),
    of_data("infinity in a cell", "a.csv", "label,a\n0,1\n1,inf\n", "row 1, column 0: inf", test_share=0.5),
    of_data("a table of bytes", "a.csv", bytes(range(256)), "CSV in UTF-8", test_share=0.5),
    of_data("a gap in a table", "a.csv", "label,a\n0,1\n1,\n", "row 1, column 0: nan", test_share=0.5),
    of_data("no Parquet", "a.parquet", b"PAR1no", "Parquet", test_share=0.5),
    of_data("text in Parquet", "a.parquet", parquet(label=[0, 1], a=["1", "x"]), "row 1, column a: 'x'", test_share=0.5),
    of_data("lists in Parquet", "a.parquet", parquet(label=[0, 1], a=[[1], [2]]), "column a", test_share=0.5),
    of_data("no HDF5", "a.h5", b"no", "HDF5", spikes={}, test_share=0.5),
    of_data("another layout", "a.h5", hdf5(x=X), "spikes/times", spikes={}, test_share=0.5),
    of_data("a group for a list", "a.h5", hdf5(spikes__times__x=X, spikes__units=X, labels=Y), "spikes/times", spikes={}, test_share=0.5),
    of_data("1e12 recordings promised", "a.h5", hdf5(spikes__times=(10**12,), spikes__units=(10**12,), labels=Y), "1000000000000", spikes={}, test_share=0.5),
    of_data("HDF5 without spikes", "a.h5", hdf5(x=X), "spikes: missing"),
    of_data("another ending", "a.txt", "1", "must end in one of"),
    of_data("a pipe", "a.npz", os.mkfifo, "regular file"),
    of_data("a link to itself", "a.npz", lambda path: path.symlink_to("a.npz"), "file: missing"),
    of_data("an empty folder", "d", lambda path: path.mkdir(), "idx file: []"),
    Bad("idx cut off", PLAN, study(dataset={"file": "d"}) | {"d/train-idx3": idx(2, 2, 2, values=7), "d/train-idx1": idx(2), "d/test-idx3": idx(2, 2, 2), "d/test-idx1": idx(2)}, ("train-idx3", "truncated")),
    Bad("idx that promises all", PLAN, study(dataset={"file": "d"}) | {"d/train-idx3": idx(1, 1, 1)[:4] + b"\xff" * 12, "d/train-idx1": idx(2), "d/test-idx3": idx(2, 2, 2), "d/test-idx1": idx(2)}, ("train-idx3", "truncated")),
    Bad("idx twice", PLAN, study(dataset={"file": "d"}) | {"d/train-idx3": idx(1, 1, 1), "d/train2-idx3": idx(1, 1, 1)}, ("idx file", "must be one file")),
]

FITS = [
    plain("nothing to fit", "presets fit HERE/m.csv --name mine --out HERE/mine.yaml", "m.csv", "No such file"),
    of_fit("an empty measurement", "", "m.csv: file", "column names"),
    of_fit("a measurement of bytes", bytes(100), "binary data"),
    of_fit("pulse 1e30", measured("1e30,up,1"), "row 2: column pulse: 1e+30", "at most"),
    of_fit("pulse of text", measured("one,up,1"), "row 2: column pulse: 'one'"),
    of_fit("below 0 S", measured("1,up,-1"), "row 2: column conductance: -1", "negative conductance"),
    of_fit("1 GS", measured("1,up,1e15"), "row 2: column conductance", "at most"),
    of_fit("text for a conductance", measured("1,up,x"), "row 2: column conductance: 'x'", "must be a number"),
    of_fit("another direction", measured("1,sideways,1"), "row 2: column polarity: 'sideways'"),
    of_fit("always the same", measured(), "must change with the pulses"),
    of_fit("cells too many", measured("1,up,1,2"), "row 2: cells: 4", "must be 3"),
    of_fit("no conductance", measured(head="pulse,polarity,g"), "column: 'conductance'", "is missing"),
    of_fit("one pulse", "pulse,polarity,conductance\n0,up,1\n1,up,2\n", "up pulses: 1", "at least 12"),
    of_fit("an unknown unit", measured(), "conductance unit: 'kS'", options=("--conductance-unit", "kS")),
    of_fit("a weight of NaN", measured(), "weight", options=("--weight-zero", "nan")),
    of_fit("a name with a path", measured(), "'../x'", options=("--name", "../x")),
    of_fit("no name", measured(), "name: ''", options=("--name", "")),
    of_fit("another ending", measured(), "--out", ".yaml or .yml", options=("--out", "HERE/mine.txt")),
    of_fit("a folder that is not there", measured(), "--out", "must be in a folder", options=("--out", "HERE/no/mine.yaml")),
    Bad("no Excel file", ["presets", "fit", "HERE/m.xlsx", "--name", "mine", "--out", "HERE/mine.yaml"], {"m.xlsx": b"no"}, ("m.xlsx: file", "Excel")),
    Bad("an archive that is no Excel file", ["presets", "fit", "HERE/m.xlsx", "--name", "mine", "--out", "HERE/mine.yaml"], {"m.xlsx": npz(a=X)}, ("m.xlsx: file", "Excel")),
    Bad("an empty folder of devices", ["presets", "fit", "HERE/d", "--name", "mine", "--out", "HERE/mine.yaml"], {"d/x.png": ""}, ("d: folder", "no such file")),
]

OPTIONS = [
    plain("no command", "nosuch", "nosuch"),
    plain("an unknown option", "plan digits_devices --nosuch", "--nosuch"),
    plain("no study", "plan", "study"),
    plain("an empty name", "plan ", "''"),
    plain("a name of 5,000 letters", f"plan {LONG}", "too long"),
    plain("two lines of name", "plan a\nb", "must be"),
    plain("no workers", "run digits_devices --workers 0", "--workers", "must be greater than or equal to 1"),
    plain("workers of text", "run digits_devices --workers x", "--workers", "must be a number"),
    plain("NaN seconds", "run digits_devices --checkpoint-seconds nan --out HERE/o", "--checkpoint-seconds"),
    plain("seconds before 0", "run digits_devices --checkpoint-seconds -1", "--checkpoint-seconds"),
    plain("an empty folder name", "run digits_devices --out ", "path", "must name"),
    plain("a folder of 5,000 letters", f"run digits_devices --out {LONG}", "path"),
    plain("rows that are not there", "plan digits_devices --no-estimate --rows HERE/r.csv", "r.csv", "No such file"),
    plain("rows of a folder", "plan digits_devices --no-estimate --rows HERE", "Is a directory"),
    plain("rows of bytes", "plan digits_devices --no-estimate --rows HERE/r.csv", "r.csv", files={"r.csv": bytes(range(256))}),
    plain("rows without settings", "plan digits_devices --no-estimate --rows HERE/r.csv", "settings: missing", files={"r.csv": "unit\n1\n"}),
    plain("no folder of results", "table HERE/o", "HERE/o"),
    plain("a file for a folder", "table HERE/o", "HERE/o", files={"o": ""}),
    plain("an empty folder of results", "table HERE", "HERE"),
    plain("one axis of a pivot", "table HERE --rows case", "--columns: missing"),
    plain("values without a pivot", "table HERE --values gap", "--values"),
    plain("a format", "table HERE --format pdf", "--format"),
    plain("a figure without a kind", "plot HERE --out HERE/x.png", "--kind"),
    plain("a report of text", "report HERE --out HERE/x.txt", "--out", ".html or .htm"),
    plain("a report in no folder", "report HERE --out HERE/no/x.html", "must be in a folder"),
    plain("the status of nothing", "status HERE/o", "HERE/o"),
    plain("two folders that are none", "diff HERE/a HERE/b", "HERE/a"),
    plain("export of text", "export HERE HERE/x.txt --case a", "must"),
    plain("a seed before 0", "export HERE HERE/x.h5 --case a --seed -1", "--seed"),
    plain("figure 7 of nothing", "figure figure7", "FOLDER"),
    plain("no such figure", "figure figure99", "figure99"),
    plain("a preset that is not there", "presets show nosuch --no-plot", "'nosuch'"),
    plain("a preset file that is not there", "presets show HERE/x.yaml --no-plot", "x.yaml", "No such file"),
    plain("a preset in the home of nobody", "presets show ~nosuchuser/x.yaml --no-plot", "~nosuchuser has no home"),
    plain("a preset file of text", "presets show HERE/x.yaml --no-plot", "x.yaml", files={"x.yaml": "text"}),
    plain("a preset of a number", "presets show HERE/x.yaml --no-plot", "x.yaml:a", files={"x.yaml": "a: 5"}),
    plain("an entry that is not there", "presets show HERE/x.yaml:b --no-plot", "x.yaml", files={"x.yaml": "a: 5"}),
    plain("a card of text", "presets show pcm --plot HERE/x.txt", "--plot", ".png"),
    plain("one preset compared", "presets compare pcm", "must"),
    plain("seven presets compared", "presets compare pcm pcm pcm pcm pcm pcm pcm", "must"),
    plain("metrics of nothing", "presets metrics nosuch", "'nosuch'"),
    plain("no devices", "presets example pcm --out HERE/x.csv --devices 0", "--devices"),
    plain("1e12 pulses", "presets example pcm --out HERE/x.csv --pulses 1000000000000", "pulses"),
    plain("an on/off ratio of NaN", METRICS.replace("off 10", "off nan"), "nan"),
    plain("an on/off ratio of 0.5", METRICS.replace("off 10", "off 0.5"), "0.5"),
    plain("no states", METRICS.replace("up 50", "up 0"), "0"),
    plain("a label of 50", METRICS.replace("up 1", "up 50"), "50"),
    plain("noise below 0", METRICS.replace("cycle 0.01", "cycle -1"), "-1"),
    plain("an unknown device", "attribute digits_devices --device nosuch --out HERE/o", "'nosuch'"),
    plain("an unknown parameter", "require digits_devices --device ecram --parameter nosuch --out HERE/o", "'nosuch'"),
    plain("a parameter of lines", "require digits_devices --device ecram --parameter ohm_per_cell --out HERE/o", "ohm_per_cell", "lines"),
    plain("a loss of NaN", "require digits_devices --device ecram --loss nan --out HERE/o", "loss", "nan"),
    plain("a loss below 0", "require digits_devices --device ecram --loss -1 --out HERE/o", "loss"),
    plain("no such keys", "keys netwrok", "'netwrok'", "did you mean network?"),
    plain("images in no folder", "plan mnist_quick --data HERE/no", "HERE/no"),
    plain("images in a file", "plan mnist_quick --data HERE/f", "HERE/f", files={"f": ""}),
    plain("images by a variable", "plan mnist_quick", "nosuch", RPU_SSNN_DATA="/nosuch"),
    plain("a cluster of no kind", "run digits_devices --cluster nosuch --out HERE/o", "nosuch"),
    plain("a scheduler of no place", "run digits_devices --scheduler nosuch --out HERE/o", "nosuch"),
    plain("both ways of rows", "run digits_devices --rerun --accept-other-versions --out HERE/o", "--rerun"),
    Bad("an output that is a file", [*PLAN], study() | {"out": ""}, ("out",)),
    Bad("an output of another study", [*PLAN], study() | {"out/study.yaml": "study: other"}, ("out",)),
    Bad("an output of bytes", [*PLAN], study() | {"out/study.yaml": b"\xff"}, ("out: output folder: 'study.yaml'", "other files")),
    Bad("a preset file that is a folder", ["presets", "show", "HERE/x.yaml", "--no-plot"], {"x.yaml/a": ""}, ("x.yaml", "directory")),
    plain("a locale of nobody and a bad preset", "presets show nosuch --no-plot", "'nosuch'", LC_ALL="xx_YY", MPLBACKEND="nosuch", COLUMNS="abc"),
]

BAD_INPUTS = [*STUDIES, *DEVICES, *DATA, *FITS, *OPTIONS]
