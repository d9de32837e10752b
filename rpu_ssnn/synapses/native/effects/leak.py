"""The leak of the devices, at the times and with the roundings of `synapses.tiles.leak`."""

import numpy as np

from rpu_ssnn.common.training_state import State
from rpu_ssnn.compiled import compiled
from rpu_ssnn.synapses.native.cells import Cells, DeviceValues
from rpu_ssnn.synapses.native.device_array import DeviceArray
from rpu_ssnn.synapses.native.effects.effect import Effect
from rpu_ssnn.synapses.native.pulses import bounded
from rpu_ssnn.synapses.native.setup import Setup
from rpu_ssnn.synapses.tiles.leak import DecayTimes
from rpu_ssnn.synapses.tiles.tile import built_seconds


@compiled
def decay_cells(
    cells: Cells, shares: DeviceValues, resets: DeviceValues, first: int, stop: int
) -> None:
    """Moves the devices of cells [first, stop) towards their reset level; `shares` of the distance
    are left."""
    for d in range(len(cells.signs)):
        for i in range(first, stop):
            device = cells.records[d, i]
            # This rounds exactly as aihwkit does.
            share = np.float32(1.0) + (shares[d, i] - np.float32(1.0))
            w = (device.state - resets[d, i]) * share + resets[d, i]
            device.state = bounded(device, w)


class NativeLeak(Effect):
    """Applies the leak of one crossbar, and counts how often its devices have decayed.

    A decay counts as a write, with new write noise. Devices without a leak have this effect too, so
    that their result rows show that they never decayed.
    """

    name = "leak"

    def __init__(self, setup: Setup, array: DeviceArray) -> None:
        super().__init__(setup, array)
        self._acceleration = setup.spec.retention.acceleration
        self._built, self._resets = array.drawn.decay, array.drawn.reset
        self._built_seconds = built_seconds(setup.device)
        batch_seconds = self._acceleration * setup.batch_seconds
        self._times = DecayTimes(setup.device.leak_time_constant_s, batch_seconds)
        self._steps = 0
        if self._times.acts:
            self._shares = self._after(self._times.step_seconds)

    def after_batch(self) -> bool:
        return self._times.end_batch() and self._decay(self._shares)

    def after_rest(self, seconds: float) -> bool:
        """Lets the devices decay for this time, and for what earlier batches have left over."""
        passed = self._times.wait(self._acceleration * seconds)
        return passed > 0.0 and self._decay(self._after(passed))

    def state(self) -> State:
        return {"counts": np.array([self._times.batches, self._steps])}

    def restore(self, state: State) -> None:
        self._times.batches, self._steps = map(int, state["counts"])

    def statistics(self) -> dict[str, float]:
        return {"leak_steps": float(self._steps)}

    def _after(self, seconds: float) -> DeviceValues:
        power = seconds / self._built_seconds
        return (self._built.astype(np.float64) ** power).astype(np.float32)

    def _decay(self, shares: DeviceValues) -> bool:
        self._steps += 1
        self.array.each_cell(decay_cells, self.array.cells, shares, self._resets)
        self.array.wrote_all()
        return True
