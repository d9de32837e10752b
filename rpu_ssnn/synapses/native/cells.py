"""The devices of a crossbar as compiled code sees them.

A cell is one weight. It has one device, or the two of a differential pair, or several that all get
every pulse. Cells lie output line by output line: that of input i and output o is number
o n_in + i. So the devices of one output line are one stretch of memory, and threads that own
different lines share nothing.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64, UInt32

from rpu_ssnn.devices.device_record import MEMORY, empty_records
from rpu_ssnn.devices.shared import Shared

type OfDevices = Float32[np.ndarray, "devices_a_cell cells"]


class Cells(NamedTuple):
    """Devices of all cells, and the weights that reads see."""

    law: int
    """The place of the step in `rpu_ssnn.devices.laws.change`."""
    shared: Shared
    records: np.ndarray
    """The `device_record.RECORD`s [devices a cell, cells]; the first of a cell counts its
    pulses."""
    signs: Float32[np.ndarray, " devices_a_cell"]
    """The sign is +1 where a device goes up when the weight does, and -1 where it goes down."""
    weights: Float32[np.ndarray, " cells"]
    per_state: np.float32
    offset: Float32[np.ndarray, " cells_or_none"]
    """The error of a reference device, which is subtracted from each weight."""
    pulse_key: np.uint64
    """The key of the noise from pulse to pulse."""
    read_key: np.uint64
    """The key of the write noise that reads see, which changes with each write of all devices."""


class Memory(NamedTuple):
    """The memory that cells have of their last pulse; it is empty where they have none."""

    cells: np.ndarray
    """The `device_record.MEMORY` of each cell."""
    slot_s: float
    width_s: float
    """The lengths of a slot and of a pulse (s)."""
    recovery: float
    gap_time_constant_s: float
    """The step of a pulse over that of an isolated one is 1 + recovery exp(-gap / time
    constant)."""
    loss_per_decade: float
    loss_onset_s: float
    """The charge that is kept is 1 - loss log10(1 + gap / onset), and never below 0."""


NO_MEMORY = Memory(empty_records(0, MEMORY), 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
"""The memory of cells that know nothing of their pulses."""


class Pulses(NamedTuple):
    """Gradient spikes of some slots by output line, in physical order within a line."""

    start: Int64[np.ndarray, " n_out_plus_1"]
    row: Int32[np.ndarray, " spikes"]
    up: Bool[np.ndarray, " spikes"]
    pre_start: Int64[np.ndarray, " rows_plus_1"]
    pre: Int32[np.ndarray, " pre_spikes"]
    """The forward spikes of each row, as in `PulseBlock`."""
    at: Int64[np.ndarray, " rows"]
    """The slot of each row, in slots since training began."""
    sent: Int64[np.ndarray, " n_out"]
    """The number of gradient spikes of each line before thinning, of either stream."""


class Scratch(NamedTuple):
    """The memory of one thread for pulses that are worked on together; it is empty between calls.

    Arrays have `AT_ONCE` places more than there are lines, so that a row always fits. Shares,
    factors and noises of an effect that the devices do not have stay at what changes nothing.
    """

    cell: UInt32[np.ndarray, " places"]
    number: UInt32[np.ndarray, " places"]
    """The number of pulses that the cell's devices had got before."""
    bits: Int32[np.ndarray, " places"]
    """The random bits of a noise."""
    since: Int64[np.ndarray, " places"]
    """The number of slots since the pulse before."""
    noise: Float32[np.ndarray, " places"]
    seen: Float32[np.ndarray, " places"]
    """Standard normal numbers for the noise of the pulse, and for the write noise after it."""
    extra: Float32[np.ndarray, " places"]
    """Standard normal numbers for a second noise of the pulse."""
    total: Float32[np.ndarray, " places"]
    window: Float32[np.ndarray, " places"]
    """The share of the device's window that wear has left."""
    factor: Float32[np.ndarray, " places"]
    kept: Float32[np.ndarray, " places"]
    sums: Float64[np.ndarray, "1"]
    """The sum of all step factors."""


AT_ONCE = 1024
"""So many pulses are worked on together: loops are long, and all fits into the nearest cache."""


def make_scratch(n_in: int) -> Scratch:
    """Returns the scratch of one thread for a crossbar of so many input lines."""
    places = n_in + AT_ONCE
    cell, number = (np.zeros(places, dtype=np.uint32) for _ in range(2))
    bits, since = np.zeros(places, dtype=np.int32), np.zeros(places, dtype=np.int64)
    noise, seen, extra, total = (np.zeros(places, dtype=np.float32) for _ in range(4))
    window, factor, kept = (np.ones(places, dtype=np.float32) for _ in range(3))
    return Scratch(
        cell, number, bits, since, noise, seen, extra, total, window, factor, kept, np.zeros(1)
    )
