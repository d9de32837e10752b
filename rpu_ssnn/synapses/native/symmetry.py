"""The states at which pulses up and down move devices equally far (zero shifting).

Alternating pulses take a device to this state, and equal numbers of pulses up and down do not move
it away. A reference in this state makes it the weight zero (Kim 2019, arXiv 1907.10228).
"""

import numpy as np
from jaxtyping import Float32

from rpu_ssnn.compiled import compiled
from rpu_ssnn.devices.laws import change
from rpu_ssnn.synapses.native.cells import Cells

HALVINGS = 24
"""After this many halvings of its range, a state is known to single precision."""


@compiled
def symmetry_states(cells: Cells, states: Float32[np.ndarray, "devices cells"]) -> None:
    """Finds each fresh device's state of equal steps, or the end of its range that is nearest to
    it, and leaves the devices as they are."""
    none = np.float32(0.0)
    for d in range(states.shape[0]):
        for i in range(states.shape[1]):
            device = cells.records[d, i]
            low, high = device.low, device.high
            a, b = device.a, device.b  # a user's step may change them; the search sends no pulse
            for _ in range(HALVINGS):
                state = np.float32(0.5) * (low + high)
                up = change(cells.law, cells.shared, device, state, True, none)
                device.a, device.b = a, b
                down = change(cells.law, cells.shared, device, state, False, none)
                device.a, device.b = a, b
                if up + down > none:
                    low = state
                else:
                    high = state
            states[d, i] = low
            if cells.shared.has_reference:
                states[d, i] -= device.a
