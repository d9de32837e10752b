"""Makes the sections of the page other than the summary."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from rpu_ssnn.common.files import read_bytes
from studies.chip.description import Chip
from studies.declaration.trial import Runs
from studies.report import (
    attribution_view,
    chip_view,
    decomposition_view,
    ledger_view,
    requirement_view,
)
from studies.report.figure_style import NARROW_INCHES, WIDE_INCHES, as_svg
from studies.results.chip_ledger import chip_ledger, costs_of
from studies.results.ledger import ledger_table

MOST_PICTURE_BYTES = 16 << 20
"""Pictures of more bytes are not read."""


@dataclass(frozen=True)
class Table:
    """Holds a table of the page, with cells as text and exact numbers for its CSV.

    Attributes:
        n_left: number of leading columns that are left aligned.
        exact: the table for the CSV; None means the cells.
    """

    cells: pd.DataFrame
    n_left: int
    note: str = ""
    exact: pd.DataFrame | None = None

    @property
    def columns(self) -> list[str]:
        """Returns the headings of the columns."""
        return [str(name) for name in self.cells.columns]

    @property
    def rows(self) -> list[list[str]]:
        """Returns the rows of cells."""
        return [list(map(str, row)) for row in self.cells.to_numpy().tolist()]

    @property
    def csv(self) -> str:
        """Returns the table as CSV with full precision."""
        exact = self.cells if self.exact is None else self.exact
        return str(exact.to_csv(index=False)).rstrip("\n")


@dataclass(frozen=True)
class Picture:
    """Holds a figure as two data URIs, one for a wide and one for a narrow page."""

    caption: str
    wide: str
    narrow: str


@dataclass(frozen=True)
class Section:
    """Holds a section of the page with its heading, pictures and tables.

    Attributes:
        folded: whether it is hidden until the reader clicks on it.
    """

    name: str
    pictures: list[Picture]
    tables: list[Table]
    folded: bool = False

    @property
    def anchor(self) -> str:
        """Returns the anchor of the section in links."""
        return self.name.lower().replace(" ", "-")


def drawn(caption: str, draw: Callable[[float], Figure]) -> Picture:
    """Draws a figure in both widths."""
    wide, narrow = (_uri(as_svg(draw(width)), "svg+xml") for width in (WIDE_INCHES, NARROW_INCHES))
    return Picture(caption, wide, narrow)


def answers(root: Path) -> Iterator[Section]:
    """Yields the sections with the answers of `attribute`, `require` and `decompose`, if any."""
    for name, view in (
        ("Attribution", attribution_view),
        ("Requirement", requirement_view),
        ("Decomposition", decomposition_view),
    ):
        try:
            kept = pd.read_csv(root / view.FILE)
        except (OSError, ValueError):  # there is no such file, or another program wrote it
            continue
        picture = _png(root / view.FIGURE, f"{name}, as `rpu-ssnn` drew it.")
        cells = kept.map(lambda cell: f"{cell:.4g}" if isinstance(cell, float) else str(cell))
        yield Section(name, picture, [Table(cells.replace("nan", "-"), 1, exact=kept)])


def ledger(results: pd.DataFrame) -> Iterator[Section]:
    """Yields the section on what training cost the devices, if there are any."""
    if "pulses_up_per_device" not in results:
        return
    found = ledger_table(results)
    if len(found):
        cells, n_left = ledger_view.cells(found), ledger_view.n_names(found)
        table = Table(cells, n_left, ledger_view.note(found), found)
        yield Section("Ledger", [], [table], folded=True)


def around_devices(runs: Runs, chip: Chip | None) -> Iterator[Section]:
    """Yields the section on costs in the study's chip, if any run counted its events."""
    if chip is None or all(costs_of(trial, run.row, chip) is None for trial, run in runs):
        return
    found = chip_ledger(runs, chip)
    left = ledger_view.n_names(found)
    tables = [
        Table(chip_view.cost_cells(found), left, chip_view.note(found, chip), found),
        Table(chip_view.part_cells(found), left, chip_view.OF_PARTS),
        Table(chip_view.component_cells(chip), 1),
    ]
    caption = (
        "Energy of an image in training; the black bars reach to where all components are at the "
        "same end of their intervals."
    )
    picture = drawn(caption, lambda width: chip_view.draw(found, chip, width))
    yield Section("Chip", [picture], tables, folded=True)


def _png(path: Path, caption: str) -> list[Picture]:
    try:
        uri = _uri(read_bytes(path, MOST_PICTURE_BYTES), "png")
    except OSError:
        return []
    return [Picture(caption, uri, uri)]


def _uri(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
