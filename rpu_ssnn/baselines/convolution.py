"""Convolutions of numbers, laid out as in a crossbar (`rpu_ssnn.spec.layers`).

A weight matrix of torch is [replicas x channels, patch], and the lines of a patch are its rows,
columns and channels, in this order.
"""

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
        kernel, stride, padding = self._window()
        patches = functional.unfold(self._image(x), kernel, padding=padding, stride=stride)
        channels, patch = self.connection.before[2], self.connection.shape[0]
        patches = patches.reshape(len(x), channels, -1, self.connection.positions)
        return patches.permute(0, 3, 2, 1).reshape(-1, patch)

    def added(self, rows: torch.Tensor) -> torch.Tensor:
        """Returns the layer [n, lines before] in which each line is the sum over the patches that
        contain it."""
        if self.connection.is_whole:
            return rows
        kernel, stride, padding = self._window()
        *grid, channels = self.connection.before
        positions, patch = self.connection.positions, self.connection.shape[0]
        parts = rows.reshape(-1, positions, patch // channels, channels).permute(0, 3, 2, 1)
        parts = parts.reshape(len(parts), patch, positions)
        layer = functional.fold(parts, tuple(grid), kernel, padding=padding, stride=stride)
        return layer.permute(0, 2, 3, 1).reshape(len(layer), -1)

    def chosen(self, outputs: torch.Tensor) -> torch.Tensor:
        """Returns the neurons [n, lines after]: each position takes the columns of its own
        replica."""
        positions, replicas, channels = self._columns()
        if replicas > 1:
            every = torch.arange(positions)
            parts = outputs.reshape(-1, positions, replicas, channels)
            outputs = parts[:, every, every % replicas]
        return outputs.reshape(-1, positions * channels)

    def spread(self, d: torch.Tensor) -> torch.Tensor:
        """Returns the rows [n x positions, replicas x channels] that have d [n, lines after] in the
        columns of each position's own replica, and zeros elsewhere."""
        positions, replicas, channels = self._columns()
        parts = d.reshape(-1, positions, channels)
        if replicas > 1:
            every = torch.arange(positions)
            spread = d.new_zeros(len(parts), positions, replicas, channels)
            spread[:, every, every % replicas] = parts
            parts = spread
        return parts.reshape(-1, replicas * channels)

    def _columns(self) -> tuple[int, int, int]:
        conv = self.connection
        return conv.positions, conv.replicas, conv.channels

    def _window(self) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
        return self.connection.kernel, self.connection.stride, self.connection.padding

    def _image(self, x: torch.Tensor) -> torch.Tensor:
        """Returns the lines in torch's layout of images, [n, channels, rows, columns]."""
        return x.reshape(len(x), *self.connection.before).permute(0, 3, 1, 2)
