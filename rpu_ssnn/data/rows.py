"""A whole data set as its files hold it, before anything is drawn from it."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from rpu_ssnn.data.spike_trains import SpikeTrains
from rpu_ssnn.data_spec import Bounds
from rpu_ssnn.spec import Grid

type Rows = UInt8[np.ndarray, "n pixels"] | Float32[np.ndarray, "n pixels"] | SpikeTrains
"""Each row is a sample: grey levels, shares of full rate, or recorded spikes."""

type Labels = Int64[np.ndarray, " n"]
"""The class of each row."""


class SetFacts(NamedTuple):
    """Holds what is known of a data set before anything is started."""

    counts: tuple[int, int]
    """The numbers of training and of test images."""

    shape: tuple[int, ...] = ()
    """The shape of an image or recording; it is empty where it is not known."""

    recorded: bool = False
    """Says whether the samples are recordings of spikes."""

    first_slot: int = 0
    """The slot of the first spike of the training recordings."""

    @property
    def image_shape(self) -> Grid | None:
        """Returns what `grid_of` returns."""
        return grid_of(self.shape, self.recorded)


def grid_of(shape: tuple[int, ...], recorded: bool) -> Grid | None:
    """Returns rows, columns and channels (last) of an image, or None if samples are not images."""
    if recorded or len(shape) not in (2, 3):
        return None
    rows, columns, channels = (*shape, 1)[:3]
    return rows, columns, channels


@dataclass(frozen=True, eq=False)
class Source:
    """Holds the images (or recordings) and labels of the training and the test part.

    Attributes:
        grey_max: the value of full rate.
        shape: the shape of one image or recording, with the channels of an image last; it is empty
            where only the number of pixels is known.
        scale: how values become shares of full rate; None where they are grey levels.
        copy: which files were read, if the set comes in several versions; otherwise empty.
        cut: the share of the spikes of training recordings that come after the slots that are kept.
        mixed: whether the first test rows represent all of them, which they do not where files may
            be sorted by class.
    """

    train_images: Rows
    train_labels: Int64[np.ndarray, " train"]
    test_images: Rows
    test_labels: Int64[np.ndarray, " test"]
    class_names: tuple[str, ...]
    grey_max: int
    shape: tuple[int, ...] = ()
    scale: Bounds | str | None = None
    mixed: bool = True
    copy: str = ""
    cut: float = 0.0

    @property
    def n_classes(self) -> int:
        """Returns the number of classes; labels run from 0 to one below it."""
        return len(self.class_names)

    @property
    def facts(self) -> SetFacts:
        """Returns what a study must fit before it starts."""
        counts, rows = (len(self.train_labels), len(self.test_labels)), self.train_images
        if isinstance(rows, SpikeTrains):
            return SetFacts(counts, self.shape, True, int(rows.slot.min()))
        return SetFacts(counts, self.shape)
