"""Slow read noise of each device: reads see it, but it does not move the device's state.

Its value is drawn once per batch, and frozen within it. Between batches, and over storage, it
follows the process exactly: an Ornstein-Uhlenbeck process, or a two-state Markov chain with equal
times. White noise is drawn with the reads (`reads`).
"""

import math
from collections.abc import Sequence

import numpy as np

from rpu_ssnn.common.training_state import State
from rpu_ssnn.compiled import compiled
from rpu_ssnn.random_numbers import device_word, normal, uniform
from rpu_ssnn.synapses.base import Weights
from rpu_ssnn.synapses.native.cells import DeviceValues
from rpu_ssnn.synapses.native.device_array import STATES_OF_RANGE, DeviceArray, conductance
from rpu_ssnn.synapses.native.effects.effect import Effect
from rpu_ssnn.synapses.native.setup import Setup


@compiled
def next_errors(
    errors: DeviceValues, key: np.uint64, number: int, correlation: float, telegraph: bool,
    first: int, stop: int,
) -> None:  # fmt: skip
    """Advances the noise of cells [first, stop), in standard deviations, by one step.

    Args:
        number: counts the steps from 0.
        correlation: the correlation with the previous value.
        telegraph: whether the noise is -1 or 1 instead of a normal number.
    """
    devices, cells = errors.shape
    kept = np.float32(correlation)
    fresh = np.float32(math.sqrt(1.0 - correlation * correlation))
    for d in range(devices):
        for i in range(first, stop):
            word = device_word(key, d * cells + i, number)
            if not telegraph:
                errors[d, i] = kept * errors[d, i] + fresh * normal(word)
            elif number == 0:
                errors[d, i] = np.float32(1.0 if uniform(word) < 0.5 else -1.0)
            elif uniform(word) < 0.5 * (1.0 - correlation):
                errors[d, i] = -errors[d, i]


class SlowReadNoise(Effect):
    """Draws the slow noise of the devices of one crossbar, and counts the draws."""

    name = "device_read_noise"

    def __init__(self, setup: Setup, array: DeviceArray) -> None:
        super().__init__(setup, array)
        spec = setup.spec.device_read_noise
        self._of_range = np.float32(STATES_OF_RANGE * spec.slow_of_range)
        self._of_current, self._zero = spec.slow_of_current, setup.spec.reference.zero
        self._time_s, self._telegraph = spec.slow_time_s, spec.slow_levels == "two"
        self._batch_seconds = setup.batch_seconds
        self._key = np.uint64(setup.seeds.effects.generate_state(1, np.uint64)[0])
        self._errors: DeviceValues = np.zeros(array.drawn.records.shape, np.float32)
        self._draws = 0

    def written(self) -> None:
        self._go_on(math.inf)

    def after_batch(self) -> bool:
        self._go_on(self._batch_seconds)
        return True

    def after_rest(self, seconds: float) -> bool:
        self._go_on(seconds)
        return True

    def read_errors(self) -> list[Weights]:
        array = self.array
        spreads: Sequence[Weights | np.float32] = [self._of_range] * len(self._errors)
        if self._of_current > 0.0:
            currents = [conductance(states, self._zero) for states in array.states()]
            spreads = [np.hypot(self._of_range, self._of_current * each) for each in currents]
        each_device = zip(spreads, self._errors, strict=True)
        errors = [spread * array.as_crossbar(part) for spread, part in each_device]
        if array.read_shares is None:
            return errors
        shares = array.read_shares.devices
        return [share * error for share, error in zip(shares, errors, strict=True)]

    def state(self) -> State:
        return {"errors": self._errors.copy(), "draws": np.array(self._draws)}

    def restore(self, state: State) -> None:
        self._errors[:] = state["errors"]
        self._draws = int(state["draws"])

    def _go_on(self, seconds: float) -> None:
        correlation = math.exp(-seconds / self._time_s)
        step = self._key, self._draws, correlation, self._telegraph
        self.array.each_cell(next_errors, self._errors, *step)
        self._draws += 1
