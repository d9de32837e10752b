"""Jumps drawn from measured distributions (CrossSim's lookup tables); `a` is the device's table.

At some states, the distribution is known at some points of its cumulative function. A uniform
number gives the change by linear interpolation between points and, for the same number, between the
two neighbouring states: bilinear, as in CrossSim for uneven tables (for even tables, CrossSim takes
the nearest entry). Beyond the outermost states, their columns apply. A jump that would lead beyond
the ends of the device's table stops there.

Without noise (0, which no draw gives) a jump is the mean one, the trapezoid sum over the points.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64

from rpu_ssnn.compiled import compiled, inner
from rpu_ssnn.devices.device_record import Device
from rpu_ssnn.devices.fit_form import JUMP_TABLE
from rpu_ssnn.devices.law import Law
from rpu_ssnn.devices.shared import Jumps, Shared

type Grid = Float32[np.ndarray, " points"]
"""States, or points of the cumulative distribution, in rising order."""


@dataclass(frozen=True)
class JumpTable:
    """Holds the distribution of the change of state by a pulse, by state and direction.

    Attributes:
        states: where the distribution is known, rising; the ends are the device's bounds.
        points: the cumulative distribution, rising from 0 to 1, at points that all tables share.
        up: change of state by a pulse up; the number of columns is the same in all tables.
        down: change of state by a pulse down (mostly below 0).
    """

    states: Float64[np.ndarray, " columns"]
    points: Float64[np.ndarray, " points"]
    up: Float64[np.ndarray, "columns points"]
    down: Float64[np.ndarray, "columns points"]


def shared_of_tables(tables: Sequence[JumpTable]) -> Shared:
    """Returns the numbers that devices of these tables share; there is noise where jumps differ
    from their mean."""
    changes = np.array([part for table in tables for part in (table.up, table.down)])
    jumps = Jumps(
        states=np.array([table.states for table in tables], dtype=np.float32),
        points=tables[0].points.astype(np.float32),
        changes=changes.astype(np.float32),
        means=np.trapezoid(changes, tables[0].points, axis=2).astype(np.float32),
    )
    spread = bool((np.ptp(changes, axis=2) > 0.0).any())
    return Shared(noise=np.float32(spread), jumps=jumps)


@inner
def _before(grid: Grid, x: np.float32) -> int:
    """Returns the index of the last grid point at or below x that has one after it.

    In an even grid it is found at once.
    """
    last = len(grid) - 2
    way = (x - grid[0]) / (grid[last + 1] - grid[0])
    place: Any = np.int64(way * np.float32(last + 1))
    i: int = min(max(place, 0), last)
    while i < last and x >= grid[i + 1]:
        i += 1
    while i > 0 and x < grid[i]:
        i -= 1
    return i


@inner
def _way(grid: Grid, i: int, x: np.float32) -> np.float32:
    """Returns the share of the way from grid point i to the next, within them."""
    way = (x - grid[i]) / (grid[i + 1] - grid[i])
    return min(max(way, np.float32(0.0)), np.float32(1.0))


@compiled
def step(shared: Shared, device: Device, w: np.float32, up: bool, noise: np.float32) -> np.float32:
    """Returns the change of state by a pulse.

    The noise is a uniform number above 0, or 0 for the mean.
    """
    jumps, table = shared.jumps, np.int64(device.a)
    states = jumps.states[table]
    column = _before(states, w)
    way = _way(states, column, w)
    which = 2 * table if up else 2 * table + 1
    here: np.float32
    beyond: np.float32
    if noise > np.float32(0.0):
        k = _before(jumps.points, noise)
        share = _way(jumps.points, k, noise)
        left, right = jumps.changes[which, column], jumps.changes[which, column + 1]
        here = left[k] + share * (left[k + 1] - left[k])
        beyond = right[k] + share * (right[k + 1] - right[k])
    else:
        here, beyond = jumps.means[which, column], jumps.means[which, column + 1]
    return (device.up if up else device.down) * (here + way * (beyond - here))


LAW = Law(name="jump_table", code=JUMP_TABLE, step=step)
