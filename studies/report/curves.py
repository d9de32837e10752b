"""Draws learning curves: a few cases share a panel, but many cases have a panel each."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rpu_ssnn.common.errors import Fault, require
from studies.common.statistics import describe
from studies.report.figure_style import Look, finish_axes, looks, plain, wrapped
from studies.report.figures import (
    bar_within,
    columns_of,
    legend_below,
    level,
    panel_grid,
    panels_of,
)
from studies.results.grouping import by_point, draws_of, swept_columns, titled

MOST_TOGETHER = 4
"""Up to this many cases share a panel; more get a panel each, with a thin line for each seed."""


def drawn_apart(results: pd.DataFrame) -> bool:
    """Says whether each seed has a line, as in many cases, or with devices drawn from a fit, whose
    seeds are not independent."""
    drawn = (draws_of(runs) is not None for _, _, runs in by_point(results))
    return results["label"].nunique() > MOST_TOGETHER or any(drawn)


def curves_figure(curves: pd.DataFrame, results: pd.DataFrame, width: float) -> Figure:
    """Draws validation accuracy by epoch, as mean and 95 % band or, for many cases, each seed.

    Each point of the sweep has a panel or, for many cases, each case and point. A case without
    epochs (ann) is a level line. If no images are held out for validation, the accuracy while
    training is shown.

    Raises:
        InputError: no run has a learning curve.
    """
    require(not curves.empty, "plot", "curves", Fault("none"), "must be those of a run's folder")
    measure = "validation_accuracy"
    if measure not in curves.columns or curves[measure].isna().all():
        measure = "train_accuracy"
    apart = drawn_apart(results)
    style = looks(results["label"])
    if apart:
        panels = [
            (titled(f"{case} (n={_shown(runs, curves)})", point), runs)
            for case, point, runs in by_point(results)
        ]
    else:
        panels = list(panels_of(results, swept_columns(results)))
    figure, all_axes = panel_grid(width, len(panels))
    for axes, (title, runs) in zip(all_axes, panels, strict=True):
        for case, of_case in runs.groupby("label", sort=False):
            epochs = curves[curves["trial"].isin(of_case["trial"]) & (curves["label"] == case)]
            # Points that differ only in parameters for the record share runs, which count once.
            epochs = epochs.drop_duplicates(["trial", "epoch"])
            label = f"{case} (n={_shown(of_case, curves)})"
            if epochs.empty:
                level(axes, of_case["validation_accuracy"].dropna(), style[str(case)], label)
            elif apart:
                for _, of_seed in epochs.groupby("trial", sort=False):
                    axes.plot(of_seed["epoch"] + 1, of_seed[measure], "-", lw=0.8, color="#0072B2")
            else:
                _curve(axes, epochs, measure, style[str(case)], label)
        axes.set_title(wrapped(title, int(14 * width / columns_of(width, len(panels)))), fontsize=7)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        finish_axes(axes, "epoch", f"{measure.replace('_', ' ')} (%)")
    low, high = all_axes[0].get_ylim()  # all panels share these limits
    all_axes[0].set_ylim(max(0.0, low), min(100.0, high))
    if not apart:
        legend_below(figure, all_axes, width)
    return figure


def _shown(runs: pd.DataFrame, curves: pd.DataFrame) -> int:
    """Counts the runs with a curve (rows of `--rows` have none), or all runs if none has one."""
    return int(runs["trial"].isin(curves["trial"]).sum()) or len(runs)


def _curve(axes: Axes, epochs: pd.DataFrame, measure: str, look: Look, label: str) -> None:
    by_epoch = [(epoch, describe(of[measure].tolist())) for epoch, of in epochs.groupby("epoch")]
    x = [int(str(epoch)) + 1 for epoch, _ in by_epoch]
    means = [sample.mean for _, sample in by_epoch]
    bars = [bar_within(sample.mean, sample.half_width, sample.n) for _, sample in by_epoch]
    low = [mean - below for mean, (below, _) in zip(means, bars, strict=True)]
    high = [mean + above for mean, (_, above) in zip(means, bars, strict=True)]
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
