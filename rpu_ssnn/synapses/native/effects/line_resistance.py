"""Resistance of the lines: smaller read currents, and smaller steps, far from the drivers.

A weight lies on two neighbouring output lines: those of the two devices of a pair, or of the device
and its reference. Silent lines are held at 0 V. A read is therefore linear in the spikes, and a
cell's current is scaled by the share of its input line times that of its output line. A write puts
half of the voltage on each line, so the cell gets the mean of both shares.

A share is that of a ladder. Input lines are driven at output line 0, output lines (driven or held
at 0 V) at the last input line; the other ends are open. One resistance lies between neighbouring
cells, and between a driver and the first cell. A line that is driven alone sees its cells as
resistors to 0 V: the other lines are held there, and hardly rise. By reciprocity the share that
reaches a cell is also the share of the cell's current that leaves the line at its end. The errors
against the nodal solution are in `tests/support/rpu_ssnn/line_errors.py`.

The model ignores currents that reach an output line over a second input line, other lines that are
driven in the same slot of a write, capacitance, and selectors. Shares are computed from the states
at the end of the last batch.
"""

import numpy as np
from jaxtyping import Float64

from rpu_ssnn.synapses.base import Weights
from rpu_ssnn.synapses.native.cells import Pulses
from rpu_ssnn.synapses.native.device_array import DeviceArray, ReadShares, conductance
from rpu_ssnn.synapses.native.effects.effect import Effect
from rpu_ssnn.synapses.native.setup import Setup

CellValues = Float64[np.ndarray, "inputs outputs"]


def line_shares(drops: CellValues, side: int | None = None) -> tuple[CellValues, CellValues]:
    """Returns the share of the voltage at the end of its input line, and of its output line, that
    reaches each cell.

    Args:
        drops: line resistance from cell to cell over the resistance of each cell.
        side: largest number of cells on a line; longer lines are cut into lines with their own
            ends.
    """
    n_in, n_out = drops.shape
    inputs, outputs = np.empty_like(drops), np.empty_like(drops)
    for first in range(0, n_out, side or n_out):
        block = slice(first, first + (side or n_out))
        inputs[:, block] = _ladder(drops[:, block].T).T
    for first in range(0, n_in, side or n_in):
        block = slice(first, first + (side or n_in))
        outputs[block] = _ladder(drops[block][::-1])[::-1]
    return inputs, outputs


def _ladder(drops: Float64[np.ndarray, "cells lines"]) -> Float64[np.ndarray, "cells lines"]:
    """Returns the share of the voltage that reaches each cell of a line, by a continued fraction.

    Cell k of n equal cells d gets cosh((n - k - 1/2) u) / cosh((n + 1/2) u), with sinh(u / 2) =
    sqrt(d) / 2.

    Args:
        drops: those of the cells, from the driven end on.
    """
    drops = np.ascontiguousarray(drops)  # neighbouring cells then lie side by side
    kept = np.empty_like(drops)
    beyond = np.zeros(drops.shape[1])  # the conductance of all further cells, in segments
    for k in reversed(range(len(drops))):
        here = drops[k] + beyond
        kept[k] = 1.0 / (1.0 + here)
        np.multiply(here, kept[k], out=beyond)
    for k in range(1, len(kept)):
        kept[k] *= kept[k - 1]
    return kept


class LineResistance(Effect):
    """Finds the shares of the voltage that reach the cells of one crossbar, and scales their
    steps."""

    name = "lines"

    def __init__(self, setup: Setup, array: DeviceArray) -> None:
        super().__init__(setup, array)
        setup.refuse_several_arrays(self.name)
        spec, off = setup.spec.lines, setup.spec.reference.off
        assert spec.on_resistance is not None
        assert spec.voltage_constant is not None
        self._side, self._voltage_constant = spec.array_side, spec.voltage_constant
        self._zero = setup.spec.reference.zero
        self._drop_per_state = spec.ohm_per_cell / spec.on_resistance * (1.0 - off) / 2.0
        fields = array.drawn.law.step_fields
        self._full_steps = {
            field: array.drawn.records[field].copy() for field in {*fields["up"], *fields["down"]}
        }

    def begin(self) -> None:
        inputs, outputs = line_shares(self._drops(), self._side)
        written = (inputs + outputs) / 2.0
        self._scale_steps(np.exp((written - 1.0) / self._voltage_constant))
        shares = (inputs * outputs).astype(np.float32)
        devices = [shares[:, d::2] for d in range(len(self.array.cells.signs))]
        pair = len(devices) == 2
        reference = (devices[0] + devices[1]) / 2 if pair else shares[:, 1::2]
        self.array.read_shares = ReadShares(devices, reference, np.float32(self._zero))
        columns = slice(None, None, 1 if pair else 2)
        self._statistics = {
            "read_share": float(shares[:, columns].mean(dtype=np.float64)),
            "read_share_least": float(shares[:, columns].min()),
            "write_share_least": float(written[:, columns].min()),
        }

    def after_pulses(self, pulses: Pulses) -> bool:
        return True  # reads see products of shares and states, which pulses do not keep up to date

    def after_batch(self) -> bool:
        self.begin()
        return True

    def after_rest(self, seconds: float) -> bool:
        return self.after_batch()

    def statistics(self) -> dict[str, float]:
        """Returns the shares for the states at the end of the last batch."""
        return self._statistics

    def _drops(self) -> CellValues:
        """Returns the line resistance from cell to cell over that of each cell, [n_in, 2 n_out];
        the two devices of a weight lie side by side."""
        array, (n_in, n_out) = self.array, self.array.shape
        states: CellValues = np.zeros((n_in, 2 * n_out))
        parts: list[Weights] = array.states()
        if len(array.cells.offset):
            parts.append(array.as_crossbar(array.cells.offset) / array.cells.per_state)
        for d, part in enumerate(parts):
            states[:, d::2] = part
        return conductance(states, self._zero) * self._drop_per_state

    def _scale_steps(self, factor: CellValues) -> None:
        records = self.array.cells.records
        for d in range(len(records)):
            device_factor = factor[:, d::2].T.ravel()
            for field, full in self._full_steps.items():
                records[field][d] = full[d] * device_factor
