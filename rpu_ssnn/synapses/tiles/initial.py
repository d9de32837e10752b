"""The tiles of a crossbar start programmed, or pulsed open loop."""

from collections.abc import Callable, Sequence

import numpy as np
from aihwkit.simulator.tiles.analog import AnalogTile
from jaxtyping import Float32

from rpu_ssnn.synapses.base import Weights
from rpu_ssnn.synapses.tiles.tile import beyond_bounds, write_state

type Pulse = Callable[[Float32[np.ndarray, "rows n_in"], Float32[np.ndarray, "rows n_out"]], None]


def program(tiles: Sequence[AnalogTile], state: Weights) -> None:
    """Writes states, exact but for write noise and bounds; the second tile of a pair gets the
    inverse."""
    for sign, tile in zip((1.0, -1.0), tiles, strict=False):
        write_state(tile, sign * state)


def count_clipped(tiles: Sequence[AnalogTile], state: Weights) -> int:
    """Counts the devices that cannot take their states, without stuck ones."""
    signed = zip((1.0, -1.0), tiles, strict=False)
    return sum(beyond_bounds(tile, sign * state) for sign, tile in signed)


def pulse_open_loop(tiles: Sequence[AnalogTile], state: Weights, step: float, pulse: Pulse) -> int:
    """Each device starts at state 0 and gets its share of mean steps.

    Neither its own spread nor its reference's is known.

    Args:
        step: mean step of a pulse (states).
        pulse: sends one row per slot, down where the second is positive.

    Returns:
        Pulses that one device of each weight got, all weights together.
    """
    program(tiles, np.zeros_like(state))
    counts = np.rint(state / step).astype(np.int64)
    lines = np.eye(len(state), dtype=np.float32)
    for sent in range(int(np.abs(counts).max(initial=0))):
        due = np.where(np.abs(counts) > sent, -np.sign(counts), 0).astype(np.float32)
        pulse(lines, due)
    return int(np.abs(counts).sum())
