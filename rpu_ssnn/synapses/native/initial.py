"""Writes the initial states of cells, and counts the devices at an end of their range."""

from functools import partial

import numpy as np
from jaxtyping import Int64

from rpu_ssnn.compiled import compiled
from rpu_ssnn.devices.shared import Shared
from rpu_ssnn.synapses.native.cells import Cells, Scratch
from rpu_ssnn.synapses.native.device_array import DeviceArray
from rpu_ssnn.synapses.native.pulses import SECOND_NOISE, after_pulse, draw, draw_steps
from rpu_ssnn.synapses.native.setup import Setup
from rpu_ssnn.synapses.tiles.tile import SATURATION_MARGIN


@compiled
def start_lines(
    cells: Cells, counts: Int64[np.ndarray, " cells"], key: np.uint64,
    n_in: int, first: int, stop: int, scratch: Scratch,
) -> None:  # fmt: skip
    """Sends the pulses before training: `counts` of them to each cell's devices, down where it is
    negative.

    Only devices of a user's law count them, since its step may depend on their number. The noise of
    training goes by the count, so that another count would change the results of the other laws.
    """
    for line in range(first, stop):
        base, most = line * n_in, 0
        for p in range(n_in):
            most = max(most, abs(counts[base + p]))
            scratch.cell[p] = base + p
            scratch.kept[p] = 1.0  # an effect may have read the devices, and left shares there
        for sent in range(most):
            for p in range(n_in):
                scratch.number[p] = np.uint32(sent)
            for d in range(len(cells.signs)):
                draw_steps(cells, d, n_in, key, scratch)
                draw(cells, d, n_in, key ^ SECOND_NOISE, np.uint32(0), scratch, scratch.extra)
                for p in range(n_in):
                    if abs(counts[base + p]) <= sent:
                        continue
                    device = cells.records[d, base + p]
                    up = (counts[base + p] > 0) == (cells.signs[d] > np.float32(0.0))
                    after_pulse(cells, device, up, scratch, p)
                    if cells.shared.own is not None:  # a user's step reads the count
                        device.pulses = np.uint32(sent + 1)


def write_initial(setup: Setup, array: DeviceArray) -> tuple[int, int]:
    """Writes initial weights as `TileSynapses` does: programmed against the reference, or pulsed
    open loop.

    Returns:
        The number of weights with a device that cannot take its state (without stuck ones), and
        the number of pulses of a pulsed start.
    """
    cells, initial = array.cells, setup.crossbar.initial
    records, (n_in, _) = cells.records, initial.shape
    state = np.ascontiguousarray((initial / cells.per_state).astype(np.float32).T).ravel()
    programmed = setup.spec.initial == "programmed"
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
    counts = np.rint(state / array.drawn.step).astype(np.int64)
    records["state"] = np.clip(0.0, low, high)

    array.slices.call(partial(start_lines, cells, counts, setup.keys.start, n_in))
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
