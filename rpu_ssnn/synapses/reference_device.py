"""Devices that each remember their last pulse, pulse by pulse: exact, slow, and not aihwkit.

The step by state is that of aihwkit's LinearStepDevice (its formula, checked against a tile in
tests/rpu_ssnn/synapses/test_reference_device.py), so that only what aihwkit cannot do is new: the
gap before each pulse scales its step, and the charge written by the last pulse has decayed when
the next comes.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from rpu_ssnn.compiled import compiled
from rpu_ssnn.synapses.pulse_history import Pulses
from rpu_ssnn.training_state import State, generator_state, restore_generator

type PerDevice = Float64[np.ndarray, " devices"]


@dataclass(frozen=True)
class Population:
    """Device-to-device parameters; states in about [-1, 1], pulses counted from any of them.

    Attributes:
        low, high: bounds.
        up, down: size of a step at state zero.
        slope_up, slope_down: change of that size per unit of state.
        noise: deviation of a step from pulse to pulse, share of the step.
        noise_follows_step: share of the local step, else of the step at state zero.
    """

    low: PerDevice
    high: PerDevice
    up: PerDevice
    down: PerDevice
    slope_up: PerDevice
    slope_down: PerDevice
    noise: float
    noise_follows_step: bool


class ReferenceDevices:
    """States of a population under pulses and time.

    Args:
        population: the devices.
        rest: state of a device that has lost all charge.
        state: written at the start, clipped to each device's bounds.
        rng: of the noise from pulse to pulse.
    """

    def __init__(
        self,
        population: Population,
        rest: float,
        state: PerDevice,
        rng: np.random.Generator,
    ) -> None:
        self._population, self._rest, self._rng = population, rest, rng
        self._written = np.clip(state, population.low, population.high)

    def pulse(self, pulses: Pulses) -> None:
        """Take pulses in their order, each on what is left of its device's charge."""
        p = self._population
        if p.noise > 0.0:
            noise = p.noise * self._rng.standard_normal(len(pulses), dtype=np.float32)
        else:
            noise = np.zeros(len(pulses), dtype=np.float32)
        _pulse(
            pulses.device, pulses.sign, pulses.step_factor, pulses.kept, noise,
            p.noise_follows_step, self._rest, self._written, p.low, p.high, p.up, p.down,
            p.slope_up, p.slope_down,
        )  # fmt: skip

    def states(self, kept: PerDevice) -> PerDevice:
        """States now, with that share of the charge left since each device's last pulse."""
        left: PerDevice = self._rest + (self._written - self._rest) * kept
        return np.clip(left, self._population.low, self._population.high, out=left)

    def state(self) -> State:
        """Written states and the place in the noise."""
        return {"written": self._written.copy(), "noise": generator_state(self._rng)}

    def restore(self, state: State) -> None:
        """Go on from the state of devices built just as these."""
        self._written[:] = state["written"]
        restore_generator(self._rng, state["noise"])

    def saturated(self, states: PerDevice, margin: float) -> int:
        """Devices within that share of their own range of a bound; stuck ones left out."""
        low, high = self._population.low, self._population.high
        near = margin * (high - low)
        at_bound = (states <= low + near) | (states >= high - near)
        return int((at_bound & (high > low)).sum())


@compiled
def _pulse(  # type: ignore[no-untyped-def]
    device, sign, factor, kept, noise, noise_follows_step, rest, state, low, high, up, down,
    slope_up, slope_down,
):  # fmt: skip
    for k in range(len(device)):
        i = device[k]
        w = rest + (state[i] - rest) * kept[k]
        at_zero = up[i] if sign[k] > 0 else down[i]
        step = at_zero + (slope_up[i] if sign[k] > 0 else slope_down[i]) * w
        step += noise[k] * (step if noise_follows_step else at_zero)
        w += sign[k] * factor[k] * step
        state[i] = min(max(w, low[i]), high[i])
