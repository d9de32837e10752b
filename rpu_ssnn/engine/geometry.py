"""The layout of layers' neurons in crossbars: positions, patches and replicas (`spec.layers`).

A crossbar serves all positions of a convolution; a dense layer has one position. In each slot the
forward spikes of a layer are sorted once into a list of patch lines for each position, which reads
and pulses share. For a dense layer, that list is the list of the layer's spikes itself.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64
from numba import uint64

from rpu_ssnn.compiled import inner
from rpu_ssnn.engine.blocks import BLOCK, ZERO, Events
from rpu_ssnn.spec import Connection, lines_of, slot_cycles

CROSSBAR = np.dtype(
    [
        ("positions", np.int64),
        ("patch", np.int64),  # the lines of a patch, which are the crossbar's input lines
        ("channels", np.int64),  # the neurons of a position
        ("replicas", np.int64),
        ("at_once", np.int64),  # the positions that share a cycle
        ("is_whole", np.int64),  # whether its only patch is the whole layer before
        ("list_start", np.int64),  # the first place of its lists in `WorkerState.events`
        ("delayed_start", np.int64),  # the first place of its lists in `WorkerState.delayed`
        ("position_start", np.int64),  # the first place in arrays of positions
        ("weight_start", np.int64),  # the first place in the flat weights
        ("counts", np.int64),  # the counts of a presentation (`Synapses.needs_presentations`)
        ("delay", np.int64),  # the slots that forward spikes wait for their gradient
        ("delay_start", np.int64),  # the first place in the flags of waiting spikes
    ]
)
"""The record of a crossbar. A function that takes a table of records as one argument compiles in
less time than a function with an argument for each field. A list of spikes has `patch` places."""

LINK = np.dtype([("position", np.int32), ("line", np.int32)])
"""A position whose patch contains an input line, and the place of that line in the patch."""

RUN = np.dtype([("neuron", np.int32), ("line", np.int32), ("length", np.int32)])
"""A part of a patch whose neurons are adjacent: its first neuron, that neuron's patch line, and the
number of neurons."""


class Geometry(NamedTuple):
    """Holds tables of all crossbars, which are numbered from 0."""

    crossbars: np.recarray
    """There is one `CROSSBAR` for each crossbar."""
    cycles: int
    """The cycles of a slot."""
    most_positions: int
    """The number of positions of the crossbar with the most."""
    links: Int64[np.ndarray, " lines_plus_1"]
    """The first link of each input line of all crossbars; its links end where the next line's
    begin."""
    link: np.recarray
    """All links, each of them a `LINK`."""
    runs: Int64[np.ndarray, " positions_plus_1"]
    """The first run of each position of all crossbars; its runs end where the next position's
    begin."""
    run: np.recarray
    """All runs, each of them a `RUN`."""


def make_geometry(
    connections: Sequence[Connection], at_once: bool, counted: Sequence[bool], delays: Sequence[int]
) -> Geometry:
    """Returns the tables of a network.

    Args:
        connections: the connection that each crossbar makes.
        at_once: whether the replicas of a kernel work at the same time.
        counted: whether the synapses of each crossbar count whole presentations.
        delays: slots that the forward spikes of each crossbar wait.
    """
    positions = np.array([each.positions for each in connections])
    shape = np.array([each.shape for each in connections])
    replicas = np.array([each.replicas for each in connections])
    is_whole = np.array([each.is_whole for each in connections])
    lines = np.array(lines_of(connections))
    own_lists = lines.sum() + _starts(np.where(is_whole, 0, positions * shape[:, 0]))[:-1]
    crossbars = np.zeros(len(connections), CROSSBAR).view(np.recarray)
    crossbars.positions = positions
    crossbars.patch = shape[:, 0]
    crossbars.channels = [each.channels for each in connections]
    crossbars.replicas = replicas
    crossbars.at_once = replicas if at_once else 1
    crossbars.is_whole = is_whole
    crossbars.list_start = np.where(is_whole, _starts(lines)[: len(connections)], own_lists)
    crossbars.delayed_start = np.where(is_whole, 0, lines.max())
    crossbars.position_start = _starts(positions)[:-1]
    crossbars.weight_start = _starts(shape.prod(axis=1))[:-1]
    crossbars.counts = np.where(counted, positions, 1)
    crossbars.delay = delays
    crossbars.delay_start = _starts(np.multiply(delays, -(-lines[:-1] // BLOCK)))[:-1]
    tables = [_table(each) for each in connections]
    links = [_links(table, n) for table, n in zip(tables, lines, strict=False)]
    runs = [_runs(table, n) for table, n in zip(tables, positions, strict=True)]
    link_counts, *link = (np.concatenate(part) for part in zip(*links, strict=True))
    run_counts, *run = (np.concatenate(part) for part in zip(*runs, strict=True))
    return Geometry(
        crossbars=crossbars,
        cycles=slot_cycles(connections, at_once),
        most_positions=int(positions.max()),
        links=_starts(link_counts),
        link=np.rec.fromarrays(link, dtype=LINK),
        runs=_starts(run_counts),
        run=np.rec.fromarrays(run, dtype=RUN),
    )


def _starts(lengths: np.ndarray) -> Int64[np.ndarray, " lengths_plus_1"]:
    """Returns the first place of each of several consecutive stretches, and the end of the last
    one."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


type _Table = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Positions, patch lines and neurons that belong together, sorted by position and line."""


def _table(connection: Connection) -> _Table:
    rows, columns, channels = connection.before
    after, kernel = connection.after[:2], connection.kernel
    y, x, v, u, channel = np.indices((*after, *kernel, channels)).reshape(5, -1)
    row = y * connection.stride[0] + v - connection.padding[0]
    column = x * connection.stride[1] + u - connection.padding[1]
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    position = y * after[1] + x
    line = (v * kernel[1] + u) * channels + channel
    neuron = (row * columns + column) * channels + channel
    return position[inside], line[inside], neuron[inside]


def _links(table: _Table, lines: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the number of links of each line, and the position and patch line of each link."""
    position, line, neuron = table
    order = np.argsort(neuron, kind="stable")
    return np.bincount(neuron, minlength=lines), position[order], line[order]


def _runs(table: _Table, positions: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Returns the number of runs of each position, and the first neuron, line and length of each
    run."""
    position, line, neuron = table
    goes_on = (np.diff(position) == 0) & (np.diff(line) == 1) & (np.diff(neuron) == 1)
    first = np.flatnonzero(np.concatenate([[True], ~goes_on]))
    length = np.diff(first, append=len(line))
    counts = np.bincount(position[first], minlength=positions)
    return counts, neuron[first], line[first], length


@inner
def next_replica(column: int, channels: int, row_length: int) -> int:
    """Returns the first output line of the replica that serves the next position, from that of the
    replica that serves this one."""
    column += channels
    return ZERO if column == row_length else column


@inner
def list_patches(
    tables: Geometry, patch: int, lines: Events, first: int, stop: int,
    lists: Events, start: int, counts: Int64[np.ndarray, " positions"], links_start: int,
) -> None:  # fmt: skip
    """Sorts spikes into the lists of the positions of a crossbar.

    Args:
        patch: lines of a patch.
        lines: lines of the layer before, ascending; those at [first, stop) spike.
        lists: patch lines that spike, ascending; the first list begins at `start`.
        counts: number of patch lines that spike at each position.
        links_start: first input line of the crossbar among those of all crossbars.
    """
    counts[:] = 0
    begins, apart = uint64(start), uint64(patch)
    for k in range(first, stop):
        # numba does not check indices for negative values if they are unsigned.
        line = uint64(links_start + lines[k])
        for n in range(uint64(tables.links[line]), uint64(tables.links[line + uint64(1)])):
            link = tables.link[n]
            position = uint64(link.position)
            lists[begins + position * apart + uint64(counts[position])] = link.line
            counts[position] += 1
