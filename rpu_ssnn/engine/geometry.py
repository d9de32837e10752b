"""How the neurons of layers lie in crossbars: positions, patches and replicas (`spec.layers`).

A crossbar serves the positions of a convolution, of which a dense layer has one. In each slot the
forward spikes of a layer are sorted once into a list of patch lines for each position, which reads
and pulses share. The list of a dense layer is that of the layer's spikes itself.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int32, Int64

from rpu_ssnn.compiled import compiled
from rpu_ssnn.spec import Connection, lines_of, slot_cycles

type OfCrossbars = Int64[np.ndarray, " crossbars"]
type Places = Int32[np.ndarray, " places"]


class Geometry(NamedTuple):
    """Tables of all crossbars, the first of which is number 0."""

    positions: OfCrossbars
    patch: OfCrossbars
    """Lines of a patch, which are the input lines of the crossbar."""
    channels: OfCrossbars
    """Neurons of a position."""
    replicas: OfCrossbars
    at_once: OfCrossbars
    """Positions that share a cycle."""
    cycles: int
    """Cycles of a slot."""
    most_positions: int
    """Positions of the crossbar with the most."""
    is_whole: Bool[np.ndarray, " crossbars"]
    """Whether the one patch is the whole layer before."""
    list_start: OfCrossbars
    """First place of a crossbar's lists in `WorkerState.events`; a list has `patch` places."""
    delayed_start: OfCrossbars
    """First place of its lists in `WorkerState.delayed`."""
    position_start: Int64[np.ndarray, " crossbars_plus_1"]
    """First place of a crossbar in arrays of positions."""
    links: Int64[np.ndarray, " lines_plus_1"]
    """First of the links of each input line of all crossbars; the next line's ends them."""
    link_position: Places
    """The position of a link, which has the input line in its patch."""
    link_line: Places
    """The line of the patch that the input line is."""
    runs: Int64[np.ndarray, " positions_plus_1"]
    """First of the runs of each position of all crossbars; the next position's ends them."""
    run_neuron: Places
    """The first neuron of a run, which is a part of a patch whose neurons lie side by side."""
    run_line: Places
    """The line of the patch at which the run begins."""
    run_length: Places


def make_geometry(found: Sequence[Connection], *, at_once: bool) -> Geometry:
    """The tables of a network.

    Args:
        found: the connection that each crossbar makes.
        at_once: whether the replicas of a kernel work at the same time.
    """
    positions = np.array([one.positions for one in found])
    patch = np.array([one.shape[0] for one in found])
    replicas = np.array([one.replicas for one in found])
    is_whole = np.array([one.is_whole for one in found])
    lines = np.array(lines_of(found))
    own_lists = lines.sum() + _starts(np.where(is_whole, 0, positions * patch))[:-1]
    together = replicas if at_once else np.ones_like(replicas)
    tables = [_table(one) for one in found]
    links = [_links(table, n) for table, n in zip(tables, lines, strict=False)]
    runs = [_runs(table, n) for table, n in zip(tables, positions, strict=True)]
    link_counts, link_position, link_line = (
        np.concatenate(part) for part in zip(*links, strict=True)
    )
    run_counts, run_neuron, run_line, run_length = (
        np.concatenate(part) for part in zip(*runs, strict=True)
    )
    return Geometry(
        positions=positions,
        patch=patch,
        channels=np.array([one.channels for one in found]),
        replicas=replicas,
        at_once=together,
        cycles=slot_cycles(found, at_once),
        most_positions=int(positions.max()),
        is_whole=is_whole,
        list_start=np.where(is_whole, _starts(lines)[: len(found)], own_lists),
        delayed_start=np.where(is_whole, 0, lines.max()),
        position_start=_starts(positions),
        links=_starts(link_counts),
        link_position=link_position.astype(np.int32),
        link_line=link_line.astype(np.int32),
        runs=_starts(run_counts),
        run_neuron=run_neuron.astype(np.int32),
        run_line=run_line.astype(np.int32),
        run_length=run_length.astype(np.int32),
    )


def _starts(lengths: np.ndarray) -> Int64[np.ndarray, " lengths_plus_1"]:
    """The first place of each of several stretches that lie one after the other, and the end."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


type _Table = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Positions, lines of the patch and neurons that belong together, by position and line."""


def _table(one: Connection) -> _Table:
    rows, columns, channels = one.before
    after, kernel = one.after[:2], one.kernel
    y, x, v, u, channel = np.indices((*after, *kernel, channels)).reshape(5, -1)
    row = y * one.stride[0] + v - one.padding[0]
    column = x * one.stride[1] + u - one.padding[1]
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    position = y * after[1] + x
    line = (v * kernel[1] + u) * channels + channel
    neuron = (row * columns + column) * channels + channel
    return position[inside], line[inside], neuron[inside]


def _links(table: _Table, lines: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number of links of each line, and the position and patch line of each link."""
    position, line, neuron = table
    order = np.argsort(neuron, kind="stable")
    return np.bincount(neuron, minlength=lines), position[order], line[order]


def _runs(table: _Table, positions: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Number of runs of each position, and the first neuron, line and length of each run."""
    position, line, neuron = table
    goes_on = (np.diff(position) == 0) & (np.diff(line) == 1) & (np.diff(neuron) == 1)
    first = np.flatnonzero(np.concatenate([[True], ~goes_on]))
    length = np.diff(first, append=len(line))
    counts = np.bincount(position[first], minlength=positions)
    return counts, neuron[first], line[first], length


@compiled
def list_patches(
    tables: Geometry,
    x: int,
    lines: Int32[np.ndarray, " lines"],
    first: int,
    stop: int,
    lists: Int32[np.ndarray, " places"],
    start: int,
    counts: Int64[np.ndarray, " positions"],
    links_start: int,
) -> None:
    """Sort spikes into the lists of the positions of a crossbar.

    Args:
        x: the crossbar.
        lines: of the layer before, ascending; those of [first, stop) spike.
        lists: patch lines that spike, ascending; the first list begins at `start`.
        counts: of the patch lines that spike at each position.
        links_start: first input line of the crossbar among those of all.
    """
    patch = tables.patch[x]
    counts[:] = 0
    for k in range(first, stop):
        line = links_start + lines[k]
        for link in range(tables.links[line], tables.links[line + 1]):
            position = tables.link_position[link]
            lists[start + position * patch + counts[position]] = tables.link_line[link]
            counts[position] += 1
