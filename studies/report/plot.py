"""Draws a study as one figure: accuracy by case, and the gap to the reference."""

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from studies.common.statistics import FEWEST_SEEDS
from studies.report.figure_style import finish_axes, new_figure, save, wrapped
from studies.report.figures import bar_within, legend_below
from studies.results.grouping import accuracies, by_point, images_read, titled, titled_row

# These are from Okabe and Ito's colour-blind-safe palette; in grey print the markers differ.
_SEED, _MEAN, _GAP = "#56B4E9", "#000000", "#D55E00"
_WIDTH_INCHES, _ROW_HEIGHT_INCHES = 8.0, 0.34
_LABEL_CHARACTERS = 40


def plot_study(
    results: pd.DataFrame, table: pd.DataFrame, reference: str, title: str, path: Path
) -> Path:
    """Draws the accuracy of each case (seeds as dots, mean with 95 % interval) and its gap.

    Args:
        results: one row per run (`results_frame`).
        table: the `summary` of the results.
        path: PNG file to write, in one step.

    Raises:
        InputError: the file cannot be written.
    """
    names = [wrapped(titled_row(row), _LABEL_CHARACTERS) for _, row in table.iterrows()]
    height = 1.8 + _ROW_HEIGHT_INCHES * len(table) + 0.1 * sum(name.count("\n") for name in names)
    figure = new_figure(_WIDTH_INCHES, height)
    accuracy, gap = figure.subplots(1, 2, sharey=True)
    _draw_accuracy(accuracy, results, table)
    _draw_gap(gap, table, reference)
    accuracy.set_yticks(range(len(table)), names)
    accuracy.invert_yaxis()  # the first case is on top in both panels
    legend_below(figure, [accuracy], _WIDTH_INCHES)
    figure.suptitle(wrapped(title, 100), fontsize=10)
    return save(figure, path)


def _draw_accuracy(axes: Axes, results: pd.DataFrame, table: pd.DataFrame) -> None:
    runs_of = {titled(case, point): runs for case, point, runs in by_point(results)}
    for place, (_, row) in enumerate(table.iterrows()):
        runs = runs_of[titled_row(row)]
        label = "one seed" if place == 0 else None
        axes.plot(accuracies(runs), [place] * len(runs), "o", color=_SEED, ms=4, label=label)
    of_cases = zip(table["accuracy"], table["accuracy_ci"], table["n"], strict=True)
    bars = [bar_within(*of_case) for of_case in of_cases]
    axes.errorbar(
        table["accuracy"],
        range(len(table)),
        xerr=list(zip(*bars, strict=True)),
        fmt="|",
        ms=10,
        color=_MEAN,
        capsize=3,
        lw=1.2,
        label="mean, 95 % interval",
    )
    finish_axes(axes, f"{images_read(results)} accuracy (%)", grid="x")


def _draw_gap(axes: Axes, table: pd.DataFrame, reference: str) -> None:
    axes.axvline(0.0, color=_MEAN, lw=0.8, ls=":")
    axes.errorbar(
        table["gap"],
        range(len(table)),
        xerr=table["gap_ci"].where(table["gap_n"] >= FEWEST_SEEDS, 0.0),
        fmt="s",
        ms=4,
        color=_GAP,
        capsize=3,
        lw=1.2,
    )
    finish_axes(axes, wrapped(f"gap to {reference} (points; 95 % interval)", 44), grid="x")
