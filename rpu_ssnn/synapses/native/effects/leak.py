"""Leak in seconds, at the times and with the roundings of `rpu_ssnn.synapses.leak`."""

import numpy as np

from rpu_ssnn.synapses.leak import LeakSchedule, built_seconds
from rpu_ssnn.synapses.native.apply import decay_lines
from rpu_ssnn.synapses.native.cells import OfDevices, Scratch
from rpu_ssnn.synapses.native.device_array import DeviceArray
from rpu_ssnn.synapses.native.effects.effect import Effect, Setup
from rpu_ssnn.training_state import State


class NativeLeak(Effect):
    """When devices decay, and how often they did; a decay is a write, with new write noise.

    Also of devices without a leak, whose rows say so.
    """

    name = "leak"

    def __init__(self, setup: Setup) -> None:
        self._acceleration = setup.spec.retention.acceleration
        self._built, self._resets = setup.drawn.decay, setup.drawn.reset
        self._built_seconds = built_seconds(setup.device)
        batch_seconds = self._acceleration * setup.batch_seconds
        self._schedule = LeakSchedule(setup.device.leak_time_constant_s, batch_seconds)
        self._steps = 0
        if self._schedule.acts:
            self._usual_shares = self._shares(self._schedule.step_seconds)

    def after_batch(self, array: DeviceArray) -> bool:
        return self._decay(array, self._schedule.due_after_batch())

    def after_rest(self, array: DeviceArray, seconds: float) -> bool:
        return self._decay(array, self._schedule.due_after(self._acceleration * seconds))

    def state(self) -> State:
        return {"counts": np.array([self._schedule.batches, self._steps])}

    def restore(self, state: State) -> None:
        self._schedule.batches, self._steps = map(int, state["counts"])

    def statistics(self) -> dict[str, float]:
        return {"leak_steps": float(self._steps)}

    def _shares(self, seconds: float) -> OfDevices:
        power = seconds / self._built_seconds
        return (self._built.astype(np.float64) ** power).astype(np.float32)

    def _decay(self, array: DeviceArray, seconds: float) -> bool:
        if seconds == 0.0:
            return False
        usual = seconds == self._schedule.step_seconds
        shares = self._usual_shares if usual else self._shares(seconds)
        self._steps += 1
        cells, n_in = array.cells, array.shape[0]

        def decay(first: int, stop: int, _: Scratch) -> None:
            decay_lines(cells, shares, self._resets, n_in, first, stop)

        array.slices.call(decay)
        array.wrote_all()
        return True
