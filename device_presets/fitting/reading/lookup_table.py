"""CrossSim's lookup tables of a measured device: the law of a pulse's change at each conductance.

A folder holds ``dG_increasing.txt`` and ``dG_decreasing.txt`` (or ``.gz``). Each file holds, after
comment lines, one row of conductances (S), one row of points of the cumulative distribution, and
one row a point of changes (S), one column a conductance. A table holds no order of pulses: reads
and their noise, cycles and devices are not in it. So a fit takes sweeps that are drawn from it.
"""

import gzip
import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from device_presets.fitting.reading.measurement import Measurement
from rpu_ssnn.common.errors import PresetError
from rpu_ssnn.common.files import reason

FILES = {"up": "dG_increasing.txt", "down": "dG_decreasing.txt"}
_SWEEPS_OF = (60, 600)
_PULSES = 6000
_ENOUGH = 1.5  # sweeps of as many mean steps as cross the range so often


@dataclass(frozen=True)
class LookupTable:
    """A measured device as CrossSim has it.

    Args:
        name: of the folder.
        conductance: [columns] in siemens, rising.
        points: [points] of the cumulative distribution, rising from 0 to 1.
        up, down: [points, columns] change of conductance (S) by an up and by a down pulse.
    """

    name: str
    conductance: np.ndarray
    points: np.ndarray
    up: np.ndarray
    down: np.ndarray

    def mean_step(self, up: bool) -> np.ndarray:
        """[columns] mean change by a pulse (S)."""
        mean: np.ndarray = np.trapezoid(self.up if up else self.down, self.points, axis=0)
        return mean

    def after(self, conductance: float, up: bool, share: float) -> float:
        """The conductance after a pulse that is larger than a share of all such pulses."""
        column = float(np.interp(conductance, self.conductance, np.arange(len(self.conductance))))
        left = min(int(column), len(self.conductance) - 2)
        changes = (self.up if up else self.down)[:, left : left + 2]
        ends = [float(np.interp(share, self.points, changes[:, k])) for k in (0, 1)]
        moved = conductance + ends[0] + (column - left) * (ends[1] - ends[0])
        return float(np.clip(moved, self.conductance[0], self.conductance[-1]))


def is_lookup_table(path: Path) -> bool:
    """Whether a folder holds a table."""
    return path.is_dir() and any(_file(path, name).exists() for name in FILES.values())


def read_lookup_table(folder: Path) -> LookupTable:
    """The table of a folder.

    Raises:
        PresetError: a file is missing, or is no such table; it names file and row.
    """
    tables = {way: _read(_file(folder, name)) for way, name in FILES.items()}
    conductance, points, up = tables["up"]
    others, other_points, down = tables["down"]
    same = others.shape == conductance.shape and np.allclose(others, conductance, rtol=1e-3)
    if not same or not np.allclose(other_points[[0, -1]], points[[0, -1]]):
        allowed = f"must have the conductances of {FILES['up']}"
        raise PresetError(_file(folder, FILES["down"]), "row", "of conductances", allowed)
    down = np.array([np.interp(points, other_points, column) for column in down.T]).T
    return LookupTable(folder.name, conductance, points, up, down)


def _file(folder: Path, name: str) -> Path:
    zipped = folder / f"{name}.gz"
    return zipped if zipped.exists() else folder / name


def _read(file: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    try:
        content = file.read_bytes()
        lines = (gzip.decompress(content) if file.suffix == ".gz" else content).decode()
    except (OSError, UnicodeDecodeError, EOFError, zlib.error) as error:
        allowed = "must be a readable table of CrossSim"
        raise PresetError(file, "file", reason(error), allowed) from None
    rows: list[np.ndarray] = []
    for number, line in enumerate(lines.splitlines(), 1):
        cells = line.replace(",", " ").split()
        if not cells:
            continue
        try:
            row = np.array([float(cell) for cell in cells])
        except ValueError:
            if rows:
                allowed = "must hold numbers; comments come first"
                raise PresetError(f"{file}, row {number}", "row", line[:40], allowed) from None
            continue
        if len(rows) >= 2 and len(row) != len(rows[0]):
            allowed = f"must be {len(rows[0])}, one for each conductance"
            raise PresetError(f"{file}, row {number}", "cells", len(row), allowed)
        rows.append(row)
    if len(rows) < 4 or len(rows) - 2 != len(rows[1]):
        allowed = "must hold conductances, points of the distribution, and one row a point"
        raise PresetError(file, "rows", len(rows), allowed)
    conductance, points, changes = rows[0], rows[1], np.array(rows[2:])
    if changes.shape[1] != len(conductance) or len(conductance) < 2:
        raise PresetError(file, "columns", changes.shape[1], f"must be {len(conductance)}")
    for field, values in (("conductances", conductance), ("points", points)):
        if not (np.isfinite(values).all() and (np.diff(values) > 0).all()):
            raise PresetError(file, field, "not rising", "must rise from cell to cell")
    if not np.isfinite(changes).all():
        raise PresetError(file, "changes", "not finite", "must be numbers")
    return conductance, points, changes


def sampled(table: LookupTable, unit: str, seed: int = 0) -> Measurement:
    """Sweeps up and down drawn from a table, ``_PULSES`` pulses in all, of one device.

    A sweep has half as many pulses again as the mean step needs to cross the range, within limits.
    There is no read noise in it, and no pulse depends on those before.

    Args:
        table: the device. unit: that reports count conductances in. seed: of the draw.
    """
    rng = np.random.default_rng(seed)
    lengths = [_length(table, up) for up in (True, False)]
    cycles = max(2, math.ceil(_PULSES / sum(lengths)))
    train = np.concatenate([np.ones(lengths[0]), -np.ones(lengths[1])])
    pulse = np.concatenate([[0.0], np.tile(train, cycles)])
    conductance = np.empty(len(pulse))
    conductance[0] = table.conductance[0]
    for row, share in enumerate(rng.random(len(pulse) - 1), 1):
        conductance[row] = table.after(float(conductance[row - 1]), bool(pulse[row] > 0), share)
    cycle = np.concatenate([[0], np.repeat(np.arange(cycles), len(train))])
    note = f"{len(pulse) - 1} pulses drawn from CrossSim's table (seed {seed}), none was measured"
    return Measurement(
        name=table.name,
        column="dG",
        conductance=conductance,
        pulse=pulse.astype(np.int8),
        device=np.zeros(len(pulse), dtype=np.int32),
        cycle=cycle.astype(np.int32),
        n_devices=1,
        n_cycles=cycles,
        unit=unit,
        notes=(note,),
    )


def _length(table: LookupTable, up: bool) -> int:
    """Pulses of a sweep."""
    step = np.abs(table.mean_step(up))
    span = float(table.conductance[-1] - table.conductance[0])
    slow = np.maximum(step, 1e-3 * float(step.max()))
    needed = float(np.trapezoid(1.0 / slow, table.conductance)) if step.max() > 0 else math.inf
    least = span / max(float(step.max()), 1e-30)
    return int(np.clip(_ENOUGH * min(needed, 4 * least), *_SWEEPS_OF))
