"""The input lines of an image: one or two per pixel; recorded spikes are used unchanged."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32

from rpu_ssnn.common.errors import InputError, require
from rpu_ssnn.data import Dataset
from rpu_ssnn.data.rows import Rows
from rpu_ssnn.data.spike_trains import SpikeTrains
from rpu_ssnn.spec import Contrast, ConvLayer, Grid


@dataclass(frozen=True, eq=False)
class InputLines:
    """Describes the input lines of a network for one data set.

    Attributes:
        pixels: the pixels of an image, or the lines of a recording.
        grey_max: the value of share 1; for recordings, the count of share 1.
        middle: the value from which the two lines of a pixel are measured: its mean over the
            training images, or the value 0, as a share; None where there is one line per pixel.
        gain: factor on the distance from the middle.
        complement: whether each pixel has a second line for its complement to full rate.
        image: rows, columns and channels of the lines, where the network begins with a convolution;
            the channels are all lines of a pixel, side by side.
    """

    pixels: int
    grey_max: int
    middle: Float32[np.ndarray, " pixels"] | None = None
    gain: Float32[np.ndarray, " pixels"] | None = None
    complement: bool = False
    image: Grid | None = None

    @property
    def lines(self) -> int:
        """Returns the number of input lines: the pixels, or twice as many."""
        return 2 * self.pixels if self.complement or self.middle is not None else self.pixels

    def shares(self, images: Rows) -> Float32[np.ndarray, "n lines"]:
        """Returns the input of each line, in [0, 1]; for recordings, it comes from its count of
        spikes.

        With a middle, the first half of the lines gets the part of a pixel above it, the second
        half the part below it. One of the two lines of a pixel is always 0. With a complement,
        the second half gets 1 minus the share, so that the two lines of a pixel add up to 1.
        In an `image`, the lines of the second half are channels of their pixels.

        Raises:
            InputError: the images are no rows of as many values as the training images have.
        """
        if isinstance(images, SpikeTrains):
            return images.counts() / np.float32(self.grey_max)
        shape, allowed = np.shape(images), f"must be (n, {self.pixels}), one row for each image"
        require(shape[1:] == (self.pixels,), "network", "shape of images", shape, allowed)
        share = images.astype(np.float32) / np.float32(self.grey_max)
        if self.complement:
            return self._both(share, 1.0 - share)
        if self.middle is None:
            return share
        above = share - self.middle
        if self.gain is not None:
            above = np.clip(above * self.gain, -1.0, 1.0)
        return self._both(np.maximum(above, 0.0), np.maximum(-above, 0.0))

    def _both(
        self, first: Float32[np.ndarray, "n pixels"], second: Float32[np.ndarray, "n pixels"]
    ) -> Float32[np.ndarray, "n lines"]:
        """Returns the two lines of each pixel, as two halves or, in an image, as channels."""
        if self.image is None:
            return np.concatenate([first, second], axis=1)
        pixels = len(first), self.image[0] * self.image[1], self.image[2] // 2
        parts = [first.reshape(pixels), second.reshape(pixels)]
        return np.concatenate(parts, axis=2).reshape(len(first), self.lines)


def input_lines(
    contrast: Contrast, data: Dataset, layers: Sequence[int | ConvLayer] = ()
) -> InputLines:
    """Returns the input lines for a data set; validation and test images do not enter the mean.

    `signed` drives the lines by |value| over the largest magnitude of its column (or of all data,
    where these share one scale). A column of a single value drives no line.

    Args:
        layers: the hidden layers, the first of which may be a convolution.

    Raises:
        InputError: recorded spikes are given two lines per pixel, data without negative values are
            given `signed`, or data for a convolution are not images.
    """
    lines = _lines(contrast, data)
    if not any(isinstance(layer, ConvLayer) for layer in layers[:1]):
        return lines
    field, allowed = "shape", "must be rows, columns and channels, as convolutions need them"
    require(data.image_shape is not None, data.name, field, list(data.shape), allowed)
    assert data.image_shape is not None
    rows, columns, channels = data.image_shape
    return replace(lines, image=(rows, columns, channels * lines.lines // lines.pixels))


def _lines(contrast: Contrast, data: Dataset) -> InputLines:
    """Returns the input lines, as two halves where there are two per pixel."""
    field, images = "network.encoding.contrast", data.train_images
    pixels = images.shape[1]
    if contrast == "none":
        return InputLines(pixels, data.grey_max)
    if isinstance(images, SpikeTrains):
        raise InputError(data.name, field, contrast, "must be none, since the data are spikes")
    if contrast == "complement":
        return InputLines(pixels, data.grey_max, complement=True)
    if contrast == "on_off":
        total = images.mean(axis=0, dtype=np.float64)
        return InputLines(pixels, data.grey_max, (total / data.grey_max).astype(np.float32))
    if data.zero is None or not (data.zero > 0).any():
        allowed = "must be none, on_off or complement, since these data have no values below zero"
        raise InputError(data.name, field, contrast, allowed)
    gain = 1.0 / np.maximum(np.abs(data.zero), np.abs(1.0 - data.zero))
    return InputLines(pixels, data.grey_max, data.zero, gain.astype(np.float32))
