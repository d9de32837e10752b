"""Gives all figures one style, readable for colour-blind readers and in grey print."""

import io
import itertools
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import ArrayLike

from rpu_ssnn.common.files import CREATOR, write_together
from rpu_ssnn.common.wording import plain as plain

FONT_POINTS = 8.0
WIDE_INCHES = 7.0
"""The text of a page has this width; figures for a phone's screen have `NARROW_INCHES`."""
NARROW_INCHES = 4.0

# This is Okabe and Ito's palette with grey in place of black, in which whiskers are drawn, and
# without yellow, which is hard to see on white paper.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999")
_MARKERS = ("o", "s", "D", "^", "v", "P", "X", "<", ">")
_LINES = ("-", "--", "-.")  # level lines are dotted


@dataclass(frozen=True)
class Look:
    """Distinguishes a series from its neighbours by each of its fields."""

    colour: str
    marker: str
    line: str

    def plot(self, axes: Axes, x: ArrayLike, y: ArrayLike, label: object) -> None:
        """Draws a line through points."""
        axes.plot(
            x, y, self.line, marker=self.marker, ms=4, color=self.colour, lw=1.3, label=plain(label)
        )


def looks(names: Iterable[str]) -> dict[str, Look]:
    """Returns a look for each name."""
    cycles = zip(*map(itertools.cycle, (_COLOURS, _MARKERS, _LINES)), strict=False)
    return {name: Look(*look) for name, look in zip(dict.fromkeys(names), cycles, strict=False)}


def wrapped(text: object, width: int) -> str:
    """Returns plain text, broken into lines of at most this width (characters)."""
    # A value stays on the line of its name.
    whole = " ".join(str(text).split()).replace(" = ", "\u00a0=\u00a0")
    lines = textwrap.wrap(whole, width)
    return "\n".join(plain(line.replace("\u00a0", " ")) for line in lines)


def new_figure(width: float, height: float) -> Figure:
    """Returns an empty figure of this size (inches)."""
    return Figure(figsize=(width, height), layout="constrained")


def panels(
    width: float, n: int, columns: int, inches: float, beside: float, sharey: bool = False
) -> tuple[Figure, list[Axes]]:
    """Returns a figure with n panels in rows; the rest of the last row stays empty.

    Args:
        width: width of the figure, inches.
        n: number of panels.
        columns: number of panels in a row.
        inches: height of a row, inches.
        beside: height of everything else, inches.
    """
    rows = -(-n // columns)
    figure = new_figure(width, beside + inches * rows)
    grid = figure.subplots(rows, columns, sharey=sharey, squeeze=False).ravel()
    for unused in grid[n:]:
        unused.set_visible(False)
    return figure, list(grid[:n])


def finish_axes(axes: Axes, x: str = "", y: str = "", grid: Literal["x", "y"] = "y") -> None:
    """Sets labels, grid, ticks and frame."""
    axes.set(xlabel=x, ylabel=y)
    axes.grid(axis=grid, lw=0.4, alpha=0.6)
    axes.tick_params(labelsize=FONT_POINTS)
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.label.set_fontsize(FONT_POINTS)
    axes.yaxis.label.set_fontsize(FONT_POINTS)
    axes.xaxis.set_minor_locator(NullLocator())


def save(figure: Figure, path: Path) -> Path:
    """Writes the figure in one step, in the format that the ending of its name gives.

    Raises:
        InputError: the folder cannot be written to.
    """
    write_together("plot", {path: lambda file: figure.savefig(file, dpi=200, metadata=CREATOR)})
    return path


def as_svg(figure: Figure) -> bytes:
    """Returns the figure as SVG without links or metadata, and with the same bytes each time."""
    buffer = io.BytesIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with rc_context({"svg.hashsalt": "rpu-ssnn"}):
        figure.savefig(buffer, format="svg", metadata=nothing)
    return buffer.getvalue()
