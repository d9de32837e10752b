"""Trains a small network briefly on real images, for figures that show its inside."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rpu_ssnn.data import Dataset, load_dataset
from rpu_ssnn.data.rows import Rows, values_of
from rpu_ssnn.export.description import weights_of
from rpu_ssnn.spec import EncodingSpec, InhibitionSpec, NetworkSpec, TrainingSpec
from rpu_ssnn.synapses import rate_synapses
from rpu_ssnn.synapses.base import Weights
from rpu_ssnn.training import train

HIDDEN = 256
LEARNING_RATE = 4.0


@dataclass(frozen=True)
class SmallNetwork:
    """Holds settings, weights and images of a trained network with winner-take-all output."""

    spec: NetworkSpec
    weights: list[Weights]
    data: Dataset

    def rates(self, images: Rows) -> np.ndarray:
        """Returns the average number of spikes per slot of each input line, [n, n_in]."""
        share = values_of(images).astype(np.float32) / np.float32(self.data.grey_max)
        return share * np.float32(self.spec.encoding.input_rate)


def train_small(root: Path | None, n_train: int, epochs: int) -> SmallNetwork:
    """Trains 784-256-10 by Eq. 9 with seed 0.

    Raises:
        InputError: the images are missing.
    """
    data = load_dataset("mnist", root, n_train=n_train, n_test=None, validation_share=0.0, seed=0)
    spec = NetworkSpec(
        hidden=(HIDDEN,),
        encoding=EncodingSpec(input_rate=0.5),
        inhibition=InhibitionSpec(clocked=True),
    )
    training = TrainingSpec(epochs=epochs, decay=0.8)
    with train(spec, training, rate_synapses(LEARNING_RATE), data, seed=0) as trained:
        return SmallNetwork(spec, weights_of(trained, "figure"), data)
