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
from studies.results.text_table import Table

MOST_PICTURE_BYTES = 16 << 20
"""Pictures of more bytes are not read."""


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
        yield Section("Ledger", [], [ledger_view.readable(found)], folded=True)


def around_devices(runs: Runs, chip: Chip | None) -> Iterator[Section]:
    """Yields the section on costs in the study's chip, if any run counted its events."""
    if chip is None or all(costs_of(trial, run.row, chip) is None for trial, run in runs):
        return
    found = chip_ledger(runs, chip)
    caption = (
        "Energy of an image in training; the black bars reach to where all components are at the "
        "same end of their intervals."
    )
    picture = drawn(caption, lambda width: chip_view.draw(found, chip, width))
    yield Section("Chip", [picture], chip_view.tables(found, chip), folded=True)


def _png(path: Path, caption: str) -> list[Picture]:
    try:
        uri = _uri(read_bytes(path, MOST_PICTURE_BYTES), "png")
    except OSError:
        return []
    return [Picture(caption, uri, uri)]


def _uri(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
