"""Draws docs/figures/overview.svg, which shows coincidences, pulses and accuracy.

The trains are drawn with a fixed seed, and the accuracies are those of the README's table.
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

DOCS = Path(__file__).parents[1] / "docs"
OUT, RECORD = DOCS / "figures" / "overview.svg", DOCS / "results" / "mnist_decomposition"
SLOTS, SEED = 30, 3
STEP_UP, STEP_DOWN = 1.0, 0.8
BLUE, RED, GREY = "#2166ac", "#b2182b", "#555555"
CASES = {
    "rate": "float weights,\nrate",
    "coincidence": "float weights,\ncoincidence",
    "charge_trap": "charge trap",
    "capacitor": "capacitor",
    "reram_es": "ReRAM",
}


def draw() -> Figure:
    """Draws the three panels from left to right."""
    rng = np.random.default_rng(SEED)
    forward = rng.random(SLOTS) < 0.5
    positive, negative = rng.random(SLOTS) < 0.35, rng.random(SLOTS) < 0.2
    figure = Figure(figsize=(9, 2.9), layout="constrained")
    trains, state, accuracy = figure.subplots(1, 3)
    rows = (
        ("forward", forward, GREY),
        ("gradient +", positive, BLUE),
        ("gradient −", negative, RED),
    )
    for place, (_, train, colour) in enumerate(rows):
        slots = np.flatnonzero(train)
        trains.vlines(slots, 2 - place - 0.3, 2 - place + 0.3, color=colour, linewidth=1.5)
    trains.set(yticks=(2, 1, 0), yticklabels=[name for name, *_ in rows], ylim=(-0.6, 2.6))
    trains.set_xlabel("slot")
    for slot in np.flatnonzero(forward & (positive | negative)):
        colour = BLUE if positive[slot] else RED
        trains.axvspan(slot - 0.5, slot + 0.5, color=colour, alpha=0.25, linewidth=0)
    moves = STEP_UP * (forward & positive) - STEP_DOWN * (forward & negative)
    state.step(np.arange(SLOTS), np.cumsum(moves), where="post", color="black")
    state.set(xlabel="slot", ylabel="device weight (steps)")
    kept = pd.concat(pd.read_csv(file) for file in sorted(RECORD.glob("rows*.csv")))
    for place, case in enumerate(CASES):
        seeds = kept.loc[kept["label"] == case, "test_accuracy"]
        colour = GREY if case in ("rate", "coincidence") else BLUE
        accuracy.plot(seeds, [place] * len(seeds), "|", color=colour, markersize=9)
        accuracy.plot(seeds.mean(), place, "o", color=colour, markersize=5)
        accuracy.annotate(
            f"{seeds.mean():.2f}",
            (seeds.max(), place),
            (5, -3),
            textcoords="offset points",
            fontsize=9,
        )
    accuracy.set(xlim=(93, 99.9), xlabel=f"accuracy (%), {kept['seed'].nunique()} seeds")
    accuracy.set_yticks(range(len(CASES)), list(CASES.values()))
    accuracy.invert_yaxis()
    titles = ("1. Spikes meet", "2. Pulses move a device", "3. Accuracy on MNIST")
    for axes, title in zip((trains, state, accuracy), titles, strict=True):
        axes.set_title(title, fontsize=11)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=9)
    return figure


if __name__ == "__main__":
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "rpu_ssnn"}):
        OUT.parent.mkdir(exist_ok=True)
        draw().savefig(OUT, metadata={"Date": None})
