"""The devices of a crossbar as compiled code sees them.

A cell is one weight. It has one device, the two of a differential pair, or several devices that all
get every pulse. Cells are ordered by output line: the cell of input i and output o has number o
n_in + i. The devices of one output line are therefore contiguous in memory, and threads that own
different lines share nothing.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64, UInt32

from rpu_ssnn.common.arrays import zeros_of
from rpu_ssnn.devices.device_record import MEMORY, empty_records
from rpu_ssnn.devices.shared import Shared

type DeviceValues = Float32[np.ndarray, "devices_a_cell cells"]
type CellValues = Float32[np.ndarray, " cells"]


class Cells(NamedTuple):
    """Holds the devices of all cells, and the weights that reads see."""

    law: int
    """The code by which `rpu_ssnn.devices.laws.change` finds the law."""
    shared: Shared
    records: np.ndarray
    """The `device_record.RECORD`s [devices per cell, cells]; a cell's first device counts its
    pulses."""
    signs: Float32[np.ndarray, " devices_a_cell"]
    """The sign is +1 for a device that goes up with the weight, and -1 for one that goes down."""
    weights: CellValues
    per_state: np.float32
    offset: Float32[np.ndarray, " cells_or_none"]
    """The error of a reference device, which is subtracted from each weight."""
    pulse_key: np.uint64
    """The key of the noise from pulse to pulse."""
    read_key: np.uint64
    """The key of the write noise that reads see, which changes with each write of all devices."""


class Memory(NamedTuple):
    """Holds what cells remember of their last pulse; by default it is empty: they remember
    nothing."""

    cells: np.ndarray = empty_records(0, MEMORY)
    """The `device_record.MEMORY` of each cell."""
    slot_s: float = 0.0
    width_s: float = 0.0
    """The lengths of a slot and of a pulse (s)."""
    recovery: float = 0.0
    gap_time_constant_s: float = 0.0
    """The step of a pulse is that of an isolated one times 1 + recovery exp(-gap / time
    constant)."""
    loss_per_decade: float = 0.0
    loss_onset_s: float = 1.0
    """The share of charge that is kept is 1 - loss log10(1 + gap / onset), and never below 0."""


class Pulses(NamedTuple):
    """Holds the gradient spikes of some slots by output line, in physical order within a line."""

    start: Int64[np.ndarray, " n_out_plus_1"]
    row: Int32[np.ndarray, " spikes"]
    up: Bool[np.ndarray, " spikes"]
    pre_start: Int64[np.ndarray, " rows_plus_1"]
    pre: Int32[np.ndarray, " pre_spikes"]
    """The forward spikes of each row, as in `PulseBlock`."""
    at: Int64[np.ndarray, " rows"]
    """The slot of each row, in slots since training began."""
    sent: Int64[np.ndarray, " n_out"]
    """The number of gradient spikes of each line before thinning, both streams together."""


Places = Float32[np.ndarray, " places"]


class Scratch(NamedTuple):
    """Gives a thread working memory for pulses processed together; only `sums` lasts between calls.

    Arrays have `AT_ONCE` places more than there are input lines, so that a row always fits. Shares,
    factors and noises of effects that the devices do not have stay at neutral values.
    """

    cell: UInt32[np.ndarray, " places"]
    number: UInt32[np.ndarray, " places"]
    """The number of pulses that the cell's devices had received before."""
    bits: Int32[np.ndarray, " places"]
    """The random bits from which a noise is computed."""
    since: Int64[np.ndarray, " places"]
    """The number of slots since the previous pulse."""
    noise: Places
    seen: Places
    """Standard normal numbers for the noise of the pulse, and for the write noise after it."""
    extra: Places
    """Standard normal numbers for a second noise of the pulse."""
    total: Places
    window: Places
    """The share of the device's window that wear has left."""
    factor: Places
    kept: Places
    sums: Float64[np.ndarray, "1"]
    """The sum of all step factors."""


AT_ONCE = 1024
"""This many pulses are processed together: loops are long, and the data fits into the first
cache."""


def make_scratch(n_in: int) -> Scratch:
    """Returns the working memory of one thread for a crossbar with `n_in` input lines."""
    scratch = Scratch(**zeros_of(Scratch, {"places": n_in + AT_ONCE}))
    for shares in (scratch.window, scratch.factor, scratch.kept):
        shares[:] = 1.0
    return scratch
