"""Shows a decomposition as lines of text and as two rows of points."""

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from studies.common.statistics import FEWEST_SEEDS, MARKS, mark
from studies.report.figure_style import finish_axes, looks, new_figure, plain, save
from studies.report.figures import legend_below
from studies.report.summary_view import marked_p, p_text
from studies.results.text_table import Table, interval, number
from studies.sensitivity.decomposition import ALL, BY_NUMBERS, BY_SPIKES, FLOAT, Decomposition

FILE, FIGURE = "decomposition.csv", "decomposition.png"

_COLOUR = looks([ALL])[ALL].colour

_NOTES = (
    "loss: mean difference of accuracies by seed, percentage points, with its 95 % interval",
    "p: paired t-test",
    "p Holm: corrected for the steps of one way; `all` and the last row are single tests",
    *MARKS,
    "`table` tests the gaps to the reference, which are other differences, and corrects for all of "
    "them, so that its marks may differ",
)


def lines(found: Decomposition) -> list[str]:
    """Returns the notes, the table and the answer in words."""
    if not len(found.table):
        return ["there is nothing to compare"]
    text = [*found.notes, "", Table(_readable(found), 2, _NOTES).markdown]
    return [*text, "", found.sentence] if found.sentence else text


def draw(found: Decomposition, device: str, root: Path) -> Path:
    """Draws the accuracies of each way as points, from the float network down into the device.

    A hollow point is not significantly different from the state before it.

    Raises:
        InputError: the folder cannot be written to.
    """
    figure = new_figure(7.0, 3.4)
    both = figure.subplots(1, 2, sharey=True, width_ratios=(3, 4))
    for axes, way in zip(both, (BY_NUMBERS, BY_SPIKES), strict=True):
        _waterfall(axes, found, way)
        axes.set_title(plain(f"{device}, {way}"), fontsize=9)
    both[0].margins(y=0.12)  # the labels need room
    both[0].set_ylabel("accuracy (%)")
    legend_below(figure, both[1:], 7.0)
    return save(figure, root / FIGURE)


def _waterfall(axes: Axes, found: Decomposition, way: str) -> None:
    steps = found.table[(found.table["way"] == way) & (found.table["step"] != ALL)]
    states = [FLOAT, *steps["after"]]
    axes.plot(0, found.levels[FLOAT], "s", color="0.4")
    _label(axes, f"{found.levels[FLOAT]:.2f}", 0, found.levels[FLOAT])
    for place, (_, row) in enumerate(steps.iterrows(), start=1):
        top = found.levels[row["before"]]
        end = top - row["loss"]  # other seeds may have failed in the state after it
        half = row["loss_ci"] if row["n"] >= FEWEST_SEEDS else 0.0
        told = mark(row["loss"], row["loss_ci"], row["loss_p_holm"])
        axes.plot((place - 1, place, place), (top, top, end), color="0.6", lw=1.0)
        axes.errorbar(
            place, end, yerr=half, fmt="o", ms=6, capsize=2.5, lw=1.0, ecolor="black",
            color=_COLOUR, mfc="white" if told else _COLOUR,
        )  # fmt: skip
        _label(axes, f"{-row['loss']:+.2f} {told}", place, max(top, end + half))
    for words, face in (
        ("significant after Holm's correction", None),
        ("not significant", "white"),
    ):
        axes.plot([], [], "o", color=_COLOUR, mfc=face or _COLOUR, label=f"step {words}")
    axes.errorbar([], [], yerr=[], fmt="none", ecolor="black", label="95 % interval of the step")
    names = [plain(name).replace(", ", ",\n").replace(" in ", "\nin ") for name in states]
    axes.set_xticks(range(len(states)), names, fontsize=6)
    axes.margins(x=0.12)
    finish_axes(axes)
    axes.tick_params(axis="x", labelsize=6)


def _label(axes: Axes, text: str, x: float, y: float) -> None:
    axes.annotate(text, (x, y), (0, 4), textcoords="offset points", ha="center", fontsize=7)


def _readable(found: Decomposition) -> pd.DataFrame:
    rows = [
        {
            "way": row["way"],
            "step": row["step"],
            "accuracy % after": number(found.levels[row["after"]]),
            "loss": interval(row["loss"], row["loss_ci"], "{:+.2f}", row["n"]),
            "p": p_text(row["loss_p_alone"], row["n"]),
            "p Holm": marked_p(row["loss"], row["loss_ci"], row["loss_p_holm"], row["n"]),
            "n": str(row["n"]),
        }
        for _, row in found.table.iterrows()
    ]
    start = dict.fromkeys(rows[0], "-") | {"way": "", "step": FLOAT, "n": ""}
    start["accuracy % after"] = number(found.levels[FLOAT])
    return pd.DataFrame([start, *rows])
