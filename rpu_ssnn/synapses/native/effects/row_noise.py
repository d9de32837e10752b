"""Noise and wear of many pulses, drawn together (vector code)."""

import numpy as np
from jaxtyping import Float32

from rpu_ssnn.compiled import compiled_inside
from rpu_ssnn.synapses.native.cells import Cells, Room
from rpu_ssnn.synapses.native.random_numbers import (
    device_word,
    exponential,
    logarithm,
    normal,
    uniform,
)
from rpu_ssnn.synapses.native.step_models import JUMP_TABLE
from rpu_ssnn.synapses.native.step_models.rules import Rules


@compiled_inside
def draw(
    cells: Cells,
    d: int,
    n: int,
    key: np.uint64,
    later: np.uint32,
    room: Room,
    out: Float32[np.ndarray, " places"],
) -> None:
    """Standard normal numbers of the room's first n places by key, device and number of the pulse.

    d: which device of each cell; later: numbers are so many more.
    """
    first = np.uint64(d * cells.records.shape[1])
    for p in range(n):
        device = first + np.uint64(room.cell[p])
        out[p] = normal(device_word(key, device, room.number[p] + later))


@compiled_inside
def draw_steps(cells: Cells, d: int, n: int, key: np.uint64, room: Room) -> None:
    """As `draw`, into the room's noise: what the step model takes (`step_models.JUMP_TABLE`)."""
    if cells.model != JUMP_TABLE:
        draw(cells, d, n, key, np.uint32(0), room, room.noise)
        return
    first = np.uint64(d * cells.records.shape[1])
    for p in range(n):
        device = first + np.uint64(room.cell[p])
        room.noise[p] = uniform(device_word(key, device, room.number[p]))


@compiled_inside
def wear(rules: Rules, n: int, room: Room) -> None:
    """What wear has left of the windows: 1 / (1 + (pulses / half_window)^exponent)."""
    for p in range(n):
        pulses = np.float32(room.number[p]) + np.float32(1e-30)
        power = rules.wear_exponent * logarithm(pulses / rules.half_window)
        gone = exponential(min(max(power, np.float32(-80.0)), np.float32(80.0)))
        room.window[p] = np.float32(1.0) / (np.float32(1.0) + gone)
