"""Writes the initial states of cells, and counts the devices at an end of their range."""

import numpy as np

from rpu_ssnn.devices.shared import Shared
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses.base import Weights
from rpu_ssnn.synapses.native.cells import Cells, Scratch
from rpu_ssnn.synapses.native.device_array import Slices
from rpu_ssnn.synapses.native.whole_lines import start_lines
from rpu_ssnn.synapses.tiles.tile import SATURATION_MARGIN


def write_initial(
    cells: Cells, initial: Weights, spec: TileSpec, step: float, key: np.uint64, slices: Slices
) -> tuple[int, int]:
    """Writes initial weights as `TileSynapses` does: programmed against the reference, or pulsed
    open loop.

    Args:
        step: mean step of a pulse (states).
        key: the key of the noise of a pulsed start.

    Returns:
        The number of weights with a device that cannot take its state (without stuck ones), and
        the number of pulses of a pulsed start.
    """
    records, (n_in, _) = cells.records, initial.shape
    state = np.ascontiguousarray((initial / cells.per_state).astype(np.float32).T).ravel()
    programmed = spec.initial == "programmed"
    if programmed and len(cells.offset):
        state += cells.offset / cells.per_state
    target = cells.signs[:, None] * state
    inner = target + records["a"] if cells.shared.has_reference else target
    low, high = records["low"], records["high"]
    beyond = ((inner < low) | (inner > high)) & (high > low)
    clipped = int(beyond.any(axis=0).sum())
    if programmed:
        records["state"] = np.clip(target, low, high)
        return clipped, 0
    counts = np.rint(state / step).astype(np.int64)
    records["state"] = np.clip(0.0, low, high)

    def start(first: int, stop: int, scratch: Scratch) -> None:
        start_lines(cells, counts, n_in, first, stop, key, scratch)

    slices.call(start)
    return clipped, int(np.abs(counts).sum()) * len(records)


def count_saturated(records: np.ndarray, shared: Shared) -> int:
    """Counts the devices at one of their own bounds, as narrowed by wear; stuck ones are left
    out."""
    low, high, state = records["low"], records["high"], records["state"]
    if shared.half_window > 0:
        worn = (records[0]["pulses"] / shared.half_window) ** float(shared.wear_exponent)
        low, high = low / (1.0 + worn), high / (1.0 + worn)
    if shared.has_reference:
        state = state + records["a"]
    near = SATURATION_MARGIN * (high - low)
    at_bound = (state <= low + near) | (state >= high - near)
    return int((at_bound & (high > low)).sum())
