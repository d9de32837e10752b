"""V/2 writing: spikes that write put half of the voltage on all devices of their line.

A spike counts also in a slot in which it meets another, where a device is selected in full (in a
hidden layer of the paper's network 0.2 % of the spikes).
"""

import numpy as np

from rpu_ssnn.synapses.native.cells import Pulses
from rpu_ssnn.synapses.native.effects.disturb import Disturb, LineDisturb


class HalfSelect(LineDisturb):
    """By forward spikes, and by the gradient spikes that thinning leaves, in their direction."""

    name = "half_select"
    column = "disturb_steps"

    def disturb(self, pulses: Pulses) -> Disturb:
        spec, (n_in, n_out) = self._spec.half_select, self._crossbar.initial.shape
        forward = np.bincount(pulses.pre, minlength=n_in)
        lines = np.repeat(np.arange(n_out), np.diff(pulses.start))
        up = np.bincount(lines[pulses.up], minlength=n_out)
        down = np.bincount(lines[~pulses.up], minlength=n_out)
        return Disturb(
            (spec.forward_up * forward).astype(np.float32),
            (spec.forward_down * forward).astype(np.float32),
            (spec.gradient * up).astype(np.float32),
            (spec.gradient * down).astype(np.float32),
        )
