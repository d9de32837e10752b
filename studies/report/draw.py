"""Makes the figures of a study from its runs, and draws its learning curves.

A few cases share a panel of curves, but many cases have a panel each.
"""

from dataclasses import dataclass
from functools import cached_property

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rpu_ssnn.common.errors import Fault, InputError, require
from studies.common.choices import Kind
from studies.common.statistics import describe
from studies.declaration.study import Study
from studies.declaration.trial import SWEEP_PREFIX, Runs
from studies.report.figure_style import WIDE_INCHES, Look, finish_axes, looks, wrapped
from studies.report.figures import (
    bar_within,
    columns_of,
    gaps_figure,
    legend_below,
    level,
    panel_grid,
    panels_of,
    sweep_figure,
)
from studies.results.grouping import NOT_SWEPT, by_point, draws_of, setting, swept_columns, titled
from studies.results.summary import summary
from studies.results.tables import curves_frame, results_frame

MOST_IN_A_PANEL = 4
"""Up to this many cases share a panel; more get a panel each, with a thin line for each seed."""


@dataclass(frozen=True)
class StudyFigures:
    """Draws the figures of a study's runs, and computes their tables only once."""

    study: Study
    runs: Runs

    @cached_property
    def results(self) -> pd.DataFrame:
        """Returns a table with a row for each run."""
        return results_frame(self.runs)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Returns the summary of the results, which must have a row of the reference."""
        return summary(self.results, self.study.reference_label)

    @cached_property
    def _curves(self) -> pd.DataFrame:
        return curves_frame(self.runs)

    @property
    def is_compared(self) -> bool:
        """Says whether the reference has a row."""
        return self.study.reference_label in set(self.results["label"])

    @cached_property
    def swept_paths(self) -> list[str]:
        """Returns the swept settings that have several values in the results."""
        return [
            path
            for path in self.study.varied
            if f"{SWEEP_PREFIX}{path}" in self.results.columns
            and len(set(setting(self.results, path)) - {NOT_SWEPT}) > 1
        ]

    def kinds(self, x: str | None = None) -> list[Kind]:
        """Returns the kinds of figures that can be drawn from the runs."""
        has: dict[Kind, bool] = {
            "curves": any(result.epochs for _, result in self.runs),
            "sweep": x is not None or bool(self.swept_paths),
            "gaps": self.is_compared and bool(self.summary["gap"].notna().any()),
        }
        return [kind for kind, there in has.items() if there]

    def draw(self, kind: Kind, x: str | None = None, width: float = WIDE_INCHES) -> Figure:
        """Draws one figure.

        Args:
            x: setting on the horizontal axis of a sweep figure; None means the first swept setting
                with several values.
            width: width of the figure, inches.

        Raises:
            InputError: the results do not have the data of the figure.
        """
        if kind == "curves":
            figure = curves_figure(self._curves, self.results, width)
        elif kind == "gaps":
            figure = gaps_figure(self.results, self.summary, self.study.reference_label, width)
        elif path := next(iter(self.swept_paths), None) if x is None else x:
            figure = sweep_figure(self.results, path, width)
        else:
            raise InputError("plot", "--x", x, "must name a setting, as none is swept")
        figure.draw_without_rendering()  # the layout fits only when drawn a second time
        return figure


def drawn_apart(results: pd.DataFrame) -> bool:
    """Says whether each seed has a line, as in many cases, or with devices drawn from a fit, whose
    seeds are not independent."""
    drawn = (draws_of(runs) is not None for _, _, runs in by_point(results))
    return results["label"].nunique() > MOST_IN_A_PANEL or any(drawn)


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
                reached = describe(of_case["validation_accuracy"].dropna().tolist())
                level(axes, reached, style[str(case)], label)
            elif apart:
                by_trial = epochs.pivot(index="epoch", columns="trial", values=measure)
                axes.plot(by_trial.index + 1, by_trial.to_numpy(), "-", lw=0.8, color="#0072B2")
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
    by_epoch = epochs.groupby("epoch")[measure]
    x = [int(str(epoch)) + 1 for epoch, _ in by_epoch]
    samples = [describe(values.tolist()) for _, values in by_epoch]
    means = [sample.mean for sample in samples]
    bars = [bar_within(sample.mean, sample.half_width, sample.n) for sample in samples]
    low = [mean - below for mean, (below, _) in zip(means, bars, strict=True)]
    high = [mean + above for mean, (_, above) in zip(means, bars, strict=True)]
    axes.fill_between(x, low, high, color=look.colour, alpha=0.15, lw=0)
    look.plot(axes, x, means, label)
