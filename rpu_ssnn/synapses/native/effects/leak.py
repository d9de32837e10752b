"""The leak of the devices, at the times and with the roundings of `synapses.tiles.leak`."""

from functools import partial

import numpy as np

from rpu_ssnn.common.training_state import State
from rpu_ssnn.synapses.native.cells import DeviceValues
from rpu_ssnn.synapses.native.device_array import DeviceArray
from rpu_ssnn.synapses.native.effects.effect import Effect, Setup
from rpu_ssnn.synapses.native.whole_lines import decay_lines
from rpu_ssnn.synapses.tiles.leak import DecayTimes, built_seconds


class NativeLeak(Effect):
    """Applies the leak of one crossbar, and counts how often its devices have decayed.

    A decay counts as a write, with new write noise. Devices without a leak have this effect too, so
    that their result rows show that they never decayed.
    """

    name = "leak"

    def __init__(self, setup: Setup) -> None:
        self._acceleration = setup.spec.retention.acceleration
        self._built, self._resets = setup.drawn.decay, setup.drawn.reset
        self._built_seconds = built_seconds(setup.device)
        batch_seconds = self._acceleration * setup.batch_seconds
        self._times = DecayTimes(setup.device.leak_time_constant_s, batch_seconds)
        self._steps = 0
        if self._times.acts:
            self._shares = self._after(self._times.step_seconds)

    def after_batch(self, array: DeviceArray) -> bool:
        return self._times.end_batch() and self._decay(array, self._shares)

    def after_rest(self, array: DeviceArray, seconds: float) -> bool:
        """Lets the devices decay for this time, and for what earlier batches have left over."""
        passed = self._times.wait(self._acceleration * seconds)
        return passed > 0.0 and self._decay(array, self._after(passed))

    def state(self) -> State:
        return {"counts": np.array([self._times.batches, self._steps])}

    def restore(self, state: State) -> None:
        self._times.batches, self._steps = map(int, state["counts"])

    def statistics(self) -> dict[str, float]:
        return {"leak_steps": float(self._steps)}

    def _after(self, seconds: float) -> DeviceValues:
        power = seconds / self._built_seconds
        return (self._built.astype(np.float64) ** power).astype(np.float32)

    def _decay(self, array: DeviceArray, shares: DeviceValues) -> bool:
        self._steps += 1
        decay = partial(decay_lines, array.cells, shares, self._resets, array.shape[0])
        array.slices.call_without_scratch(decay)
        array.wrote_all()
        return True
