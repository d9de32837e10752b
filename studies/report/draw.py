"""From a result folder's runs to its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rpu_ssnn.common.errors import InputError
from studies.common.choices import Kind
from studies.declaration.result import SWEEP_PREFIX, Runs
from studies.declaration.study import Study
from studies.report.curves import curves_figure
from studies.report.figure_style import WIDE_INCHES
from studies.report.figures import gaps_figure, sweep_figure
from studies.results.columns import setting
from studies.results.summary import NOT_SWEPT, summary
from studies.results.tables import curves_frame, results_frame

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw(
    kind: Kind, study: Study, runs: Runs, x: str | None = None, width: float = WIDE_INCHES
) -> Figure:
    """One figure.

    Args:
        x: setting below a sweep figure; None: the study's first swept one with several values.
        width: inches.

    Raises:
        InputError: the results do not have what the figure shows.
    """
    figure = _drawn(kind, study, runs, x, width)
    figure.draw_without_rendering()  # the layout fits at the second drawing
    return figure


def _drawn(kind: Kind, study: Study, runs: Runs, x: str | None, width: float) -> Figure:
    results = results_frame(runs)
    if kind == "curves":
        return curves_figure(curves_frame(runs), results, width)
    if kind == "gaps":
        reference = study.reference_label
        return gaps_figure(summary(results, reference), reference, width)
    path = x or next(iter(swept_paths(study, results)), None)
    if path is None:
        raise InputError("plot", "--x", None, "must name a setting, as the study sweeps none")
    return sweep_figure(results, path, width)


def drawable(study: Study, runs: Runs, x: str | None = None) -> list[Kind]:
    """The kinds of figures that the runs have something for."""
    results = results_frame(runs)
    reference = study.reference_label
    compared = reference in set(results["label"])
    has: dict[Kind, bool] = {
        "curves": any(result.epochs for _, result in runs),
        "sweep": x is not None or bool(swept_paths(study, results)),
        "gaps": compared and bool(summary(results, reference)["gap"].notna().any()),
    }
    return [kind for kind, there in has.items() if there]


def swept_paths(study: Study, results: pd.DataFrame) -> list[str]:
    """The swept settings of which the results have several values."""
    return [
        path
        for path in study.varied
        if f"{SWEEP_PREFIX}{path}" in results.columns
        and len(set(setting(results, path)) - {NOT_SWEPT}) > 1
    ]
