"""Fig. 3b shows forward train, split gradient streams and coincidences of a neuron on real data."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from rpu_ssnn.algorithm_checks.trace import Trains, trace
from studies.report.figure_style import FONT_POINTS, WIDE_INCHES, finish_axes, new_figure
from studies.reproductions.figures.small_network import SmallNetwork, train_small

TRAINING_IMAGES, EPOCHS = 10_000, 1
CANDIDATES = 200
"""From this many test images, one that teaches the hidden layer much is chosen."""

UP, DOWN = "coincidences, up", "coincidences, down"


def numbers(root: Path | None) -> pd.DataFrame:
    """Returns one row per spike: ``slot``, ``train``.

    Image and hidden neuron are chosen, from the first test images, so that the neuron gets the most
    gradient spikes of its rarer stream. The input line is the one with most coincidences at it.
    """
    network = train_small(root, TRAINING_IMAGES, EPOCHS)
    trains = max((_present(network, k) for k in range(CANDIDATES)), key=_both_streams)
    positive, negative = trains.positive[0], trains.negative[0]
    neuron = int(np.minimum(positive.sum(axis=0), negative.sum(axis=0)).argmax())
    up, down = positive[:, neuron], negative[:, neuron]
    line = int((trains.forward[0] & (up | down)[:, None]).sum(axis=0).argmax())
    pre = trains.forward[0][:, line]
    shown = {
        f"input line {line}": pre,
        f"hidden neuron {neuron}, forward": trains.forward[1][:, neuron],
        f"hidden neuron {neuron}, positive stream": up,
        f"hidden neuron {neuron}, negative stream": down,
        UP: pre & up,
        DOWN: pre & down,
    }
    rows = [
        {"slot": int(slot), "train": name}
        for name, train in shown.items()
        for slot in np.flatnonzero(train)
    ]
    table = pd.DataFrame(rows)
    table["train"] = pd.Categorical(table["train"], categories=list(shown))
    return table


def _present(network: SmallNetwork, k: int) -> Trains:
    rates = network.rates(network.data.test_images[k : k + 1])[0]
    label = int(network.data.test_labels[k])
    return trace(network.spec, network.weights, rates, label, key=k)


def _both_streams(trains: Trains) -> int:
    return int(np.minimum(trains.positive[0].sum(axis=0), trains.negative[0].sum(axis=0)).max())


def draw(table: pd.DataFrame) -> Figure:
    """Draws a raster with one line per train."""
    names = list(table["train"].cat.categories)
    figure = new_figure(WIDE_INCHES, 0.35 * len(names) + 0.7)
    axes = figure.add_subplot()
    for place, name in enumerate(names):
        slots = table.loc[table["train"] == name, "slot"]
        colour = {UP: "#009E73", DOWN: "#D55E00"}.get(name, "black")
        axes.eventplot(slots, lineoffsets=-place, linelengths=0.7, linewidths=1.4, colors=colour)
    axes.set_yticks([-place for place in range(len(names))], names, fontsize=FONT_POINTS)
    axes.set_xlim(-1, 65)
    finish_axes(axes, "slot (the image is shown for 50, the flush goes on for 15)", grid="x")
    return figure
