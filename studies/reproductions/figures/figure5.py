"""Fig. 5 compares winner-take-all outputs with the softmax of the same raw output.

The test images are shown to the same weights twice: with the inhibition of the training, and
without any (raw). Each output is normalised to sum 1, sorted, and averaged over the images.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.special import softmax

from rpu_ssnn.network import Network
from rpu_ssnn.spec import InhibitionSpec, TrainingSpec
from rpu_ssnn.synapses import rate_synapses
from studies.report.figure_style import FONT_POINTS, WIDE_INCHES, finish_axes, looks, new_figure
from studies.reproductions.figures.small_network import SmallNetwork, train_small

TRAINING_IMAGES, EPOCHS = 60_000, 3
CHUNK = 1000
NAMES = ("raw", "softmax of raw", "winner takes all")


def numbers(root: Path | None) -> pd.DataFrame:
    """Returns one row per rank: ``rank``, a column for each of `NAMES`, ``distance``.

    The softmax is computed from the raw spike counts. ``distance`` (the same in every row) is the
    total variation distance between the curves "winner takes all" and "softmax of raw": half the
    sum of absolute differences, 0 to 1.
    """
    network = train_small(root, TRAINING_IMAGES, EPOCHS)
    winner = output_counts(network, InhibitionSpec(clocked=True))
    raw = output_counts(network, InhibitionSpec())
    curves = dict(zip(NAMES, (raw, softmax(raw, axis=1), winner), strict=True))
    table = pd.DataFrame({name: sorted_share(values) for name, values in curves.items()})
    distance = 0.5 * float((table[NAMES[2]] - table[NAMES[1]]).abs().sum())
    return table.assign(distance=distance).rename_axis("rank").reset_index()


def output_counts(network: SmallNetwork, inhibition: InhibitionSpec) -> np.ndarray:
    """Returns the numbers of output spikes for every test image, [images, classes]."""
    spec = network.spec.model_copy(update={"inhibition": inhibition})
    sizes = (network.weights[0].shape[0], *(w.shape[1] for w in network.weights))
    rng = np.random.default_rng(1)
    with Network(
        spec, TrainingSpec(), sizes, rate_synapses(1.0), np.random.SeedSequence(0),
        initial=network.weights,
    ) as shown:  # fmt: skip
        images = network.data.test_images
        parts = [
            shown.infer(network.rates(images[k : k + CHUNK]), rng).output_counts
            for k in range(0, len(images), CHUNK)
        ]
    return np.concatenate(parts)


def sorted_share(values: np.ndarray) -> np.ndarray:
    """Returns the mean over rows of their shares in falling order, without silent rows."""
    total = values.sum(axis=1, keepdims=True)
    shares = values[total[:, 0] > 0] / total[total[:, 0] > 0]
    return np.asarray(-np.sort(-shares, axis=1)).mean(axis=0)


def draw(table: pd.DataFrame) -> Figure:
    """Draws the mean share of the output spikes by rank."""
    figure = new_figure(0.6 * WIDE_INCHES, 2.6)
    axes = figure.add_subplot()
    for name, style in looks(NAMES).items():
        axes.plot(
            table["rank"], table[name], color=style.colour, ls=style.line, marker=style.marker,
            ms=4, label=name,
        )  # fmt: skip
    axes.set_title(
        f"winner-take-all to softmax: distance {table['distance'].iloc[0]:.3f}",
        fontsize=FONT_POINTS,
    )
    axes.legend(fontsize=FONT_POINTS, frameon=False)
    finish_axes(axes, "output neurons, by falling response", "mean share of the response")
    return figure
