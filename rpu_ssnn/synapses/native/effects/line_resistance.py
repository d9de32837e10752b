"""Resistance of the lines: smaller read currents, and smaller steps, far from the drivers.

A weight lies on two neighbouring output lines: those of the two devices of a pair, or of the device
and its reference. Silent lines are held at 0 V. A read is therefore linear in the spikes, and a
cell's current is scaled by the share of its input line times that of its output line
(`line_circuit`). A write puts half of the voltage on each line, so the cell gets the mean of both
shares.

The model ignores currents that reach an output line over a second input line, other lines that are
driven in the same slot of a write, capacitance, and selectors. Shares are computed from the states
at the end of the last batch.
"""

import numpy as np

from rpu_ssnn.synapses.base import Weights
from rpu_ssnn.synapses.native.cells import Pulses
from rpu_ssnn.synapses.native.device_array import DeviceArray, ReadShares, conductance
from rpu_ssnn.synapses.native.effects.effect import Effect, Setup, refuse_several_arrays
from rpu_ssnn.synapses.native.effects.line_circuit import CellValues, line_shares


class LineResistance(Effect):
    """Finds the shares of the voltage that reach the cells of one crossbar, and scales their
    steps."""

    name = "lines"

    def __init__(self, setup: Setup) -> None:
        refuse_several_arrays(setup, self.name)
        spec, off = setup.spec.lines, setup.spec.reference.off
        assert spec.on_resistance is not None
        assert spec.voltage_constant is not None
        self._side, self._voltage_constant = spec.array_side, spec.voltage_constant
        self._zero = setup.spec.reference.zero
        self._drop_per_state = spec.ohm_per_cell / spec.on_resistance * (1.0 - off) / 2.0
        fields = setup.drawn.law.step_fields
        self._full_steps = {
            field: setup.drawn.records[field].copy() for field in {*fields["up"], *fields["down"]}
        }

    def begin(self, array: DeviceArray) -> None:
        inputs, outputs = line_shares(self._drops(array), self._side)
        written = (inputs + outputs) / 2.0
        self._scale_steps(array, np.exp((written - 1.0) / self._voltage_constant))
        shares = (inputs * outputs).astype(np.float32)
        devices = [shares[:, d::2] for d in range(len(array.cells.signs))]
        pair = len(devices) == 2
        reference = (devices[0] + devices[1]) / 2 if pair else shares[:, 1::2]
        array.read_shares = ReadShares(devices, reference, np.float32(self._zero))
        columns = slice(None, None, 1 if pair else 2)
        self._statistics = {
            "read_share": float(shares[:, columns].mean(dtype=np.float64)),
            "read_share_least": float(shares[:, columns].min()),
            "write_share_least": float(written[:, columns].min()),
        }

    def after_pulses(self, array: DeviceArray, pulses: Pulses) -> bool:
        return True  # reads see products of shares and states, which pulses do not keep up to date

    def after_batch(self, array: DeviceArray) -> bool:
        self.begin(array)
        return True

    def after_rest(self, array: DeviceArray, seconds: float) -> bool:
        return self.after_batch(array)

    def statistics(self) -> dict[str, float]:
        """Returns the shares for the states at the end of the last batch."""
        return self._statistics

    def _drops(self, array: DeviceArray) -> CellValues:
        """Returns the line resistance from cell to cell over that of each cell, [n_in, 2 n_out];
        the two devices of a weight lie side by side."""
        n_in, n_out = array.shape
        states: CellValues = np.zeros((n_in, 2 * n_out))
        parts: list[Weights] = array.states()
        if len(array.cells.offset):
            parts.append(array.as_crossbar(array.cells.offset) / array.cells.per_state)
        for d, part in enumerate(parts):
            states[:, d::2] = part
        return conductance(states, self._zero) * self._drop_per_state

    def _scale_steps(self, array: DeviceArray, factor: CellValues) -> None:
        records = array.cells.records
        for d in range(len(records)):
            device_factor = factor[:, d::2].T.ravel()
            for field, full in self._full_steps.items():
                records[field][d] = full[d] * device_factor
