"""Shows a requirement as lines of text and as curves of the cost."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from rpu_ssnn.common.wording import counted
from studies.common.statistics import FEWEST_SEEDS
from studies.report.figure_style import (
    FONT_POINTS,
    WIDE_INCHES,
    finish_axes,
    panels,
    plain,
    save,
    wrapped,
)
from studies.report.figures import PANEL_INCHES
from studies.results.text_table import Table
from studies.sensitivity.bounded_axis import UNITS, cost_in_words
from studies.sensitivity.requirement import Requirement

FILE, FIGURE = "requirements.csv", "requirements.png"
_TICK_SHARE, _MARGIN = 0.15, 0.05
"""Ticks are at least the first share of the range apart, and both ends get the second as room."""

_NOTES = (
    "interval: at values outside it, the cost differs from the bound (95 % interval over seeds); "
    "an open end lies beyond the measured values",
    "cost there: points lost, or the energy or time of an image in training, at the own value, "
    "which the verdict judges",
    "values: number of measured values, each with all seeds",
)


def lines(found: Requirement) -> list[str]:
    """Returns the notes, the table, and why some parameters have no crossing or a wide interval."""
    if not len(found.table):
        return [*found.notes, "nothing was measured"]
    told = [
        f"{row['parameter']}, {row['of']}: {row[why]}"
        for why in ("why_none", "stopped")
        for _, row in found.table[found.table[why] != ""].iterrows()
    ]
    table = Table(_readable(found.table), 2, _NOTES).markdown
    return [*found.notes, counted(found.trials, "run"), "", table, *told]


def draw(found: Requirement, device: str, root: Path) -> Path:
    """Draws the cost over each parameter, with a dotted line at the bound and a ring around the
    device's original value.

    Raises:
        InputError: the folder cannot be written to.
    """
    n = len(found.table)
    wanted = found.table.loc[found.table["of"] == "loss", "wanted"].iloc[0]
    figure, all_axes = panels(WIDE_INCHES, n, min(2, n), PANEL_INCHES, 0.5)
    for axes, (_, row) in zip(all_axes, found.table.iterrows(), strict=True):
        of_row = (found.curves[["parameter", "of"]] == row[["parameter", "of"]]).all(axis="columns")
        points = found.curves[of_row].dropna(subset=["cost"])
        half = points["cost_ci"].where(points["n"] >= FEWEST_SEEDS, 0.0)
        axes.errorbar(points["value"], points["cost"], yerr=half, fmt="o-", ms=4, capsize=2, lw=1.2)
        own = points[points["value"] == row["own"]]
        axes.plot(own["value"], own["cost"], "o", ms=10, mfc="none", mec="black")
        axes.axhline(row["wanted"], color="black", ls=":", lw=1.0)
        sizes = points["value"].abs()
        if (sizes > 0).any():
            axes.set_xscale("symlog", linthresh=float(sizes[sizes > 0].min()))
            _ticks_at(axes, points["value"])
        if row["required"] == row["required"]:
            axes.axvline(row["required"], color="#D55E00", lw=1.0)
            axes.set_title(plain(f"{row['bound']} {row['required']:.3g}"), fontsize=FONT_POINTS)
        unit = "" if row["unit"] == "1" else f" ({row['unit']})"
        varied = wrapped(f"{row['parameter'].replace('_', ' ')}{unit}, logarithmic", 44)
        finish_axes(axes, varied, f"{row['of']} ({UNITS[row['of']]}; 95 % interval)")
    figure.suptitle(wrapped(f"{device}: loss of at most {wanted:g} points", 90), fontsize=9)
    return save(figure, root / FIGURE)


def _ticks_at(axes: Axes, values: pd.Series) -> None:
    """Puts ticks at measured values, since there may be few powers of ten between them."""
    scale = axes.xaxis.get_transform()
    shown = np.array(sorted(set(values)))
    places = scale.transform(shown)
    width = places[-1] - places[0]
    kept = [0]
    for at in range(1, len(shown)):
        if places[at] - places[kept[-1]] >= _TICK_SHARE * width:
            kept.append(at)
    axes.set_xticks(shown[kept], [f"{float(f'{value:.3g}'):g}" for value in shown[kept]])
    axes.xaxis.minorticks_off()
    if width > 0:
        margin = _MARGIN * width
        axes.set_xlim(*scale.inverted().transform((places[0] - margin, places[-1] + margin)))


def _readable(table: pd.DataFrame) -> pd.DataFrame:
    rows = [
        {
            "parameter": row["parameter"],
            "unit": row["unit"],
            "own value": f"{row['own']:.4g}",
            "cost there": cost_in_words(*row[["of", "own_cost", "own_cost_ci", "n"]]),
            "required": "none found"
            if row["why_none"]
            else f"{row['bound']} {row['required']:.3g}",
            "interval": interval_in_words(row),
            "verdict": row["verdict"],
            "values": str(row["values"]),
            "n": str(row["n"]),
        }
        for _, row in table.iterrows()
    ]
    return pd.DataFrame(rows)


def interval_in_words(row: pd.Series) -> str:
    """Returns both ends of the interval, or only one if the other is beyond the measured values.

    If a value has to be small, its harmful end is the largest value.
    """
    if row["why_none"]:
        return "-"
    if row["n"] < FEWEST_SEEDS:
        return "not known"
    easy, hard = (f"{row[end]:.3g}" if row[end] == row[end] else "" for end in ("easy", "hard"))
    if easy and hard:
        return f"{easy} to {hard}"
    if not easy and not hard:
        return "open"
    less = bool(hard) == (row["bound"] == "at most")
    return f"{easy or hard} or {'less' if less else 'more'}"
