"""Starts the tiles of a crossbar, programmed or pulsed open loop."""

from collections.abc import Callable, Sequence

import numpy as np
from aihwkit.simulator.tiles.analog import AnalogTile
from jaxtyping import Float32

from rpu_ssnn.devices.cell import Cell
from rpu_ssnn.synapses.base import Weights
from rpu_ssnn.synapses.tiles.tile import beyond_bounds, write_state

type Pulse = Callable[[Float32[np.ndarray, "rows n_in"], Float32[np.ndarray, "rows n_out"]], None]


def program(tiles: Sequence[AnalogTile], state: Weights) -> None:
    """Writes states, exact except for write noise and bounds; the second tile of a pair gets the
    inverse."""
    for sign, tile in zip((1.0, -1.0), tiles, strict=False):
        write_state(tile, sign * state)


def count_clipped(tiles: Sequence[AnalogTile], cell: Cell, state: Weights) -> int:
    """Counts the weights with a device that cannot take its state; stuck ones are left out."""
    signed = zip((1.0, -1.0), tiles, strict=False)
    beyond = [beyond_bounds(tile, cell, sign * state) for sign, tile in signed]
    return int(np.any(beyond, axis=0).sum())


def pulse_open_loop(tiles: Sequence[AnalogTile], state: Weights, step: float, pulse: Pulse) -> int:
    """Starts each device at state 0, and pulses it by the number of mean steps to its state.

    Neither the spread of devices nor that of references is taken into account.

    Args:
        step: mean step of a pulse (states).
        pulse: sends one row per slot; a positive number on an output line is a pulse down.

    Returns:
        The number of pulses that one device of each weight got, summed over all weights.
    """
    program(tiles, np.zeros_like(state))
    counts = np.rint(state / step).astype(np.int64)
    lines = np.eye(len(state), dtype=np.float32)
    for sent in range(int(np.abs(counts).max(initial=0))):
        due = np.where(np.abs(counts) > sent, -np.sign(counts), 0).astype(np.float32)
        pulse(lines, due)
    return int(np.abs(counts).sum())
