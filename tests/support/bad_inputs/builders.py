"""What the bad inputs are made with."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from support.studies.harness import SMALL

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
            raw = (
                content.replace("HERE", str(folder)).encode()
                if isinstance(content, str)
                else content
            )
            path.write_bytes(raw)


DRIVE = {"weight_range": 8, "learning_rate": 1}
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


def of_device(
    name: str, device: object, *says: str, files: Files | None = None, **more: Any
) -> Bad:
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
                    file.create_dataset(
                        key.replace("__", "/"), shape=value, dtype="f4", chunks=True
                    )
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
    "presets from-metrics --name mine --on-off 10 --states-up 50 --states-down 50 "
    "--nonlinearity-up 1 --nonlinearity-down -1 --cycle-to-cycle 0.01 --device-to-device 0"
)
LONG = "a" * 5000
