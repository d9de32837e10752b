"""Calls every compiled function of the native simulator once, for a toy crossbar."""

import numpy as np

from rpu_ssnn.devices.device_record import MEMORY, empty_records
from rpu_ssnn.devices.shared import plain_shared
from rpu_ssnn.synapses.base import PulseBlock
from rpu_ssnn.synapses.native.cells import Cells, Memory, make_scratch
from rpu_ssnn.synapses.native.effects.device_read_noise import next_errors
from rpu_ssnn.synapses.native.effects.disturb import Disturb, disturb_lines
from rpu_ssnn.synapses.native.effects.retention import lose_lines
from rpu_ssnn.synapses.native.number_trains import TrainLaw, number_trains
from rpu_ssnn.synapses.native.pulse_store import PulseStore
from rpu_ssnn.synapses.native.pulses import pulse_lines
from rpu_ssnn.synapses.native.whole_lines import (
    copy_changes,
    decay_lines,
    faded_lines,
    show_lines,
    start_lines,
)

SIDE = 2


def weights_of_toy_cells() -> float:
    """Returns the sum of the weights of four cells after everything that can happen to them."""
    n, scratch = SIDE * SIDE, make_scratch(SIDE)
    none = np.zeros(0, dtype=np.float32)
    records = empty_records(n).reshape(1, n)
    for field, value in (("low", -1.0), ("high", 1.0), ("up", 0.1), ("down", 0.1)):
        records[field] = value
    shared = plain_shared(np.float32(0.1), np.float32(0.1))
    cells = Cells(
        law=0, shared=shared, records=records, signs=np.ones(1, dtype=np.float32),
        weights=np.zeros(n, dtype=np.float32), per_state=np.float32(1.0), offset=none,
        pulse_key=np.uint64(1), read_key=np.uint64(2),
    )  # fmt: skip
    memory = Memory(empty_records(n, MEMORY), 1e-6, 1e-6, 0.1, 1e-6, 0.1, 1.0)
    ends, lines = np.arange(2, dtype=np.int32), np.zeros(1, dtype=np.int32)
    store = PulseStore(SIDE)
    store.add(PulseBlock(lines, lines, ends, lines, ends, lines, np.ones(1, dtype=np.int8)))
    taken = store.take(0, 1, 1.0, np.random.default_rng(0))
    assert taken is not None
    start_lines(cells, np.ones(n, dtype=np.int64), SIDE, 0, SIDE, np.uint64(3), scratch)
    pulse_lines(cells, memory, taken.pulses, 0, SIDE, scratch)
    shares = np.ones((1, n), dtype=np.float32)
    decay_lines(cells, shares, np.zeros_like(shares), SIDE, 0, SIDE)
    for two in (False, True):
        next_errors(np.zeros((1, n), dtype=np.float32), np.uint64(4), 1, 0.5, two, SIDE, 0, SIDE)
    parts, half = np.zeros((1, n, 2), dtype=np.float32), np.full(2, 0.5, dtype=np.float32)
    lose_lines(cells, parts, half, half, np.float32(0.0), SIDE, 0, SIDE)
    disturb_lines(cells, Disturb(*np.ones((4, SIDE), dtype=np.float32)), SIDE, 0, SIDE)
    show_lines(cells, memory, 1, SIDE, 0, SIDE, scratch)
    faded_lines(memory, cells.weights, np.zeros_like(cells.weights), 0.0, 1, SIDE, 0, SIDE, scratch)
    square = np.zeros((SIDE, SIDE), dtype=np.float32)
    copy_changes(taken.pulses, cells.weights, square, square)
    number_trains(TrainLaw(2, True, True, 0, np.uint64(6)), square, square, 1.0, 0, False)
    return float(cells.weights.sum())
