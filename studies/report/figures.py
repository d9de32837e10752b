"""The figures of a study: learning curves, accuracy over a swept setting, gaps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rpu_ssnn.common.errors import InputError
from studies.common.statistics import describe
from studies.declaration.result import SWEEP_PREFIX
from studies.report.figure_style import FONT_POINTS, Look, finish_axes, looks, new_figure, plain
from studies.results.columns import setting
from studies.results.summary import NOT_SIGNIFICANT, NOT_SWEPT, UNTESTED, as_keys, swept_columns

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL_INCHES = 2.4
BAR_INCHES, NARROW_BAR_INCHES = 0.24, 0.36
PANELS_BESIDE_EACH_OTHER_FROM = 5.5
"""Width (inches) from which two panels stand in a row."""
LOGARITHMIC_FROM = 10.0
"""Ratio of the largest to the smallest swept value that gets a logarithmic axis."""


def curves_figure(curves: pd.DataFrame, results: pd.DataFrame, width: float) -> Figure:
    """Validation accuracy by epoch: mean over seeds, band: 95 % interval.

    One panel a point of the sweep. A case without epochs (ann) is a level line, and where no
    images are held out for validation, the accuracy while training is shown.

    Raises:
        InputError: no run has a learning curve.
    """
    from matplotlib.ticker import MaxNLocator

    if curves.empty:
        raise InputError("plot", "curves", "none", "needs runs with epochs; ann has none")
    measure = "validation_accuracy"
    if measure not in curves.columns or curves[measure].isna().all():
        measure = "train_accuracy"
    style = looks(results["label"])
    panels = list(_panels(results, swept_columns(results)))
    figure, all_axes = _grid(width, len(panels))
    for axes, (title, runs) in zip(all_axes, panels, strict=True):
        for case, of_case in runs.groupby("label", sort=False):
            epochs = curves[curves["unit"].isin(of_case["unit"]) & (curves["label"] == case)]
            label = f"{case} (n={len(of_case)})"
            if epochs.empty:
                _level(axes, of_case["validation_accuracy"].dropna(), style[str(case)], label)
            else:
                _curve(axes, epochs, measure, style[str(case)], label)
        axes.set_title(plain(title), fontsize=FONT_POINTS)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("epoch")
        axes.set_ylabel(f"{measure.replace('_', ' ')} (%)")
        finish_axes(axes)
    _legend(figure, all_axes, width)
    return figure


def sweep_figure(results: pd.DataFrame, path: str, width: float) -> Figure:
    """Test accuracy over a swept setting: mean over seeds, bar: 95 % interval.

    One panel a point of the other swept settings; a case that the setting does not apply to is a
    level line.

    Args:
        path: of the setting, see `columns.setting`.

    Raises:
        InputError: no such setting, or it has one value only.
    """
    placed = results.assign(x=setting(results, path))
    values = [value for value in dict.fromkeys(placed["x"]) if value != NOT_SWEPT]
    if len(values) < 2:
        raise InputError("plot", "--x", path, "must be a setting with several values")
    positions = _positions(values)
    style = looks(placed["label"])
    others = [c for c in swept_columns(placed) if c != f"{SWEEP_PREFIX}{path}"]
    panels = list(_panels(placed, others))
    figure, all_axes = _grid(width, len(panels))
    for axes, (title, runs) in zip(all_axes, panels, strict=True):
        for case, of_case in runs.groupby("label", sort=False):
            look, label = style[str(case)], f"{case} (n={of_case['seed'].nunique()})"
            over_x = of_case[of_case["x"] != NOT_SWEPT]
            if over_x.empty:
                _level(axes, of_case["test_accuracy"], look, label)
            else:
                _over_x(axes, over_x, positions, look, label)
        axes.set_title(plain(title), fontsize=FONT_POINTS)
        _x_axis(axes, values, positions)
        axes.set_xlabel(plain(path))
        axes.set_ylabel("test accuracy (%)")
        finish_axes(axes)
    _legend(figure, all_axes, width)
    return figure


def gaps_figure(table: pd.DataFrame, reference: str, width: float) -> Figure:
    """The gap of each row of the summary: a bar, its 95 % interval; hollow: not significant.

    Raises:
        InputError: there is no case beside the reference.
    """
    gaps = table[table["gap"].notna()]
    if gaps.empty:
        allowed = "needs a case beside the reference, with a seed that both have"
        raise InputError("plot", "gaps", "none", allowed)
    style = looks(gaps["case"])
    height = BAR_INCHES if width >= PANELS_BESIDE_EACH_OTHER_FROM else NARROW_BAR_INCHES
    figure = new_figure(width, 1.0 + height * len(gaps))
    axes = figure.subplots()
    for place, (_, row) in enumerate(gaps.iterrows()):
        colour = style[row["case"]].colour
        shown = row["gap_significant"]
        bar = axes.barh(place, row["gap"], height=0.7, ec=colour, fc=colour if shown else "white")
        if not shown:
            bar[0].set_hatch("////")
        half = 0.0 if math.isnan(row["gap_ci"]) else row["gap_ci"]
        axes.errorbar(row["gap"], place, xerr=half, fmt="none", ecolor="black", capsize=2, lw=1)
        if not shown:
            note = UNTESTED if shown is None else NOT_SIGNIFICANT
            end = max(row["gap"] + half, 0.0)
            axes.annotate(
                note, (end, place), (4, 0), textcoords="offset points", va="center", fontsize=7
            )
    axes.axvline(0.0, color="black", lw=0.8)
    names = [_bar_name(row, width) for _, row in gaps.iterrows()]
    axes.set_yticks(range(len(gaps)), names)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel(plain(f"gap to {reference} (points)"))
    finish_axes(axes, "x")
    return figure


def _bar_name(row: pd.Series, width: float) -> str:
    """Case, point and seeds; on a narrow figure below each other."""
    case, _, at = row_title(row).partition(" [")
    at = f"[{at} " if at else ""
    between = " " if width >= PANELS_BESIDE_EACH_OTHER_FROM else "\n"
    return f"{plain(case)}{between}{plain(f'{at}(n={row["gap_n"]})')}"


def row_title(row: pd.Series) -> str:
    """A row of the summary in words: case and point of the sweep."""
    at = [
        f"{str(name).removeprefix(SWEEP_PREFIX)}={value}"
        for name, value in row.items()
        if str(name).startswith(SWEEP_PREFIX) and value != NOT_SWEPT
    ]
    return str(row["case"]) + (f" [{', '.join(at)}]" if at else "")


def _panels(results: pd.DataFrame, swept: Sequence[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    """The runs at each point of some swept settings, with those that they do not apply to."""
    keyed = results.assign(**{column: as_keys(results[column]) for column in swept})
    points = list(dict.fromkeys(zip(*(keyed[column] for column in swept), strict=True)))
    full = [point for point in points if NOT_SWEPT not in point] or points
    for point in full or [()]:
        here = keyed
        for column, value in zip(swept, point, strict=True):
            here = here[here[column].map(lambda at, value=value: at in (value, NOT_SWEPT))]
        pairs = zip(swept, point, strict=True)
        yield ", ".join(f"{name.removeprefix(SWEEP_PREFIX)} = {v}" for name, v in pairs), here


def _grid(width: float, n: int) -> tuple[Figure, list[Axes]]:
    columns = 2 if n > 1 and width >= PANELS_BESIDE_EACH_OTHER_FROM else 1
    rows = -(-n // columns)
    figure = new_figure(width, 0.9 + PANEL_INCHES * rows + (0.6 if n == 1 else 0.0))
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for unused in grid[n:]:
        unused.set_visible(False)
    return figure, list(grid[:n])


def _curve(axes: Axes, epochs: pd.DataFrame, measure: str, look: Look, label: str) -> None:
    by_epoch = [(epoch, describe(of[measure].tolist())) for epoch, of in epochs.groupby("epoch")]
    x = [int(str(epoch)) + 1 for epoch, _ in by_epoch]
    means = [sample.mean for _, sample in by_epoch]
    halves = [0.0 if math.isnan(s.half_width) else s.half_width for _, s in by_epoch]
    low = [mean - half for mean, half in zip(means, halves, strict=True)]
    high = [mean + half for mean, half in zip(means, halves, strict=True)]
    axes.fill_between(x, low, high, color=look.colour, alpha=0.15, lw=0)
    axes.plot(
        x,
        means,
        look.line,
        marker=look.marker,
        ms=3.5,
        color=look.colour,
        lw=1.3,
        label=plain(label),
    )


def _over_x(
    axes: Axes, runs: pd.DataFrame, positions: dict[Any, float], look: Look, label: str
) -> None:
    cells = sorted(
        (positions[x], describe(of_x["test_accuracy"].tolist())) for x, of_x in runs.groupby("x")
    )
    axes.errorbar(
        [x for x, _ in cells],
        [sample.mean for _, sample in cells],
        yerr=[0.0 if math.isnan(s.half_width) else s.half_width for _, s in cells],
        fmt=look.marker,
        ls=look.line,
        ms=4,
        color=look.colour,
        capsize=2,
        lw=1.3,
        label=plain(label),
    )


def _level(axes: Axes, accuracies: pd.Series, look: Look, label: str) -> None:
    if len(accuracies):
        axes.axhline(accuracies.mean(), color=look.colour, ls=":", lw=1.5, label=plain(label))


def _positions(values: Sequence[Any]) -> dict[Any, float]:
    """Where values stand: at themselves where all are numbers, else side by side."""
    try:
        return {value: float(value) for value in values}
    except (TypeError, ValueError):
        return {value: float(place) for place, value in enumerate(values)}


def _x_axis(axes: Axes, values: Sequence[Any], positions: dict[Any, float]) -> None:
    at = sorted(positions.values())
    if at[0] > 0 and at[-1] / at[0] >= LOGARITHMIC_FROM:
        axes.set_xscale("log")
        axes.minorticks_off()
    axes.set_xticks([positions[value] for value in values], [plain(value) for value in values])


def _legend(figure: Figure, all_axes: Sequence[Axes], width: float) -> None:
    entries: dict[str, Artist] = {}
    for axes in all_axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            entries.setdefault(str(label), handle)
    figure.legend(
        list(entries.values()),
        list(entries),
        loc="outside lower center",
        ncols=max(1, int(width / 2)),
        fontsize=FONT_POINTS,
        frameon=False,
    )
