"""Draws accuracy over a swept setting, and gaps; also makes panels and legends for all figures."""

import math
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rpu_ssnn.common.errors import Fault, require
from studies.common.quantities import quantity
from studies.common.statistics import FEWEST_SEEDS, SampleStatistics, mark
from studies.declaration.trial import SWEEP_PREFIX
from studies.report.figure_style import (
    FONT_POINTS,
    Look,
    finish_axes,
    looks,
    new_figure,
    panels,
    plain,
    wrapped,
)
from studies.results.grouping import (
    NOT_SWEPT,
    accuracies,
    by_point,
    images_read,
    keyed,
    setting,
    swept_columns,
    titled,
    titled_row,
)
from studies.results.summary import accuracy_of

PANEL_INCHES = 2.4
BAR_INCHES, LINE_INCHES = 0.24, 0.12
"""A bar with a label of one line has the first height; each further line adds the second."""
PANELS_BESIDE_EACH_OTHER_FROM = 5.5
"""From this width (inches) on, panels are placed side by side."""
MOST_IN_TWO_COLUMNS = 4
"""Up to this many panels have two columns, more have three."""
LOGARITHMIC_FROM = 10.0
"""Swept values get a logarithmic axis if their ratio is at least this."""
CHARACTER_INCHES, LEGEND_INCHES = 0.068, 0.6
"""A character in a legend has the first width, and the symbol before the text the second."""
DODGE = 0.012
"""Cases are this share of the axis apart."""


def sweep_figure(results: pd.DataFrame, path: str, width: float) -> Figure:
    """Draws accuracy over a swept setting: the mean over seeds with its 95 % interval.

    Each point of the other swept settings has a panel. A case to which the setting does not apply
    is a level line with a band.

    Args:
        path: path of the setting, see `grouping.setting`.

    Raises:
        InputError: there is no such setting, or it has only one value.
    """
    placed = results.assign(x=setting(results, path))
    values = [value for value in dict.fromkeys(placed["x"]) if value != NOT_SWEPT]
    require(len(values) > 1, "plot", "--x", path, "must be a setting with several values")
    positions = _positions(values)
    style = looks(placed["label"])
    others = [c for c in swept_columns(placed) if c != f"{SWEEP_PREFIX}{path}"]
    points = list(panels_of(placed, others))
    figure, all_axes = panel_grid(width, len(points))
    for axes, (title, runs) in zip(all_axes, points, strict=True):
        of_cases = list(runs.groupby("label", sort=False))
        beside = [case for case, of_case in of_cases if (of_case["x"] != NOT_SWEPT).any()]
        for case, of_case in of_cases:
            look = style[str(case)]
            over_x = of_case[of_case["x"] != NOT_SWEPT]
            label = f"{case} (n={_seeds_a_point(of_case if over_x.empty else over_x)})"
            if over_x.empty:
                level(axes, accuracy_of(of_case)[0], look, label)
            else:
                shift = beside.index(case) - (len(beside) - 1) / 2
                places = _dodged(positions, shift)
                cells = sorted((places[x], accuracy_of(of)[0]) for x, of in over_x.groupby("x"))
                samples = [(sample.mean, sample.half_width, sample.n) for _, sample in cells]
                draw_means(axes, [at for at, _ in cells], samples, look, label, look.line)
        axes.set_title(plain(title), fontsize=FONT_POINTS)
        _x_axis(axes, values, positions)
        finish_axes(axes, plain(quantity(path)), f"{images_read(results)} accuracy (%)")
    legend_below(figure, all_axes, width)
    return figure


def gaps_figure(results: pd.DataFrame, table: pd.DataFrame, reference: str, width: float) -> Figure:
    """Draws the gap of each row of the summary as a bar, coloured by case, with its interval; a
    wide figure has the accuracies beside it.

    A hollow bar is not significant after Holm's correction.

    Raises:
        InputError: there is no case to compare with the reference.
    """
    allowed = "there must be a case beside the reference, with a seed that both have"
    require(table["gap"].notna().any(), "plot", "gaps", Fault("none"), allowed)
    columns = 1 if width < PANELS_BESIDE_EACH_OTHER_FROM else 2
    rows = [row for _, row in table.iterrows()]
    names = [wrapped(f"{titled_row(row)} (n={row['n']})", 24 + 10 * (columns - 1)) for row in rows]
    most = 1 + max(name.count("\n") for name in names)
    figure = new_figure(width, 1.0 + (BAR_INCHES + LINE_INCHES * (most - 1)) * len(names))
    *beside, axes = figure.subplots(1, columns, sharey=True, squeeze=False)[0]
    for accuracy in beside:
        _accuracies(accuracy, results, table)
    _gaps(axes, table)
    axes.margins(x=0.12)
    what = f"gap to {reference} (points), with its 95 % interval; hollow: not significant"
    finish_axes(axes, wrapped(what, int(13 * width / columns)), grid="x")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)  # the first case is on top in both panels
    return figure


def _accuracies(axes: Axes, results: pd.DataFrame, table: pd.DataFrame) -> None:
    """Draws the accuracy of each row: seeds as dots, and the mean with its 95 % interval."""
    runs_of = {titled(case, point): runs for case, point, runs in by_point(results)}
    for place, (_, row) in enumerate(table.iterrows()):
        of_seeds = accuracies(runs_of[titled_row(row)])
        axes.plot(of_seeds, [place] * len(of_seeds), "o", color="#56B4E9", ms=3)
        half = [[each] for each in bar_within(row["accuracy"], row["accuracy_ci"], row["n"])]
        axes.errorbar(row["accuracy"], place, xerr=half, fmt="|", ms=8, color="black", capsize=2)
    finish_axes(
        axes,
        f"{images_read(results)} accuracy (%): seeds as dots,\nmean with its 95 % interval",
        grid="x",
    )


def _gaps(axes: Axes, table: pd.DataFrame) -> None:
    style = looks(table["case"])
    for place, (_, row) in enumerate(table.iterrows()):
        if row["gap"] != row["gap"]:
            continue  # this is the reference, or has no seed in common with it
        colour = style[row["case"]].colour
        half = 0.0 if math.isnan(row["gap_ci"]) else row["gap_ci"]
        note = mark(row["gap"], row["gap_ci"], row["gap_p_holm"])
        axes.barh(place, row["gap"], height=0.7, ec=colour, fc="white" if note else colour)
        axes.errorbar(row["gap"], place, xerr=half, fmt="none", ecolor="black", capsize=2, lw=1)
        end = max(row["gap"] + half, 0.0)
        if note:
            axes.annotate(
                note, (end, place), (4, 0), textcoords="offset points", va="center", fontsize=7
            )
    axes.axvline(0.0, color="black", lw=0.8)


def bar_within(mean: float, half_width: float, n: int) -> tuple[float, float]:
    """Returns how far an interval of accuracies (%) reaches below and above their mean.

    It ends at 0 and at 100, and is empty with fewer than three seeds.
    """
    if n < FEWEST_SEEDS:
        return 0.0, 0.0
    return min(half_width, mean), min(half_width, 100.0 - mean)


def draw_means(
    axes: Axes,
    x: Sequence[float],
    samples: Sequence[tuple[float, float, int]],
    look: Look,
    label: str,
    line: str = "none",
) -> None:
    """Draws mean accuracies with their intervals, each given as mean, half width and n."""
    bars = list(zip(*(bar_within(*sample) for sample in samples), strict=True))
    axes.errorbar(
        x, [mean for mean, _, _ in samples], yerr=bars, fmt=look.marker, ls=line, ms=4,
        color=look.colour, capsize=2, lw=1.3, label=plain(label),
    )  # fmt: skip


def panels_of(results: pd.DataFrame, swept: Sequence[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yields a title and the runs at each point of some swept settings, together with the runs of
    cases without these settings."""
    table = keyed(results)
    points = list(dict.fromkeys(zip(*(table[column] for column in swept), strict=True)))
    full = [point for point in points if NOT_SWEPT not in point] or points
    for point in full or [()]:
        here = table
        for column, value in zip(swept, point, strict=True):
            here = here[here[column].map(lambda at, value=value: at in (value, NOT_SWEPT))]
        title = titled("", dict(zip(swept, point, strict=True)))
        yield title.removeprefix(" [").removesuffix("]"), here  # a value may end in brackets too


def columns_of(width: float, n: int) -> int:
    """Returns the number of panels in a row."""
    most = 3 if n > MOST_IN_TWO_COLUMNS else 2
    return 1 if width < PANELS_BESIDE_EACH_OTHER_FROM else min(n, most)


def panel_grid(width: float, n: int) -> tuple[Figure, list[Axes]]:
    """Returns a figure of this width (inches) with n panels, which share the vertical axis."""
    beside = 0.9 + (0.6 if n == 1 else 0.0)
    return panels(width, n, columns_of(width, n), PANEL_INCHES, beside, sharey=True)


def _seeds_a_point(runs: pd.DataFrame) -> str:
    """Returns the number of seeds at a point, or the fewest and the most if points differ."""
    counts = runs.groupby("x")["seed"].nunique()
    least, most = counts.min(), counts.max()
    return f"{least}" if least == most else f"{least} to {most}"


def level(axes: Axes, sample: SampleStatistics, look: Look, label: str) -> None:
    """Draws the mean of accuracies (%) as a level line in the band of its interval, if there are
    any accuracies."""
    if sample.n:
        below, above = bar_within(sample.mean, sample.half_width, sample.n)
        axes.axhline(sample.mean, color=look.colour, ls=":", lw=1.5, label=plain(label))
        axes.axhspan(sample.mean - below, sample.mean + above, color=look.colour, alpha=0.15, lw=0)


def _positions(values: Sequence[Any]) -> dict[Any, float]:
    """Returns the position of each value: the value itself if all are finite numbers, else its
    rank."""
    try:
        numbers = {value: float(value) for value in values}
    except (TypeError, ValueError):
        return {value: float(place) for place, value in enumerate(values)}
    if all(math.isfinite(number) for number in numbers.values()):
        return numbers
    return {
        value: float(place) for place, value in enumerate(sorted(numbers, key=numbers.__getitem__))
    }


def _dodged(positions: dict[Any, float], shift: float) -> dict[Any, float]:
    """Moves positions a little, so that error bars do not hide each other."""
    at = sorted(positions.values())
    if _is_logarithmic(at):
        factor = (at[-1] / at[0]) ** (DODGE * shift)
        return {value: place * factor for value, place in positions.items()}
    return {value: place + DODGE * shift * (at[-1] - at[0]) for value, place in positions.items()}


def _is_logarithmic(at: Sequence[float]) -> bool:
    return at[0] > 0 and at[-1] / at[0] >= LOGARITHMIC_FROM


def _x_axis(axes: Axes, values: Sequence[Any], positions: dict[Any, float]) -> None:
    if _is_logarithmic(sorted(positions.values())):
        axes.set_xscale("log")
        axes.minorticks_off()
    axes.set_xticks([positions[value] for value in values], [plain(value) for value in values])


def legend_below(figure: Figure, all_axes: Sequence[Axes], width: float) -> None:
    """Puts one legend with the labels of all panels below a figure of this width (inches)."""
    entries: dict[str, Artist] = {}
    for axes in all_axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            entries.setdefault(str(label), handle)
    longest = max(map(len, entries), default=0)
    fitting = int(width / (LEGEND_INCHES + CHARACTER_INCHES * longest))
    figure.legend(
        list(entries.values()),
        [textwrap.fill(name, int((width - LEGEND_INCHES) / CHARACTER_INCHES)) for name in entries],
        loc="outside lower center",
        ncols=max(1, fitting),
        fontsize=FONT_POINTS,
        frameon=False,
    )
