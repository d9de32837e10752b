"""Reads and writes CrossSim's lookup tables of a measured device.

A table gives the distribution of the change that a pulse makes at each conductance. Its folder
holds ``dG_increasing.txt`` and ``dG_decreasing.txt`` (or ``.gz``). After comment lines, each file
has one row of conductances (S), one row of points of the cumulative distribution, and then for each
point a row of changes (S), with one column per conductance. A table does not record the order of
pulses, so it knows nothing of reads and their noise, of cycles or of separate devices.

A column of changes may fall in places, as CrossSim's own (extrapolated) tables do. Each value then
still has the probability given by the distance between its points. A column that ends below its
start is refused, because its rows are in reverse order.
"""

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rpu_ssnn.common.errors import Fault, InputError, require
from rpu_ssnn.common.files import text_of

_COMMENT = "Row 1: conductances {0}, row 2: points of the distribution, then changes {0}"
NORMALISED = "(a.u.)"
"""Marks, in a comment line, conductances that have no unit and may be below 0."""

_NEAR = 1e-3
"""Numbers that may be rounded count as equal within this relative difference."""

MOST_SIEMENS = 1.0
"""The assumed upper limit for a single memory device: its wires have about 1 ohm, and a quantum of
conductance is 77.5 uS."""

_MOST_RANGES = 10.0
"""No jump is larger than this many ranges; those of the noisiest published tables reach 1.8."""

FILES = {"up": "dG_increasing.txt", "down": "dG_decreasing.txt"}


@dataclass(frozen=True)
class LookupTable:
    """Holds a measured device in CrossSim's form.

    Args:
        name: the name of its folder.
        conductance: [columns], rising, in siemens (without a unit if `normalised`).
        points: [points] of the cumulative distribution, rising from 0 to 1.
        up, down: [points, columns] changes of conductance by an up and by a down pulse.
        normalised: whether the conductances have no unit.
    """

    name: str
    conductance: np.ndarray
    points: np.ndarray
    up: np.ndarray
    down: np.ndarray
    normalised: bool = False

    @functools.cached_property
    def digest(self) -> str:
        """Returns the SHA-256 of the numbers, which does not depend on the file format."""
        total = hashlib.sha256()
        for part in (self.conductance, self.points, self.up, self.down):
            total.update(str(part.shape).encode())
            total.update(np.ascontiguousarray(part, dtype="<f8").tobytes())
        return total.hexdigest()

    def mean_step(self, up: bool) -> np.ndarray:
        """Returns the mean change by a pulse (S) at each conductance, [columns]."""
        mean: np.ndarray = np.trapezoid(self.up if up else self.down, self.points, axis=0)
        return mean

    def after(self, conductance: float, up: bool, share: float) -> float:
        """Returns the conductance after a pulse, drawn at the quantile `share` of the
        distribution."""
        column = float(np.interp(conductance, self.conductance, np.arange(len(self.conductance))))
        left = min(int(column), len(self.conductance) - 2)
        changes = (self.up if up else self.down)[:, left : left + 2]
        ends = [float(np.interp(share, self.points, changes[:, k])) for k in (0, 1)]
        moved = conductance + ends[0] + (column - left) * (ends[1] - ends[0])
        return float(np.clip(moved, self.conductance[0], self.conductance[-1]))


def is_lookup_table(path: Path) -> bool:
    """Returns whether the path is a folder with at least one file of a table."""
    return path.is_dir() and any(_file(path, name).exists() for name in FILES.values())


def read_lookup_table(folder: Path) -> LookupTable:
    """Returns the table of a folder, with both directions interpolated at the up file's points.

    Raises:
        InputError: a file is missing or is not such a table; the error names file and row.
    """
    for name in FILES.values():
        allowed = f"must hold {' and '.join(FILES.values())} (or .gz), one for each direction"
        require(_file(folder, name).is_file(), folder, "file", Fault(f"{name} is missing"), allowed)
        if (folder / name).exists() and (folder / f"{name}.gz").exists():
            allowed = f"must not lie beside {name}.gz: remove one of them"
            raise InputError(folder, "file", name, allowed)
    up, down = (_read(_file(folder, FILES[way])) for way in ("up", "down"))
    conductance, points, near = up.conductance, up.points, _NEAR * float(np.ptp(up.conductance))
    same = down.conductance.shape == conductance.shape
    same = same and np.allclose(down.conductance, conductance, _NEAR, near)
    if not same or not np.allclose(down.points[[0, -1]], points[[0, -1]]):
        allowed, differ = f"must be those of {FILES['up']}", Fault("they differ")
        raise InputError(_file(folder, FILES["down"]), "conductances, points", differ, allowed)
    changes = np.array([np.interp(points, down.points, column) for column in down.changes.T]).T
    normalised = up.normalised or down.normalised
    return LookupTable(folder.name, conductance, points, up.changes, changes, normalised)


def write_lookup_table(folder: Path, table: LookupTable) -> None:
    """Writes the two files of a table into a folder, which is created if needed."""
    folder.mkdir(parents=True, exist_ok=True)
    comment = _COMMENT.format(NORMALISED if table.normalised else "(S)")
    for way, changes in (("up", table.up), ("down", table.down)):
        rows = (table.conductance, table.points, *changes)
        lines = [", ".join(f"{value:.9g}" for value in row) for row in rows]
        (folder / FILES[way]).write_text("\n".join([comment, *lines]) + "\n", encoding="utf-8")


def _file(folder: Path, name: str) -> Path:
    zipped = folder / f"{name}.gz"
    return zipped if zipped.exists() else folder / name


class _OneWay(NamedTuple):
    """Holds the file of one direction, with the shapes of `LookupTable`."""

    conductance: np.ndarray
    points: np.ndarray
    changes: np.ndarray
    normalised: bool


def _rows(file: Path) -> tuple[list[np.ndarray], bool]:
    """Returns the rows of numbers, and whether the conductances have no unit."""
    rows: list[np.ndarray] = []
    normalised = False
    for number, line in enumerate(text_of(file).splitlines(), 1):
        cells = line.replace(",", " ").split()
        if not cells:
            continue
        try:
            row = np.array([float(cell) for cell in cells])
        except ValueError:
            if rows:
                allowed = "must hold numbers; comments may stand only above them"
                raise InputError(f"{file}, row {number}", "row", line[:40], allowed) from None
            normalised |= NORMALISED in line
            continue
        allowed = "must hold finite numbers"
        require(np.isfinite(row).all(), f"{file}, row {number}", "row", line[:40], allowed)
        if len(rows) >= 2 and len(row) != len(rows[0]):
            allowed = f"must be {len(rows[0])}, one for each conductance"
            raise InputError(f"{file}, row {number}", "cells", len(row), allowed)
        rows.append(row)
    return rows, normalised


def _read(file: Path) -> _OneWay:
    rows, normalised = _rows(file)
    allowed = (
        "must be conductances, points of the distribution, and one row for each point, with "
        "spaces or commas between numbers"
    )
    require(len(rows) >= 4 and len(rows) - 2 == len(rows[1]), file, "rows", len(rows), allowed)
    conductance, points, changes = rows[0], rows[1], np.array(rows[2:])
    allowed = "must be at least 2, as a device moves from one to another"
    require(len(conductance) >= 2, file, "conductances", len(conductance), allowed)
    for field, values in (("conductances", conductance), ("points", points)):
        if not (np.diff(values) > 0).all():
            raise InputError(file, field, Fault("they do not rise"), "must rise from cell to cell")
    if abs(points[0]) > _NEAR or abs(points[-1] - 1.0) > _NEAR:
        found = Fault(f"from {points[0]:g} to {points[-1]:g}")
        raise InputError(file, "points of the distribution", found, "must go from 0 to 1")
    allowed = (
        f"must be from 0 to {MOST_SIEMENS:g} S for a single device; for normalised values, write "
        f"{NORMALISED} into the first line"
    )
    fits = normalised or 0.0 <= conductance[0] < conductance[-1] <= MOST_SIEMENS
    span = conductance[[0, -1]].tolist()
    require(fits, file, "conductances", span, allowed)
    largest, most = float(np.abs(changes).max()), _MOST_RANGES * (span[1] - span[0])
    allowed = f"must be at most {most:g}, {_MOST_RANGES:g} times the range: check the unit"
    require(largest <= most, file, "largest change", largest, allowed)
    falls = np.flatnonzero(changes[-1] < changes[0])
    if len(falls):
        allowed = "must rise with the points of the distribution, but ends below its first change"
        place, last = f"column {falls[0] + 1} of changes", float(changes[-1, falls[0]])
        raise InputError(file, place, last, allowed)
    return _OneWay(conductance, points, changes, normalised)
