"""Disturb by writes at V/2: a writing spike puts half of the voltage on all devices of its line.

A spike also counts as a disturb in a slot in which it meets another and fully selects a device
(0.2 % of the spikes in a hidden layer of the paper's network).
"""

import numpy as np

from rpu_ssnn.synapses.native.cells import Pulses
from rpu_ssnn.synapses.native.effects.disturb import LineDisturb, SpikeCounts


class HalfSelect(LineDisturb):
    """Disturbs devices by forward spikes, and by the gradient spikes that thinning leaves."""

    name = "half_select"
    column = "disturb_steps"

    def output_spikes(self, pulses: Pulses) -> tuple[SpikeCounts, SpikeCounts]:
        n_out = len(pulses.sent)
        lines = np.repeat(np.arange(n_out), np.diff(pulses.start))
        up = np.bincount(lines[pulses.up], minlength=n_out)
        down = np.bincount(lines[~pulses.up], minlength=n_out)
        return up, down

    def output_steps(self) -> tuple[float, float]:
        steps = self._spec.half_select.gradient
        return steps, steps
