"""Fig. 4 shows the error of all 2,500 products of [0, 0.02, ... 0.98], and its decrease with T."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from rpu_ssnn.algorithm_checks.product_error import product_errors, slope
from studies.report.figure_style import FONT_POINTS, WIDE_INCHES, finish_axes, looks, new_figure

SLOTS = (10, 30, 100, 300, 1000, 3000, 10_000)
REPEATS = 4
BINS = np.linspace(-0.4, 0.4, 81)


def numbers(root: Path | None) -> pd.DataFrame:
    """Returns one row per T and bin of the error.

    The columns are ``T``, ``error`` (middle of the bin), ``density`` and, with the same value in
    all rows of a T, ``mean``, ``deviation`` and ``slope`` (of log deviation over log T).

    Args:
        root: not used, since the figure needs no images.
    """
    errors = {
        T: np.concatenate(
            [product_errors(T, np.random.default_rng([T, k])).ravel() for k in range(REPEATS)]
        )
        for T in SLOTS
    }
    law = slope(list(SLOTS), [float(errors[T].std()) for T in SLOTS])
    parts = []
    for T, values in errors.items():
        density, _ = np.histogram(values, bins=BINS, density=True)
        middle = (BINS[1:] + BINS[:-1]) / 2
        part = pd.DataFrame({"T": T, "error": middle, "density": density})
        parts.append(part.assign(mean=values.mean(), deviation=values.std(), slope=law))
    return pd.concat(parts, ignore_index=True)


def draw(table: pd.DataFrame) -> Figure:
    """Draws (a) the distributions, and (b) the standard deviation against T with 1/sqrt(T)."""
    figure = new_figure(WIDE_INCHES, 2.6)
    left, right = figure.subplots(1, 2)
    look = looks(str(T) for T in SLOTS)
    for T in SLOTS[::2]:
        part = table[table["T"] == T]
        style = look[str(T)]
        left.plot(
            part["error"], part["density"], color=style.colour, ls=style.line, label=f"T = {T}"
        )
    left.set_yscale("log")
    left.legend(fontsize=FONT_POINTS, frameon=False)
    each = table.drop_duplicates("T")
    right.loglog(each["T"], each["deviation"], "o", color="#0072B2", label="coincidences")
    start = each["deviation"].iloc[0] * np.sqrt(SLOTS[0])
    right.loglog(SLOTS, start / np.sqrt(SLOTS), "k--", lw=0.9, label=r"$\propto 1/\sqrt{T}$")
    right.set_title(f"slope {each['slope'].iloc[0]:.3f}", fontsize=FONT_POINTS)
    right.legend(fontsize=FONT_POINTS, frameon=False)
    finish_axes(left, "estimated minus true product", "density")
    finish_axes(right, "T (slots)", "standard deviation")
    return figure
