"""The input lines that an image drives: one a pixel, or an on and an off line."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from rpu_ssnn.data import Dataset
from rpu_ssnn.spec import Contrast


@dataclass(frozen=True, eq=False)
class InputLines:
    """The input lines of a network on one data set.

    Attributes:
        pixels: of an image.
        grey_max: the grey level of share 1.
        mean: mean share of each pixel over the training images, which on and off lines are
            measured from; None: one line a pixel.
    """

    pixels: int
    grey_max: int
    mean: Float32[np.ndarray, " pixels"] | None = None

    @property
    def lines(self) -> int:
        """Input lines: the pixels, or twice as many."""
        return self.pixels if self.mean is None else 2 * self.pixels

    def shares(self, images: UInt8[np.ndarray, "n pixels"]) -> Float32[np.ndarray, "n lines"]:
        """How strongly each line is driven, in [0, 1].

        With a mean, the first half of the lines has what a pixel is above it, the second half
        what it is below, so that one of a pixel's two lines is always at 0.
        """
        share = images.astype(np.float32) / np.float32(self.grey_max)
        if self.mean is None:
            return share
        above = share - self.mean
        return np.concatenate([np.maximum(above, 0.0), np.maximum(-above, 0.0)], axis=1)


def input_lines(contrast: Contrast, data: Dataset) -> InputLines:
    """The input lines for a data set; validation and test images have no part in the mean."""
    mean = None
    if contrast == "on_off":
        total = data.train_images.mean(axis=0, dtype=np.float64)
        mean = (total / data.grey_max).astype(np.float32)
    return InputLines(data.train_images.shape[1], data.grey_max, mean)
