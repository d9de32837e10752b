"""Disturb of devices by the spikes on their lines, computed from spike counts.

The disturb of all spikes since the last commit is applied once, after their pulses. It is a small
part of a step, so the order of spikes matters only to second order in the step size.
"""

from abc import abstractmethod
from typing import ClassVar, NamedTuple

import numpy as np
from jaxtyping import Float32, Int64

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.training_state import State
from rpu_ssnn.compiled import compiled, inner
from rpu_ssnn.devices.device_record import Device
from rpu_ssnn.devices.laws import change
from rpu_ssnn.spec.tile import NO_DELAYED_READS
from rpu_ssnn.synapses.native.cells import Cells, Pulses
from rpu_ssnn.synapses.native.device_array import DeviceArray
from rpu_ssnn.synapses.native.effects.effect import Effect
from rpu_ssnn.synapses.native.pulses import window_now
from rpu_ssnn.synapses.native.setup import Setup

type SpikeCounts = Int64[np.ndarray, " n_out"]


class Disturb(NamedTuple):
    """Holds the steps by which the devices of each line are moved, by direction.

    The second device of a pair mirrors its output line: what moves the line up moves it down.
    """

    input_up: Float32[np.ndarray, " n_in"]
    input_down: Float32[np.ndarray, " n_in"]
    output_up: Float32[np.ndarray, " n_out"]
    output_down: Float32[np.ndarray, " n_out"]


@inner
def _part_steps(
    cells: Cells, device: Device, window: np.float32, w: np.float32, steps: np.float32, up: bool
) -> np.float32:
    """Returns the state after some steps without noise, taken one by one, the fraction last.

    Args:
        window: the share of the device's range and steps that wear has left.
    """
    low, high = window * device.low, window * device.high
    whole = np.int64(steps)
    rest = steps - np.float32(whole)
    for n in range(whole + (rest > np.float32(0.0))):
        part = np.float32(1.0) if n < whole else rest
        move = window * change(cells.law, cells.shared, device, w, up, np.float32(0.0))
        moved = min(max(w + part * move, low), high)
        if moved == w:  # at a bound, or the step is too small: further ones do nothing either
            break
        w = moved
    return w


@compiled
def disturb_cells(cells: Cells, disturb: Disturb, first: int, stop: int) -> None:
    """Moves the devices of cells [first, stop)."""
    n_in = len(disturb.input_up)
    for d in range(len(cells.signs)):
        straight = cells.signs[d] > np.float32(0.0)
        rising = disturb.output_up if straight else disturb.output_down
        falling = disturb.output_down if straight else disturb.output_up
        for i in range(first, stop):
            line, p = i // n_in, i % n_in
            device, window = cells.records[d, i], window_now(cells, d, i)
            reference = device.a if cells.shared.has_reference else np.float32(0.0)
            up, down = disturb.input_up[p] + rising[line], disturb.input_down[p] + falling[line]
            w = _part_steps(cells, device, window, device.state + reference, up, True)
            device.state = _part_steps(cells, device, window, w, down, False) - reference


class LineDisturb(Effect):
    """Applies the disturb of one crossbar, and sums the steps by which it moved an average
    device."""

    needs_all_spikes = True
    column: ClassVar[str]
    """The result column with the steps, up plus down, by which a device was moved on average."""

    def __init__(self, setup: Setup, array: DeviceArray) -> None:
        super().__init__(setup, array)
        setup.refuse_several_arrays(self.name)
        self._steps = 0.0
        self._counted: list[SpikeCounts] = []

    @abstractmethod
    def output_spikes(self, pulses: Pulses) -> tuple[SpikeCounts, SpikeCounts]:
        """Returns the spikes that disturb each output line upwards, and downwards."""

    @abstractmethod
    def output_steps(self) -> tuple[float, float]:
        """Returns the steps that one spike moves a device up and down."""

    def begin(self) -> None:
        self._counted = []

    def after_pulses(self, pulses: Pulses) -> bool:
        new = np.bincount(pulses.pre, minlength=self.array.shape[0]), *self.output_spikes(pulses)
        before = self._counted or [np.zeros_like(spikes) for spikes in new]
        self._counted = [a + b for a, b in zip(before, new, strict=True)]
        return False

    def after_commit(self) -> bool:
        if not self._counted:
            return False
        forward, up, down = self._counted
        self._counted = []
        spec, (step_up, step_down) = getattr(self.setup.spec, self.name), self.output_steps()
        inputs = (spec.forward_up, forward), (spec.forward_down, forward)
        parts = (*inputs, (step_up, up), (step_down, down))
        disturb = Disturb(*((steps * spikes).astype(np.float32) for steps, spikes in parts))
        self._steps += float(sum(part.mean(dtype=np.float64) for part in disturb))
        self.array.each_cell(disturb_cells, self.array.cells, disturb)
        return True

    def state(self) -> State:
        return {"steps": np.array(self._steps)}

    def restore(self, state: State) -> None:
        self._steps = float(state["steps"])

    def statistics(self) -> dict[str, float]:
        return {self.column: self._steps}


class HalfSelect(LineDisturb):
    """Disturbs devices by forward spikes, and by the gradient spikes that thinning leaves.

    A writing spike puts half of the voltage on all devices of its line. It also counts as a disturb
    in a slot in which it meets another and fully selects a device (0.2 % of the spikes in a hidden
    layer of the paper's network).
    """

    name = "half_select"
    column = "disturb_steps"

    def output_spikes(self, pulses: Pulses) -> tuple[SpikeCounts, SpikeCounts]:
        n_out = len(pulses.sent)
        lines = np.repeat(np.arange(n_out), np.diff(pulses.start))
        up = np.bincount(lines[pulses.up], minlength=n_out)
        down = np.bincount(lines[~pulses.up], minlength=n_out)
        return up, down

    def output_steps(self) -> tuple[float, float]:
        steps = self.setup.spec.half_select.gradient
        return steps, steps


class ReadDisturb(LineDisturb):
    """Disturbs devices by the forward and the transposed reads of training.

    The voltage of a read is on a line in every slot in which it spikes. Every gradient spike is
    read, including those that thinning removes from the pulses, and with the same voltage in either
    stream. A line that spikes in both streams of a slot counts twice.

    Raises:
        InputError: pulses come later than reads.
    """

    name = "read_disturb"
    column = "read_disturb_steps"

    def __init__(self, setup: Setup, array: DeviceArray) -> None:
        super().__init__(setup, array)
        if (slots := setup.crossbar.delay) > 0:
            raise InputError("network", "gradient.delay", f"{slots} slots", NO_DELAYED_READS)

    def output_spikes(self, pulses: Pulses) -> tuple[SpikeCounts, SpikeCounts]:
        spikes = pulses.sent * self.setup.crossbar.transposed_reads
        return spikes, spikes

    def output_steps(self) -> tuple[float, float]:
        spec = self.setup.spec.read_disturb
        return spec.transposed_up, spec.transposed_down
