"""Fig. 7 compares coincidences with surrogate noise, by mean and deviation of the accuracy.

It is drawn from an output folder of the record `paper_figure7`. A coincidence case with T slots is
compared with the rate case whose noise has T_s = T.
"""

import pandas as pd
from matplotlib.figure import Figure

from rpu_ssnn.common.errors import require
from studies.report.figure_style import FONT_POINTS, WIDE_INCHES, finish_axes, looks, new_figure
from studies.results.grouping import swept_columns

SLOTS = "slots"


def numbers(results: pd.DataFrame) -> pd.DataFrame:
    """Returns one row per case and number of slots.

    The columns are ``case``, ``slots``, ``n``, ``mean`` and ``deviation`` (%).

    Args:
        results: a table as `load_results` returns it, swept over `network.T` or `surrogate.T_s`.

    Raises:
        InputError: neither of these was swept.
    """
    paths = [c for c in swept_columns(results) if c in ("sweep.network.T", "sweep.surrogate.T_s")]
    allowed = "must sweep network.T or surrogate.T_s, as paper_figure7 does"
    require(paths, "figure7", "sweep", None, allowed)
    slots = results[paths].astype(float).bfill(axis=1).iloc[:, 0]
    grouped = results.assign(**{SLOTS: slots}).dropna(subset=[SLOTS]).groupby(["label", SLOTS])
    table = grouped["test_accuracy"].agg(["count", "mean", "std"]).reset_index()
    return table.rename(columns={"label": "case", "count": "n", "std": "deviation"})


def draw(table: pd.DataFrame) -> Figure:
    """Draws (a) the means and (b) the standard deviations."""
    figure = new_figure(WIDE_INCHES, 2.6)
    names = {"mean": "accuracy (%)", "deviation": "its deviation over seeds, points"}
    for axes, (column, name) in zip(figure.subplots(1, 2), names.items(), strict=True):
        for case, style in looks(table["case"]).items():
            part = table[table["case"] == case]
            style.plot(axes, part[SLOTS], part[column], case)
        axes.set_xscale("log")
        axes.minorticks_off()
        slots = sorted(set(table[SLOTS]))
        axes.set_xticks(slots, [f"{t:,.0f}" for t in slots])
        finish_axes(axes, "slots (T, or T_s of the noise)", name)
    axes.legend(fontsize=FONT_POINTS, frameon=False)
    return figure
