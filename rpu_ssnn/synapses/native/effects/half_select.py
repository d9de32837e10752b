"""Writing at V/2, where a spike that writes puts half of the voltage on all devices of its line.

A spike disturbs also in a slot in which it meets another, where a device is selected in full (in
a hidden layer of the paper's network 0.2 % of the spikes). Such a device is not counted as
half-selected.
"""

import numpy as np

from rpu_ssnn.common.training_state import State
from rpu_ssnn.synapses.native.cells import Pulses
from rpu_ssnn.synapses.native.device_array import DeviceArray
from rpu_ssnn.synapses.native.effects.disturb import Counts, LineDisturb
from rpu_ssnn.synapses.native.effects.effect import Setup


class HalfSelect(LineDisturb):
    """The disturb by forward spikes, and by those gradient spikes that thinning leaves."""

    name = "half_select"
    column = "disturb_steps"

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self._half_selects = 0

    def output_spikes(self, pulses: Pulses) -> tuple[Counts, Counts]:
        n_out = len(pulses.sent)
        lines = np.repeat(np.arange(n_out), np.diff(pulses.start))
        up = np.bincount(lines[pulses.up], minlength=n_out)
        down = np.bincount(lines[~pulses.up], minlength=n_out)
        return up, down

    def output_steps(self) -> tuple[float, float]:
        steps = self._spec.half_select.gradient
        return steps, steps

    def after_pulses(self, array: DeviceArray, pulses: Pulses) -> bool:
        self._half_selects += len(array.cells.signs) * half_selected(pulses, array.shape)
        return super().after_pulses(array, pulses)

    def state(self) -> State:
        return {**super().state(), "half_selects": np.array(self._half_selects)}

    def restore(self, state: State) -> None:
        super().restore(state)
        self._half_selects = int(state["half_selects"])

    def statistics(self) -> dict[str, float]:
        return {**super().statistics(), "half_selects_total": float(self._half_selects)}


def half_selected(pulses: Pulses, shape: tuple[int, int]) -> int:
    """How many times cells are half-selected: once in each slot in which one of their two lines
    spikes alone.

    Args:
        pulses: forward spikes, and the gradient spikes that reach the array.
        shape: (n_in, n_out).
    """
    n_in, n_out = shape
    selected = int(np.diff(pulses.pre_start)[pulses.row].sum())
    return len(pulses.pre) * n_out + len(pulses.row) * n_in - 2 * selected
