"""Settings of hidden layers, dense or convolutional, and how crossbars connect layers.

The neurons of a layer are ordered by row, then by column, then by channel. A convolution is one
small crossbar: its input lines are the lines of a patch (kernel row, kernel column, input channel),
and its output lines are the channels of each replica of the kernel. It serves one position after
the other, and position p uses replica p % replicas.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Annotated

from pydantic import BeforeValidator, Discriminator, Field, Tag

from rpu_ssnn.common.errors import require
from rpu_ssnn.spec.base import Spec

MOST_LINES = 10_000_000
"""The largest number of neurons of a layer, and of lines of all its patches together."""

_COLOURS = (1, 3)
"""Images in the order of torch, channels first, seem to have so many rows."""

type Pair = tuple[int, int]
"""Rows and columns."""
type Grid = tuple[int, int, int]
"""Rows, columns and channels of a layer or an image."""


_MOST_EXTENT = 1_000


def _both(least: int) -> BeforeValidator:
    """Returns the check of rows and columns, for which one number may stand."""

    def checked(extent: object) -> object:
        if isinstance(extent, list | tuple) and len(extent) == 2:
            return extent
        if isinstance(extent, int) and least <= extent <= _MOST_EXTENT:
            return extent, extent
        number = f"a whole number, {least} to {_MOST_EXTENT}"
        raise ValueError(f"must be {number}, or a list: [rows, columns]")

    return BeforeValidator(checked)


Neurons = Annotated[int, Field(ge=1, le=100_000)]
_Extent = Annotated[int, Field(ge=1, le=_MOST_EXTENT)]
_Margin = Annotated[int, Field(ge=0, le=_MOST_EXTENT)]
Extents = Annotated[tuple[_Extent, _Extent], _both(1)]
Margins = Annotated[tuple[_Margin, _Margin], _both(0)]


class ConvSpec(Spec):
    """Describes a convolution; one number stands for rows and columns, two are [rows, columns].

    >>> ConvSpec(kernel=5, channels=12, stride=2).kernel
    (5, 5)
    """

    kernel: Extents
    """The rows and columns of a patch."""

    channels: Neurons
    """The number of neurons at each position, each with its own kernel."""

    stride: Extents = (1, 1)
    """The rows and columns from one position to the next. Larger strides take the place of
    pooling."""

    padding: Margins = (0, 0)
    """The rows and columns of silent lines on each side of the layer before."""

    replicas: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """The number of copies of each kernel, each in its own devices. They start equal, and the
    positions use them in turn; with as many copies as positions, no weights are shared."""


class ConvLayer(Spec):
    """Holds a convolution in a list of layers, whose other entries are numbers of neurons."""

    conv: ConvSpec
    """The convolution."""


def _kind(layer: object) -> str | None:
    if isinstance(layer, dict | ConvLayer):
        return "<conv"
    return "<dense" if isinstance(layer, int | float) else None


Layer = Annotated[
    Annotated[Neurons, Tag("<dense")] | Annotated[ConvLayer, Tag("<conv")],
    Discriminator(
        _kind,
        custom_error_type="layer",
        custom_error_message="must be a whole number of neurons, or {conv: {kernel: 3, ...}}",
    ),
]
"""A dense layer by its number of neurons, or a convolution."""


@dataclass(frozen=True)
class Connection:
    """Describes how a crossbar connects two layers; a dense layer is a convolution with one
    position.

    Attributes:
        before: the layer before; a dense layer has one place, whose channels are all its neurons.
        channels: neurons at each position.
        kernel, stride, padding: rows and columns.
        replicas: number of copies of the kernel.
    """

    before: Grid
    channels: int
    kernel: Pair = (1, 1)
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    replicas: int = 1

    @property
    def after(self) -> Grid:
        """Returns the layer after."""
        rows, columns = (
            (n + 2 * padding - kernel) // stride + 1
            for n, kernel, stride, padding in zip(
                self.before[:2], self.kernel, self.stride, self.padding, strict=True
            )
        )
        return rows, columns, self.channels

    @property
    def positions(self) -> int:
        """Returns the number of patches."""
        return prod(self.after[:2])

    @property
    def is_whole(self) -> bool:
        """Returns whether the only patch is the whole layer before, as in a dense layer."""
        return self.kernel == self.before[:2] and self.padding == (0, 0)

    @property
    def shape(self) -> tuple[int, int]:
        """Returns the input and output lines of the crossbar."""
        return prod(self.kernel) * self.before[2], self.replicas * self.channels


def connect(
    layers: Sequence[int | ConvLayer], n_in: int, n_out: int, image: Grid | None = None
) -> tuple[Connection, ...]:
    """Returns how each crossbar of a network connects its layers.

    Args:
        layers: the hidden layers.
        n_in: input lines.
        n_out: classes.
        image: the shape of the input, which convolutions need; its channels are all lines of a
            pixel.

    Raises:
        InputError: the input has no shape, a wrong one or its channels first, or a kernel or
            replicas do not fit.
    """
    connections: list[Connection] = []
    before = image
    for place, layer in enumerate((*layers, n_out)):
        if not isinstance(layer, ConvLayer):
            lines = n_in if place == 0 else prod(before or ())
            connections.append(Connection((1, 1, lines), layer))
            before = connections[-1].after
            continue
        field = f"layers.{place}"
        allowed = "needs images: dataset.shape in a study, or an array [n, rows, columns]"
        require(before is not None, "network", field, "conv", allowed)
        assert before is not None
        if place == 0:
            allowed = f"must have {n_in} values in all, one for each input line"
            require(prod(before) == n_in, "network", "shape of the input", before, allowed)
            rows, columns, lines = before  # A pixel may have two lines for each channel.
            first = rows in _COLOURS and columns > max(_COLOURS) and lines in (columns, 2 * columns)
            allowed = "must be rows, columns, channels; X.transpose(0, 2, 3, 1) puts channels last"
            require(not first, "network", f"{field}.conv: shape of the input", before, allowed)
        connections.append(_convolution(layer.conv, before, f"{field}.conv"))
        before = connections[-1].after
    return tuple(connections)


def _convolution(spec: ConvSpec, before: Grid, field: str) -> Connection:
    """Returns the connection, and raises InputError if it does not fit the layer before."""

    def check(holds: object, name: str, allowed: str) -> None:
        require(holds, "network", f"{field}.{name}", getattr(spec, name), allowed)

    kernel, padding = spec.kernel, spec.padding
    inside = all(p < k for p, k in zip(padding, kernel, strict=True))
    check(inside, "padding", f"must be smaller than the kernel, {kernel[0]} x {kernel[1]}")
    rows, columns = (n + 2 * p for n, p in zip(before[:2], padding, strict=True))
    allowed = f"must be at most [{rows}, {columns}], rows and columns of the layer before, padded"
    allowed += "; a dense layer has one of each" if before[:2] == (1, 1) else ""
    check(kernel[0] <= rows and kernel[1] <= columns, "kernel", allowed)
    connection = Connection(before, spec.channels, kernel, spec.stride, padding, spec.replicas)
    positions = connection.positions
    allowed = f"must be at most {positions}, the number of positions"
    check(spec.replicas <= positions, "replicas", allowed)
    neurons, lines = positions * spec.channels, positions * connection.shape[0]
    check(neurons <= MOST_LINES, "channels", f"must give at most {MOST_LINES} neurons")
    check(lines <= MOST_LINES, "kernel", f"must give at most {MOST_LINES} lines in all patches")
    return connection


def slot_cycles(connections: Sequence[Connection], at_once: bool) -> int:
    """Returns the cycles of a slot, in which the crossbar with the most positions serves all of
    them.

    Args:
        at_once: whether the replicas of a kernel work at the same time.
    """
    return max(-(-each.positions // (each.replicas if at_once else 1)) for each in connections)


def lines_of(connections: Sequence[Connection]) -> tuple[int, ...]:
    """Returns the lines of each layer, input first."""
    return prod(connections[0].before), *(prod(each.after) for each in connections)


def layer_names(layers: Sequence[int | ConvLayer]) -> tuple[str, ...]:
    """Returns the names of layers in tables: `300`, or `12c5/2` for channels, kernel, stride."""
    return tuple(_name(each.conv) if isinstance(each, ConvLayer) else str(each) for each in layers)


def _name(conv: ConvSpec) -> str:
    kernel, stride, padding = (
        str(rows) if rows == columns else f"{rows}x{columns}"
        for rows, columns in (conv.kernel, conv.stride, conv.padding)
    )
    parts = (("/", stride, "1"), ("p", padding, "0"), ("r", str(conv.replicas), "1"))
    return f"{conv.channels}c{kernel}" + "".join(a + b for a, b, plain in parts if b != plain)
