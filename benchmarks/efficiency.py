"""Measures the cost of learning and deciding in the paper's units: spikes, coincidences, slots.

One network (784-256-10, coincidence mode, winner-take-all output) is trained on MNIST, and the
spikes and coincidences of its last epoch are counted. The test images are then shown once, and the
decision after every slot is recorded. `python benchmarks/efficiency.py` reads the images in
$RPU_SSNN_DATA and writes a table and a figure to the current folder.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from rpu_ssnn.common.training_state import EpochRow
from rpu_ssnn.data import load_dataset
from rpu_ssnn.data.rows import Rows
from rpu_ssnn.network import Input, Network
from rpu_ssnn.spec import EncodingSpec, InhibitionSpec, NetworkSpec, TrainingSpec
from rpu_ssnn.synapses import CoincidenceSynapses, Crossbar, PulseBlock
from rpu_ssnn.training import Trained, train
from studies.report.figure_style import FONT_POINTS, WIDE_INCHES, finish_axes, new_figure, save

EPOCHS = 3
LEARNING_RATE = 4.0
CHUNK = 200


class Counted(CoincidenceSynapses):
    """Counts every coincidence, up plus down; the sum of Eq. 10 keeps only their difference."""

    def __init__(self, crossbar: Crossbar) -> None:
        super().__init__(crossbar, LEARNING_RATE)
        self.coincidences = 0

    def update(self, block: PulseBlock) -> None:
        self.coincidences += int((np.diff(block.pre_start) * np.diff(block.post_start)).sum())
        super().update(block)


@dataclass
class Watched:
    """Collects the coincidences of each crossbar, first to last, at the end of each epoch."""

    synapses: list[Counted] = field(default_factory=list)
    totals: list[list[int]] = field(default_factory=list)

    def make(self, crossbar: Crossbar) -> Counted:
        self.synapses.append(Counted(crossbar))
        return self.synapses[-1]

    def note(self, _: EpochRow, take_state: object) -> None:
        self.totals.append([s.coincidences for s in self.synapses])

    def in_last_epoch(self) -> list[int]:
        before = self.totals[-2] if len(self.totals) > 1 else [0] * len(self.synapses)
        return [now - then for now, then in zip(self.totals[-1], before, strict=True)]


def numbers(root: Path | None, dataset: str = "mnist", epochs: int = EPOCHS) -> pd.DataFrame:
    """Returns a tidy table: ``quantity``, ``of`` (layer, crossbar or slot), ``value``.

    The quantities are ``forward spikes a sample`` and ``gradient spikes a sample`` (both streams)
    for each layer in the last epoch, ``coincidences a weight and sample`` for each crossbar, and
    ``test accuracy after slot`` (%).

    Raises:
        InputError: the images cannot be found.
    """
    data = load_dataset(dataset, root, n_train=None, n_test=None, validation_share=0.0, seed=0)
    spec = NetworkSpec(
        encoding=EncodingSpec(input_rate=0.5), inhibition=InhibitionSpec(clocked=True)
    )
    watched = Watched()
    with train(
        spec, TrainingSpec(epochs=epochs, decay=0.8), watched.make, data, seed=0,
        on_epoch=watched.note,
    ) as trained:  # fmt: skip
        last, sizes = trained.epochs[-1], trained.network.sizes
        accuracy = accuracy_by_slot(trained, data.test_images, data.test_labels)
    names = ["input", *(f"hidden {k}" for k in range(1, len(sizes) - 1)), "output"]
    rows: list[tuple[str, str | int, float]] = [
        *(("forward spikes a sample", *p) for p in zip(names, last.forward_spikes, strict=True)),
        *(
            ("gradient spikes a sample", *p)
            for p in zip(names[1:], last.gradient_spikes, strict=True)
        ),
    ]
    n = len(data.train_labels)
    for k, total in enumerate(watched.in_last_epoch()):
        per_weight = total / (sizes[k] * sizes[k + 1]) / n
        rows.append(("coincidences a weight and sample", f"crossbar {k + 1}", per_weight))
    rows += [("test accuracy after slot", t + 1, 100 * a) for t, a in enumerate(accuracy)]
    return pd.DataFrame(rows, columns=["quantity", "of", "value"])


def accuracy_by_slot(trained: Trained, images: Rows, labels: np.ndarray) -> np.ndarray:
    """Returns the share of images whose class leads after each slot of a presentation, [slots]."""
    rng, network = np.random.default_rng(trained.seed), trained.network
    rates = trained.rates(images)
    right = np.zeros(network.spec.at_inference.slots)
    for first in range(0, len(labels), CHUNK):
        leading = decisions(network, rates[first : first + CHUNK], rng)
        right += (leading == labels[first : first + CHUNK, None]).sum(axis=0)
    return right / len(labels)


def decisions(network: Network, rates: Input, rng: np.random.Generator) -> np.ndarray:
    """Returns the class with the most output spikes after each slot, [batch, slots].

    Ties, and no spike yet, give the lowest class.
    """
    outputs = network.spike_counts(rates, rng, 1)[:, :, -network.sizes[-1] :]
    return outputs.cumsum(axis=1).argmax(axis=2)


def draw(table: pd.DataFrame) -> Figure:
    """Draws accuracy against slots seen, and lists the counts beside it."""
    figure = new_figure(WIDE_INCHES, 2.6)
    axes, beside = figure.subplots(1, 2)
    curve = table[table["quantity"] == "test accuracy after slot"]
    axes.plot(curve["of"].astype(int), curve["value"], color="#0072B2")
    finish_axes(axes, "slots seen", "test accuracy (%)")
    beside.axis("off")
    counts = table[table["quantity"] != "test accuracy after slot"]
    lines = [f"{row.value:10.4g}  {row.quantity}, {row.of}" for row in counts.itertuples()]
    beside.text(0, 1, "\n".join(lines), va="top", family="monospace", fontsize=FONT_POINTS - 1.5)
    return figure


def main() -> None:
    table = numbers(None)
    table.to_csv("efficiency.csv", index=False)
    save(draw(table), Path("efficiency.png"))


if __name__ == "__main__":
    main()
