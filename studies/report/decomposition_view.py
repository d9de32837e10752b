"""Shows a decomposition as lines of text and as two waterfalls."""

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from studies.common.statistics import FEWEST_SEEDS, MARKS
from studies.report.figure_style import finish_axes, looks, new_figure, plain, save
from studies.report.summary_view import marked_p, p_text
from studies.results.text_table import Table, interval, number
from studies.sensitivity.decomposition import ALL, BY_NUMBERS, BY_SPIKES, FLOAT, Decomposition

FILE, FIGURE = "decomposition.csv", "decomposition.png"

_CAPTION = (
    "Loss: mean difference of accuracies by seed, percentage points, with its 95 % interval. "
    "p: paired t-test. p Holm: corrected for the steps of one way; `all` and the last row are "
    f"single tests. {MARKS} `table` tests the gaps to the reference, which are other differences, "
    "and corrects for all of them, so that its marks may differ."
)


def lines(found: Decomposition) -> list[str]:
    """Returns the notes, the table and the answer in words."""
    if not len(found.table):
        return ["there is nothing to compare"]
    text = [*found.notes, "", Table(_readable(found), 2, _CAPTION).markdown]
    return [*text, "", found.sentence] if found.sentence else text


def draw(found: Decomposition, device: str, root: Path) -> Path:
    """Draws a waterfall for each way, from the float network down into the device.

    Raises:
        InputError: the folder cannot be written to.
    """
    figure = new_figure(7.0, 3.2)
    both = figure.subplots(1, 2, sharey=True, width_ratios=(3, 4))
    for axes, way in zip(both, (BY_NUMBERS, BY_SPIKES), strict=True):
        _waterfall(axes, found, way)
        axes.set_title(plain(f"{device}, {way}"), fontsize=9)
    low, high = _reach(found)
    room = max(0.5, 0.12 * (high - low))  # the labels need room
    both[0].set_ylim(low - room, high + room)
    both[0].set_ylabel("accuracy (%; bar: 95 % interval of the step)")
    return save(figure, root / FIGURE)


def _reach(found: Decomposition) -> tuple[float, float]:
    """Returns the lowest and the highest accuracy (%) of all bars and whiskers."""
    reached = [level for level in found.levels.values() if level == level] or [0.0, 100.0]
    drawn = (found.table["step"] != ALL) & (found.table["n"] >= FEWEST_SEEDS)
    for _, row in found.table[drawn].iterrows():
        end = found.levels[row["before"]] - row["loss"]
        reached += [end - row["loss_ci"], end + row["loss_ci"]]
    return min(reached), max(reached)


def _waterfall(axes: Axes, found: Decomposition, way: str) -> None:
    look = looks((BY_NUMBERS, BY_SPIKES))[way]
    steps = found.table[(found.table["way"] == way) & (found.table["step"] != ALL)]
    states = [FLOAT, *steps["after"]]
    axes.bar(0, found.levels[FLOAT], width=0.6, color="0.75")
    _label(axes, f"{found.levels[FLOAT]:.2f}", 0, found.levels[FLOAT])
    for place, (_, row) in enumerate(steps.iterrows(), start=1):
        top = found.levels[row["before"]]
        bottom = top - row["loss"]  # other seeds may have failed in the state after it
        gain = bottom > top
        axes.bar(
            place,
            top - bottom,
            bottom=bottom,
            width=0.6,
            color="0.85" if gain else look.colour,
            hatch="///" if gain else None,
            edgecolor=look.colour,
        )
        half = row["loss_ci"] if row["n"] >= FEWEST_SEEDS else 0.0
        if half:
            axes.errorbar(place, bottom, yerr=half, color="black", lw=1.0, capsize=2.5)
        axes.plot((place - 1.3, place + 0.3), (top, top), color="black", lw=0.6)
        _label(axes, f"{-row['loss']:+.2f}", place, max(top, bottom + half))
    names = [plain(name).replace(", ", ",\n").replace(" in ", "\nin ") for name in states]
    axes.set_xticks(range(len(states)), names, fontsize=6)
    finish_axes(axes)
    axes.tick_params(axis="x", labelsize=6)


def _label(axes: Axes, text: str, x: float, y: float) -> None:
    axes.annotate(text, (x, y), (0, 2), textcoords="offset points", ha="center", fontsize=7)


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
