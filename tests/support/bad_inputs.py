"""Builds and checks rows of bad inputs: a command line and the damaged files that it reads.

Each must be refused in one line that names the file, the key and the value; the wording is free.
"""

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from rpu_ssnn.common import strict_yaml
from support.commands import Command
from support.studies.harness import SMALL

type Content = str | bytes | Callable[[Path], object]
type Files = dict[str, Content]


class Bad(NamedTuple):
    """Describes a command line that must be refused.

    Attributes:
        command: words of the command line; HERE is the folder of the files.
        files: the content of each file, or the function that writes it.
        names: texts that the error line must contain, in this order.
    """

    command: str
    files: Files
    names: tuple[str, ...]


PYTHON_WORDS = re.compile(
    r"Traceback|pydantic|allow_pickle|function-|PosixPath|Value error|Input should"
    r"|\b(tuple|dict\w*|instance|str|int|float|bool|Input|Spec|NoneType|KeyError|ValueError)\b"
)
"""Words of Python that a user need not know, so that no error may contain them."""

MOST_LETTERS = 800
"""The longest error lines are those that list the parameters of a device."""


def rows_of(**groups: list[Bad]) -> list[Any]:
    """Returns all rows as parameters of a test, named by group, number and expected texts."""
    return [
        pytest.param(bad, id=f"{group} {number}: {'|'.join(bad.names)[:60]}")
        for group, rows in groups.items()
        for number, bad in enumerate(rows, 1)
    ]


def check(bad: Bad, folder: Path, command: Command) -> None:
    """Runs the command in an empty folder; it must print one line, exit with 2 and write
    nothing."""
    write(folder, bad.files)
    before = sorted(folder.rglob("*"))
    code, out, error = command(*bad.command.replace("HERE", str(folder)).split(" "))
    assert (code, out, error.count("\n"), error[-1:]) == (2, "", 1, "\n")
    assert len(error) < MOST_LETTERS + len(str(folder))
    assert not PYTHON_WORDS.search(error)
    at = 0
    for name in bad.names:
        at = error.find(name.replace("HERE", str(folder)), at)
        assert at >= 0, (name, error)
    assert sorted(folder.rglob("*")) == before


PLAN = "plan HERE/s.yaml --no-estimate --out HERE/out"
RATE = {"update": "rate", "learning_rate": 1.0}


def of_conv(keys: str, *names: str) -> Bad:
    """Returns a study file whose first layer is a convolution with these keys."""
    return of_study(f"network: {{layers: [{{conv: {{channels: 4, {keys}}}}}]}}", *names)


def of_study(changes: str, *names: str) -> Bad:
    """Returns a study file with these changes, written as YAML."""
    text = json.dumps(SMALL | strict_yaml.load(f"{{{changes}}}"))
    return Bad(PLAN, {"s.yaml": text.replace("NaN", ".nan")}, ("s.yaml: ", *names))


def of_circuit(circuit: str, *names: str) -> Bad:
    """Returns a study file whose neurons have this circuit."""
    return of_study(f"network: {{neuron: {{circuit: {circuit}}}}}", *names)


def of_case(case: str, *names: str, files: Files | None = None) -> Bad:
    """Returns a study file whose second case is this one, written as YAML."""
    case = (
        case.replace("device:", "tile: {simulator: native}, device:")
        if "tile" not in case
        else case
    )
    bad = of_study(f"cases: [{json.dumps(RATE)}, {{{case}}}]", *names)
    return Bad(PLAN, bad.files | (files or {}), names)


def of_rule(content: Content, *names: str) -> Bad:
    """Returns a study with an update rule whose file cannot be used."""
    case = "update: {rule: r.py}, learning_rate: 1"
    return of_case(case, "case 2.update", "r.py", *names, files={"r.py": content})


def of_table(name: str, files: Files) -> Bad:
    """Returns a study with a device whose table of measured jumps is bad."""
    return of_case("device: {table: HERE/t}", name, files=files)


def of_data(file: str, content: Content, name: str, dataset: str = "test_share: 0.5") -> Bad:
    """Returns a study with a bad data file, which the error must name."""
    bad = of_study(f"dataset: {{file: {file}, {dataset}}}")
    return Bad(PLAN, bad.files | {file: content}, (file, name))


def of_fit(content: Content, *names: str, options: str = "", file: str = "m.csv") -> Bad:
    """Returns a fit with a bad measured file or a bad option."""
    given = [options] * bool(options)
    for option in ("--name mine", "--out HERE/mine.yaml"):
        given += [option] * (option.split()[0] not in options)
    return Bad(" ".join([f"presets fit HERE/{file}", *given]), {file: content}, names)


def npz(**arrays: Any) -> bytes:
    """Returns an npz archive of arrays."""
    content = io.BytesIO()
    np.savez(content, **{key: np.asarray(value) for key, value in arrays.items()})
    return content.getvalue()


def promising(*shape: int) -> bytes:
    """Returns an npz archive whose headers promise more values than it holds."""
    content, member = io.BytesIO(), io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(member, header)
    with zipfile.ZipFile(content, "w") as archive:
        for key in ("X", "y"):
            archive.writestr(f"{key}.npy", member.getvalue() + bytes(80))
    return content.getvalue()


def hdf5(**parts: Any) -> Callable[[Path], object]:
    """Returns a function that writes an HDF5 file; a tuple is the shape of a data set that is
    declared but not written."""

    def made(path: Path) -> None:
        import h5py

        with h5py.File(path, "w") as file:
            for key, value in parts.items():
                name = key.replace("__", "/")
                if isinstance(value, tuple):
                    file.create_dataset(name, shape=value, dtype="f4", chunks=True)
                else:
                    file[name] = value

    return made


def idx(*dimensions: int, values: int | None = None) -> bytes:
    """Returns an idx file of zeros."""
    head = bytes([0, 0, 8, len(dimensions)])
    head += b"".join(size.to_bytes(4, "big") for size in dimensions)
    return head + bytes(int(np.prod(dimensions)) if values is None else values)


def idx_folder(images: bytes) -> Files:
    """Returns a study with a folder of four idx files, the first of which is bad."""
    others = {"d/train-idx1": idx(2), "d/test-idx3": idx(2, 2, 2), "d/test-idx1": idx(2)}
    return of_study("dataset: {file: d}").files | {"d/train-idx3": images} | others


def jumps(rows: str) -> Files:
    """Returns the two files of a table of jumps, both with these rows."""
    return {f"t/dG_{way}creasing.txt": rows for way in ("in", "de")}


def measured(
    first: str = "", head: str = "pulse,polarity,conductance_uS", last: str = "1.5"
) -> str:
    """Returns a measured CSV with the same conductance after each pulse."""
    rows = [f"{n % 50 + 1},{('up', 'down')[n // 50 % 2]},{last}" for n in range(200)]
    return "\n".join([head, *([first] if first else []), *rows]) + "\n"


def workbook_of_dates(path: Path) -> None:
    """Writes a workbook with dates in place of conductances."""
    days = pd.date_range("2026-01-01", periods=9)
    pd.DataFrame({"polarity": "up", "conductance_uS": days}).to_excel(path, index=False)


def workbook_cut_in_its_sheet(path: Path) -> None:
    """Writes a workbook whose archive is complete but whose sheet ends in the middle."""
    pd.DataFrame({"polarity": ["up"] * 9, "conductance_uS": 1.0}).to_excel(path, index=False)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content[:300] if "sheet1" in name else content)


def hdf5_circle(path: Path) -> None:
    """Writes an HDF5 file with a link to itself."""
    import h5py

    with h5py.File(path, "w") as file:
        file["spikes/times"] = h5py.SoftLink("/spikes/times")


def write(folder: Path, files: Files) -> None:
    """Writes the files of a row, with HERE in their text replaced by the folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if callable(content):
            content(path)
        elif isinstance(content, str):
            path.write_text(content.replace("HERE", str(folder)))
        else:
            path.write_bytes(content)
