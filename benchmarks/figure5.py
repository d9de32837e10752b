"""Fig. 5 compares winner-take-all outputs with the softmax of the same raw output.

The test images are shown to the same weights twice: with the inhibition of the training, and
without any (raw). Each output is normalised to sum 1, sorted, and averaged over the images.
`python benchmarks/figure5.py` reads the images in $RPU_SSNN_DATA and writes a table and a figure to
the current folder.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.special import softmax

from rpu_ssnn.data import load_dataset
from rpu_ssnn.data.rows import Rows
from rpu_ssnn.export.description import weights_of
from rpu_ssnn.network import Network
from rpu_ssnn.spec import EncodingSpec, InhibitionSpec, NetworkSpec, TrainingSpec
from rpu_ssnn.synapses import rate_synapses
from rpu_ssnn.training import Trained, train
from studies.report.figure_style import (
    FONT_POINTS,
    WIDE_INCHES,
    finish_axes,
    looks,
    new_figure,
    save,
)

NAMES = ("raw", "softmax of raw", "winner takes all")


def numbers(trained: Trained, images: Rows) -> pd.DataFrame:
    """Returns one row per rank: ``rank``, a column for each of `NAMES`, ``distance``.

    The softmax is computed from the raw spike counts. ``distance`` (the same in every row) is the
    total variation distance between the curves "winner takes all" and "softmax of raw": half the
    sum of absolute differences, 0 to 1.

    Args:
        trained: a network with winner-take-all output.
        images: the test images.
    """
    raw, winner = (output_counts(trained, images, clocked=clocked) for clocked in (False, True))
    curves = dict(zip(NAMES, (raw, softmax(raw, axis=1), winner), strict=True))
    table = pd.DataFrame({name: sorted_share(values) for name, values in curves.items()})
    distance = 0.5 * float((table[NAMES[2]] - table[NAMES[1]]).abs().sum())
    return table.assign(distance=distance).rename_axis("rank").reset_index()


def output_counts(trained: Trained, images: Rows, *, clocked: bool) -> np.ndarray:
    """Returns the numbers of output spikes for every image, [images, classes].

    Args:
        clocked: whether the outputs inhibit each other so that the winner takes all.
    """
    network = trained.network
    spec = network.spec.model_copy(update={"inhibition": InhibitionSpec(clocked=clocked)})
    shown = Network(
        spec, TrainingSpec(), network.connections, rate_synapses(1.0), np.random.SeedSequence(0),
        initial=weights_of(trained, "figure"),
    )  # fmt: skip
    with Trained(shown, trained.inputs, np.random.SeedSequence(1)) as same_weights:
        return same_weights.output_counts(images)


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
        style.plot(axes, table["rank"], table[name], name)
    axes.set_title(
        f"winner-take-all to softmax: distance {table['distance'].iloc[0]:.3f}",
        fontsize=FONT_POINTS,
    )
    axes.legend(fontsize=FONT_POINTS, frameon=False)
    finish_axes(axes, "output neurons, by falling response", "mean share of the response")
    return figure


def main() -> None:
    """Trains 784-256-10 by Eq. 9 with seed 0 on all training images of MNIST, three times."""
    data = load_dataset("mnist", n_train=60_000, n_test=None, validation_share=0.0, seed=0)
    inhibition, encoding = InhibitionSpec(clocked=True), EncodingSpec(input_rate=0.5)
    spec = NetworkSpec(hidden=(256,), encoding=encoding, inhibition=inhibition)
    training = TrainingSpec(epochs=3, decay=0.8)
    with train(spec, training, rate_synapses(4.0), data, seed=0) as trained:
        table = numbers(trained, data.test_images)
    table.to_csv("paper_figure5.csv", index=False)
    save(draw(table), Path("paper_figure5.png"))


if __name__ == "__main__":
    main()
