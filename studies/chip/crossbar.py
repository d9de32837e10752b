"""Places a crossbar in the arrays of a chip, and counts how often it uses each component.

Devices without a weight are not counted, as if their lines were cut off. A weight of several
devices has a column for each. If rows are driven only to write, these devices are written one after
the other.
"""

import math
from dataclasses import dataclass

from studies.chip.description import Chip


@dataclass(frozen=True)
class CrossbarEvents:
    """Counts the events in one crossbar, in total or for a presentation.

    `rpu_ssnn.network.events` explains the first five, which belong to reads and neurons, and
    `rpu_ssnn.synapses.writes` the last three, which belong to writes.
    """

    reads: float
    lines: float
    spikes: float
    transposed_reads: float = 0.0
    gradient_spikes: float = 0.0
    pulses: float = 0.0
    write_spikes: float = 0.0
    write_phases: float = 0.0
    write_lines: float = 0.0


@dataclass(frozen=True)
class ChipCrossbar:
    """Describes a crossbar of a network, and counts its use of components.

    Attributes:
        n_in, n_out: numbers of lines, including those of all replicas.
        positions, replicas: those of a convolution; 1 in a dense layer.
        at_once: replicas that have arrays of their own and work at the same time; 1 if all replicas
            lie beside each other in the same arrays.
        devices: devices per weight that pulses change.
        references: devices per weight that are read with them and never written.
        before: neurons of the layer before, whose spikes wait for their gradient.
        delay: slots for which they wait.
        is_first: whether it is the first crossbar, through which no gradient is read.
    """

    n_in: int
    n_out: int
    positions: int = 1
    replicas: int = 1
    at_once: int = 1
    devices: int = 1
    references: int = 0
    before: int = 0
    delay: int = 0
    is_first: bool = False

    @property
    def columns(self) -> int:
        """Returns the number of columns of the whole crossbar."""
        return self.n_out * self._read_devices

    @property
    def _read_devices(self) -> int:
        return self.devices + self.references

    @property
    def neurons(self) -> int:
        """Returns the number of neurons of the layer above."""
        return self.positions * self.n_out // self.replicas

    @property
    def _row_columns(self) -> int:
        return self.columns // self.at_once

    @property
    def cycles(self) -> int:
        """Returns the cycles of a slot, in each of which replicas serve `at_once` positions."""
        return math.ceil(self.positions / self.at_once)

    @property
    def read_columns(self) -> int:
        """Returns the number of columns used by a read of one position."""
        return self.columns // self.replicas

    def arrays(self, chip: Chip) -> tuple[int, int]:
        """Returns how many arrays there are below and beside each other."""
        beside = self.at_once * math.ceil(self._row_columns / chip.array.columns)
        return math.ceil(self.n_in / chip.array.rows), beside

    def use(self, chip: Chip, events: CrossbarEvents, *, writes: bool) -> dict[str, float]:
        """Returns how often events use each component, pulse devices, and half-select them.

        Args:
            writes: whether forward spikes may write, as in training.
        """
        below, _ = self.arrays(chip)
        beside = math.ceil(self.read_columns / chip.array.columns)
        transposed = 0.0 if self.is_first else events.gradient_spikes
        forward_reads, back_reads = self.reads(chip, events)
        read = (1, 1) if chip.reads == "serial" else (below, beside)  # A line lies in one of these.
        forward, back = forward_reads * self.read_columns, back_reads * self.n_in
        converted = forward * read[0] + back * read[1] if chip.columns == "converter" else 0.0
        patches = self.positions * self.n_in  # On average, a spike is in patches / before of them.
        rows_written, half_selected = self._writes(chip, events) if writes else (0.0, 0.0)
        updates = forward_reads * (self.n_out // self.replicas) + back_reads * self.n_in
        return {
            "pulse": events.pulses,
            "half_select": half_selected,
            "cell_read": events.lines * self.read_columns
            + transposed * self._read_devices * self.n_in,
            "row_driver": events.lines * beside,
            "column_driver": transposed * self._read_devices * below,
            "row_write": rows_written * beside,
            "column_write": events.write_spikes * self.devices * below,
            "converter": converted,
            "converter_step": converted * (chip.bits or 0),
            "converter_level": converted * (2 ** (chip.bits or 0) - 1),
            "neuron": updates,
            "spike": events.spikes + events.gradient_spikes,
            "transport": events.lines * beside + events.gradient_spikes * below,
            "buffer": events.lines / patches * self.before * self.delay,
        }

    def reads(self, chip: Chip, events: CrossbarEvents) -> tuple[float, float]:
        """Returns the numbers of forward and of transposed reads, each of which takes every line
        once."""
        back = 0.0 if self.is_first else 1.0
        if chip.reads == "serial":
            return events.lines, back * events.gradient_spikes * self._read_devices
        return events.reads, back * events.transposed_reads

    def _writes(self, chip: Chip, events: CrossbarEvents) -> tuple[float, float]:
        """Returns how often rows are driven to write, and how often devices are half-selected."""
        spikes = events.write_spikes * self.devices
        if chip.writes == "serial":
            rows = events.pulses
            return rows, rows * (self._row_columns - 2) + spikes * self.n_in
        rows = events.lines if chip.writes == "spikes" else events.write_lines * self.devices
        return rows, rows * self._row_columns + spikes * self.n_in - 2 * events.pulses
