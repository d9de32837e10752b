"""Convolutions of numbers, laid out as in a crossbar (`rpu_ssnn.spec.layers`).

A weight matrix of torch is [replicas x channels, patch], and the lines of a patch are its rows,
columns and channels, in this order.
"""

import math
from dataclasses import dataclass

import torch
from torch.nn import functional

from rpu_ssnn.spec import Connection


@dataclass(frozen=True)
class Patches:
    """Cuts a batch into patches as rows, one for each position of each image, image by image.

    The crossbar of a dense layer has one position, whose row is the image itself.
    """

    connection: Connection

    def convolved(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Returns the neurons [n, lines after] of a layer [n, lines before]."""
        conv = self.connection
        kernels = weight.reshape(-1, *conv.kernel, conv.before[2]).permute(0, 3, 1, 2)
        neurons = functional.conv2d(self._image(x), kernels, None, conv.stride, conv.padding)
        return self.chosen(neurons.permute(0, 2, 3, 1).reshape(len(x) * conv.positions, -1))

    def rows(self, x: torch.Tensor) -> torch.Tensor:
        """Returns the patches [n x positions, patch] of a layer [n, lines before]."""
        if self.connection.is_whole:
            return x
        conv, image = self.connection, self._image(x)
        patches = functional.unfold(image, conv.kernel, padding=conv.padding, stride=conv.stride)
        patches = patches.reshape(len(x), conv.before[2], -1, conv.positions)
        return patches.permute(0, 3, 2, 1).reshape(-1, conv.shape[0])

    def added(self, rows: torch.Tensor) -> torch.Tensor:
        """Returns the layer [n, lines before] in which each line is the sum over the patches that
        contain it."""
        if self.connection.is_whole:
            return rows
        conv, (*grid, channels) = self.connection, self.connection.before
        parts = rows.reshape(-1, conv.positions, math.prod(conv.kernel), channels)
        parts = parts.permute(0, 3, 2, 1).flatten(1, 2)
        layer = functional.fold(
            parts, tuple(grid), conv.kernel, padding=conv.padding, stride=conv.stride
        )
        return layer.permute(0, 2, 3, 1).reshape(len(layer), -1)

    def chosen(self, outputs: torch.Tensor) -> torch.Tensor:
        """Returns the neurons [n, lines after]: each position takes the columns of its own
        replica."""
        conv = self.connection
        parts = outputs.reshape(-1, conv.positions, conv.replicas, conv.channels)
        if conv.replicas > 1:
            every = torch.arange(conv.positions)
            parts = parts[:, every, every % conv.replicas]
        return parts.flatten(1)

    def spread(self, d: torch.Tensor) -> torch.Tensor:
        """Returns the rows [n x positions, replicas x channels] that have d [n, lines after] in the
        columns of each position's own replica, and zeros elsewhere."""
        conv = self.connection
        parts = d.reshape(-1, conv.positions, conv.channels)
        if conv.replicas > 1:
            every = torch.arange(conv.positions)
            spread = d.new_zeros(len(parts), conv.positions, conv.replicas, conv.channels)
            spread[:, every, every % conv.replicas] = parts
            parts = spread
        return parts.reshape(-1, conv.replicas * conv.channels)

    def _image(self, x: torch.Tensor) -> torch.Tensor:
        """Returns the lines in torch's layout of images, [n, channels, rows, columns]."""
        return x.reshape(len(x), *self.connection.before).permute(0, 3, 1, 2)
