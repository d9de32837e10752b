"""Provides lookup tables of CrossSim: a small hand-made one, and measured ones if present."""

import gzip
from pathlib import Path

import numpy as np


def measured_tables() -> list[Path]:
    """Returns the folders of real tables in `shared/measured` beside the repository, if any."""
    beside = (parent / "shared" / "measured" for parent in Path(__file__).parents)
    home = next((folder for folder in beside if folder.is_dir()), None)
    return sorted(f for f in home.iterdir() if f.is_dir()) if home else []


def write_table(
    folder: Path,
    *,
    up: float = 1e-6,
    down: float = -2e-6,
    spread: float = 0.1e-6,
    slope: float = 0.0,
    low: float = 1e-5,
    points: tuple[float, ...] = (0.0, 0.5, 1.0),
    columns: int = 9,
) -> Path:
    """Writes a table of jumps, by default 1 uS up and 2 uS down over 40 uS, with a uniform spread.

    Args:
        slope: share by which the mean falls from the first conductance to the last.
    """
    folder.mkdir(exist_ok=True, parents=True)
    conductance = np.linspace(low, low + 4e-5, columns)
    falling = 1.0 - slope * np.linspace(0.0, 1.0, columns)
    for name, step in (("increasing", up), ("decreasing", down)):
        changes = step * falling + spread * (2.0 * np.array(points)[:, None] - 1.0)
        lines = [", ".join(f"{v:g}" for v in row) for row in (conductance, points, *changes)]
        content = "1st row: conductances\n" + "\n".join(lines) + "\n"
        (folder / f"dG_{name}.txt.gz").write_bytes(gzip.compress(content.encode()))
    return folder
